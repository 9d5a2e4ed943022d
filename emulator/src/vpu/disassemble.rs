//! Instruction words as text.

/// Length in bytes of the instruction that begins with `first`.
pub(super) fn length_of(first: u16) -> u32 {
    match first {
        0x0000..=0x7fff => 2,
        0x8000..=0xdfff => 4,
        0xe000..=0xf7ff => 6,
        0xf800..=0xffff => 10,
    }
}

/// Disassembles the instruction at `pc` whose halfwords begin `halfwords` (five suffice for every instruction;
/// missing ones read as zero). Returns its length in bytes, and its text.
pub fn disassemble(_pc: u32, halfwords: &[u16]) -> (u32, String) {
    let first = halfwords.first().copied().unwrap_or(0);
    (length_of(first), format!(".half {first:#06x}"))
}
