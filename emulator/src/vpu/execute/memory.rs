//! Loads and stores, devices included.

use super::Context;
use crate::vpu::bus::{Bus, Width};
use crate::vpu::op::Op;
use crate::vpu::operation::{Condition, Transfer};

/// Accesses to these addresses go to devices: the register windows and the boot ROM.
pub(in crate::vpu) fn is_device(address: u32) -> bool {
    address >> 26 == 0x1f || address >> 16 == 0x6000
}

impl<B: Bus> Context<'_, B> {
    /// Executes a load or store. Gives the address of the next instruction, which a load of pc chooses.
    pub(super) fn transfer(&mut self, op: Op, next: u32) -> u32 {
        match op {
            Op::Transfer { transfer, register, base, offset } => {
                let address = self.registers.get(base).wrapping_add_signed(offset);
                self.move_value(transfer, register, address, next)
            }
            Op::TransferConditional { transfer, condition, register, base, offset } => {
                let address = self.registers.get(base).wrapping_add(offset.into());
                self.move_if(condition, transfer, register, address, next)
            }
            Op::TransferIndexed { transfer, condition, register, base, index } => {
                let scaled = self.registers.get(index) << transfer.scale();
                let address = self.registers.get(base).wrapping_add(scaled);
                self.move_if(condition, transfer, register, address, next)
            }
            Op::TransferPreDecrement { transfer, condition, register, base } => {
                if !self.registers.satisfies(condition) {
                    return next;
                }
                let address = self.registers.get(base).wrapping_sub(1 << transfer.scale());
                let next = self.move_value(transfer, register, address, next);
                self.registers.set(base, address);
                next
            }
            Op::TransferPostIncrement { transfer, condition, register, base } => {
                if !self.registers.satisfies(condition) {
                    return next;
                }
                let address = self.registers.get(base);
                let next = self.move_value(transfer, register, address, next);
                self.registers.set(base, address.wrapping_add(1 << transfer.scale()));
                next
            }
            _ => next,
        }
    }

    fn move_if(
        &mut self,
        condition: Condition,
        transfer: Transfer,
        register: u8,
        address: u32,
        next: u32,
    ) -> u32 {
        if self.registers.satisfies(condition) {
            self.move_value(transfer, register, address, next)
        } else {
            next
        }
    }

    fn move_value(&mut self, transfer: Transfer, register: u8, address: u32, next: u32) -> u32 {
        if !transfer.is_load() {
            self.store(address, transfer.width(), self.registers.get(register));
            return next;
        }
        let raw = self.load(address, transfer.width());
        let value = match transfer {
            Transfer::LoadSignedHalf => raw as i16 as u32,
            Transfer::LoadSignedByte => raw as i8 as u32,
            _ => raw,
        };
        self.write(register, value, next)
    }

    /// A load from RAM or a device, zero-extended.
    pub(in crate::vpu) fn load(&mut self, address: u32, width: Width) -> u32 {
        if is_device(address) {
            self.requests.look_at_machine = true;
            let access = self.access();
            return self.bus.device_read(access, address, width);
        }
        match width {
            Width::Byte => self.bus.ram().read8(address).into(),
            Width::Half => self.bus.ram().read16(address).into(),
            Width::Word => self.bus.ram().read32(address),
        }
    }

    /// A store to RAM or a device.
    pub(in crate::vpu) fn store(&mut self, address: u32, width: Width, value: u32) {
        if is_device(address) {
            self.requests.look_at_machine = true;
            let access = self.access();
            return self.bus.device_write(access, address, width, value);
        }
        match width {
            Width::Byte => self.bus.ram().write8(address, value as u8),
            Width::Half => self.bus.ram().write16(address, value as u16),
            Width::Word => self.bus.ram().write32(address, value),
        }
    }
}
