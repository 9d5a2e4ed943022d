//! The exclusive monitor, between cores and against plain stores.

use super::assembler::*;
use super::machine::*;
use crate::arm::{Core, Outcome};

fn reserve_then_store(between: &[u32]) -> Machine {
    let mut program = vec![ldxr(0, 1)];
    program.extend(between);
    program.extend([add(2, 0, 1), stxr(3, 2, 1), WFI]);
    let mut machine = Machine::at_level(1, &program);
    machine.map(BLOCK);
    machine.core.set_register(1, DATA);
    machine.core.set_register(3, 77);
    machine.bus.ram.write64(DATA as u32, 41);
    machine
}

#[test]
fn store_exclusive_succeeds_after_its_load_and_tells_the_others() {
    let mut machine = reserve_then_store(&[]);
    machine.run(10);
    assert_eq!(machine.x(3), 0);
    assert_eq!(machine.bus.ram.read64(DATA as u32), 42);
    assert_eq!(machine.bus.cleared, [DATA]);
}

#[test]
fn second_store_exclusive_fails() {
    let mut machine = reserve_then_store(&[]);
    machine.load(CODE + 12, &[stxr(4, 2, 1), WFI]);
    machine.run(10);
    assert_eq!((machine.x(3), machine.x(4)), (0, 1));
}

#[test]
fn reservation_is_lost_to_another_cores_store_exclusive() {
    let mut machine = reserve_then_store(&[]);
    machine.run(1);
    machine.core.clear_reservation(DATA + 8);
    machine.run(10);
    assert_eq!(machine.x(3), 1);
    assert_eq!(machine.bus.ram.read64(DATA as u32), 41);
}

#[test]
fn reservation_is_lost_to_a_plain_store_of_another_core() {
    let mut machine = reserve_then_store(&[]);
    machine.run(1);
    let mut other = Core::new(1);
    other.reset(0x5_0000);
    machine.load(0x5_0000, &[str(4, 5), WFI]);
    other.set_register(4, 99);
    other.set_register(5, DATA);
    other.run(&mut machine.bus, 10);
    machine.run(10);
    assert_eq!(machine.x(3), 1);
    assert_eq!(machine.bus.ram.read64(DATA as u32), 99);
}

#[test]
fn exception_return_clears_the_reservation() {
    let mut machine = reserve_then_store(&[svc(0)]);
    machine.load(VECTORS[0] + 0x200, &[ERET]);
    machine.run(20);
    assert_eq!(machine.x(3), 1);
}

#[test]
fn wfe_on_a_reserved_lock_wakes_when_a_plain_store_releases_it() {
    let mut machine = Machine::at_level(1, &[SEVL, WFE, ldxr(0, 1), WFE, ldxr(0, 1), WFI]);
    machine.map(BLOCK);
    machine.core.set_register(1, DATA);
    machine.bus.ram.write64(DATA as u32, 1);
    assert_eq!(machine.run(100).outcome, Outcome::WaitForEvent);
    assert_eq!(machine.core.pc(), CODE + 16);
    assert_eq!(machine.run(100).executed, 0, "nothing has changed");
    machine.bus.ram.write64(DATA as u32, 0);
    assert_eq!(machine.run(100).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.x(0), 0);
}
