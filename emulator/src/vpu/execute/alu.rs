//! Integer operations as functions of their operands.

use crate::vpu::operation::{Condition, Operation};
use crate::vpu::registers::flag;

/// Flags after a - b: C is the borrow.
#[inline(always)]
pub(in crate::vpu) fn compare(a: u32, b: u32) -> u32 {
    let (result, borrow) = a.overflowing_sub(b);
    let overflow = (a ^ b) & (a ^ result);
    zero_and_negative(result) | carry(borrow) | overflow >> 31
}

/// True if `condition` would hold after a comparison of a with b. The same as asking the flags of `compare`, faster.
#[inline(always)]
pub(in crate::vpu) fn compares(condition: Condition, a: u32, b: u32) -> bool {
    let (signed_a, signed_b) = (a as i32, b as i32);
    match condition {
        Condition::Equal => a == b,
        Condition::NotEqual => a != b,
        Condition::Lower => a < b,
        Condition::HigherOrSame => a >= b,
        Condition::Minus => (a.wrapping_sub(b) as i32) < 0,
        Condition::Plus => (a.wrapping_sub(b) as i32) >= 0,
        Condition::Overflow => signed_a.overflowing_sub(signed_b).1,
        Condition::NoOverflow => !signed_a.overflowing_sub(signed_b).1,
        Condition::Higher => a > b,
        Condition::LowerOrSame => a <= b,
        Condition::GreaterOrEqual => signed_a >= signed_b,
        Condition::Less => signed_a < signed_b,
        Condition::Greater => signed_a > signed_b,
        Condition::LessOrEqual => signed_a <= signed_b,
        Condition::Always => true,
        Condition::Never => false,
    }
}

/// Flags after a + b: C is the carry.
#[inline(always)]
pub(super) fn compare_negative(a: u32, b: u32) -> u32 {
    let (result, carried) = a.overflowing_add(b);
    let overflow = !(a ^ b) & (a ^ result);
    zero_and_negative(result) | carry(carried) | overflow >> 31
}

/// Flags after a look at bit b of a: Z and C if it is clear. (That C follows Z is public, not verified.)
#[inline(always)]
pub(in crate::vpu) fn test_bit(a: u32, b: u32) -> u32 {
    if a >> (b & 31) & 1 != 0 { 0 } else { flag::ZERO | flag::CARRY }
}

#[inline(always)]
fn zero_and_negative(result: u32) -> u32 {
    let zero = if result == 0 { flag::ZERO } else { 0 };
    zero | result >> 31 << 2
}

#[inline(always)]
fn carry(set: bool) -> u32 {
    u32::from(set) << 1
}

/// What an integer operation other than a comparison or division gives.
///
/// Shift counts and bit numbers are taken modulo 32. Operations of one operand work on `b`, except `brev`.
#[inline(always)]
pub(in crate::vpu) fn evaluate(operation: Operation, a: u32, b: u32) -> u32 {
    use Operation::*;
    match operation {
        Mov => b,
        Add => a.wrapping_add(b),
        Bic => a & !b,
        Mul => a.wrapping_mul(b),
        Eor => a ^ b,
        Sub => a.wrapping_sub(b),
        And => a & b,
        Not => !b,
        Ror => a.rotate_right(b & 31),
        Rsub => b.wrapping_sub(a),
        Or => a | b,
        Bmask => a & !(u32::MAX << (b & 31)),
        Max => (a as i32).max(b as i32) as u32,
        Bitset => a | 1 << (b & 31),
        Min => (a as i32).min(b as i32) as u32,
        Bitclear => a & !(1 << (b & 31)),
        Adds2 => a.wrapping_add(b << 1),
        Bitflip => a ^ 1 << (b & 31),
        Adds4 => a.wrapping_add(b << 2),
        Adds8 => a.wrapping_add(b << 3),
        Adds16 => a.wrapping_add(b << 4),
        Signext => sign_extend_from(a, b & 31),
        Neg => b.wrapping_neg(),
        Lsr => a >> (b & 31),
        Msb => highest_bit(b),
        Shl => a << (b & 31),
        Brev => reverse_low_bits(a, b & 31),
        Asr => (a as i32 >> (b & 31)) as u32,
        Abs => (b as i32).unsigned_abs(),
        other => extended(other, a, b),
    }
}

/// The operations of the three-operand forms only.
fn extended(operation: Operation, a: u32, b: u32) -> u32 {
    use Operation::*;
    match operation {
        MulhdSs => ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32,
        MulhdSu => ((i64::from(a as i32) * i64::from(b)) >> 32) as u32,
        MulhdUs => ((i64::from(a) * i64::from(b as i32)) >> 32) as u32,
        MulhdUu => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        Adds => (a as i32).saturating_add(b as i32) as u32,
        Subs => (a as i32).saturating_sub(b as i32) as u32,
        Shls => saturate(i64::from(a as i32) << (b & 31), 32),
        Clipsh => saturate(i64::from(b as i32), 16),
        Addscale5 => a.wrapping_add(b << 5),
        Addscale6 => a.wrapping_add(b << 6),
        Addscale7 => a.wrapping_add(b << 7),
        Addscale8 => a.wrapping_add(b << 8),
        Count => b.count_ones(),
        Subscale1 => a.wrapping_sub(b << 1),
        Subscale2 => a.wrapping_sub(b << 2),
        Subscale3 => a.wrapping_sub(b << 3),
        Subscale4 => a.wrapping_sub(b << 4),
        Subscale5 => a.wrapping_sub(b << 5),
        Subscale6 => a.wrapping_sub(b << 6),
        Subscale7 => a.wrapping_sub(b << 7),
        Subscale8 => a.wrapping_sub(b << 8),
        other => unreachable!("{other:?} is not an integer operation with one result"),
    }
}

/// Division; none by zero.
pub(super) fn divide(operation: Operation, a: u32, b: u32) -> Option<u32> {
    let signed_a = i64::from(a as i32);
    let signed_b = i64::from(b as i32);
    let (dividend, divisor) = match operation {
        Operation::DivSs => (signed_a, signed_b),
        Operation::DivSu => (signed_a, i64::from(b)),
        Operation::DivUs => (i64::from(a), signed_b),
        _ => (i64::from(a), i64::from(b)),
    };
    dividend.checked_div(divisor).map(|quotient| quotient as u32)
}

/// Bit `top` of `a` is the sign of the result.
fn sign_extend_from(a: u32, top: u32) -> u32 {
    let shift = 31 - top;
    ((a << shift) as i32 >> shift) as u32
}

/// The low `count` bits in reverse order; all 32 if `count` is zero.
fn reverse_low_bits(a: u32, count: u32) -> u32 {
    let count = if count == 0 { 32 } else { count };
    a.reverse_bits() >> (32 - count)
}

/// Number of the highest bit set; -1 if there is none.
fn highest_bit(b: u32) -> u32 {
    31u32.wrapping_sub(b.leading_zeros())
}

fn saturate(value: i64, bits: u32) -> u32 {
    let limit = 1i64 << (bits - 1);
    value.clamp(-limit, limit - 1) as i32 as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vpu::registers::holds;

    #[test]
    fn the_fast_comparison_agrees_with_the_flags() {
        let values = [0, 1, 2, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, u32::MAX];
        for (a, b) in values.iter().flat_map(|a| values.iter().map(move |b| (*a, *b))) {
            for condition in (0..16).map(Condition::from_bits) {
                let expected = holds(condition, compare(a, b));
                assert_eq!(compares(condition, a, b), expected, "{a:#x} {condition:?} {b:#x}");
            }
        }
    }
}
