//! Branches, exception generation, system instructions (C4.1.3).

use super::bits::{bit, field, rd, rn, signed_field, size, source};
use super::op::Op;
use super::operand::{Call, PstateField};
use crate::arm::sysreg::{Encoding, Register};

/// Decodes the group; none if unallocated.
pub(super) fn decode(word: u32) -> Option<Op> {
    match field(word, 31, 29) {
        0b000 | 0b100 => Some(immediate(word)),
        0b001 | 0b101 => Some(if bit(word, 25) { test(word) } else { compare(word) }),
        0b010 if !bit(word, 25) => conditional(word),
        0b110 if bit(word, 25) => register(word),
        0b110 if bit(word, 24) => system(word),
        0b110 => exception(word),
        _ => None,
    }
}

fn immediate(word: u32) -> Op {
    let offset = signed_field(word, 25, 0) << 2;
    if bit(word, 31) { Op::BranchLink { offset } } else { Op::Branch { offset } }
}

fn compare(word: u32) -> Op {
    let (size, rt) = (size(word), source(field(word, 4, 0)));
    let offset = signed_field(word, 23, 5) << 2;
    if bit(word, 24) {
        Op::BranchIfNotZero { size, rt, offset }
    } else {
        Op::BranchIfZero { size, rt, offset }
    }
}

fn test(word: u32) -> Op {
    let rt = source(field(word, 4, 0));
    let tested = ((field(word, 31, 31) << 5) | field(word, 23, 19)) as u8;
    let offset = signed_field(word, 18, 5) << 2;
    if bit(word, 24) {
        Op::BranchIfBitSet { rt, bit: tested, offset }
    } else {
        Op::BranchIfBitClear { rt, bit: tested, offset }
    }
}

fn conditional(word: u32) -> Option<Op> {
    if bit(word, 24) || bit(word, 4) {
        return None;
    }
    Some(Op::BranchIf { condition: field(word, 3, 0) as u8, offset: signed_field(word, 23, 5) << 2 })
}

fn register(word: u32) -> Option<Op> {
    if field(word, 20, 10) != 0b11111_000000 || field(word, 4, 0) != 0 {
        return None;
    }
    let rn = rn(word);
    match field(word, 24, 21) {
        // RET is a BR that predicts better.
        0b0000 | 0b0010 => Some(Op::BranchRegister { rn }),
        0b0001 => Some(Op::BranchLinkRegister { rn }),
        0b0100 if field(word, 9, 5) == 31 => Some(Op::ExceptionReturn),
        _ => None,
    }
}

fn exception(word: u32) -> Option<Op> {
    let immediate = field(word, 20, 5) as u16;
    let call = match (field(word, 23, 21), field(word, 4, 0)) {
        (0b000, 0b00001) => Call::Supervisor,
        (0b000, 0b00010) => Call::Hypervisor,
        (0b000, 0b00011) => Call::SecureMonitor,
        (0b001, 0b00000) => Call::Breakpoint,
        // HLT without a debugger and DCPS outside debug state are undefined.
        _ => return None,
    };
    Some(Op::Call { call, immediate })
}

fn system(word: u32) -> Option<Op> {
    if field(word, 23, 22) != 0 {
        return None;
    }
    let is_read = bit(word, 21);
    match field(word, 20, 19) {
        0b00 if !is_read => system_without_register(word),
        0b00 => None,
        _ => Some(system_register(word, is_read)),
    }
}

/// Hints, barriers and MSR (immediate): op0 is 0.
fn system_without_register(word: u32) -> Option<Op> {
    let (op1, crn, crm, op2) =
        (field(word, 18, 16), field(word, 15, 12), field(word, 11, 8), field(word, 7, 5));
    if field(word, 4, 0) != 31 {
        return None;
    }
    match (op1, crn) {
        (3, 2) => Some(match (crm, op2) {
            (0, 1) => Op::Yield,
            (0, 2) => Op::WaitForEvent,
            (0, 3) => Op::WaitForInterrupt,
            (0, 4) => Op::SendEvent,
            (0, 5) => Op::SendEventLocal,
            // Unallocated hints are NOP by definition.
            _ => Op::Nothing,
        }),
        (3, 3) => match op2 {
            2 => Some(Op::ClearExclusive),
            4 | 5 => Some(Op::Nothing),
            6 => Some(Op::SynchroniseContext),
            _ => None,
        },
        (_, 4) => {
            let field = match (op1, op2) {
                (0, 5) => PstateField::StackSelect,
                (3, 6) => PstateField::DaifSet,
                (3, 7) => PstateField::DaifClear,
                _ => return None,
            };
            Some(Op::SetPstate { field, value: crm as u8 })
        }
        _ => None,
    }
}

/// MRS, MSR (register), SYS.
fn system_register(word: u32, is_read: bool) -> Op {
    let encoding = Encoding::of_instruction(word);
    match Register::at(encoding) {
        Some(register) if is_read => Op::ReadSystem { rt: rd(word), register },
        Some(register) => Op::WriteSystem { rt: source(field(word, 4, 0)), register },
        None => Op::UnknownSystemRegister { word },
    }
}
