//! 32-bit instructions.

use super::{field, register, sign_extend};
use crate::vpu::op::{GP, Op, PC, SP};
use crate::vpu::operation::{COMMON, CONVERT, Condition, EXTENDED, FLOAT, Operation, Transfer};

/// `word` below has the first halfword on top.
pub(super) fn decode(first: u16, second: u16) -> Op {
    let word = u32::from(first) << 16 | u32::from(second);
    match first >> 12 {
        0x8 => add_compare_branch(word),
        0x9 => long_branch(word),
        0xa => transfer(word),
        0xb => immediate(word),
        0xc => three_operands(word),
        _ => Op::Unknown,
    }
}

/// A conditional branch over `halfwords` halfwords.
pub(super) fn branch(condition: u32, halfwords: i32) -> Op {
    let offset = halfwords * 2;
    match Condition::from_bits(condition) {
        Condition::Always => Op::BranchAlways { offset },
        Condition::Never => Op::Nop,
        condition => Op::Branch { condition, offset },
    }
}

fn add_compare_branch(word: u32) -> Op {
    let condition = Condition::from_bits(field(word, 24, 4));
    let d = field(word, 16, 4) as u8;
    let a = field(word, 20, 4) as u8;
    let a_immediate = sign_extend(field(word, 20, 4), 4) as i8;
    let b = field(word, 10, 4) as u8;
    let b_immediate = field(word, 8, 6) as u8;
    let long = (sign_extend(word, 10) * 2) as i16;
    let short = (sign_extend(word, 8) * 2) as i16;
    match field(word, 14, 2) {
        0 => Op::AddCompareBranch { condition, d, a, b, offset: long },
        1 => Op::AddImmediateCompareBranch { condition, d, a: a_immediate, b, offset: long },
        2 => Op::AddCompareImmediateBranch { condition, d, a, b: b_immediate, offset: short },
        _ => {
            let (a, b, offset) = (a_immediate, b_immediate, short);
            Op::AddImmediateCompareImmediateBranch { condition, d, a, b, offset }
        }
    }
}

fn long_branch(word: u32) -> Op {
    let low = field(word, 0, 23);
    if word & 1 << 23 == 0 {
        return branch(field(word, 24, 4), sign_extend(low, 23));
    }
    Op::Call { offset: sign_extend(field(word, 24, 4) << 23 | low, 27) * 2 }
}

fn transfer(word: u32) -> Op {
    let transfer = Transfer::from_bits(field(word, 21, 3));
    let d = register(word, 16);
    match field(word, 24, 4) {
        0x0 => conditional_transfer(transfer, d, word),
        class @ (0x2 | 0x3) => {
            let offset = sign_extend((class & 1) << 11 | field(word, 0, 11), 12);
            Op::Transfer { transfer, register: d, base: register(word, 11), offset }
        }
        class @ (0x4 | 0x5) => stepping_transfer(transfer, d, word, class == 0x4),
        class @ 0x8..=0xb => {
            let base = [GP, SP, PC, 0][(class & 3) as usize];
            Op::Transfer { transfer, register: d, base, offset: sign_extend(word, 16) }
        }
        _ => Op::Unknown,
    }
}

fn conditional_transfer(transfer: Transfer, d: u8, word: u32) -> Op {
    let base = register(word, 11);
    let condition = Condition::from_bits(field(word, 7, 4));
    let last = register(word, 0);
    match (field(word, 5, 2), condition) {
        (0, _) => Op::TransferIndexed { transfer, condition, register: d, base, index: last },
        (2, Condition::Always) => Op::Transfer { transfer, register: d, base, offset: i32::from(last) },
        (2, _) => Op::TransferConditional { transfer, condition, register: d, base, offset: last },
        _ => Op::Unknown,
    }
}

fn stepping_transfer(transfer: Transfer, d: u8, word: u32, pre_decrement: bool) -> Op {
    let base = register(word, 11);
    let condition = Condition::from_bits(field(word, 7, 4));
    if field(word, 0, 7) != 0 {
        return Op::Unknown;
    }
    // Which of the two writes wins is not known.
    if base == PC || (d == base && transfer.is_load()) {
        return Op::Unsupported;
    }
    if pre_decrement {
        Op::TransferPreDecrement { transfer, condition, register: d, base }
    } else {
        Op::TransferPostIncrement { transfer, condition, register: d, base }
    }
}

fn immediate(word: u32) -> Op {
    let d = register(word, 16);
    let five = register(word, 21);
    let value = sign_extend(word, 16);
    let condition = Condition::Always;
    match field(word, 26, 2) {
        0 => Op::AluImmediate { operation: COMMON[five as usize], condition, d, a: d, value: value as u32 },
        1 => Op::AluImmediate { operation: Operation::Add, condition, d, a: five, value: value as u32 },
        3 if five == PC => Op::LoadPcAddress { d, offset: value },
        _ => Op::Unknown,
    }
}

/// Operation in bits 27-21, d, a, condition, then a register or a six-bit immediate.
fn three_operands(word: u32) -> Op {
    let code = field(word, 21, 7) as usize;
    if code >> 3 == 0xc {
        return control_register(word);
    }
    let (operation, float_immediate) = match code {
        0x00..0x20 => (COMMON[code], false),
        0x20..0x39 => (EXTENDED[code - 0x20], false),
        0x40..0x50 => (FLOAT[code - 0x40], true),
        0x50..0x54 => (CONVERT[code - 0x50], false),
        _ => return Op::Unknown,
    };
    let condition = Condition::from_bits(field(word, 7, 4));
    let d = register(word, 16);
    let a = register(word, 11);
    match field(word, 5, 2) {
        0 => Op::Alu { operation, condition, d, a, b: register(word, 0) },
        1 => Op::Unknown,
        _ if float_immediate => {
            Op::AluImmediate { operation, condition, d, a, value: small_float(field(word, 0, 6)) }
        }
        _ => Op::AluImmediate { operation, condition, d, a, value: sign_extend(word, 6) as u32 },
    }
}

/// Float immediates: sign, three bits of exponent, two of mantissa; exponent 0 is zero.
fn small_float(bits: u32) -> u32 {
    let sign = field(bits, 5, 1) << 31;
    match field(bits, 2, 3) {
        0 => sign,
        exponent => sign | (exponent + 124) << 23 | field(bits, 0, 2) << 21,
    }
}

fn control_register(word: u32) -> Op {
    let d = register(word, 16);
    let b = register(word, 0);
    if field(word, 5, 11) != 0 {
        return Op::Unknown;
    }
    match field(word, 21, 3) {
        0 => Op::WriteControl { index: d, b },
        1 => Op::ReadControl { d, index: b },
        _ => Op::Unknown,
    }
}
