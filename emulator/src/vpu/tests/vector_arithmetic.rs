//! Results of the vector operations, as published from a VideoCore IV (docs/vpu.md).

use super::encode::*;
use super::*;

/// Edge cases of addition, shift and product.
const A: [u32; 16] = [
    0x7fff, 0x8000, 0xffff, 0x0001, 0x4000, 0xc000, 0x0010, 0x8001, 0x0003, 0xfffe, 0x00ff, 0xff00, 0x1234,
    0xedcc, 0, 0x7f00,
];
const B: [u32; 16] = [
    0x0001, 0x0001, 0x0002, 0xffff, 0x4000, 0x4000, 0x0004, 0x7fff, 0x0002, 0x0003, 0x0100, 0x0080, 1, 2, 1,
    0x0100,
];

fn rig() -> Rig {
    let mut rig = Rig::new(&[]);
    rig.set_row(62, &A);
    rig.set_row(63, &B);
    rig
}

/// HX(0,0) after `operation` on A and B.
fn result(operation: u16) -> [u32; 16] {
    let mut rig = rig();
    rig.run(&vector(operation, false, (HX, 0), (HX, 62), (HX, 63)));
    rig.halves(0)
}

#[rustfmt::skip]
const MEASURED: [(u16, [u32; 16]); 30] = [
    (32, [0x8000, 0x8001, 1, 0, 0x8000, 0, 0x14, 0, 5, 1, 0x1ff, 0xff80, 0x1235, 0xedce, 1, 0x8000]),
    (33, [0x7fff, 0x8001, 1, 0, 0x7fff, 0, 0x14, 0, 5, 1, 0x1ff, 0xff80, 0x1235, 0xedce, 1, 0x7fff]),
    (36, [0x7ffe, 0x7fff, 0xfffd, 2, 0, 0x8000, 0xc, 2, 1, 0xfffb, 0xffff, 0xfe80, 0x1233, 0xedca, 0xffff, 0x7e00]),
    (37, [0x7ffe, 0x8000, 0xfffd, 2, 0, 0x8000, 0xc, 0x8000, 1, 0xfffb, 0xffff, 0xfe80, 0x1233, 0xedca, 0xffff, 0x7e00]),
    (40, [0x8002, 0x8001, 3, 0xfffe, 0, 0x8000, 0xfff4, 0xfffe, 0xffff, 5, 1, 0x180, 0xedcd, 0x1236, 1, 0x8200]),
    (41, [0x8002, 0x7fff, 3, 0xfffe, 0, 0x7fff, 0xfff4, 0x7fff, 0xffff, 5, 1, 0x180, 0xedcd, 0x1236, 1, 0x8200]),
    (24, [1, 0x8000, 0xffff, 0xffff, 0x4000, 0xc000, 4, 0x8001, 2, 0xfffe, 0xff, 0xff00, 1, 0xedcc, 0, 0x100]),
    (25, [0x7fff, 1, 2, 1, 0x4000, 0x4000, 0x10, 0x7fff, 3, 3, 0x100, 0x80, 0x1234, 2, 1, 0x7f00]),
    (11, [0x3fff, 0xc000, 0xffff, 0, 0x4000, 0xc000, 1, 0xffff, 0, 0xffff, 0xff, 0xff00, 0x91a, 0xfb73, 0, 0x7f00]),
    (10, [0x3fff, 0x4000, 0x3fff, 0, 0x4000, 0xc000, 1, 1, 0, 0x1fff, 0xff, 0xff00, 0x91a, 0x3b73, 0, 0x7f00]),
    (8, [0xfffe, 0, 0xfffc, 0x8000, 0x4000, 0xc000, 0x100, 0x8000, 0xc, 0xfff0, 0xff, 0xff00, 0x2468, 0xb730, 0, 0x7f00]),
    (9, [0x7fff, 0x8000, 0xfffc, 0x7fff, 0x4000, 0xc000, 0x100, 0x8000, 0xc, 0xfff0, 0xff, 0xff00, 0x2468, 0xb730, 0, 0x7f00]),
    (26, [0x7ffe, 0x8001, 3, 2, 0, 0x8000, 0xc, 0xfffe, 1, 5, 1, 0x180, 0x1233, 0x1236, 1, 0x7e00]),
    (27, [0x7ffe, 0x7fff, 3, 2, 0, 0x7fff, 0xc, 0x7fff, 1, 5, 1, 0x180, 0x1233, 0x1236, 1, 0x7e00]),
    (28, [1, 0, 0, 0, 0x4000, 0, 4, 0, 2, 0, 0xff, 0, 1, 0, 0, 0x100]),
    (29, [2, 0, 1, 0, 0x4001, 0x3fff, 5, 0x7ffe, 3, 2, 0x101, 0x7f, 2, 1, 1, 0x101]),
    (20, [0x10, 2, 0x11, 0x11, 2, 3, 2, 0x11, 3, 0x11, 9, 9, 6, 0xb, 1, 8]),
    (6, [1, 0, 3, 0x4000, 2, 3, 0, 0x4000, 3, 3, 0xff00, 0xff, 0, 0, 0, 0xfe]),
    (31, [1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1]),
    (48, [0x7fff, 0x8000, 0xfffe, 0xffff, 0, 0, 0x40, 0xffff, 6, 0xfffa, 0xff00, 0x8000, 0x1234, 0xdb98, 0, 0]),
    (49, [0x7fff, 0x8000, 0xfffe, 0xffff, 0x7fff, 0x8000, 0x40, 0x8000, 6, 0xfffa, 0x7fff, 0x8000, 0x1234, 0xdb98, 0, 0x7fff]),
    (50, [0x7f, 0xff80, 0xffff, 0xffff, 0, 0, 0, 0xff, 0, 0xffff, 0xff, 0xff80, 0x12, 0xffdb, 0, 0x7f00]),
    (51, [0x7f, 0xff80, 0xffff, 0xffff, 0x7fff, 0x8000, 0, 0x8000, 0, 0xffff, 0xff, 0xff80, 0x12, 0xffdb, 0, 0x7f00]),
    (52, [0, 0xffff, 0xffff, 0xffff, 0x1000, 0xf000, 0, 0xc000, 0, 0xffff, 0, 0xffff, 0, 0xffff, 0, 0x7f]),
    (53, [0, 0xffff, 0xffff, 0, 0x1000, 0xf000, 0, 0xc000, 0, 0xffff, 0, 0xffff, 0, 0xffff, 0, 0x7f]),
    (54, [0, 0, 1, 0xffff, 0x1000, 0x3000, 0, 0x3fff, 0, 2, 0, 0x7f, 0, 1, 0, 0x7f]),
    (55, [0, 0, 1, 0, 0x1000, 0x3000, 0, 0x3fff, 0, 2, 0, 0x7f, 0, 1, 0, 0x7f]),
    (56, [0, 0, 0, 0, 0x1000, 0xf000, 0, 0xc001, 0, 0, 1, 0, 0, 0, 0, 0x7f]),
    (58, [0, 1, 2, 0, 0x1000, 0x3000, 0, 0x4000, 0, 3, 1, 0x80, 0, 2, 0, 0x7f]),
    (59, [0, 1, 2, 1, 0x1000, 0x3000, 0, 0x4000, 0, 3, 1, 0x80, 0, 2, 0, 0x7f]),
];

