//! Instruction words as text.

use super::decode::length_of;

/// Disassembles the instruction at `pc` whose halfwords begin `halfwords` (five suffice for every instruction;
/// missing ones read as zero). Returns its length in bytes, and its text.
pub fn disassemble(_pc: u32, halfwords: &[u16]) -> (u32, String) {
    let first = halfwords.first().copied().unwrap_or(0);
    (length_of(first), format!(".half {first:#06x}"))
}
