//! Data processing, register (C4.1.5).

use super::bits::{bit, field, ra, rd, rm, rn, rn_or_stack, size, stack_or_register};
use super::op::Op;
use super::operand::{Extend, Logic, OneSource, Shift, Size, ZERO};

/// Decodes the group; none if unallocated.
pub(super) fn decode(word: u32) -> Option<Op> {
    match (bit(word, 28), field(word, 24, 21)) {
        (false, 0b0000..=0b0111) => logic_shifted(word),
        (false, op) if op & 1 == 0 => add_shifted(word),
        (false, _) => add_extended(word),
        (true, 0b0000) => add_carry(word),
        (true, 0b0010) => conditional_compare(word),
        (true, 0b0100) => select(word),
        (true, 0b0110) if bit(word, 30) => one_source(word),
        (true, 0b0110) => two_sources(word),
        (true, 0b1000..) => three_sources(word),
        _ => None,
    }
}

fn shift_kind(word: u32) -> Shift {
    match field(word, 23, 22) {
        0 => Shift::Left,
        1 => Shift::LogicalRight,
        2 => Shift::ArithmeticRight,
        _ => Shift::RotateRight,
    }
}

/// `option`, three bits.
pub(super) fn extend_kind(option: u32) -> Extend {
    match option {
        0 => Extend::Byte,
        1 => Extend::Half,
        2 => Extend::Word,
        4 => Extend::SignedByte,
        5 => Extend::SignedHalf,
        6 => Extend::SignedWord,
        // 3 and 7: all 64 bits.
        _ => Extend::Double,
    }
}

/// The shift amount of a shifted register; none if it exceeds a 32-bit operand.
fn amount(word: u32) -> Option<u8> {
    let amount = field(word, 15, 10);
    (amount < size(word).bits()).then_some(amount as u8)
}

fn logic_shifted(word: u32) -> Option<Op> {
    let (size, rd, rn, rm) = (size(word), rd(word), rn(word), rm(word));
    let (shift, amount, invert) = (shift_kind(word), amount(word)?, bit(word, 21));
    let logic = match field(word, 30, 29) {
        0b00 => Logic::And,
        0b01 => Logic::Or,
        0b10 => Logic::ExclusiveOr,
        _ => Logic::AndFlags,
    };
    let op = match (shift, invert) {
        (Shift::Left, false) if logic == Logic::Or && rn == ZERO && amount == 0 => Op::Move { size, rd, rm },
        (Shift::Left, false) => Op::LogicRegister { size, logic, rd, rn, rm, left: amount },
        _ => Op::LogicShifted { size, logic, invert, rd, rn, rm, shift, amount },
    };
    Some(op)
}

fn add_shifted(word: u32) -> Option<Op> {
    let (size, rd, rn, rm) = (size(word), rd(word), rn(word), rm(word));
    let (shift, amount) = (shift_kind(word), amount(word)?);
    let (subtract, flags) = (bit(word, 30), bit(word, 29));
    let left = amount;
    match shift {
        Shift::RotateRight => None,
        Shift::Left => Some(match (subtract, flags) {
            (false, false) => Op::AddRegister { size, rd, rn, rm, left },
            (true, false) => Op::SubtractRegister { size, rd, rn, rm, left },
            (false, true) => Op::AddFlagsRegister { size, rd, rn, rm, left },
            (true, true) => Op::SubtractFlagsRegister { size, rd, rn, rm, left },
        }),
        _ => Some(Op::AddShifted { size, subtract, flags, rd, rn, rm, shift, amount }),
    }
}

fn add_extended(word: u32) -> Option<Op> {
    let left = field(word, 12, 10);
    if field(word, 23, 22) != 0 || left > 4 {
        return None;
    }
    let flags = bit(word, 29);
    Some(Op::AddExtended {
        size: size(word),
        subtract: bit(word, 30),
        flags,
        rd: if flags { rd(word) } else { stack_or_register(field(word, 4, 0)) },
        rn: rn_or_stack(word),
        rm: rm(word),
        extend: extend_kind(field(word, 15, 13)),
        left: left as u8,
    })
}

