//! Vector instructions: fields, registers, predicates, accumulator, scalar results.
//!
//! "Measured" below means: published results of programs run on a VideoCore IV (docs/vpu.md).

use super::encode::*;
use super::*;
use crate::vpu::op::LR;
use crate::vpu::registers::flag::{CARRY, NEGATIVE, ZERO};

/// Halfwords used by most measurements.
pub(super) const A: [u32; 16] = [
    0xffff, 0x8000, 0xf000, 0x0ff0, 0x8001, 0xc000, 0x00ff, 0x7fff, 0x1234, 0xedcc, 0x0001, 0xfffe, 0x4000,
    0x0010, 0, 0x00f0,
];
pub(super) const B: [u32; 16] = [
    0xffff, 0xfffe, 0xfffc, 0xfff1, 0xfff0, 0xffe0, 1, 2, 0xffff, 0xfffd, 0xffff, 0xffff, 0xffff, 0xfffc,
    0xffff, 0xfff8,
];

impl Rig {
    /// Puts halfwords into the lower halves of a row.
    pub(super) fn set_row(&mut self, row: u32, lanes: &[u32; 16]) {
        for (lane, value) in lanes.iter().enumerate() {
            self.set_word(DATA + 4 * lane as u32, *value);
        }
        // v32ld HY(row,0), (r1)
        self.execute(&Vector48 { first: 0xf010, d: (HY, row), a: (DASH, 0), b: (DASH, 1) }.words(), |rig| {
            rig.set(1, DATA);
        });
    }

    /// A row as words.
    pub(super) fn row(&mut self, row: u32) -> [u32; 16] {
        // v32st HY(row,0), (r1)
        self.execute(&Vector48 { first: 0xf090, d: (DASH, 0), a: (HY, row), b: (DASH, 1) }.words(), |rig| {
            rig.set(1, DATA);
        });
        std::array::from_fn(|lane| self.word(DATA + 4 * lane as u32))
    }

    /// The lower halves of a row.
    pub(super) fn halves(&mut self, row: u32) -> [u32; 16] {
        self.row(row).map(|lane| lane & 0xffff)
    }

    /// Executes one instruction somewhere else, keeping r1.
    pub(super) fn execute(&mut self, code: &[u16], prepare: impl Fn(&mut Rig)) {
        let saved = self.get(1);
        prepare(self);
        self.write_code(CODE + 0x800, code);
        self.core.set_pc(CODE + 0x800);
        self.step(1);
        self.set(1, saved);
    }

    pub(super) fn run(&mut self, code: &[u16]) {
        self.write_code(CODE, code);
        self.core.set_pc(CODE);
        self.step(1);
    }

    /// A in row 62, B in row 63.
    pub(super) fn with_vectors() -> Self {
        let mut rig = Rig::new(&[]);
        rig.set_row(62, &A);
        rig.set_row(63, &B);
        rig
    }

    /// The lanes a predicate lets through, a bit each.
    pub(super) fn lanes_under(&mut self, predicate: u16) -> u16 {
        self.set_row(20, &[0; 16]);
        // v32mov HY(20,0), #-1 under the predicate, 48 bits.
        let word = HY << 29 | 20 << 22 | DASH << 19 | 1 << 10 | u32::from(predicate) << 7 | 0x3f;
        self.run(&[0xf600, (word >> 16) as u16, word as u16]);
        let row = self.row(20);
        (0..16).map(|lane| u16::from(row[lane] != 0) << lane).sum()
    }
}

const MOV: u16 = 0xf400;
const ADD: u16 = 0xf500;
const SUB: u16 = 0xf520;
const NOTHING: (u32, u32) = (DASH, 0);

/// Modifier bits.
const SUBTRACT: u16 = 1;
const WRITE_BACK: u16 = 2;
const CLEAR: u16 = 4;
const SIGNED: u16 = 8;
const HIGH: u16 = 0x10;
const ENABLE: u16 = 0x20;

/// v8getacc HY(row,0), 0
fn read_accumulators(rig: &mut Rig, row: u32) -> [u32; 16] {
    let word = HY << 29 | row << 22 | HX << 19 | 62 << 12 | 1 << 10;
    rig.run(&[0xf300, (word >> 16) as u16, word as u16]);
    rig.row(row)
}

