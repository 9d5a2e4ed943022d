//! Instruction words as text.

use super::decode::{Decoded, MAX_HALFWORDS, decode, length_of};
use super::op::{CounterStep, GP, LR, Op, PC, SP, SR, SSP, TP};
use super::operation::{Condition, Transfer};
use super::vector;

/// Disassembles the instruction at `pc` whose halfwords begin `halfwords` (five suffice for every instruction;
/// missing ones read as zero). Returns its length in bytes, and its text.
pub fn disassemble(pc: u32, halfwords: &[u16]) -> (u32, String) {
    let mut padded = [0; MAX_HALFWORDS];
    for (to, from) in padded.iter_mut().zip(halfwords) {
        *to = *from;
    }
    let text = match decode(&padded) {
        Decoded::Scalar(Op::Unknown) => ".unknown".to_string(),
        Decoded::Scalar(Op::Unsupported) => ".unsupported".to_string(),
        Decoded::Scalar(op) => scalar(pc, op),
        Decoded::Vector(instruction) => vector::text(&instruction),
    };
    (length_of(padded[0]), text)
}

/// True if an instruction is known to begin with these halfwords (five suffice, missing ones read as zero). For
/// measuring how much of a program decodes.
pub fn is_known_instruction(halfwords: &[u16]) -> bool {
    let mut padded = [0; MAX_HALFWORDS];
    for (to, from) in padded.iter_mut().zip(halfwords) {
        *to = *from;
    }
    decode(&padded) != Decoded::Scalar(Op::Unknown)
}

fn scalar(pc: u32, op: Op) -> String {
    let target = |offset: i32| format!("{:#010x}", pc.wrapping_add_signed(offset));
    match op {
        Op::Breakpoint => "bkpt".into(),
        Op::Nop => "nop".into(),
        Op::Sleep => "sleep".into(),
        Op::User => "user".into(),
        Op::EnableInterrupts => "ei".into(),
        Op::DisableInterrupts => "di".into(),
        Op::Counter { step: CounterStep::Clear } => "cbclr".into(),
        Op::Counter { step: CounterStep::Add(count) } => format!("cbadd{count}"),
        Op::ReturnFromInterrupt => "rti".into(),
        Op::SoftwareInterrupt { number } => format!("swi #{number:#x}"),
        Op::SoftwareInterruptRegister { a } => format!("swi {}", name(a)),
        Op::Version { d } => format!("version {}", name(d)),
        Op::ReadControl { d, index } => format!("mov {}, p{index}", name(d)),
        Op::WriteControl { index, b } => format!("mov p{index}, {}", name(b)),

        Op::Branch { condition, offset } => format!("b{} {}", condition.suffix(), target(offset)),
        Op::BranchAlways { offset } => format!("b {}", target(offset)),
        Op::Call { offset } => format!("bl {}", target(offset)),
        Op::BranchAbsolute { target } => format!("j {target:#010x}"),
        Op::CallAbsolute { target } => format!("jl {target:#010x}"),
        Op::BranchRegister { a: LR } => "rts".into(),
        Op::BranchRegister { a } => format!("b {}", name(a)),
        Op::CallRegister { a } => format!("bl {}", name(a)),
        Op::TableByte { a } => format!("tbb {}", name(a)),
        Op::TableHalf { a } => format!("tbh {}", name(a)),
        Op::AddCompareBranch { condition, d, a, b, offset } => {
            add_compare_branch(condition, d, &name(a), &name(b), &target(offset.into()))
        }
        Op::AddImmediateCompareBranch { condition, d, a, b, offset } => {
            add_compare_branch(condition, d, &format!("#{a}"), &name(b), &target(offset.into()))
        }
        Op::AddCompareImmediateBranch { condition, d, a, b, offset } => {
            add_compare_branch(condition, d, &name(a), &format!("#{b}"), &target(offset.into()))
        }
        Op::AddImmediateCompareImmediateBranch { condition, d, a, b, offset } => {
            add_compare_branch(condition, d, &format!("#{a}"), &format!("#{b}"), &target(offset.into()))
        }

        Op::Push { first, count, link } => format!("stm {}(--sp)", list(first, count, link.then_some("lr"))),
        Op::Pop { first, count, link } => format!("ldm {}(sp++)", list(first, count, link.then_some("pc"))),

        Op::Alu { operation, condition, d, a, b } => {
            let dot = if condition == Condition::Always { "" } else { "." };
            let mnemonic = operation.mnemonic();
            format!("{mnemonic}{dot}{} {}, {}, {}", condition.suffix(), name(d), name(a), name(b))
        }
        Op::AluImmediate { operation, condition, d, a, value } => {
            let dot = if condition == Condition::Always { "" } else { "." };
            let mnemonic = operation.mnemonic();
            format!("{mnemonic}{dot}{} {}, {}, #{:#x}", condition.suffix(), name(d), name(a), value as i32)
        }
        Op::LoadPcAddress { d, offset } => format!("lea {}, {}", name(d), target(offset)),

        Op::Transfer { transfer, register, base: PC, offset } => {
            transfer_text(transfer, Condition::Always, register, &target(offset))
        }
        Op::Transfer { transfer, register, base, offset: 0 } => {
            transfer_text(transfer, Condition::Always, register, &name(base))
        }
        Op::Transfer { transfer, register, base, offset } => {
            transfer_text(transfer, Condition::Always, register, &format!("{}{offset:+#x}", name(base)))
        }
        Op::TransferConditional { transfer, condition, register, base, offset } => {
            transfer_text(transfer, condition, register, &format!("{}+{offset:#x}", name(base)))
        }
        Op::TransferIndexed { transfer, condition, register, base, index } => {
            transfer_text(transfer, condition, register, &format!("{}+{}", name(base), name(index)))
        }
        Op::TransferPreDecrement { transfer, condition, register, base } => {
            transfer_text(transfer, condition, register, &format!("--{}", name(base)))
        }
        Op::TransferPostIncrement { transfer, condition, register, base } => {
            transfer_text(transfer, condition, register, &format!("{}++", name(base)))
        }
        other => format!("{other:?}"),
    }
}

fn add_compare_branch(condition: Condition, d: u8, a: &str, b: &str, target: &str) -> String {
    format!("addcmpb{} {}, {a}, {b}, {target}", condition.suffix(), name(d))
}

fn transfer_text(transfer: Transfer, condition: Condition, register: u8, address: &str) -> String {
    format!("{}{} {}, ({address})", transfer.mnemonic(), condition.suffix(), name(register))
}

fn list(first: u8, count: u8, last: Option<&str>) -> String {
    let mut text = match count {
        0 => String::new(),
        1 => format!("{}, ", name(first)),
        _ => format!("{}-{}, ", name(first), name(first + count - 1)),
    };
    if let Some(last) = last {
        text += last;
        text += ", ";
    }
    text
}

fn name(register: u8) -> String {
    match register {
        GP => "gp".into(),
        SP => "sp".into(),
        LR => "lr".into(),
        SSP => "ssp".into(),
        TP => "tp".into(),
        SR => "sr".into(),
        PC => "pc".into(),
        other => format!("r{other}"),
    }
}
