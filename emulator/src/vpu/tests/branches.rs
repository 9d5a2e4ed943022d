//! Branches, calls, jump tables.

use super::encode::*;
use super::*;
use crate::vpu::op::LR;
use crate::vpu::registers::flag::ZERO;

fn pc_after(code: &[u16], prepare: impl Fn(Rig) -> Rig) -> u32 {
    let mut rig = prepare(Rig::new(code));
    rig.step(1);
    rig.core.pc()
}

#[test]
fn short_and_long_conditional_branches_count_halfwords() {
    // beq +8, beq -8 in 16 bits; beq +0x1000 in 32.
    assert_eq!(pc_after(&[0x1804], |rig| rig.with(SR, ZERO)), CODE + 8);
    assert_eq!(pc_after(&[0x187c], |rig| rig.with(SR, ZERO)), CODE - 8);
    assert_eq!(pc_after(&[0x1804], |rig| rig), CODE + 2);
    assert_eq!(pc_after(&[0x9000, 0x0800], |rig| rig.with(SR, ZERO)), CODE + 0x1000);
    assert_eq!(pc_after(&[0x9000, 0x0800], |rig| rig), CODE + 4);
    assert_eq!(pc_after(&[0x907f, 0xfffe], |rig| rig.with(SR, ZERO)), CODE - 4);
}

#[test]
fn calls_leave_the_next_address_in_lr() {
    let calls: [(&[u16], u32, u32); 4] = [
        (&[0x9080, 0x0010], CODE + 0x20, CODE + 4),
        (&[0x9fff, 0xfff0], CODE - 0x20, CODE + 4),
        (&[0xe200, 0x2000, 0x0000], 0x2000, CODE + 6),
        (&[0xe300, 0x0100, 0x0000], CODE + 0x100, CODE + 6),
    ];
    for (code, target, link) in calls {
        let mut rig = Rig::new(code);
        rig.step(1);
        assert_eq!((rig.core.pc(), rig.get(LR)), (target, link));
    }
    // bl r3, and rts.
    let mut rig = Rig::new(&[0x0063]).with(3, CODE + 0x40);
    rig.write_code(CODE + 0x40, &[0x005a]);
    rig.step(2);
    assert_eq!(rig.core.pc(), CODE + 2);
}

#[test]
fn absolute_and_relative_jumps_take_32_bits() {
    assert_eq!(pc_after(&[0xe000, 0x3000, 0x0000], |rig| rig), 0x3000);
    assert_eq!(pc_after(&[0xe100, 0xf000, 0xffff], |rig| rig), CODE - 0x1000);
}

#[test]
fn jump_tables_follow_the_instruction_with_signed_halfword_counts() {
    // tbb r1 with entries 4, -4; tbh r1 the same.
    for (entry, target) in [(0, CODE + 2 + 8), (1, CODE + 2 - 8)] {
        assert_eq!(pc_after(&[0x0081, 0xfc04], |rig| rig.with(1, entry)), target);
        assert_eq!(pc_after(&[0x00a1, 0x0004, 0xfffc], |rig| rig.with(1, entry)), target);
    }
}

#[test]
fn add_compare_branch_adds_first_and_leaves_the_flags_alone() {
    // addcmpbne r0, #1, r2, +8 (immediate added); r0 == r2 ends the loop.
    let code = [0x8110, 0x4000 | 2 << 10 | 4];
    let mut rig = Rig::new(&code).with(0, 1).with(2, 3).with(SR, 5);
    rig.step(1);
    assert_eq!((rig.core.pc(), rig.get(0)), (CODE + 8, 2));
    rig.core.set_pc(CODE);
    rig.step(1);
    assert_eq!((rig.core.pc(), rig.get(0), rig.get(SR)), (CODE + 4, 3, 5));
}

#[test]
fn add_compare_branch_takes_registers_and_immediates() {
    // (second halfword, whether r1 or #1 is added, whether r2 or #40 is compared)
    for (second, sum) in
        [(2 << 10, 12), (0x4000 | 2 << 10, 11), (0x8000 | 40 << 8, 12), (0xc000 | 40 << 8, 11)]
    {
        // Lower than r2 or #40: taken.
        let mut rig = Rig::new(&[0x8210, second | 4]).with(0, 10).with(1, 2).with(2, 40);
        rig.step(1);
        assert_eq!((rig.core.pc(), rig.get(0)), (CODE + 8, sum), "{second:#06x}");
    }
    // The immediate has four bits and a sign.
    let mut rig = Rig::new(&[0x82f0, 0x4000 | 2 << 10 | 4]).with(0, 10).with(2, 40);
    rig.step(1);
    assert_eq!(rig.get(0), 9);
}

#[test]
fn code_runs_on_from_one_page_to_the_next() {
    let mut rig = Rig::new(&[]);
    rig.write_code(0x1ffe, &[NOP, NOP]);
    rig.core.set_pc(0x1ffe);
    rig.step(2);
    assert_eq!(rig.core.pc(), 0x2002);
}

#[test]
fn an_instruction_may_straddle_two_pages() {
    let mut rig = Rig::new(&[]);
    rig.write_code(0x1ffe, &[0xe800, 0x5678, 0x1234]);
    rig.core.set_pc(0x1ffe);
    rig.step(1);
    assert_eq!((rig.get(0), rig.core.pc()), (0x1234_5678, 0x2004));
}

#[test]
fn the_same_code_runs_under_every_bus_alias() {
    for alias in [0, 0x4000_0000, 0x8000_0000, 0xc000_0000] {
        let mut rig = Rig::new(&[0x1804]).with(SR, ZERO);
        rig.core.set_pc(alias + CODE);
        rig.step(1);
        assert_eq!(rig.core.pc(), alias + CODE + 8);
    }
}

#[test]
fn the_trail_keeps_branches_from_page_to_page() {
    // bl 0x3000; there rts; then on within the page and over its end without a branch.
    let mut rig = Rig::new(&[0xe200, 0x3000, 0x0000, 0x1802]);
    rig.write_code(0x3000, &[0x005a]);
    rig.step(3);
    assert_eq!(rig.core.trail().collect::<Vec<_>>(), [(CODE, 0x3000), (0x3000, CODE + 6)]);
    rig.core.set_pc(0x4ffe);
    rig.write_code(0x4ffe, &[NOP, NOP]);
    rig.step(2);
    assert_eq!(rig.core.trail().count(), 2);
}