#[test]
fn bytes_halves_and_words_land_where_they_were_measured() {
    // Memory holds 1, 2, 3 …; r1 points at it, r2 = 16, r4 = 3.
    let mut rig = Rig::new(&[]);
    for index in 0..256 {
        rig.bus.ram().write8(0x5000 + index, (index as u8).wrapping_add(1));
    }
    let program: [&[u16]; 6] = [
        // v8ld H(0,0)+r4, (r1)
        &[0xf004, 0x0038, 0x0b81],
        // v16ld HX(1,0), (r1+7)
        &[0xf808, 0x8078, 0x0387, 0xf3c0, 0x0004],
        // v32ld HY(2,0), (r1)
        &[0xf010, 0xc0b8, 0x0381],
        // v8ld HY(3,0), (r1)
        &[0xf000, 0xc0f8, 0x0381],
        // v32ld H(4,0), (r1)
        &[0xf010, 0x0138, 0x0381],
        // v8ld V(16,0++), (r1 += r2) REP 4
        &[0xf802, 0x1438, 0x0380, 0xf880, 0x0004],
    ];
    for code in program {
        rig.execute(code, |rig| {
            rig.set(1, 0x5000);
            rig.set(2, 16);
            rig.set(4, 3);
        });
    }
    // The addend moves the register three elements to the right; the last three reach the lanes' second bytes.
    let row = rig.row(0);
    assert_eq!((row[0], row[2], row[3], row[15]), (0x0e00, 0x1000, 0x01, 0x0d));
    // Displacements count bytes. A half that straddles a 16-byte block wraps around in it.
    let row = rig.row(1);
    assert_eq!((row[0], row[3], row[4], row[12]), (0x0908, 0x0f0e, 0x0110, 0x1120));
    assert_eq!(rig.row(2)[15], 0x403f_3e3d);
    assert_eq!(rig.row(3)[15], 16);
    assert_eq!(rig.row(4)[1], 5);
    // A column in each repetition, sixteen rows each.
    assert_eq!(rig.row(16)[..5], [1, 0x11, 0x21, 0x31, 0]);
    assert_eq!(rig.row(18)[..4], [3, 0x13, 0x23, 0x33]);
}

#[test]
fn a_source_narrower_than_the_operation_is_widened() {
    let mut rig = Rig::with_vectors();
    // Halves by sign, bytes by zero (measured).
    rig.run(&vector(0, true, (HY, 0), NOTHING, (HX, 62)));
    assert_eq!(rig.row(0)[..4], [0xffff_ffff, 0xffff_8000, 0xffff_f000, 0x0ff0]);
    rig.run(&vector(0, true, (HY, 0), NOTHING, (H, 62)));
    assert_eq!(rig.row(0)[..4], [0xff, 0, 0, 0xf0]);
    rig.run(&vector(0, false, (HX, 1), NOTHING, (H, 62)));
    assert_eq!(rig.halves(1)[..4], [0xff, 0, 0, 0xf0]);
}

#[test]
fn a_register_wider_than_the_operation_is_refused() {
    for (d, b) in [((HY, 0), (HX, 1)), ((HX, 0), (HY, 1))] {
        assert_eq!(Rig::new(&vector(0, false, d, NOTHING, b)).fault(), FaultKind::UnsupportedInstruction);
    }
}

#[test]
fn immediates_are_signed() {
    let mut rig = Rig::new(&[]);
    // v32mov HY(2,0), #0x20 in 48 bits, and #0xffff in 80 (measured).
    rig.run(&[0xf600, 0xc0b8, 0x0420]);
    assert_eq!(rig.row(2), [0xffff_ffe0; 16]);
    rig.run(&[0xfe00, 0xc038, 0x07ff, 0xf3c0, 0x003f]);
    assert_eq!(rig.row(0), [0xffff_ffff; 16]);
}

#[test]
fn a_scalar_reaches_every_lane_with_its_displacement() {
    // v32mov HY(0,0), r2-2 in 80 bits: register in the last halfword, displacement -2 in nine bits.
    let mut rig = Rig::new(&[]).with(2, 100);
    rig.run(&[0xfe00, 0xc038, 0x0380 | 0x7e, 0xf3c0, 2 << 2 | 3]);
    assert_eq!(rig.row(0), [98; 16]);
}

#[test]
fn operands_are_read_before_the_destination_is_written() {
    let mut rig = Rig::with_vectors();
    // v16interl HX(62,0), HX(62,0), HX(63,0)
    rig.run(&vector(4, false, (HX, 62), (HX, 62), (HX, 63)));
    assert_eq!(rig.halves(62)[..4], [A[0], B[0], A[1], B[1]]);
}

#[test]
fn repetitions_step_rows_and_read_their_count_from_r0() {
    // v32mov HY(0++,0), #3 REP r0, with r0 = 3.
    let code = [0xfe07, 0xc038, 0x0403, 0xfbc0, 0x0000];
    let mut rig = Rig::new(&[]).with(0, 3);
    rig.run(&code);
    assert_eq!((rig.row(2), rig.row(3)), ([3; 16], [0; 16]));
    for count in [0, 65] {
        assert_eq!(Rig::new(&code).with(0, count).fault(), FaultKind::UnsupportedInstruction);
    }
}

