//! Floating point: IEEE single precision held in ordinary registers.
//!
//! Rounding is the host's (to nearest even); the VPU's own is not documented.

use crate::vpu::operation::Operation;
use crate::vpu::registers::flag;

/// Flags after a float comparison: N and C if a is less, V if the two are unordered. (C is a guess.)
pub(super) fn compare(a: u32, b: u32) -> u32 {
    let (a, b) = (f32::from_bits(a), f32::from_bits(b));
    match a.partial_cmp(&b) {
        Some(std::cmp::Ordering::Less) => flag::NEGATIVE | flag::CARRY,
        Some(std::cmp::Ordering::Equal) => flag::ZERO,
        Some(std::cmp::Ordering::Greater) => 0,
        None => flag::OVERFLOW,
    }
}

/// What a float operation or a conversion gives; none if it is not one of them.
pub(super) fn evaluate(operation: Operation, a: u32, b: u32) -> Option<u32> {
    use Operation::*;
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    let result = match operation {
        Fadd => x + y,
        Fsub => x - y,
        Fmul => x * y,
        Fdiv => x / y,
        Fabs => y.abs(),
        Frsub => y - x,
        Fmax => x.max(y),
        Frcp => 1.0 / y,
        Frsqrt => 1.0 / y.sqrt(),
        Fnmul => -(x * y),
        Fmin => x.min(y),
        Fceil => y.ceil(),
        Ffloor => y.floor(),
        Flog2 => y.log2(),
        Fexp2 => y.exp2(),
        Ftrunc => return Some((scaled(f64::from(x), b).trunc() as i32) as u32),
        Floor => return Some((scaled(f64::from(x), b).floor() as i32) as u32),
        Flts => scaled(f64::from(a as i32), (b as i32).saturating_neg() as u32) as f32,
        Fltu => scaled(f64::from(a), (b as i32).saturating_neg() as u32) as f32,
        _ => return None,
    };
    Some(result.to_bits())
}

/// value * 2^exponent; beyond 300 either way nothing of a float or of an integer is left.
fn scaled(value: f64, exponent: u32) -> f64 {
    value * f64::from((exponent as i32).clamp(-300, 300)).exp2()
}
