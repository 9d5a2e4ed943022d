//! The vector unit: sixteen lanes, a register file of 64 rows of 64 bytes, an accumulator and three flags a lane.
//!
//! ```text
//! instruction  the fields of a vector instruction
//! file         the register file
//! operand      from slots to lanes
//! arithmetic   what the operations compute, lane by lane
//! modifier     accumulator and scalar result unit
//! unit         executes arithmetic instructions
//! memory       loads, stores, gathers, scatters, the lookup table, the accumulators read back
//! names        mnemonics
//! ```

mod arithmetic;
mod file;
mod instruction;
mod memory;
mod modifier;
mod names;
mod operand;
mod unit;

pub(super) use instruction::VectorInstruction;
pub(super) use names::text;
pub(super) use unit::VectorUnit;
