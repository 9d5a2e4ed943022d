//! The dense form of an instruction: 16 bytes, everything that can be worked out once is worked out.

use super::operand::{
    Call, ExclusiveKind, Extend, Index, Kind, Logic, OneSource, PstateField, Reg, Shift, Size,
};
use crate::arm::sysreg::Register;

/// A decoded instruction. Offsets are in bytes, relative to the instruction where they concern the PC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[rustfmt::skip]
pub(crate) enum Op {
    // Data processing, immediate.
    Constant { rd: Reg, value: u64 },
    InsertHalfword { size: Size, rd: Reg, shift: u8, value: u16 },
    PcRelative { rd: Reg, offset: i64 },
    PageRelative { rd: Reg, offset: i64 },
    /// ADD and SUB: the value is already negated for SUB.
    AddImmediate { size: Size, rd: Reg, rn: Reg, value: u64 },
    AddFlagsImmediate { size: Size, rd: Reg, rn: Reg, value: u64 },
    SubtractFlagsImmediate { size: Size, rd: Reg, rn: Reg, value: u64 },
    LogicImmediate { size: Size, logic: Logic, rd: Reg, rn: Reg, value: u64 },
    /// `((rn >> right) & mask) << left`
    UnsignedBitfield { rd: Reg, rn: Reg, right: u8, left: u8, mask: u64 },
    /// `((rn << up) >> down) << left`, the right shift arithmetic.
    SignedBitfield { size: Size, rd: Reg, rn: Reg, up: u8, down: u8, left: u8 },
    /// `rd` with the bits of `mask` taken from `(rn >> right) << left`.
    InsertBitfield { size: Size, rd: Reg, rn: Reg, right: u8, left: u8, mask: u64 },
    Extract { size: Size, rd: Reg, rn: Reg, rm: Reg, right: u8 },

    // Data processing, register. `left` is an LSL, the common shift.
    AddRegister { size: Size, rd: Reg, rn: Reg, rm: Reg, left: u8 },
    SubtractRegister { size: Size, rd: Reg, rn: Reg, rm: Reg, left: u8 },
    AddFlagsRegister { size: Size, rd: Reg, rn: Reg, rm: Reg, left: u8 },
    SubtractFlagsRegister { size: Size, rd: Reg, rn: Reg, rm: Reg, left: u8 },
    AddShifted { size: Size, subtract: bool, flags: bool, rd: Reg, rn: Reg, rm: Reg, shift: Shift, amount: u8 },
    AddExtended { size: Size, subtract: bool, flags: bool, rd: Reg, rn: Reg, rm: Reg, extend: Extend, left: u8 },
    AddCarry { size: Size, subtract: bool, flags: bool, rd: Reg, rn: Reg, rm: Reg },
    Move { size: Size, rd: Reg, rm: Reg },
    LogicRegister { size: Size, logic: Logic, rd: Reg, rn: Reg, rm: Reg, left: u8 },
    LogicShifted { size: Size, logic: Logic, invert: bool, rd: Reg, rn: Reg, rm: Reg, shift: Shift, amount: u8 },
    CompareRegisterIf { size: Size, subtract: bool, rn: Reg, rm: Reg, condition: u8, otherwise: u8 },
    CompareImmediateIf { size: Size, subtract: bool, rn: Reg, value: u8, condition: u8, otherwise: u8 },
    Select { size: Size, rd: Reg, rn: Reg, rm: Reg, condition: u8, invert: bool, increment: bool },
    OneSource { size: Size, operation: OneSource, rd: Reg, rn: Reg },
    Divide { size: Size, signed: bool, rd: Reg, rn: Reg, rm: Reg },
    ShiftVariable { size: Size, shift: Shift, rd: Reg, rn: Reg, rm: Reg },
    Crc32 { castagnoli: bool, bytes: u8, rd: Reg, rn: Reg, rm: Reg },
    MultiplyAdd { size: Size, subtract: bool, rd: Reg, rn: Reg, rm: Reg, ra: Reg },
    MultiplyAddLong { signed: bool, subtract: bool, rd: Reg, rn: Reg, rm: Reg, ra: Reg },
    MultiplyHigh { signed: bool, rd: Reg, rn: Reg, rm: Reg },

