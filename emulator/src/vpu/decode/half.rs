//! 16-bit instructions.

use super::{field, register, sign_extend};
use crate::vpu::op::{CounterStep, Op, PC, SP, SR};
use crate::vpu::operation::{COMMON, Condition, Operation, Transfer};

pub(super) fn decode(word: u32) -> Op {
    match word {
        0x0000..=0x01ff => system_or_branch(word),
        0x0200..=0x03ff => push_or_pop(word),
        0x0400..=0x05ff => stack_slot(Transfer::LoadWord, word),
        0x0600..=0x07ff => stack_slot(Transfer::StoreWord, word),
        0x0800..=0x0fff => Op::Transfer {
            transfer: Transfer::from_bits(field(word, 8, 3)),
            register: field(word, 0, 4) as u8,
            base: field(word, 4, 4) as u8,
            offset: 0,
        },
        0x1000..=0x17ff => Op::AluImmediate {
            operation: Operation::Add,
            condition: Condition::Always,
            d: register(word, 0),
            a: SP,
            value: (sign_extend(field(word, 5, 6), 6) * 4) as u32,
        },
        0x1800..=0x1fff => super::word::branch(field(word, 7, 4), sign_extend(word, 7)),
        0x2000..=0x2fff => short_offset(Transfer::LoadWord, word),
        0x3000..=0x3fff => short_offset(Transfer::StoreWord, word),
        0x4000..=0x5fff => Op::Alu {
            operation: COMMON[field(word, 8, 5) as usize],
            condition: Condition::Always,
            d: field(word, 0, 4) as u8,
            a: field(word, 0, 4) as u8,
            b: field(word, 4, 4) as u8,
        },
        // The immediate form has a four-bit operation: every other entry of the common table.
        _ => Op::AluImmediate {
            operation: COMMON[(field(word, 9, 4) * 2) as usize],
            condition: Condition::Always,
            d: field(word, 0, 4) as u8,
            a: field(word, 0, 4) as u8,
            value: field(word, 4, 5),
        },
    }
}

fn system_or_branch(word: u32) -> Op {
    let a = register(word, 0);
    match word {
        0x000 => Op::Breakpoint,
        0x001 => Op::Nop,
        0x002 => Op::Sleep,
        0x003 => Op::User,
        0x004 => Op::EnableInterrupts,
        0x005 => Op::DisableInterrupts,
        0x006 => Op::Counter { step: CounterStep::Clear },
        0x007 => Op::Counter { step: CounterStep::Add(1) },
        0x008 => Op::Counter { step: CounterStep::Add(2) },
        0x009 => Op::Counter { step: CounterStep::Add(3) },
        0x00a => Op::ReturnFromInterrupt,
        // The same with pc as the operand: nobody is known to write that.
        0x03f | 0x05f | 0x07f | 0x09f | 0x0bf => Op::Unsupported,
        0x020..=0x03e => Op::SoftwareInterruptRegister { a },
        0x040..=0x05e => Op::BranchRegister { a },
        0x060..=0x07e => Op::CallRegister { a },
        0x080..=0x09e => Op::TableByte { a },
        0x0a0..=0x0be => Op::TableHalf { a },
        0x0e0..=0x0ff => Op::Version { d: a },
        // The field has six bits, the vector table 32 entries: the top bit does nothing.
        0x1c0..=0x1ff => Op::SoftwareInterrupt { number: a },
        _ => Op::Unknown,
    }
}

/// `stm`/`ldm`: bit 8 adds lr or pc, bit 7 stores, bits 6-5 choose the first register, bits 4-0 are the count less
/// one. With lr or pc, "sixteen from r24 on" stands for no others (VPU fact sheet 6.1).
fn push_or_pop(word: u32) -> Op {
    const FIRST: [u8; 4] = [0, 6, 16, 24];
    let link = word & 0x100 != 0;
    let store = word & 0x80 != 0;
    let first = FIRST[field(word, 5, 2) as usize];
    let mut count = field(word, 0, 5) as u8 + 1;
    if link && first == 24 && count == 16 {
        count = 0;
    }
    let lists = |register: u8| (register + 32 - first) % 32 < count;
    // Nothing is known of a list that holds sr or pc, nor of the sp that a push of sp would store.
    if lists(SR) || lists(PC) || (store && lists(SP)) {
        return Op::Unsupported;
    }
    if store { Op::Push { first, count, link } } else { Op::Pop { first, count, link } }
}

fn stack_slot(transfer: Transfer, word: u32) -> Op {
    Op::Transfer {
        transfer,
        register: field(word, 0, 4) as u8,
        base: SP,
        offset: (field(word, 4, 5) * 4) as i32,
    }
}

fn short_offset(transfer: Transfer, word: u32) -> Op {
    Op::Transfer {
        transfer,
        register: field(word, 0, 4) as u8,
        base: field(word, 4, 4) as u8,
        offset: (field(word, 8, 4) * 4) as i32,
    }
}
