//! The vector unit: sixteen lanes, a register file of 64 rows of 64 bytes, an accumulator and three flags a lane.

mod instruction;

pub(super) use instruction::VectorInstruction;

use super::bus::Bus;
use super::execute::Context;
use super::fault::FaultKind;

/// State of the vector unit.
pub(super) struct VectorUnit;

impl VectorUnit {
    pub(super) fn new() -> Self {
        Self
    }

    /// Executes one instruction.
    pub(super) fn execute<B: Bus>(
        _context: &mut Context<'_, B>,
        _instruction: &VectorInstruction,
    ) -> Result<(), FaultKind> {
        Err(FaultKind::UnsupportedInstruction)
    }
}
