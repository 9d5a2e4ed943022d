//! Multiplication and division.

use crate::arm::decode::Size;

/// MADD or MSUB of a finished product.
#[inline(always)]
pub(super) fn accumulate(subtract: bool, accumulator: u64, product: u64) -> u64 {
    if subtract { accumulator.wrapping_sub(product) } else { accumulator.wrapping_add(product) }
}

/// The 64-bit product of two words.
#[inline(always)]
pub(super) fn long(signed: bool, a: u64, b: u64) -> u64 {
    if signed {
        i64::from(a as i32).wrapping_mul(i64::from(b as i32)) as u64
    } else {
        u64::from(a as u32) * u64::from(b as u32)
    }
}

/// The upper half of a 128-bit product.
#[inline(always)]
pub(super) fn high(signed: bool, a: u64, b: u64) -> u64 {
    if signed {
        ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
    } else {
        ((u128::from(a) * u128::from(b)) >> 64) as u64
    }
}

/// UDIV and SDIV: division by zero gives zero, the one overflow wraps.
#[inline(always)]
pub(super) fn divide(size: Size, signed: bool, a: u64, b: u64) -> u64 {
    match (size, signed) {
        (Size::X, false) => a.checked_div(b).unwrap_or(0),
        (Size::W, false) => u64::from((a as u32).checked_div(b as u32).unwrap_or(0)),
        (Size::X, true) if b == 0 => 0,
        (Size::X, true) => (a as i64).wrapping_div(b as i64) as u64,
        (Size::W, true) if b as u32 == 0 => 0,
        (Size::W, true) => u64::from((a as i32).wrapping_div(b as i32) as u32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_zero_and_overflow_do_not_trap() {
        assert_eq!(divide(Size::X, true, 7, 0), 0);
        assert_eq!(divide(Size::X, false, 7, 0), 0);
        assert_eq!(divide(Size::W, true, 7, 1 << 32), 0);
        assert_eq!(divide(Size::X, true, i64::MIN as u64, u64::MAX), i64::MIN as u64);
        assert_eq!(divide(Size::W, true, 0x8000_0000, 0xffff_ffff), 0x8000_0000);
        assert_eq!(divide(Size::W, true, 0xffff_fff9, 2), 0xffff_fffd);
    }
}
