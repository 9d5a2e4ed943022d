//! What operands of the dense form are made of.

/// Index into the register file: 0 to 30 general, then `ZERO`, `STACK` and `DISCARD`.
pub(crate) type Reg = u8;

/// Reads as zero, never written.
pub(crate) const ZERO: Reg = 31;
/// The stack pointer in use.
pub(crate) const STACK: Reg = 32;
/// Where writes to XZR go, never read.
pub(crate) const DISCARD: Reg = 33;

/// Operand size of a data processing instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Size {
    /// 32 bits; results are zero-extended.
    W,
    /// 64 bits.
    X,
}

impl Size {
    /// Bits in the operand.
    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::W => 32,
            Self::X => 64,
        }
    }

    /// Cuts a value to the operand size.
    #[inline(always)]
    pub(crate) fn narrow(self, value: u64) -> u64 {
        match self {
            Self::W => u64::from(value as u32),
            Self::X => value,
        }
    }
}

/// Shift applied to a register operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shift {
    Left,
    LogicalRight,
    ArithmeticRight,
    RotateRight,
}

/// Extension of a register operand, `option` of the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extend {
    Byte,
    Half,
    Word,
    Double,
    SignedByte,
    SignedHalf,
    SignedWord,
}

/// Bitwise operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Logic {
    And,
    Or,
    ExclusiveOr,
    AndFlags,
}

/// Data processing with one source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OneSource {
    ReverseBits,
    ReverseBytes16,
    ReverseBytes32,
    ReverseBytes,
    LeadingZeros,
    LeadingSigns,
}

/// What a load or store moves, and how a load extends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Byte,
    Half,
    Word,
    Double,
    /// Sign-extended to 32 bits.
    SignedByteToWord,
    SignedHalfToWord,
    /// Sign-extended to 64 bits.
    SignedByte,
    SignedHalf,
    SignedWord,
}

/// When the base register is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Index {
    /// Never.
    Offset,
    /// The access goes to base plus offset, which is then written back.
    Pre,
    /// The access goes to the base; base plus offset is then written back.
    Post,
}

/// What an exclusive access moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ExclusiveKind {
    Byte,
    Half,
    Word,
    Double,
    /// Two words.
    WordPair,
    /// Two doublewords.
    DoublePair,
}

/// Target of MSR (immediate).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PstateField {
    StackSelect,
    DaifSet,
    DaifClear,
}

/// An instruction that raises an exception by design.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Supervisor,
    Hypervisor,
    SecureMonitor,
    Breakpoint,
}
