//! The machine as a VPU core sees it.

use super::system::{System, VPU_REGISTER_CYCLES};
use crate::ram::Ram;
use crate::vpu::bus::{Access, Bus, CoreId, Interrupt, Width};

/// Number of a VPU core.
pub(super) fn number(core: CoreId) -> u8 {
    match core {
        CoreId::Core0 => 0,
        CoreId::Core1 => 1,
    }
}

/// Bits of a register word that an access of this width at this address covers, and its shift.
fn lanes(address: u32, width: Width) -> (u32, u32) {
    let (mask, shift) = match width {
        Width::Byte => (0xff, 8 * (address & 3)),
        Width::Half => (0xffff, 8 * (address & 2)),
        Width::Word => (u32::MAX, 0),
    };
    (mask << shift, shift)
}

impl Bus for System {
    fn ram(&mut self) -> &mut Ram {
        &mut self.ram
    }

    fn device_read(&mut self, access: Access, address: u32, width: Width) -> u32 {
        let (mask, shift) = lanes(address, width);
        let word = self.load(address & !3, u64::from(access.pc), access.elapsed, VPU_REGISTER_CYCLES);
        (word & mask) >> shift
    }

    fn device_write(&mut self, access: Access, address: u32, width: Width, value: u32) {
        let (mask, shift) = lanes(address, width);
        let at = (u64::from(access.pc), access.elapsed);
        self.store(address & !3, mask, value << shift, at, VPU_REGISTER_CYCLES);
    }

    fn acknowledge_interrupt(&mut self, core: CoreId) -> Option<Interrupt> {
        let number = self.soc.acknowledge_vpu_interrupt(number(core))?;
        Some(Interrupt { number })
    }

    fn interrupt_pending(&self, core: CoreId) -> bool {
        self.soc.vpu_interrupt_pending(number(core))
    }

    fn take_attention(&mut self) -> bool {
        self.soc.take_line_change()
    }

    fn take_yield(&mut self) -> bool {
        std::mem::take(&mut self.end_slice)
    }

    fn vector_base(&self, core: CoreId) -> u32 {
        self.soc.vpu_interrupts(number(core)).vectors()
    }

    fn lock_read(&mut self, index: u8) -> u32 {
        let bit = 1u32 << (index & 31);
        let was_set = self.locks & bit != 0;
        self.locks |= bit;
        u32::from(was_set)
    }

    fn lock_release(&mut self, index: u8) {
        self.locks &= !(1u32 << (index & 31));
    }
}
