//! Code that changes under the core.

use super::assembler::*;
use super::machine::*;
use crate::arm::{Core, Register};

#[test]
fn own_store_into_decoded_code_is_seen_after_maintenance() {
    // Calls x4, rewrites its first instruction, calls again.
    let program = [
        0xd63f_0080, // blr x4
        add(10, 0, 0),
        str_word(2, 4),
        msr(Register::DC_CVAU, 4),
        msr(Register::IC_IVAU, 4),
        ISB,
        0xd63f_0080,
        WFI,
    ];
    let mut machine = Machine::at_level(1, &program);
    // In the page that is executing.
    let callee = CODE + 0x800;
    machine.load(callee, &[movz(0, 1), RET]);
    machine.core.set_register(4, callee);
    machine.core.set_register(2, u64::from(movz(0, 2)));
    machine.run(100);
    assert_eq!((machine.x(10), machine.x(0)), (1, 2));
}

#[test]
fn store_by_somebody_else_is_seen_in_the_next_slice() {
    let mut machine = Machine::at_level(1, &[movz(0, 1), 0x17ff_ffff]);
    machine.run(101);
    assert_eq!(machine.x(0), 1);
    machine.bus.ram.write32(CODE as u32, movz(0, 2));
    machine.run(10);
    assert_eq!(machine.x(0), 2);
}

#[test]
fn core_that_decodes_the_new_code_does_not_hide_it_from_its_neighbour() {
    let mut machine = Machine::at_level(1, &[movz(0, 1), 0x17ff_ffff]);
    let mut other = Core::new(1);
    other.reset(CODE);
    machine.run(10);
    other.run(&mut machine.bus, 10);
    machine.bus.ram.write32(CODE as u32, movz(0, 2));
    machine.run(10);
    other.run(&mut machine.bus, 10);
    assert_eq!((machine.x(0), other.register(0)), (2, 2));
}

#[test]
fn store_between_two_stretches_of_decoding_is_not_lost() {
    // The first instructions of the page are decoded; a store changes one of them; execution then goes on to a
    // part of the page that is not decoded yet, which marks the page again.
    let far = CODE + 0x400;
    let mut machine = Machine::at_level(1, &[movz(0, 1), str_word(2, 3), br(4)]);
    machine.load(far, &[br(5)]);
    machine.core.set_register(2, u64::from(movz(0, 2)));
    machine.core.set_register(3, CODE);
    machine.core.set_register(4, far);
    machine.core.set_register(5, CODE);
    machine.run(4);
    machine.run(1);
    assert_eq!(machine.x(0), 2);
}
