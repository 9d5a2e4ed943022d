//! Integer operations and the flags.

use super::encode::*;
use super::*;
use crate::vpu::registers::flag::{CARRY, NEGATIVE, OVERFLOW, ZERO};

/// The common table: what each operation gives for (a, b).
#[test]
fn every_common_operation_gives_its_result_in_all_widths() {
    const A: u32 = 0x8000_00f5;
    const B: u32 = 4;
    let expected: [(u16, u32); 28] = [
        (0, 4),
        (2, 0x8000_00f9),
        (3, 0x8000_00f1),
        (4, 0x0000_03d4),
        (5, 0x8000_00f1),
        (6, 0x8000_00f1),
        (7, 4),
        (8, 0xffff_fffb),
        (9, 0x5800_000f),
        (11, 0x7fff_ff0f),
        (13, 0x8000_00f5),
        (14, 5),
        (15, 4),
        (16, 0x8000_00f5),
        (17, 0x8000_00f5),
        (18, 0x8000_00e5),
        (19, 0x8000_00fd),
        (20, 0x8000_00e5),
        (21, 0x8000_0105),
        (22, 0x8000_0115),
        (23, 0x8000_0135),
        (24, 0xffff_fff5),
        (25, 0xffff_fffc),
        (26, 0x0800_000f),
        (27, 2),
        (28, 0x0000_0f50),
        (29, 0x0000_000a),
        (30, 0xf800_000f),
    ];
    for (code, result) in expected {
        assert_eq!(Rig::result_of(&on_registers(code), A, B), result, "three operands, {code}");
        assert_eq!(Rig::result_of(&three_immediate(code, 0, 1, 4), A, B), result, "immediate, {code}");

        let mut rig = Rig::new(&[short(code, 0, 2)]).with(0, A).with(2, B);
        rig.step(1);
        assert_eq!(rig.get(0), result, "16 bits, {code}");

        let mut rig = Rig::new(&[0xb000 | code << 5, 4]).with(0, A);
        rig.step(1);
        assert_eq!(rig.get(0), result, "16-bit immediate, {code}");

        let mut rig = Rig::new(&[0xe800 | code << 5, 4, 0]).with(0, A);
        rig.step(1);
        assert_eq!(rig.get(0), result, "32-bit immediate, {code}");

        if code % 2 == 0 {
            let mut rig = Rig::new(&[0x6000 | (code / 2) << 9 | 4 << 4]).with(0, A);
            rig.step(1);
            assert_eq!(rig.get(0), result, "5-bit immediate, {code}");
        }
    }
}

#[test]
fn absolute_value_wraps_for_the_smallest_number() {
    assert_eq!(Rig::result_of(&on_registers(31), 0, -5i32 as u32), 5);
    assert_eq!(Rig::result_of(&on_registers(31), 0, 0x8000_0000), 0x8000_0000);
}

#[test]
fn the_highest_bit_of_nothing_is_minus_one() {
    assert_eq!(Rig::result_of(&on_registers(27), 0, 0), u32::MAX);
    assert_eq!(Rig::result_of(&on_registers(27), 0, 0x8000_0000), 31);
}

#[test]
fn brev_reverses_the_low_bits_only() {
    // Four flags in a register, as the firmware turns them round.
    assert_eq!(Rig::result_of(&three_immediate(op::BREV, 0, 1, 4), 0b0001, 0), 0b1000);
    assert_eq!(Rig::result_of(&three_immediate(op::BREV, 0, 1, 0), 0x0000_0001, 0), 0x8000_0000);
    assert_eq!(Rig::result_of(&three_immediate(op::BREV, 0, 1, 16), 0xabcd_0001, 0), 0x8000);
}

#[test]
fn shift_counts_are_taken_modulo_32() {
    assert_eq!(Rig::result_of(&on_registers(28), 1, 33), 2);
    assert_eq!(Rig::result_of(&on_registers(26), 8, 34), 2);
    assert_eq!(Rig::result_of(&on_registers(14), 0xff, 32), 0);
}

#[test]
fn comparison_sets_carry_on_borrow() {
    let cmp = on_registers(op::CMP);
    assert_eq!(Rig::flags_of(&cmp, 1, 2), NEGATIVE | CARRY);
    assert_eq!(Rig::flags_of(&cmp, 2, 1), 0);
    assert_eq!(Rig::flags_of(&cmp, 2, 2), ZERO);
    assert_eq!(Rig::flags_of(&cmp, 0x8000_0000, 1), OVERFLOW);
    assert_eq!(Rig::flags_of(&cmp, 0x7fff_ffff, u32::MAX), NEGATIVE | CARRY | OVERFLOW);
}

#[test]
fn negative_comparison_sets_carry_on_carry() {
    let cmn = on_registers(op::CMN);
    assert_eq!(Rig::flags_of(&cmn, u32::MAX, 1), ZERO | CARRY);
    assert_eq!(Rig::flags_of(&cmn, 0x7fff_ffff, 1), NEGATIVE | OVERFLOW);
    assert_eq!(Rig::flags_of(&cmn, 1, 1), 0);
}

#[test]
fn bit_test_sets_zero_and_carry_for_a_clear_bit() {
    let btest = on_registers(op::BTEST);
    assert_eq!(Rig::flags_of(&btest, 0b100, 2), 0);
    assert_eq!(Rig::flags_of(&btest, 0b100, 1), ZERO | CARRY);
}