#[test]
fn operations_on_halves_give_the_measured_results() {
    for (operation, expected) in MEASURED {
        assert_eq!(result(operation), expected, "operation {operation}");
    }
}

#[test]
fn bitwise_operations_and_rotation_work_on_each_lane() {
    for lane in 0..16 {
        let (a, b) = (A[lane], B[lane]);
        assert_eq!(result(16)[lane], a & b);
        assert_eq!(result(17)[lane], a | b);
        assert_eq!(result(18)[lane], a ^ b);
        assert_eq!(result(19)[lane], a & !b);
        assert_eq!(result(7)[lane], u32::from((a as u16).rotate_right(b & 15)));
    }
}

#[test]
fn operations_that_mean_nothing_write_zeros() {
    let unassigned = [13, 22, 23, 44, 45, 46, 47, 62, 63];
    for operation in unassigned {
        assert_eq!(result(operation), [0; 16], "operation {operation}");
    }
    // Some mean something at one width only: count, testmag and bitplanes at 16, clips at 32.
    for (operation, wide) in [(20, true), (31, true), (1, true), (30, false)] {
        let mut rig = rig();
        let d = if wide { (HY, 62) } else { (HX, 62) };
        rig.run(&vector(operation, wide, d, (HX, 62), (HX, 63)));
        let row = if wide { rig.row(62) } else { rig.halves(62) };
        assert_eq!(row, [0; 16], "operation {operation}");
    }
}

#[test]
fn clips_gives_b_the_sign_of_a() {
    let mut rig = rig();
    rig.run(&vector(30, true, (HY, 0), (HX, 62), (HX, 63)));
    let row = rig.row(0);
    assert_eq!((row[0], row[1], row[3], row[14]), (1, -1i32 as u32, -1i32 as u32, 1));
}

