//! Instruction words to dense form.
//!
//! The first halfword alone decides the length: 16, 32 and 48 bits scalar, 48 and 80 bits vector (VPU fact sheet 2).
//! Halfwords are little-endian; the two upper halfwords of a 48-bit scalar instruction form one little-endian word.

mod half;
mod long;
mod word;

use super::op::Op;
use super::vector::VectorInstruction;

/// Longest instruction, in halfwords.
pub(super) const MAX_HALFWORDS: usize = 5;

/// A decoded instruction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Decoded {
    Scalar(Op),
    Vector(VectorInstruction),
}

/// Length in bytes of the instruction that begins with `first`.
pub(super) fn length_of(first: u16) -> u32 {
    match first {
        0x0000..=0x7fff => 2,
        0x8000..=0xdfff => 4,
        0xe000..=0xf7ff => 6,
        0xf800..=0xffff => 10,
    }
}

/// Decodes the instruction at the start of `halfwords`; those beyond its length are ignored.
pub(super) fn decode(halfwords: &[u16; MAX_HALFWORDS]) -> Decoded {
    let first = halfwords[0];
    match first {
        0x0000..=0x7fff => Decoded::Scalar(half::decode(u32::from(first))),
        0x8000..=0xdfff => Decoded::Scalar(word::decode(first, halfwords[1])),
        0xe000..=0xefff => {
            let value = u32::from(halfwords[1]) | u32::from(halfwords[2]) << 16;
            Decoded::Scalar(long::decode(u32::from(first), value))
        }
        0xf000..=0xffff => Decoded::Vector(VectorInstruction::decode(halfwords)),
    }
}

/// Bits `low..low + count` of `word`.
fn field(word: u32, low: u32, count: u32) -> u32 {
    (word >> low) & ((1 << count) - 1)
}

/// A five-bit register number at bit `low`.
fn register(word: u32, low: u32) -> u8 {
    field(word, low, 5) as u8
}

/// The low `bits` bits of `value`, sign-extended.
fn sign_extend(value: u32, bits: u32) -> i32 {
    let shift = 32 - bits;
    ((value << shift) as i32) >> shift
}