#[test]
fn every_predicate_selects_its_lanes() {
    let mut rig = Rig::with_vectors();
    rig.run(&extended(SUB, NOTHING, (HX, 62), (HX, 63), true, 0, 0));
    let difference = |lane: usize| (A[lane] as i16).wrapping_sub(B[lane] as i16);
    let lanes = |test: &dyn Fn(usize) -> bool| (0..16).map(|lane| u16::from(test(lane)) << lane).sum::<u16>();
    let zero = lanes(&|lane| difference(lane) == 0);
    let negative = lanes(&|lane| difference(lane) < 0);
    let borrow = lanes(&|lane| A[lane] < B[lane]);
    let expected = [0xffff, 0, zero, !zero, negative, !negative, borrow, !borrow];
    for (predicate, expected) in expected.into_iter().enumerate() {
        assert_eq!(rig.lanes_under(predicate as u16), expected, "{predicate}");
    }
}

#[test]
fn lanes_left_out_keep_register_and_flags() {
    let mut rig = Rig::with_vectors();
    // Flags from B: lanes 6 and 7 are positive.
    rig.run(&extended(MOV, NOTHING, NOTHING, (HX, 63), true, 0, 0));
    assert_eq!(rig.lanes_under(5), 0b1100_0000);
    // v16sub HX(5,0), A, A SETF IFNN: only those two become zero.
    rig.run(&extended(SUB, (HX, 5), (HX, 62), (HX, 62), true, 5, 0));
    assert_eq!(rig.lanes_under(2), 0b1100_0000);
    assert_eq!(rig.halves(5), [0; 16]);
}

#[test]
fn bitplanes_of_a_scalar_selects_lanes_by_its_bits() {
    // v16bitplanes -, r3 SETF
    let mut rig = Rig::new(&[]).with(3, !0 << 3);
    rig.run(&[0xf408, 0xe038, 0x03c3]);
    assert_eq!(rig.lanes_under(2), 0b111);
    assert_eq!(rig.lanes_under(3), !0b111);
}

#[test]
fn accumulating_reads_the_result_signed_or_unsigned() {
    let mut rig = Rig::with_vectors();
    // v16mov -, A CLRA UACC, and SACC (measured).
    rig.run(&extended(MOV, NOTHING, NOTHING, (HX, 62), false, 0, ENABLE | CLEAR | WRITE_BACK));
    assert_eq!(read_accumulators(&mut rig, 0)[..2], [0xffff, 0x8000]);
    rig.run(&extended(MOV, NOTHING, NOTHING, (HX, 62), false, 0, ENABLE | CLEAR | WRITE_BACK | SIGNED));
    assert_eq!(read_accumulators(&mut rig, 0)[..2], [0xffff_ffff, 0xffff_8000]);
}

#[test]
fn the_destination_takes_the_accumulator_when_it_is_written_back() {
    let mut rig = Rig::with_vectors();
    let sum = ENABLE | WRITE_BACK;
    rig.run(&extended(ADD, (HX, 3), (HX, 62), (HX, 63), false, 0, sum | CLEAR));
    rig.run(&extended(ADD, (HX, 4), (HX, 62), (HX, 63), false, 0, sum));
    let once: [u32; 16] = std::array::from_fn(|lane| (A[lane] + B[lane]) & 0xffff);
    assert_eq!(rig.halves(3), once);
    assert_eq!(rig.halves(4), once.map(|lane| (2 * lane) & 0xffff));
    // Taking it off again leaves one (measured with signed sums).
    rig.run(&extended(ADD, (HX, 5), (HX, 62), (HX, 63), false, 0, sum | SUBTRACT));
    assert_eq!(rig.halves(5), once);
}

#[test]
fn without_write_back_the_accumulator_stays() {
    let mut rig = Rig::with_vectors();
    rig.run(&extended(MOV, NOTHING, NOTHING, (HX, 62), false, 0, ENABLE | CLEAR | WRITE_BACK));
    // v16mov HX(4,0), B USUB: A - B, and the accumulator still A (measured).
    rig.run(&extended(MOV, (HX, 4), NOTHING, (HX, 63), false, 0, ENABLE | SUBTRACT));
    assert_eq!(rig.halves(4)[..5], [0, 0x8002, 0xf004, 0x0fff, 0x8011]);
    assert_eq!(read_accumulators(&mut rig, 5), A);
}

#[test]
fn the_high_half_accumulates_and_is_clamped_on_the_way_out() {
    let mut rig = Rig::with_vectors();
    // v16mov HX(7,0), A CLRA UACCH (measured).
    rig.run(&extended(MOV, (HX, 7), NOTHING, (HX, 62), false, 0, ENABLE | CLEAR | WRITE_BACK | HIGH));
    assert_eq!(rig.halves(7)[..4], [0x7fff, 0x7fff, 0x7fff, 0x0ff0]);
    assert_eq!(read_accumulators(&mut rig, 8)[..2], [0xffff_0000, 0x8000_0000]);
}