#[test]
fn shuffles_take_lanes_from_both_operands() {
    let (first, second): ([u32; 16], [u32; 16]) = (A, B);
    let expected = |pick: &dyn Fn(usize) -> u32| std::array::from_fn::<u32, 16, _>(pick);
    assert_eq!(result(2), expected(&|i| if i < 8 { first[2 * i] } else { second[2 * i - 16] }));
    assert_eq!(result(3), expected(&|i| if i < 8 { first[2 * i + 1] } else { second[2 * i - 15] }));
    assert_eq!(result(4), expected(&|i| if i % 2 == 0 { first[i / 2] } else { second[i / 2] }));
    assert_eq!(result(5), expected(&|i| if i % 2 == 0 { first[8 + i / 2] } else { second[8 + i / 2] }));
}

#[test]
fn bitplanes_transposes_bits_and_lanes() {
    let planes = result(1);
    for (lane, plane) in planes.iter().enumerate() {
        for (bit, value) in B.iter().enumerate() {
            assert_eq!(plane >> bit & 1, value >> lane & 1);
        }
    }
}

#[test]
fn signed_counts_shift_both_ways() {
    let mut rig = Rig::with_vectors();
    let shifted = |rig: &mut Rig, operation: u16| {
        rig.run(&vector(operation, false, (HX, 0), (HX, 62), (HX, 63)));
        rig.halves(0)
    };
    // Counts -1, -2, -4, -15, -16, -32, 1, 2 (measured).
    assert_eq!(shifted(&mut rig, 12)[..8], [0x7fff, 0x2000, 0x0f00, 0, 0, 0, 0x1fe, 0xfffc]);
    assert_eq!(shifted(&mut rig, 14)[..8], [0xffff, 0xe000, 0xff00, 0, 0xffff, 0xffff, 0x1fe, 0xfffc]);
    assert_eq!(shifted(&mut rig, 15)[..8], [0xffff, 0xe000, 0xff00, 0, 0xffff, 0xffff, 0x1fe, 0x7fff]);
}

#[test]
fn the_highest_bit_is_that_of_either_operand() {
    let mut rig = rig();
    rig.run(&vector(21, false, (HX, 0), (HX, 62), (HX, 63)));
    let halves = rig.halves(0);
    assert_eq!((halves[0], halves[3], halves[8], halves[14]), (14, 15, 1, 0));
    rig.run(&vector(21, true, (HY, 1), (HX, 40), (HX, 41)));
    assert_eq!(rig.row(1), [u32::MAX; 16]);
}

#[test]
fn additions_with_carry_use_the_carry_of_the_lane() {
    let mut rig = rig();
    // v16sub -, A, B SETF leaves the borrows; then addc, subc, rsubc.
    let borrow = |lane: usize| u32::from(A[lane] < B[lane]);
    for (operation, result) in [(34, [1, 1, 1]), (38, [1, -1, -1]), (42, [-1, 1, -1])] {
        rig.run(&extended(0xf520, (DASH, 0), (HX, 62), (HX, 63), true, 0, 0));
        rig.run(&vector(operation, false, (HX, 0), (HX, 62), (HX, 63)));
        let halves = rig.halves(0);
        for lane in 0..16 {
            let [a, b, carry] = result;
            let sum = a * A[lane] as i32 + b * B[lane] as i32 + carry * borrow(lane) as i32;
            assert_eq!(halves[lane], sum as u32 & 0xffff, "operation {operation}, lane {lane}");
        }
    }
}

/// Lanes whose carry is set after `operation` with SETF, having been clear.
fn carries(operation: u16) -> u16 {
    let mut rig = rig();
    rig.run(&extended(0xf520, (DASH, 0), (HX, 62), (HX, 62), true, 0, 0));
    rig.run(&extended(0xf400 | operation << 3, (DASH, 0), (HX, 62), (HX, 63), true, 0, 0));
    rig.lanes_under(6)
}

#[test]
fn carries_are_the_measured_ones() {
    let lanes = |list: &[u16]| list.iter().map(|lane| 1 << lane).sum::<u16>();
    let expected = [
        (25, lanes(&[1, 2, 5, 7, 9, 10, 11, 13, 14])),
        (24, lanes(&[0, 3, 4, 6, 8, 12, 15])),
        (36, lanes(&[3, 10, 14])),
        (37, lanes(&[1, 7])),
        (27, lanes(&[1, 5, 7])),
        (9, lanes(&[0, 1, 3, 7])),
    ];
    for (operation, expected) in expected {
        assert_eq!(carries(operation), expected, "operation {operation}");
    }
    // Bitwise operations and moves leave the carry alone.
    for operation in [16, 17, 18, 19, 26, 20, 21, 6, 28, 29, 2, 4, 0, 48] {
        assert_eq!(carries(operation), 0, "operation {operation}");
    }
}

