//! Cutting fields out of an instruction word.

use super::operand::{DISCARD, Reg, STACK, Size, ZERO};

/// Bits `high..=low` of `word`.
pub(super) const fn field(word: u32, high: u32, low: u32) -> u32 {
    (word >> low) & (u32::MAX >> (31 - (high - low)))
}

/// Bit `at` of `word`.
pub(super) const fn bit(word: u32, at: u32) -> bool {
    (word >> at) & 1 != 0
}

/// Bits `high..=low`, sign-extended.
pub(super) const fn signed_field(word: u32, high: u32, low: u32) -> i64 {
    (((word << (31 - high)) as i32) >> (31 - high + low)) as i64
}

/// `sf`, bit 31.
pub(super) const fn size(word: u32) -> Size {
    if bit(word, 31) { Size::X } else { Size::W }
}

/// A source register where 31 is XZR.
pub(super) const fn source(number: u32) -> Reg {
    number as Reg
}

/// A destination register where 31 is XZR.
pub(super) const fn destination(number: u32) -> Reg {
    if number == ZERO as u32 { DISCARD } else { number as Reg }
}

/// A register where 31 is SP.
pub(super) const fn stack_or_register(number: u32) -> Reg {
    if number == 31 { STACK } else { number as Reg }
}

/// Rd as destination, bits 4:0.
pub(super) const fn rd(word: u32) -> Reg {
    destination(field(word, 4, 0))
}

/// Rn as source, bits 9:5.
pub(super) const fn rn(word: u32) -> Reg {
    source(field(word, 9, 5))
}

/// Rn as base or SP, bits 9:5.
pub(super) const fn rn_or_stack(word: u32) -> Reg {
    stack_or_register(field(word, 9, 5))
}

/// Rm as source, bits 20:16.
pub(super) const fn rm(word: u32) -> Reg {
    source(field(word, 20, 16))
}

/// Ra as source, bits 14:10.
pub(super) const fn ra(word: u32) -> Reg {
    source(field(word, 14, 10))
}