#[test]
fn operations_with_a_result_leave_the_flags_alone() {
    let mut rig = Rig::new(&on_registers(op::ADD)).with(SR, 0x4000_000f);
    rig.step(1);
    assert_eq!(rig.get(SR), 0x4000_000f);
}

#[test]
fn a_condition_that_does_not_hold_skips_the_instruction() {
    for (condition, flags, is_executed) in
        [(EQ, ZERO, true), (EQ, 0, false), (NE, 0, true), (LO, CARRY, true)]
    {
        let mut rig = Rig::new(&three_if(condition, op::MOV, 0, 1, 2)).with(2, 7).with(SR, flags);
        rig.step(1);
        assert_eq!(rig.get(0) == 7, is_executed);
        assert_eq!(rig.core.pc(), CODE + 4);
    }
}

#[test]
fn high_halves_of_products_follow_the_signs_of_their_operands() {
    let (a, b) = (u32::MAX, 2);
    assert_eq!(Rig::result_of(&on_registers(0x20), a, b), u32::MAX);
    assert_eq!(Rig::result_of(&on_registers(0x21), a, b), u32::MAX);
    assert_eq!(Rig::result_of(&on_registers(0x22), a, b), 1);
    assert_eq!(Rig::result_of(&on_registers(0x23), a, b), 1);
    assert_eq!(Rig::result_of(&on_registers(0x21), 2, u32::MAX), 1);
    assert_eq!(Rig::result_of(&on_registers(0x22), 2, u32::MAX), u32::MAX);
}

#[test]
fn division_truncates_and_follows_the_signs_of_its_operands() {
    let minus_seven = -7i32 as u32;
    assert_eq!(Rig::result_of(&on_registers(0x24), minus_seven, 2), -3i32 as u32);
    assert_eq!(Rig::result_of(&on_registers(0x25), minus_seven, 0x8000_0000), 0);
    assert_eq!(Rig::result_of(&on_registers(0x26), 7, -2i32 as u32), -3i32 as u32);
    assert_eq!(Rig::result_of(&on_registers(0x27), u32::MAX, 2), 0x7fff_ffff);
    assert_eq!(Rig::result_of(&on_registers(0x24), 0x8000_0000, u32::MAX), 0x8000_0000);
}

#[test]
fn saturating_operations_stop_at_the_limits() {
    assert_eq!(Rig::result_of(&on_registers(0x28), 0x7fff_ffff, 1), 0x7fff_ffff);
    assert_eq!(Rig::result_of(&on_registers(0x29), 0x8000_0000, 1), 0x8000_0000);
    assert_eq!(Rig::result_of(&on_registers(0x2a), 0x4000_0000, 1), 0x7fff_ffff);
    assert_eq!(Rig::result_of(&on_registers(0x2b), 0, 40_000), 32_767);
    assert_eq!(Rig::result_of(&on_registers(0x2b), 0, -40_000i32 as u32), -32_768i32 as u32);
}

#[test]
fn scaled_additions_and_subtractions_shift_the_second_operand() {
    for (code, shift) in (0x2c..0x30).zip(5..) {
        assert_eq!(Rig::result_of(&on_registers(code), 1, 3), 1 + (3 << shift));
    }
    for (code, shift) in (0x31..0x39).zip(1..) {
        assert_eq!(Rig::result_of(&on_registers(code), 10_000, 3), 10_000 - (3 << shift));
    }
}

#[test]
fn count_counts_the_bits_of_its_second_operand() {
    assert_eq!(Rig::result_of(&on_registers(0x30), 0, 0xf00f), 8);
}

#[test]
fn an_instruction_that_reads_pc_sees_its_own_address() {
    let mut rig = Rig::new(&three(op::ADD, 0, 31, 2)).with(2, 4);
    rig.step(1);
    assert_eq!(rig.get(0), CODE + 4);
    // lea r3, pc + 0x20, in both lengths.
    for code in [&[0xbfe3, 0x0020][..], &[0xe503, 0x0020, 0x0000][..]] {
        let mut rig = Rig::new(code);
        rig.step(1);
        assert_eq!(rig.get(3), CODE + 0x20);
    }
}

#[test]
fn an_instruction_that_writes_pc_branches() {
    let mut rig = Rig::new(&three(op::MOV, 31, 1, 2)).with(2, CODE + 0x100);
    rig.step(1);
    assert_eq!(rig.core.pc(), CODE + 0x100);
}

#[test]
fn version_tells_the_chip_and_the_core() {
    let mut rig = Rig::new(&[0x00e0]);
    rig.step(1);
    assert_eq!(rig.get(0), CPUID);
    rig.core = Core::new(CoreId::Core1, CPUID);
    rig.core.start(CODE);
    rig.step(1);
    assert_eq!(rig.get(0), CPUID | 1 << 16);
}

#[test]
fn the_two_bit_counter_counts_and_clears() {
    // cbadd1, cbadd3, cbadd2, cbclr.
    let mut rig = Rig::new(&[0x0007, 0x0009, 0x0008, 0x0006]);
    for expected in [0x10, 0, 0x20, 0] {
        rig.step(1);
        assert_eq!(rig.get(SR) & 0x30, expected);
    }
}