fn add_carry(word: u32) -> Option<Op> {
    if field(word, 15, 10) != 0 {
        return None;
    }
    Some(Op::AddCarry {
        size: size(word),
        subtract: bit(word, 30),
        flags: bit(word, 29),
        rd: rd(word),
        rn: rn(word),
        rm: rm(word),
    })
}

fn conditional_compare(word: u32) -> Option<Op> {
    if !bit(word, 29) || bit(word, 10) || bit(word, 4) {
        return None;
    }
    let (size, subtract, rn) = (size(word), bit(word, 30), rn(word));
    let (condition, otherwise) = (field(word, 15, 12) as u8, field(word, 3, 0) as u8);
    let op = if bit(word, 11) {
        let value = field(word, 20, 16) as u8;
        Op::CompareImmediateIf { size, subtract, rn, value, condition, otherwise }
    } else {
        Op::CompareRegisterIf { size, subtract, rn, rm: rm(word), condition, otherwise }
    };
    Some(op)
}

fn select(word: u32) -> Option<Op> {
    if bit(word, 29) || bit(word, 11) {
        return None;
    }
    Some(Op::Select {
        size: size(word),
        rd: rd(word),
        rn: rn(word),
        rm: rm(word),
        condition: field(word, 15, 12) as u8,
        invert: bit(word, 30),
        increment: bit(word, 10),
    })
}

fn one_source(word: u32) -> Option<Op> {
    if bit(word, 29) || field(word, 20, 16) != 0 {
        return None;
    }
    let size = size(word);
    let operation = match (field(word, 15, 10), size) {
        (0, _) => OneSource::ReverseBits,
        (1, _) => OneSource::ReverseBytes16,
        (2, Size::W) | (3, Size::X) => OneSource::ReverseBytes,
        (2, Size::X) => OneSource::ReverseBytes32,
        (4, _) => OneSource::LeadingZeros,
        (5, _) => OneSource::LeadingSigns,
        _ => return None,
    };
    Some(Op::OneSource { size, operation, rd: rd(word), rn: rn(word) })
}

fn two_sources(word: u32) -> Option<Op> {
    if bit(word, 29) {
        return None;
    }
    let (size, rd, rn, rm) = (size(word), rd(word), rn(word), rm(word));
    let opcode = field(word, 15, 10);
    match opcode {
        2 | 3 => Some(Op::Divide { size, signed: opcode == 3, rd, rn, rm }),
        8 => Some(Op::ShiftVariable { size, shift: Shift::Left, rd, rn, rm }),
        9 => Some(Op::ShiftVariable { size, shift: Shift::LogicalRight, rd, rn, rm }),
        10 => Some(Op::ShiftVariable { size, shift: Shift::ArithmeticRight, rd, rn, rm }),
        11 => Some(Op::ShiftVariable { size, shift: Shift::RotateRight, rd, rn, rm }),
        0x10..=0x17 => {
            let log2_bytes = opcode & 3;
            // The doubleword form, and only it, has sf = 1.
            if (log2_bytes == 3) != (size == Size::X) {
                return None;
            }
            Some(Op::Crc32 { castagnoli: opcode & 4 != 0, bytes: 1 << log2_bytes, rd, rn, rm })
        }
        _ => None,
    }
}

fn three_sources(word: u32) -> Option<Op> {
    if field(word, 30, 29) != 0 {
        return None;
    }
    let (size, rd, rn, rm, ra) = (size(word), rd(word), rn(word), rm(word), ra(word));
    let subtract = bit(word, 15);
    match (field(word, 23, 21), size) {
        (0b000, _) => Some(Op::MultiplyAdd { size, subtract, rd, rn, rm, ra }),
        (0b001, Size::X) => Some(Op::MultiplyAddLong { signed: true, subtract, rd, rn, rm, ra }),
        (0b101, Size::X) => Some(Op::MultiplyAddLong { signed: false, subtract, rd, rn, rm, ra }),
        (0b010, Size::X) if !subtract => Some(Op::MultiplyHigh { signed: true, rd, rn, rm }),
        (0b110, Size::X) if !subtract => Some(Op::MultiplyHigh { signed: false, rd, rn, rm }),
        _ => None,
    }
}
