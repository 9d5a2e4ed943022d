//! What the arithmetic operations compute, lane by lane.
//!
//! The results, carries and widths are those measured on a VideoCore IV (docs/vpu.md names the source). Operations
//! that are known to write zeros at one width do so here; operations nobody knows are refused.

use super::file::Lanes;
use crate::vpu::fault::FaultKind;

/// Numbers of the operations.
pub(super) mod operation {
    pub(in crate::vpu::vector) const MOV: u8 = 0;
    pub(in crate::vpu::vector) const BITPLANES: u8 = 1;
    pub(in crate::vpu::vector) const EVEN: u8 = 2;
    pub(in crate::vpu::vector) const ODD: u8 = 3;
    pub(in crate::vpu::vector) const INTERL: u8 = 4;
    pub(in crate::vpu::vector) const INTERH: u8 = 5;
    pub(in crate::vpu::vector) const MULL: u8 = 48;
    pub(in crate::vpu::vector) const MULHT_SU: u8 = 61;
}

/// The exact result of one lane, before it is cut to a width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LaneResult {
    pub(super) value: i64,
    /// What the operation makes of the lane's carry flag.
    pub(super) carry: Carry,
}

/// What an operation makes of a lane's carry flag when it sets flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carry {
    /// Left as it is.
    Kept,
    /// Set to this.
    Is(bool),
    /// Set if the result had to be clamped. Such operations saturate.
    Clamped,
    /// Not known.
    Unknown,
}

/// One lane of an operation `bits` wide (16 or 32). `a` and `b` are extended to 32 bits; `carry` is the lane's flag.
pub(super) fn lane(operation: u8, bits: u32, a: u32, b: u32, carry: bool) -> Result<LaneResult, FaultKind> {
    let wide = bits == 32;
    let mask = if wide { u32::MAX } else { 0xffff };
    // Unsigned and signed readings at the operation's width, and the count of a shift.
    let (ua, ub) = (a & mask, b & mask);
    let (sa, sb) = (signed(a, bits), signed(b, bits));
    let count = b & (bits - 1);
    let carry_in = i64::from(carry);
    let (signed_sum, signed_difference) = (sa + sb, sa - sb);
    let unsigned_sum = i64::from(ua) + i64::from(ub);

    let (value, carry) = match operation {
        operation::MOV => (sb, Carry::Kept),
        6 => (i64::from(reverse_low_bits(ua, count, bits)), Carry::Kept),
        7 => (i64::from(rotate_right(ua, count, bits)), fallen_off_right(ua, count, bits)),
        8 => (i64::from(ua) << count, fallen_off_left(ua, count, bits)),
        9 => (sa << count, Carry::Clamped),
        10 => (i64::from(ua >> count), fallen_off_right(ua, count, bits)),
        11 => (sa >> count, fallen_off_right(ua, count, bits)),
        12 => (shift_by_signed(i64::from(ua), sb), Carry::Unknown),
        14 => (shift_by_signed(sa, sb), Carry::Unknown),
        15 => (shift_by_signed(sa, sb), Carry::Clamped),
        16 => (i64::from(ua & ub), Carry::Kept),
        17 => (i64::from(ua | ub), Carry::Kept),
        18 => (i64::from(ua ^ ub), Carry::Kept),
        19 => (i64::from(ua & !ub), Carry::Kept),
        20 if wide => (0, Carry::Kept),
        20 => (i64::from(ua.count_ones() + ub.count_ones()), Carry::Kept),
        21 => (highest_bit(ua | ub), Carry::Kept),
        24 => (sa.min(sb), Carry::Is(sb <= sa)),
        25 => (sa.max(sb), Carry::Is(sb > sa)),
        26 => (signed_difference.abs(), Carry::Kept),
        27 => (signed_difference.abs(), Carry::Clamped),
        28 => (sa.min(sb).max(0), Carry::Kept),
        29 => (sb + sa.signum(), Carry::Kept),
        30 if !wide => (0, Carry::Kept),
        30 => (if sa < 0 { -sb } else { sb }, Carry::Kept),
        31 if wide => (0, Carry::Kept),
        31 => (i64::from(sa.abs() >= sb), Carry::Kept),
        32 => (signed_sum, Carry::Is(unsigned_sum > i64::from(mask))),
        33 => (signed_sum, Carry::Clamped),
        34 => (signed_sum + carry_in, Carry::Is(unsigned_sum + carry_in > i64::from(mask))),
        35 => (signed_sum + carry_in, Carry::Clamped),
        36 => (signed_difference, Carry::Is(ua < ub)),
        37 => (signed_difference, Carry::Clamped),
        38 => (signed_difference - carry_in, Carry::Is(i64::from(ua) < i64::from(ub) + carry_in)),
        39 => (signed_difference - carry_in, Carry::Clamped),
        40 => (-signed_difference, Carry::Is(ub < ua)),
        41 => (-signed_difference, Carry::Clamped),
        42 => (-signed_difference - carry_in, Carry::Is(i64::from(ub) < i64::from(ua) + carry_in)),
        43 => (-signed_difference - carry_in, Carry::Clamped),
        // Unassigned numbers: zeros at both widths.
        13 | 22 | 23 | 44..=47 | 62 | 63 => (0, Carry::Kept),
        _ => return Err(FaultKind::UnsupportedInstruction),
    };
    Ok(LaneResult { value, carry })
}

