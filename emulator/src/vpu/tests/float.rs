//! Floating point.

use super::encode::*;
use super::*;
use crate::vpu::registers::flag::{CARRY, NEGATIVE, OVERFLOW, ZERO};

const FLOAT: u16 = 0x40;
const CONVERT: u16 = 0x50;

fn float_result(code: u16, a: f32, b: f32) -> f32 {
    f32::from_bits(Rig::result_of(&on_registers(FLOAT + code), a.to_bits(), b.to_bits()))
}

#[test]
fn every_float_operation_gives_its_result() {
    let expected = [
        (0, 11.0),
        (1, 7.0),
        (2, 18.0),
        (3, 4.5),
        (5, 2.0),
        (6, -7.0),
        (7, 9.0),
        (8, 0.5),
        (10, -18.0),
        (11, 2.0),
        (14, 1.0),
        (15, 4.0),
    ];
    for (code, result) in expected {
        assert_eq!(float_result(code, 9.0, 2.0), result, "{code}");
    }
    assert_eq!(float_result(9, 0.0, 4.0), 0.5);
    assert_eq!((float_result(12, 0.0, 1.25), float_result(13, 0.0, 1.25)), (2.0, 1.0));
}

#[test]
fn float_comparison_sets_carry_with_negative() {
    let compare = |a: f32, b: f32| Rig::flags_of(&on_registers(FLOAT + 4), a.to_bits(), b.to_bits());
    assert_eq!(compare(1.0, 2.0), NEGATIVE | CARRY);
    assert_eq!(compare(2.0, 1.0), 0);
    assert_eq!(compare(0.0, -0.0), ZERO);
    assert_eq!(compare(f32::NAN, 1.0), OVERFLOW);
}

#[test]
fn float_immediates_have_three_bits_of_exponent_and_two_of_mantissa() {
    // Exponent 0 is zero, exponent 3 is 2^0.
    for (bits, value) in
        [(0b00_0000, 0.0), (0b00_1100, 1.0), (0b00_1110, 1.5), (0b11_0000, -2.0), (0b01_1111, 28.0)]
    {
        let code = three_immediate(FLOAT, 0, 1, bits);
        assert_eq!(f32::from_bits(Rig::result_of(&code, 0, 0)), value, "{bits:#08b}");
    }
}

#[test]
fn conversions_scale_by_a_power_of_two() {
    let to_integer = |code: u16, value: f32, scale: i16| {
        Rig::result_of(&three_immediate(CONVERT + code, 0, 1, scale), value.to_bits(), 0) as i32
    };
    assert_eq!((to_integer(0, -1.5, 0), to_integer(1, -1.5, 0)), (-1, -2));
    assert_eq!(to_integer(0, 1.5, 8), 384);
    let from_integer = |code: u16, value: u32, scale: i16| {
        f32::from_bits(Rig::result_of(&three_immediate(CONVERT + code, 0, 1, scale), value, 0))
    };
    assert_eq!(from_integer(2, -3i32 as u32, 0), -3.0);
    assert_eq!(from_integer(3, 0x8000_0000, 0), 2_147_483_648.0);
    assert_eq!(from_integer(2, 384, 8), 1.5);
    assert_eq!(from_integer(2, 3, -3), 24.0);
}

#[test]
fn conversion_to_integer_stops_at_the_limits() {
    let code = three_immediate(CONVERT, 0, 1, 0);
    assert_eq!(Rig::result_of(&code, 1e20f32.to_bits(), 0), 0x7fff_ffff);
    assert_eq!(Rig::result_of(&code, f32::NAN.to_bits(), 0), 0);
}
