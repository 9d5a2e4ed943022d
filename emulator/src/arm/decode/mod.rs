//! Instruction word → dense form, one file an encoding group of the architecture manual (C4.1).

mod bits;
mod branch;
mod immediate;
mod memory;
mod op;
mod operand;
mod register;

pub(crate) use op::Op;
pub(crate) use operand::{
    Call, DISCARD, ExclusiveKind, Extend, Index, Kind, Logic, OneSource, PstateField, Reg, STACK, Shift, Size,
};

use bits::{bit, field};

/// Decodes one A64 instruction. An unallocated encoding becomes `Op::Undefined`.
pub(crate) fn decode(word: u32) -> Op {
    let decoded = match field(word, 28, 25) {
        0b1000 | 0b1001 => immediate::decode(word),
        0b1010 | 0b1011 => branch::decode(word),
        0b0100 | 0b0110 | 0b1100 | 0b1110 if !bit(word, 26) => memory::decode(word),
        0b0101 | 0b1101 => register::decode(word),
        0b0100 | 0b0110 | 0b0111 | 0b1100 | 0b1110 | 0b1111 => Some(Op::FloatingPoint { word }),
        _ => None,
    };
    decoded.unwrap_or(Op::Undefined { word })
}
