//! Interrupts, exceptions, control registers, and the instructions about them.

use super::{Context, vector_number};
use crate::vpu::bus::{Bus, CoreId, Width};
use crate::vpu::fault::FaultKind;
use crate::vpu::op::{CounterStep, Op, SP};
use crate::vpu::registers::{COUNTER_MASK, INTERRUPT_ENABLE};

/// Control registers from this number on are locks that both cores share.
const FIRST_LOCK: u8 = 16;
/// The control register through which the vector unit is handed over; storage, as far as software can tell.
const VECTOR_HANDOVER: u8 = 10;
/// Firmware polls this one until it reads zero before it hands the vector unit over, and complains if that takes too
/// long: the unit is busy. Here it never is.
const VECTOR_BUSY: u8 = 15;

impl<B: Bus> Context<'_, B> {
    /// Executes one of the instructions that concern the core itself.
    pub(super) fn system(&mut self, op: Op, next: u32) -> Result<u32, FaultKind> {
        match op {
            Op::Breakpoint => return self.raise(vector_number::BREAKPOINT, next),
            Op::SoftwareInterrupt { number } => {
                return self.raise(vector_number::SOFTWARE_INTERRUPT + number, next);
            }
            Op::SoftwareInterruptRegister { a } => {
                let number = (self.registers.get(a) & 31) as u8;
                return self.raise(vector_number::SOFTWARE_INTERRUPT + number, next);
            }
            Op::ReturnFromInterrupt => return Ok(self.return_from_interrupt()),
            Op::Sleep => {
                // The idle loop is `nop; sleep; di`: waiting enables interrupts (VPU fact sheet 6.3).
                self.enable_interrupts();
                self.requests.sleep = true;
            }
            Op::EnableInterrupts => self.enable_interrupts(),
            Op::DisableInterrupts => {
                self.registers.set_status(self.registers.status() & !INTERRUPT_ENABLE);
            }
            Op::Counter { step } => self.step_counter(step),
            Op::Version { d } => {
                let core = match self.id {
                    CoreId::Core0 => 0,
                    CoreId::Core1 => 1,
                };
                return Ok(self.write(d, self.cpuid | core << 16, next));
            }
            Op::ReadControl { d, index } => {
                let value = self.read_control(index)?;
                return Ok(self.write(d, value, next));
            }
            Op::WriteControl { index, b } => self.write_control(index, self.registers.get(b))?,
            Op::Nop => {}
            _ => return Err(FaultKind::UnsupportedInstruction),
        }
        Ok(next)
    }

    /// Enters an exception or interrupt: pc and sr go on the stack, interrupts off. Gives the handler's address.
    pub(in crate::vpu) fn raise(&mut self, vector: u8, return_to: u32) -> Result<u32, FaultKind> {
        let table = self.bus.vector_base(self.id);
        if table == 0 {
            return Err(FaultKind::NoVectorTable { vector });
        }
        let handler = self.load(table.wrapping_add(4 * u32::from(vector)), Width::Word);
        let status = self.registers.status();
        let sp = self.registers.get(SP).wrapping_sub(8);
        self.store(sp.wrapping_add(4), Width::Word, return_to);
        self.store(sp, Width::Word, status);
        self.registers.set(SP, sp);
        self.registers.set_status(status & !INTERRUPT_ENABLE);
        // Bit 0 of a vector selects something unknown that is not part of the address (VPU fact sheet 6.6).
        Ok(handler & !1)
    }

    fn return_from_interrupt(&mut self) -> u32 {
        let sp = self.registers.get(SP);
        let status = self.load(sp, Width::Word);
        let target = self.load(sp.wrapping_add(4), Width::Word);
        self.registers.set(SP, sp.wrapping_add(8));
        self.registers.set_status(status);
        self.requests.check_interrupts = true;
        target
    }

    fn enable_interrupts(&mut self) {
        self.registers.set_status(self.registers.status() | INTERRUPT_ENABLE);
        self.requests.check_interrupts = true;
    }

    fn step_counter(&mut self, step: CounterStep) {
        let status = self.registers.status();
        let counter = match step {
            CounterStep::Clear => 0,
            CounterStep::Add(count) => (status & COUNTER_MASK) + (u32::from(count) << 4),
        };
        self.registers.set_status(status & !COUNTER_MASK | counter & COUNTER_MASK);
    }

    fn read_control(&mut self, index: u8) -> Result<u32, FaultKind> {
        match index {
            FIRST_LOCK.. => Ok(self.bus.lock_read(index)),
            VECTOR_HANDOVER => Ok(*self.vector_handover),
            VECTOR_BUSY => Ok(0),
            _ => Err(FaultKind::UnsupportedInstruction),
        }
    }

    fn write_control(&mut self, index: u8, value: u32) -> Result<(), FaultKind> {
        match index {
            FIRST_LOCK.. => self.bus.lock_release(index),
            VECTOR_HANDOVER => *self.vector_handover = value,
            _ => return Err(FaultKind::UnsupportedInstruction),
        }
        Ok(())
    }
}
