//! Decoded pages follow what is stored.

use super::encode::*;
use super::*;

/// mov r0, #`value`
fn mov(value: u16) -> u16 {
    0x6000 | value << 4
}

#[test]
fn a_store_from_outside_is_seen_in_the_next_slice() {
    let mut rig = Rig::new(&[mov(1)]);
    rig.step(1);
    rig.write_code(CODE, &[mov(2)]);
    rig.core.set_pc(CODE);
    rig.step(1);
    assert_eq!(rig.get(0), 2);
}

#[test]
fn a_store_by_the_core_is_seen_by_its_next_instruction() {
    // sth r1, (r2); then the halfword it has just replaced.
    let code = [0x0b00 | 2 << 4 | 1, mov(1)];
    let mut rig = Rig::new(&code).with(1, mov(9).into()).with(2, CODE + 2);
    rig.step(2);
    assert_eq!(rig.get(0), 9);
    // The same when everything has been decoded before.
    rig.set(1, mov(8).into());
    rig.core.set_pc(CODE);
    rig.step(2);
    assert_eq!(rig.get(0), 8);
}

#[test]
fn a_store_into_the_tail_of_a_straddling_instruction_is_seen() {
    let mut rig = Rig::new(&[]);
    for value in [1, 2] {
        rig.write_code(0x1ffe, &[0xe800, value, 0]);
        rig.core.set_pc(0x1ffe);
        rig.step(1);
        assert_eq!(rig.get(0), value.into());
    }
}

#[test]
fn data_in_a_page_of_code_leaves_the_code_alone() {
    // st r0, (r1); b back
    let mut rig = Rig::new(&[0x0910, 0x1f7f]).with(1, CODE + 0x800);
    rig.step(1000);
    assert_eq!(rig.core.retired(), 1000);
}

#[test]
fn both_cores_see_a_store_into_code_they_share() {
    let mut rig = Rig::new(&[mov(1)]);
    let mut other = Core::new(CoreId::Core1, CPUID);
    other.start(CODE);
    rig.step(1);
    other.run(&mut rig.bus, 1);
    rig.write_code(CODE, &[mov(2)]);
    rig.core.set_pc(CODE);
    rig.step(1);
    other.set_pc(CODE);
    other.run(&mut rig.bus, 1);
    assert_eq!((rig.get(0), other.registers()[0]), (2, 2));
}

#[test]
fn vector_code_that_rewrites_itself_does_not_pile_up() {
    // v32mov HY(0,0), r1 rewritten for ever between two rows.
    let mut rig = Rig::new(&[]);
    for round in 0..5000u32 {
        let code = vector(0, true, (HY, round & 1), (DASH, 0), (DASH, 1));
        rig.write_code(CODE, &code);
        rig.core.set_pc(CODE);
        rig.step(1);
    }
    assert_eq!(rig.core.retired(), 5000);
}
