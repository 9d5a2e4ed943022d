//! The vocabulary of the scalar instruction set: conditions, operations, transfers.

use super::bus::Width;

/// Condition codes. C after a comparison is the borrow, so `Lower` is "C set".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Condition {
    Equal,
    NotEqual,
    Lower,
    HigherOrSame,
    Minus,
    Plus,
    Overflow,
    NoOverflow,
    Higher,
    LowerOrSame,
    GreaterOrEqual,
    Less,
    Greater,
    LessOrEqual,
    Always,
    Never,
}

impl Condition {
    const ALL: [Condition; 16] = [
        Condition::Equal,
        Condition::NotEqual,
        Condition::Lower,
        Condition::HigherOrSame,
        Condition::Minus,
        Condition::Plus,
        Condition::Overflow,
        Condition::NoOverflow,
        Condition::Higher,
        Condition::LowerOrSame,
        Condition::GreaterOrEqual,
        Condition::Less,
        Condition::Greater,
        Condition::LessOrEqual,
        Condition::Always,
        Condition::Never,
    ];

    /// From the low four bits of a field.
    pub(super) fn from_bits(bits: u32) -> Self {
        Self::ALL[(bits & 15) as usize]
    }

    /// As written behind a mnemonic; nothing for `Always`.
    pub(super) fn suffix(self) -> &'static str {
        const SUFFIXES: [&str; 16] =
            ["eq", "ne", "lo", "hs", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "", "f"];
        SUFFIXES[self as usize]
    }
}

/// Everything that takes up to two values and gives one, or flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Operation {
    // The 32 of the common table, in encoding order.
    Mov,
    Cmn,
    Add,
    Bic,
    Mul,
    Eor,
    Sub,
    And,
    Not,
    Ror,
    Cmp,
    Rsub,
    Btest,
    Or,
    Bmask,
    Max,
    Bitset,
    Min,
    Bitclear,
    Adds2,
    Bitflip,
    Adds4,
    Adds8,
    Adds16,
    Signext,
    Neg,
    Lsr,
    Msb,
    Shl,
    Brev,
    Asr,
    Abs,
    // Three-operand forms only.
    MulhdSs,
    MulhdSu,
    MulhdUs,
    MulhdUu,
    DivSs,
    DivSu,
    DivUs,
    DivUu,
    Adds,
    Subs,
    Shls,
    Clipsh,
    Addscale5,
    Addscale6,
    Addscale7,
    Addscale8,
    Count,
    Subscale1,
    Subscale2,
    Subscale3,
    Subscale4,
    Subscale5,
    Subscale6,
    Subscale7,
    Subscale8,
    // Floating point.
    Fadd,
    Fsub,
    Fmul,
    Fdiv,
    Fcmp,
    Fabs,
    Frsub,
    Fmax,
    Frcp,
    Frsqrt,
    Fnmul,
    Fmin,
    Fceil,
    Ffloor,
    Flog2,
    Fexp2,
    // Conversions; the second operand scales by a power of two.
    Ftrunc,
    Floor,
    Flts,
    Fltu,
}

use Operation::*;

/// The common table: five bits of a 16-, 32- or 48-bit instruction.
pub(super) const COMMON: [Operation; 32] = [
    Mov, Cmn, Add, Bic, Mul, Eor, Sub, And, Not, Ror, Cmp, Rsub, Btest, Or, Bmask, Max, Bitset, Min,
    Bitclear, Adds2, Bitflip, Adds4, Adds8, Adds16, Signext, Neg, Lsr, Msb, Shl, Brev, Asr, Abs,
];

/// Continues the common table at 32: the three-operand forms reach up to here.
pub(super) const EXTENDED: [Operation; 25] = [
    MulhdSs, MulhdSu, MulhdUs, MulhdUu, DivSs, DivSu, DivUs, DivUu, Adds, Subs, Shls, Clipsh, Addscale5,
    Addscale6, Addscale7, Addscale8, Count, Subscale1, Subscale2, Subscale3, Subscale4, Subscale5, Subscale6,
    Subscale7, Subscale8,
];

