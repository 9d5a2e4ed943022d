//! 48-bit scalar instructions: a halfword and a 32-bit value.

use super::{field, register, sign_extend};
use crate::vpu::op::Op;
use crate::vpu::operation::{COMMON, Condition, Operation, Transfer};

pub(super) fn decode(first: u32, value: u32) -> Op {
    let d = register(first, 0);
    let five = register(first, 5);
    let condition = Condition::Always;
    match field(first, 8, 4) {
        class @ 0x0..=0x3 if field(first, 0, 8) == 0 => jump(class, value),
        0x5 if field(first, 5, 3) == 0 => Op::LoadPcAddress { d, offset: value as i32 },
        0x6 | 0x7 => Op::Transfer {
            transfer: Transfer::from_bits(field(first, 5, 3)),
            register: d,
            base: register(value, 27),
            offset: sign_extend(value, 27),
        },
        0x8..=0xb => Op::AluImmediate { operation: COMMON[five as usize], condition, d, a: d, value },
        0xc..=0xf => Op::AluImmediate { operation: Operation::Add, condition, d, a: five, value },
        _ => Op::Unknown,
    }
}

fn jump(class: u32, value: u32) -> Op {
    match class {
        0 => Op::BranchAbsolute { target: value },
        1 => Op::BranchAlways { offset: value as i32 },
        2 => Op::CallAbsolute { target: value },
        _ => Op::Call { offset: value as i32 },
    }
}