/// One lane of a multiplication. `long` is the L bit, which turns the four `mulhd` into 16 x 16 to 32 bits.
pub(super) fn multiply(operation: u8, long: bool, a: u32, b: u32) -> Result<LaneResult, FaultKind> {
    let (sa, sb) = (signed(a, 16), signed(b, 16));
    let (ua, ub) = (i64::from(a & 0xffff), i64::from(b & 0xffff));
    let product = match operation {
        48..=51 => sa * sb,
        52 | 56 | 60 => sa * sb,
        53 | 57 | 61 => sa * ub,
        54 | 58 => ua * sb,
        55 | 59 => ua * ub,
        _ => return Err(FaultKind::UnsupportedInstruction),
    };
    let (value, carry) = match (operation, long) {
        (52..=55, true) => (product, Carry::Kept),
        (_, true) => return Err(FaultKind::UnsupportedInstruction),
        (48, _) => (product, Carry::Kept),
        (49, _) => (product, Carry::Clamped),
        (50, _) => (product >> 8, Carry::Unknown),
        // Saturates; its carry is unknown, and `saturates` tells the two apart.
        (51, _) => (product >> 8, Carry::Unknown),
        (52..=55, _) => (product >> 16, Carry::Kept),
        (56..=59, _) => ((product + 0x8000) >> 16, Carry::Kept),
        _ => (product / 0x1_0000, Carry::Kept),
    };
    Ok(LaneResult { value, carry })
}

/// True for operations whose result is clamped into the destination.
pub(super) fn saturates(operation: u8) -> bool {
    matches!(operation, 9 | 15 | 27 | 33 | 35 | 37 | 39 | 41 | 43 | 49 | 51)
}

/// True for the operations of `multiply`.
pub(super) fn is_multiplication(operation: u8) -> bool {
    (operation::MULL..=operation::MULHT_SU).contains(&operation)
}

/// The operations that look at lanes other than their own; none for the rest.
pub(super) fn shuffle(operation: u8, bits: u32, a: &Lanes, b: &Lanes) -> Option<Lanes> {
    let every_second = |odd: usize| {
        std::array::from_fn(|index| if index < 8 { a[2 * index + odd] } else { b[2 * (index - 8) + odd] })
    };
    let alternate = |half: usize| {
        std::array::from_fn(|index| {
            let from = index / 2 + half;
            if index % 2 == 0 { a[from] } else { b[from] }
        })
    };
    match operation {
        operation::BITPLANES if bits == 32 => Some([0; 16]),
        operation::BITPLANES => Some(std::array::from_fn(|index| transpose_row(b, index))),
        operation::EVEN => Some(every_second(0)),
        operation::ODD => Some(every_second(1)),
        operation::INTERL => Some(alternate(0)),
        operation::INTERH => Some(alternate(8)),
        _ => None,
    }
}

/// Bit j of the result is bit `index` of lane j.
fn transpose_row(lanes: &Lanes, index: usize) -> u32 {
    lanes.iter().enumerate().map(|(lane, value)| (value >> index & 1) << lane).sum()
}

/// The low `bits` bits of `value`, signed.
pub(super) fn signed(value: u32, bits: u32) -> i64 {
    if bits == 32 { i64::from(value as i32) } else { i64::from(value as i16) }
}

/// The low `count` bits reversed; all of them if `count` is zero.
fn reverse_low_bits(value: u32, count: u32, bits: u32) -> u32 {
    let count = if count == 0 { bits } else { count };
    value.reverse_bits() >> (32 - count)
}

fn rotate_right(value: u32, count: u32, bits: u32) -> u32 {
    if bits == 32 { value.rotate_right(count) } else { u32::from((value as u16).rotate_right(count)) }
}

fn fallen_off_left(value: u32, count: u32, bits: u32) -> Carry {
    Carry::Is(value >> ((bits - count) & (bits - 1)) & 1 != 0)
}

fn fallen_off_right(value: u32, count: u32, bits: u32) -> Carry {
    Carry::Is(value >> (count.wrapping_sub(1) & (bits - 1)) & 1 != 0)
}

/// Left by a positive count, right by a negative one; the count is not cut to the width.
fn shift_by_signed(value: i64, count: i64) -> i64 {
    if count >= 0 { value << count.min(32) } else { value >> count.saturating_neg().min(63) }
}

fn highest_bit(value: u32) -> i64 {
    31 - i64::from(value.leading_zeros())
}
