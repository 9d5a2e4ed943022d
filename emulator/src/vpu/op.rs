//! The dense form of an instruction: fields extracted, immediates extended, meaning resolved.

use super::operation::{Condition, Operation, Transfer};

/// Numbers of the registers with a role of their own.
pub(super) const GP: u8 = 24;
pub(super) const SP: u8 = 25;
pub(super) const LR: u8 = 26;
pub(super) const SSP: u8 = 28;
pub(super) const TP: u8 = 29;
pub(super) const SR: u8 = 30;
pub(super) const PC: u8 = 31;

/// What an instruction does to SR bits 4 and 5, a two-bit counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CounterStep {
    Clear,
    Add(u8),
}

/// One scalar instruction. Registers are numbers below 32. Branch offsets are bytes from the address of the
/// instruction itself.
#[rustfmt::skip]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    /// Nobody has looked at this halfword yet (page cache only).
    Undecoded,
    /// No known instruction.
    Unknown,
    /// Known, but not what it does in this form.
    Unsupported,
    /// A vector instruction: index into the page's list.
    Vector { index: u16 },

    Breakpoint,
    Nop,
    Sleep,
    User,
    EnableInterrupts,
    DisableInterrupts,
    Counter { step: CounterStep },
    ReturnFromInterrupt,
    SoftwareInterrupt { number: u8 },
    SoftwareInterruptRegister { a: u8 },
    Version { d: u8 },
    ReadControl { d: u8, index: u8 },
    WriteControl { index: u8, b: u8 },

    Branch { condition: Condition, offset: i32 },
    BranchAlways { offset: i32 },
    Call { offset: i32 },
    BranchAbsolute { target: u32 },
    CallAbsolute { target: u32 },
    BranchRegister { a: u8 },
    CallRegister { a: u8 },
    TableByte { a: u8 },
    TableHalf { a: u8 },
    /// d += a; if d `condition` b, branch.
    AddCompareBranch { condition: Condition, d: u8, a: u8, b: u8, offset: i16 },
    /// The added value is an immediate.
    AddImmediateCompareBranch { condition: Condition, d: u8, a: i8, b: u8, offset: i16 },
    /// The value compared with is an immediate.
    AddCompareImmediateBranch { condition: Condition, d: u8, a: u8, b: u8, offset: i16 },
    /// Both are immediates.
    AddImmediateCompareImmediateBranch { condition: Condition, d: u8, a: i8, b: u8, offset: i16 },

    /// `count` registers from `first` on go below sp, lr above them if `link`.
    Push { first: u8, count: u8, link: bool },
    /// The opposite; the word above them goes to pc if `link`.
    Pop { first: u8, count: u8, link: bool },

    /// d = a `operation` b.
    Alu { operation: Operation, condition: Condition, d: u8, a: u8, b: u8 },
    /// d = a `operation` value.
    AluImmediate { operation: Operation, condition: Condition, d: u8, a: u8, value: u32 },
    /// d = address of this instruction + offset.
    LoadPcAddress { d: u8, offset: i32 },

    /// Address = base + offset.
    Transfer { transfer: Transfer, register: u8, base: u8, offset: i32 },
    /// The same under a condition; the offset is not scaled.
    TransferConditional { transfer: Transfer, condition: Condition, register: u8, base: u8, offset: u8 },
    /// Address = base + (index << scale).
    TransferIndexed { transfer: Transfer, condition: Condition, register: u8, base: u8, index: u8 },
    /// base -= size first; address = base.
    TransferPreDecrement { transfer: Transfer, condition: Condition, register: u8, base: u8 },
    /// Address = base; base += size afterwards.
    TransferPostIncrement { transfer: Transfer, condition: Condition, register: u8, base: u8 },

    // Faster forms of the above for operands without side effects, made by `hot::specialise`.
    MovRegister { d: u8, b: u8 },
    MovValue { d: u8, value: u32 },
    AddRegister { d: u8, a: u8, b: u8 },
    AddValue { d: u8, a: u8, value: u32 },
    CompareRegister { a: u8, b: u8 },
    CompareValue { a: u8, value: u32 },
    TestBitValue { a: u8, bit: u8 },
    FastAlu { operation: Operation, d: u8, a: u8, b: u8 },
    FastAluValue { operation: Operation, d: u8, a: u8, value: u32 },
    ConditionalAlu { operation: Operation, condition: Condition, d: u8, a: u8, b: u8 },
    ConditionalAluValue { operation: Operation, condition: Condition, d: u8, a: u8, value: u32 },
    LoadWord { register: u8, base: u8, offset: i32 },
    StoreWord { register: u8, base: u8, offset: i32 },
    LoadByte { register: u8, base: u8, offset: i32 },
    FastTransfer { transfer: Transfer, register: u8, base: u8, offset: i32 },
    FastTransferIndexed { transfer: Transfer, register: u8, base: u8, index: u8 },
    FastTransferPreDecrement { transfer: Transfer, register: u8, base: u8 },
    FastTransferPostIncrement { transfer: Transfer, register: u8, base: u8 },
}

// A slot of the page cache is an instruction and its length: 16 bytes.
const _: () = assert!(size_of::<Op>() <= 12);