/// Floating point: four bits.
pub(super) const FLOAT: [Operation; 16] =
    [Fadd, Fsub, Fmul, Fdiv, Fcmp, Fabs, Frsub, Fmax, Frcp, Frsqrt, Fnmul, Fmin, Fceil, Ffloor, Flog2, Fexp2];

/// Conversions between float and integer: two bits.
pub(super) const CONVERT: [Operation; 4] = [Ftrunc, Floor, Flts, Fltu];

impl Operation {
    /// As assemblers spell it.
    pub(super) fn mnemonic(self) -> &'static str {
        const COMMON_NAMES: [&str; 32] = [
            "mov", "cmn", "add", "bic", "mul", "eor", "sub", "and", "not", "ror", "cmp", "rsub", "btest",
            "or", "bmask", "max", "bitset", "min", "bitclear", "adds2", "bitflip", "adds4", "adds8",
            "adds16", "signext", "neg", "lsr", "msb", "shl", "brev", "asr", "abs",
        ];
        const EXTENDED_NAMES: [&str; 25] = [
            "mulhd.ss",
            "mulhd.su",
            "mulhd.us",
            "mulhd.uu",
            "div.ss",
            "div.su",
            "div.us",
            "div.uu",
            "adds",
            "subs",
            "shls",
            "clipsh",
            "addscale5",
            "addscale6",
            "addscale7",
            "addscale8",
            "count",
            "subscale1",
            "subscale2",
            "subscale3",
            "subscale4",
            "subscale5",
            "subscale6",
            "subscale7",
            "subscale8",
        ];
        const FLOAT_NAMES: [&str; 20] = [
            "fadd", "fsub", "fmul", "fdiv", "fcmp", "fabs", "frsub", "fmax", "frcp", "frsqrt", "fnmul",
            "fmin", "fceil", "ffloor", "flog2", "fexp2", "ftrunc", "floor", "flts", "fltu",
        ];
        let index = self as usize;
        match index {
            0..32 => COMMON_NAMES[index],
            32..57 => EXTENDED_NAMES[index - 32],
            _ => FLOAT_NAMES[index - 57],
        }
    }

    /// True for those that give flags and no value.
    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Cmp | Cmn | Btest | Fcmp)
    }

    /// True for integer division.
    pub(super) fn is_division(self) -> bool {
        matches!(self, DivSs | DivSu | DivUs | DivUu)
    }
}

/// The eight loads and stores. There is no signed store: its code is the signed byte load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Transfer {
    LoadWord,
    StoreWord,
    LoadHalf,
    StoreHalf,
    LoadByte,
    StoreByte,
    LoadSignedHalf,
    LoadSignedByte,
}

impl Transfer {
    const ALL: [Transfer; 8] = [
        Transfer::LoadWord,
        Transfer::StoreWord,
        Transfer::LoadHalf,
        Transfer::StoreHalf,
        Transfer::LoadByte,
        Transfer::StoreByte,
        Transfer::LoadSignedHalf,
        Transfer::LoadSignedByte,
    ];

    /// From the low three bits of a field.
    pub(super) fn from_bits(bits: u32) -> Self {
        Self::ALL[(bits & 7) as usize]
    }

    /// False for a store.
    pub(super) fn is_load(self) -> bool {
        !matches!(self, Transfer::StoreWord | Transfer::StoreHalf | Transfer::StoreByte)
    }

    /// Size of what moves.
    pub(super) fn width(self) -> Width {
        match self {
            Transfer::LoadWord | Transfer::StoreWord => Width::Word,
            Transfer::LoadHalf | Transfer::StoreHalf | Transfer::LoadSignedHalf => Width::Half,
            Transfer::LoadByte | Transfer::StoreByte | Transfer::LoadSignedByte => Width::Byte,
        }
    }

    /// log2 of the bytes moved: how far an index register is shifted.
    pub(super) fn scale(self) -> u32 {
        match self.width() {
            Width::Byte => 0,
            Width::Half => 1,
            Width::Word => 2,
        }
    }

    /// As assemblers spell it.
    pub(super) fn mnemonic(self) -> &'static str {
        const NAMES: [&str; 8] = ["ld", "st", "ldh", "sth", "ldb", "stb", "ldsh", "ldsb"];
        NAMES[self as usize]
    }
}