    // Branches.
    Branch { offset: i64 },
    BranchLink { offset: i64 },
    BranchIf { condition: u8, offset: i64 },
    BranchIfZero { size: Size, rt: Reg, offset: i64 },
    BranchIfNotZero { size: Size, rt: Reg, offset: i64 },
    BranchIfBitClear { rt: Reg, bit: u8, offset: i64 },
    BranchIfBitSet { rt: Reg, bit: u8, offset: i64 },
    BranchRegister { rn: Reg },
    BranchLinkRegister { rn: Reg },

    // Loads and stores: the common ones have a form of their own.
    LoadByte { rt: Reg, rn: Reg, offset: i64 },
    LoadHalf { rt: Reg, rn: Reg, offset: i64 },
    LoadWord { rt: Reg, rn: Reg, offset: i64 },
    LoadDouble { rt: Reg, rn: Reg, offset: i64 },
    LoadSigned { kind: Kind, rt: Reg, rn: Reg, offset: i64 },
    StoreByte { rt: Reg, rn: Reg, offset: i64 },
    StoreHalf { rt: Reg, rn: Reg, offset: i64 },
    StoreWord { rt: Reg, rn: Reg, offset: i64 },
    StoreDouble { rt: Reg, rn: Reg, offset: i64 },
    LoadRegisterOffset { kind: Kind, rt: Reg, rn: Reg, rm: Reg, extend: Extend, left: u8 },
    StoreRegisterOffset { kind: Kind, rt: Reg, rn: Reg, rm: Reg, extend: Extend, left: u8 },
    LoadIndexed { kind: Kind, rt: Reg, rn: Reg, post: bool, offset: i64 },
    StoreIndexed { kind: Kind, rt: Reg, rn: Reg, post: bool, offset: i64 },
    LoadUnprivileged { kind: Kind, rt: Reg, rn: Reg, offset: i64 },
    StoreUnprivileged { kind: Kind, rt: Reg, rn: Reg, offset: i64 },
    LoadLiteral { kind: Kind, rt: Reg, offset: i64 },
    LoadPair { kind: Kind, rt: Reg, rt2: Reg, rn: Reg, index: Index, offset: i64 },
    StorePair { kind: Kind, rt: Reg, rt2: Reg, rn: Reg, index: Index, offset: i64 },
    /// LDAR.
    LoadAcquire { kind: Kind, rt: Reg, rn: Reg },
    /// STLR.
    StoreRelease { kind: Kind, rt: Reg, rn: Reg },
    LoadExclusive { kind: ExclusiveKind, rt: Reg, rt2: Reg, rn: Reg },
    StoreExclusive { kind: ExclusiveKind, rs: Reg, rt: Reg, rt2: Reg, rn: Reg },

    // System.
    /// Hints without effect here, barriers, prefetch.
    Nothing,
    Yield,
    WaitForEvent,
    WaitForInterrupt,
    SendEvent,
    SendEventLocal,
    ClearExclusive,
    /// ISB: decoded code and interrupt lines are looked at again.
    SynchroniseContext,
    SetPstate { field: PstateField, value: u8 },
    ReadSystem { rt: Reg, register: Register },
    WriteSystem { rt: Reg, register: Register },
    Call { call: Call, immediate: u16 },
    ExceptionReturn,
    /// A system register that the table does not know.
    UnknownSystemRegister { word: u32 },
    /// Not looked at yet.
    Undecoded,
    FloatingPoint { word: u32 },
    Undefined { word: u32 },
}

const _: () = assert!(size_of::<Op>() == 16, "the dense form must stay dense");