#[test]
fn clearing_alone_works_without_accumulating() {
    let mut rig = Rig::with_vectors();
    rig.run(&extended(MOV, NOTHING, NOTHING, (HX, 62), false, 0, ENABLE | CLEAR | WRITE_BACK));
    rig.run(&extended(MOV, (HX, 1), NOTHING, (HX, 63), false, 0, CLEAR));
    assert_eq!(rig.halves(1), B);
    assert_eq!(read_accumulators(&mut rig, 0), [0; 16]);
}

#[test]
fn accumulators_read_back_shifted_and_clamped_as_the_width_says() {
    let mut rig = Rig::with_vectors();
    for clear in [CLEAR, 0, 0] {
        rig.run(&extended(MOV, NOTHING, NOTHING, (HX, 62), false, 0, ENABLE | WRITE_BACK | clear));
    }
    let mut read = |width: u16, shift: u32| {
        let word = HY << 29 | 4 << 22 | HX << 19 | 62 << 12 | 1 << 10 | shift;
        rig.run(&[0xf300 | width << 3, (word >> 16) as u16, word as u16]);
        rig.row(4)[0]
    };
    // Three times 0xffff (measured: plain, 32 bits, 16 bits).
    assert_eq!((read(0, 0), read(1, 0), read(3, 0)), (0x2_fffd, 0x2_fffd, 0x7fff));
    assert_eq!(read(0, 1), 0x1_7ffe);
}

#[test]
fn scalar_results_aggregate_the_lanes() {
    // Measured: function, result over A + B, result over A.
    let functions: [(u16, u32, u32); 8] = [
        (0, 0x0007_8196, 0x0006_81ed),
        (1, 0x0000_8196, 0xffff_81ed),
        (2, 0x7ffe, 0x7fff),
        (3, 7, 1),
        (4, 0x7ffe, 0x7fff),
        (5, 1, 7),
        (6, 0x7ffe, 0x7fff),
        (7, 0x7ffe, 0x7fff),
    ];
    for (function, sum, plain) in functions {
        let modifier = 0x40 | function << 3 | 5;
        let mut rig = Rig::with_vectors();
        rig.run(&extended(ADD, NOTHING, (HX, 62), (HX, 63), false, 0, modifier));
        assert_eq!(rig.get(5), sum, "{function}");
        rig.run(&extended(MOV, NOTHING, NOTHING, (HX, 62), false, 0, modifier));
        assert_eq!(rig.get(5), plain, "{function}");
    }
}

#[test]
fn equal_lanes_give_the_first_minimum_and_the_last_maximum() {
    for (function, index) in [(3, 0), (5, 15)] {
        let mut rig = Rig::new(&[]);
        rig.run(&extended(MOV, NOTHING, NOTHING, (HX, 0), false, 0, 0x40 | function << 3));
        assert_eq!(rig.get(0), index);
    }
}

#[test]
fn a_scalar_sum_of_a_scalar_is_what_firmware_waits_with() {
    // v16mov -, r0 SUMS r0, as it stands in start.elf; flags follow the sum.
    for (value, sum, flags) in [(3, 48, 0), (0x1_ffff, -16i32 as u32, NEGATIVE), (0, 0, ZERO)] {
        let mut rig = Rig::new(&[]).with(0, value).with(SR, CARRY);
        rig.run(&[0xfc00, 0xe038, 0x0380, 0xf3c0, 0x1200]);
        assert_eq!((rig.get(0), rig.flags()), (sum, flags));
    }
}

#[test]
fn combinations_nobody_measured_are_refused() {
    let refused = [
        // Flags of an accumulated result.
        extended(MOV, NOTHING, NOTHING, (HX, 62), true, 0, ENABLE | WRITE_BACK),
        // A saturating operation into the accumulator: v16adds.
        extended(0xf508, NOTHING, (HX, 62), (HX, 63), false, 0, ENABLE | WRITE_BACK),
        // The high half without write-back.
        extended(MOV, NOTHING, NOTHING, (HX, 62), false, 0, ENABLE | HIGH),
        // The carry of a fixed-point multiplication: mulm SETF.
        extended(0xf590, NOTHING, (HX, 62), (HX, 63), true, 0, 0),
    ];
    for code in refused {
        assert_eq!(Rig::new(&code).fault(), FaultKind::UnsupportedInstruction, "{code:04x?}");
    }
    // An addend beyond a row: v8ld H(0,0)+r4, (r1).
    let mut rig = Rig::new(&[0xf004, 0x0038, 0x0b81]).with(4, 64).with(LR, 0);
    assert_eq!(rig.fault(), FaultKind::UnsupportedInstruction);
}
