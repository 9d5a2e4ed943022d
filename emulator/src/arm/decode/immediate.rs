//! Data processing, immediate (C4.1.2).

use super::bits::{bit, destination, field, rd, rm, rn, rn_or_stack, signed_field, size, stack_or_register};
use super::op::Op;
use super::operand::{Logic, Size, ZERO};

/// Decodes the group; none if unallocated.
pub(super) fn decode(word: u32) -> Option<Op> {
    match field(word, 25, 23) {
        0b000 | 0b001 => Some(pc_relative(word)),
        0b010 => Some(add_subtract(word)),
        0b100 => logic(word),
        0b101 => move_wide(word),
        0b110 => bitfield(word),
        0b111 => extract(word),
        _ => None,
    }
}

fn pc_relative(word: u32) -> Op {
    let rd = rd(word);
    let immediate = (signed_field(word, 23, 5) << 2) | i64::from(field(word, 30, 29));
    if bit(word, 31) {
        Op::PageRelative { rd, offset: immediate << 12 }
    } else {
        Op::PcRelative { rd, offset: immediate }
    }
}

fn add_subtract(word: u32) -> Op {
    let shift = if bit(word, 22) { 12 } else { 0 };
    let value = u64::from(field(word, 21, 10)) << shift;
    let (size, rn) = (size(word), rn_or_stack(word));
    let (subtract, flags) = (bit(word, 30), bit(word, 29));
    match (subtract, flags) {
        (false, false) => Op::AddImmediate { size, rd: stack_or_register(field(word, 4, 0)), rn, value },
        (true, false) => Op::AddImmediate {
            size,
            rd: stack_or_register(field(word, 4, 0)),
            rn,
            value: value.wrapping_neg(),
        },
        (false, true) => Op::AddFlagsImmediate { size, rd: rd(word), rn, value },
        (true, true) => Op::SubtractFlagsImmediate { size, rd: rd(word), rn, value },
    }
}

fn logic(word: u32) -> Option<Op> {
    let size = size(word);
    let value = bitmask(size, bit(word, 22), field(word, 15, 10), field(word, 21, 16))?;
    let (logic, rd) = match field(word, 30, 29) {
        0b00 => (Logic::And, stack_or_register(field(word, 4, 0))),
        0b01 => (Logic::Or, stack_or_register(field(word, 4, 0))),
        0b10 => (Logic::ExclusiveOr, stack_or_register(field(word, 4, 0))),
        _ => (Logic::AndFlags, destination(field(word, 4, 0))),
    };
    let rn = rn(word);
    if logic == Logic::Or && rn == ZERO {
        return Some(Op::Constant { rd, value });
    }
    Some(Op::LogicImmediate { size, logic, rd, rn, value })
}

/// `DecodeBitMasks` of the manual for a logical immediate: a run of ones, rotated, repeated.
fn bitmask(size: Size, n: bool, imms: u32, immr: u32) -> Option<u64> {
    if n && size == Size::W {
        return None;
    }
    let selector = (u32::from(n) << 6) | (!imms & 0x3f);
    if selector < 2 {
        return None;
    }
    let length = 31 - selector.leading_zeros();
    let element = 1u32 << length;
    let levels = element - 1;
    let (ones, rotate) = ((imms & levels) + 1, immr & levels);
    if ones == element {
        return None;
    }
    let run = (1u64 << ones) - 1;
    let element_mask = u64::MAX >> (64 - element);
    let rotated = if rotate == 0 { run } else { (run >> rotate) | (run << (element - rotate)) };
    let mut value = rotated & element_mask;
    let mut filled = element;
    while filled < 64 {
        value |= value << filled;
        filled *= 2;
    }
    Some(size.narrow(value))
}

fn move_wide(word: u32) -> Option<Op> {
    let size = size(word);
    let shift = field(word, 22, 21) * 16;
    if shift >= size.bits() {
        return None;
    }
    let (rd, half) = (rd(word), field(word, 20, 5) as u16);
    let value = u64::from(half) << shift;
    match field(word, 30, 29) {
        0b00 => Some(Op::Constant { rd, value: size.narrow(!value) }),
        0b10 => Some(Op::Constant { rd, value }),
        0b11 => Some(Op::InsertHalfword { size, rd, shift: shift as u8, value: half }),
        _ => None,
    }
}

fn bitfield(word: u32) -> Option<Op> {
    let size = size(word);
    let (immr, imms) = (field(word, 21, 16), field(word, 15, 10));
    let out_of_range = immr >= size.bits() || imms >= size.bits();
    if out_of_range || bit(word, 22) != (size == Size::X) {
        return None;
    }
    let (rd, rn) = (rd(word), rn(word));
    // Either a field is taken from bit `immr` down to bit 0, or the low bits go up to bit `size - immr`.
    let is_extract = imms >= immr;
    let right = if is_extract { immr } else { 0 };
    let left = if is_extract { 0 } else { size.bits() - immr };
    let width = imms + 1 - right;
    let mask = u64::MAX >> (64 - width);
    match field(word, 30, 29) {
        0b00 => {
            let up = 63 - imms;
            let down = up + right;
            Some(Op::SignedBitfield { size, rd, rn, up: up as u8, down: down as u8, left: left as u8 })
        }
        0b01 => Some(Op::InsertBitfield {
            size,
            rd,
            rn,
            right: right as u8,
            left: left as u8,
            mask: mask << left,
        }),
        0b10 => Some(Op::UnsignedBitfield { rd, rn, right: right as u8, left: left as u8, mask }),
        _ => None,
    }
}

fn extract(word: u32) -> Option<Op> {
    let size = size(word);
    let right = field(word, 15, 10);
    let unallocated = field(word, 30, 29) != 0 || bit(word, 21) || right >= size.bits();
    if unallocated || bit(word, 22) != (size == Size::X) {
        return None;
    }
    Some(Op::Extract { size, rd: rd(word), rn: rn(word), rm: rm(word), right: right as u8 })
}
