//! One instruction at a time, with everything it can do: devices, interrupts, exceptions, faults.
//!
//! `hot` executes the commoner ones, faster, as long as they meet none of these; what it never leaves over, such as
//! branches, is not repeated here.

pub(super) mod alu;
mod float;
pub(super) mod memory;
mod system;

use super::bus::{Access, Bus, CoreId};
use super::fault::FaultKind;
use super::op::{Op, PC, SR};
use super::operation::{Condition, Operation};
use super::registers::Registers;
use super::vector::{VectorInstruction, VectorUnit};

/// Exceptions that instructions raise, as numbers of the vector table.
pub(super) mod vector_number {
    /// Integer division by zero.
    pub(in crate::vpu) const DIVISION_BY_ZERO: u8 = 2;
    /// `bkpt`.
    pub(in crate::vpu) const BREAKPOINT: u8 = 0x0d;
    /// First of 32 for `swi`.
    pub(in crate::vpu) const SOFTWARE_INTERRUPT: u8 = 0x20;
    /// First of 64 for interrupts.
    pub(in crate::vpu) const INTERRUPT: u8 = 0x40;
}

/// Everything an instruction can reach.
pub(super) struct Context<'a, B> {
    pub(super) id: CoreId,
    pub(super) cpuid: u32,
    pub(super) registers: &'a mut Registers,
    /// p10.
    pub(super) vector_handover: &'a mut u32,
    pub(super) vectors: &'a mut VectorUnit,
    pub(super) bus: &'a mut B,
    /// Instructions retired in this slice before this one.
    pub(super) elapsed: u32,
    /// What the instruction asks of the run loop.
    pub(super) requests: &'a mut Requests,
}

/// What an instruction asks of the run loop.
#[derive(Clone, Copy, Default)]
pub(super) struct Requests {
    /// A device was accessed: the machine may have something to say.
    pub(super) look_at_machine: bool,
    /// Interrupts may have become possible.
    pub(super) check_interrupts: bool,
    /// `sleep` was executed.
    pub(super) sleep: bool,
}

impl<B: Bus> Context<'_, B> {
    /// Executes `op`, which lies at `pc` and is followed by `next`. Gives the address of the instruction to execute
    /// after it.
    pub(super) fn execute(&mut self, op: Op, pc: u32, next: u32) -> Result<u32, FaultKind> {
        // Reads of r31 see the address of the instruction itself.
        self.registers.set_pc(pc);
        match op {
            Op::Unknown => Err(FaultKind::UnknownInstruction),
            Op::Alu { operation, condition, d, a, b } => {
                let b = self.registers.get(b);
                self.operate(operation, condition, d, a, b, next)
            }
            Op::AluImmediate { operation, condition, d, a, value } => {
                self.operate(operation, condition, d, a, value, next)
            }

            Op::Transfer { .. }
            | Op::TransferConditional { .. }
            | Op::TransferIndexed { .. }
            | Op::TransferPreDecrement { .. }
            | Op::TransferPostIncrement { .. } => Ok(self.transfer(op, next)),

            other => self.system(other, next),
        }
    }

    /// Executes a vector instruction.
    pub(super) fn execute_vector(
        &mut self,
        instruction: &VectorInstruction,
        pc: u32,
        next: u32,
    ) -> Result<u32, FaultKind> {
        self.registers.set_pc(pc);
        VectorUnit::execute(self, instruction)?;
        Ok(next)
    }

    /// Who is asking a device.
    pub(super) fn access(&self) -> Access {
        Access { pc: self.registers.pc(), core: self.id, elapsed: self.elapsed }
    }

    fn operate(
        &mut self,
        operation: Operation,
        condition: Condition,
        d: u8,
        a: u8,
        b: u32,
        next: u32,
    ) -> Result<u32, FaultKind> {
        if !self.registers.satisfies(condition) {
            return Ok(next);
        }
        let a = self.registers.get(a);
        let flags = match operation {
            Operation::Cmp => alu::compare(a, b),
            Operation::Cmn => alu::compare_negative(a, b),
            Operation::Btest => alu::test_bit(a, b),
            Operation::Fcmp => float::compare(a, b),
            _ => {
                let result = if operation.is_division() {
                    match alu::divide(operation, a, b) {
                        Some(quotient) => quotient,
                        None => return self.raise(vector_number::DIVISION_BY_ZERO, next),
                    }
                } else {
                    float::evaluate(operation, a, b).unwrap_or_else(|| alu::evaluate(operation, a, b))
                };
                return Ok(self.write(d, result, next));
            }
        };
        self.registers.set_flags(flags);
        Ok(next)
    }

    /// Writes a register. Gives the address to go on at: `value` itself if the register is the pc.
    fn write(&mut self, register: u8, value: u32, next: u32) -> u32 {
        match register {
            PC => return value,
            SR => self.requests.check_interrupts = true,
            _ => {}
        }
        self.registers.set(register, value);
        next
    }
}
