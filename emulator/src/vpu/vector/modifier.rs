//! What an 80-bit instruction does besides writing its destination: the accumulator, or the scalar result unit.

use super::file::Lanes;
use crate::vpu::fault::FaultKind;

const SCALAR_RESULT: u8 = 0x40;
const ENABLE: u8 = 0x20;
const HIGH: u8 = 0x10;
const SIGNED: u8 = 0x08;
const CLEAR: u8 = 0x04;
const WRITE_BACK: u8 = 0x02;
const SUBTRACT: u8 = 0x01;

/// The seven-bit modifier field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Modifier {
    None,
    /// Clears the accumulator; the destination takes the plain result.
    Clear,
    Accumulate(Accumulate),
    Scalar(Scalar),
}

/// How a result meets the lane's accumulator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Accumulate {
    clear: bool,
    signed: bool,
    high: bool,
    subtract: bool,
    write_back: bool,
}

/// An aggregate over the lanes that goes to a scalar register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Scalar {
    function: u8,
    pub(super) register: u8,
}

impl Modifier {
    /// Combinations that nobody has seen at work are refused.
    pub(super) fn decode(bits: u8) -> Result<Self, FaultKind> {
        let has = |bit: u8| bits & bit != 0;
        if has(SCALAR_RESULT) {
            return Ok(Self::Scalar(Scalar { function: bits >> 3 & 7, register: bits & 7 }));
        }
        if !has(ENABLE) {
            return match bits {
                0 => Ok(Self::None),
                CLEAR => Ok(Self::Clear),
                _ if bits == CLEAR | WRITE_BACK => Ok(Self::Clear),
                _ => Err(FaultKind::UnsupportedInstruction),
            };
        }
        // The high half was seen accumulating with write-back only.
        if has(HIGH) && (!has(WRITE_BACK) || has(SUBTRACT)) {
            return Err(FaultKind::UnsupportedInstruction);
        }
        Ok(Self::Accumulate(Accumulate {
            clear: has(CLEAR),
            signed: has(SIGNED),
            high: has(HIGH),
            subtract: has(SUBTRACT),
            write_back: has(WRITE_BACK),
        }))
    }
}

impl Accumulate {
    /// True if the accumulator starts from zero.
    pub(super) fn clears(self) -> bool {
        self.clear
    }

    /// True if the result enters the accumulator's upper half.
    pub(super) fn is_high(self) -> bool {
        self.high
    }

    /// Combines `result`, of an operation `bits` wide, with `accumulator`. Gives what the destination takes.
    pub(super) fn apply(self, accumulator: &mut i64, result: u32, bits: u32) -> i64 {
        if self.clear {
            *accumulator = 0;
        }
        let mut term =
            if self.signed { super::arithmetic::signed(result, bits) } else { unsigned(result, bits) };
        if self.high {
            term <<= 16;
        }
        let sum = if self.subtract { accumulator.wrapping_sub(term) } else { accumulator.wrapping_add(term) };
        // Without write-back the sum is only shown; the accumulator does not move.
        if self.write_back {
            *accumulator = sum;
        }
        if self.high { (sum >> 16).clamp(i64::from(i16::MIN), i64::from(i16::MAX)) } else { sum }
    }
}

impl Scalar {
    /// The aggregate of those of `values` whose bit in `active` is set.
    pub(super) fn aggregate(self, values: &[i64; 16], active: u16) -> Result<u32, FaultKind> {
        let lanes = values.iter().enumerate().filter(|(lane, _)| active >> lane & 1 != 0);
        let none = FaultKind::UnsupportedInstruction;
        let result = match self.function {
            SUM_UNSIGNED | SUM_SIGNED => lanes.fold(0i64, |sum, (_, value)| sum.wrapping_add(*value)),
            // The first of equals.
            INDEX_OF_MIN => lanes.min_by_key(|(_, value)| **value).ok_or(none)?.0 as i64,
            // The last of equals.
            INDEX_OF_MAX => lanes.max_by_key(|(_, value)| **value).ok_or(none)?.0 as i64,
            _ => *lanes.max_by_key(|(_, value)| **value).ok_or(none)?.1,
        };
        Ok(result as u32)
    }

    /// The lanes as this function reads them.
    pub(super) fn read(self, results: &Lanes, bits: u32) -> [i64; 16] {
        let is_unsigned = self.function == SUM_UNSIGNED;
        results.map(
            |value| if is_unsigned { unsigned(value, bits) } else { super::arithmetic::signed(value, bits) },
        )
    }
}

const SUM_UNSIGNED: u8 = 0;
const SUM_SIGNED: u8 = 1;
const INDEX_OF_MIN: u8 = 3;
const INDEX_OF_MAX: u8 = 5;

fn unsigned(value: u32, bits: u32) -> i64 {
    i64::from(if bits == 32 { value } else { value & 0xffff })
}