#[test]
fn shifts_carry_the_last_bit_that_left() {
    let (right, left) = (carries(10), carries(8));
    assert_eq!((carries(7), carries(11)), (right, right));
    for lane in 0..16 {
        let count = B[lane] & 15;
        assert_eq!(
            u32::from(right >> lane & 1),
            A[lane] >> (count.wrapping_sub(1) & 15) & 1,
            "right, lane {lane}"
        );
        assert_eq!(u32::from(left >> lane & 1), A[lane] >> ((16 - count) & 15) & 1, "left, lane {lane}");
    }
}

#[test]
fn saturation_stops_at_what_the_destination_holds() {
    let mut rig = rig();
    // Bytes are unsigned: v16adds H(2,0), H(62,0), H(63,0), and subs.
    rig.run(&vector(33, false, (H, 2), (H, 62), (H, 63)));
    let sums = rig.row(2);
    assert_eq!((sums[0] & 0xff, sums[2] & 0xff, sums[3] & 0xff), (0xff, 0xff, 0xff));
    rig.run(&vector(37, false, (H, 3), (H, 62), (H, 63)));
    assert_eq!(rig.row(3)[3] & 0xff, 0);
    // Words of halves: no clamping in a word, at 16 bits in a half (measured).
    rig.run(&vector(33, true, (HY, 9), (HX, 62), (HX, 63)));
    assert_eq!(rig.row(9)[..2], [0x8000, 0xffff_8001]);
    rig.run(&vector(33, true, (HX, 5), (HX, 62), (HX, 63)));
    assert_eq!(rig.halves(5)[..2], [0x7fff, 0x8001]);
}

#[test]
fn shifts_count_in_the_width_of_the_operation() {
    let mut rig = rig();
    // v32lsr HY(20,0), HX(62,0), HX(63,0) (measured).
    rig.run(&vector(10, true, (HY, 20), (HX, 62), (HX, 63)));
    assert_eq!(rig.row(20)[..6], [0x3fff, 0x7fff_c000, 0x3fff_ffff, 0, 0x4000, 0xffff_c000]);
}

#[test]
fn a_dash_stands_for_zeros_and_for_no_destination() {
    let mut rig = rig();
    // v16sub HX(1,0), -, HX(63,0)
    rig.run(&vector(36, false, (HX, 1), (DASH, 0), (HX, 63)));
    assert_eq!(rig.halves(1), B.map(|lane| lane.wrapping_neg() & 0xffff));
}

#[test]
fn products_of_a_byte_and_a_half_are_as_wide_as_the_half() {
    let mut rig = Rig::with_vectors();
    // Measured: mull and mulhd.ss of HX(62,0) and the low bytes of HX(63,0).
    rig.run(&vector(48, false, (HX, 10), (HX, 62), (H, 63)));
    assert_eq!(rig.halves(10)[..3], [0xff01, 0, (0xf000u32 * 0xfc) & 0xffff]);
    rig.run(&vector(52, false, (HX, 13), (HX, 62), (H, 63)));
    assert_eq!(rig.halves(13)[..2], [0xffff, 0xff81]);
}

#[test]
fn the_long_multiplication_keeps_the_whole_product_of_two_halves() {
    let mut rig = rig();
    let expected = |signed_a: bool, signed_b: bool| {
        let read = |value: u32, signed: bool| if signed { i64::from(value as i16) } else { i64::from(value) };
        std::array::from_fn::<u32, 16, _>(|lane| (read(A[lane], signed_a) * read(B[lane], signed_b)) as u32)
    };
    for (operation, signed_a, signed_b) in
        [(52, true, true), (53, true, false), (54, false, true), (55, false, false)]
    {
        rig.run(&vector(operation, true, (HY, 0), (HX, 62), (HX, 63)));
        assert_eq!(rig.row(0), expected(signed_a, signed_b), "operation {operation}");
    }
    // The other products have no such form.
    assert_eq!(
        Rig::new(&vector(48, true, (HY, 0), (HX, 62), (HX, 63))).fault(),
        FaultKind::UnsupportedInstruction
    );
}

#[test]
fn the_truncating_product_rounds_towards_zero() {
    let mut rig = Rig::new(&[]);
    rig.set_row(62, &[0x0ff0; 16]);
    rig.set_row(63, &[0xfff1; 16]);
    // Measured: 0 where mulhd gives -1.
    rig.run(&vector(60, false, (HX, 0), (HX, 62), (HX, 63)));
    rig.run(&vector(52, false, (HX, 1), (HX, 62), (HX, 63)));
    assert_eq!((rig.halves(0)[0], rig.halves(1)[0]), (0, 0xffff));
}
