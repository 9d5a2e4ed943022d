//! Floating point is trapped where it is off, and stops the core where it is on.

use super::assembler::*;
use super::machine::*;
use crate::arm::{FaultKind, Outcome, Register};

/// FADD D0, D1, D2.
const FADD: u32 = 0x1e62_2820;
/// LDR Q0, [X1].
const LOAD_VECTOR: u32 = 0x3dc0_0020;
/// EC 7, IL, CV, condition always.
const TRAPPED: u64 = 0x1fe0_0000;

#[test]
fn floating_point_is_trapped_by_cpacr() {
    for word in [FADD, LOAD_VECTOR, mrs(0, Register::FPCR)] {
        let mut machine = Machine::at_level(1, &[word]);
        assert_eq!(machine.run_to_vector(), (0x200, 1), "{word:#x}");
        assert_eq!(machine.get(Register::ESR_EL1), TRAPPED, "{word:#x}");
    }
}

#[test]
fn floating_point_is_trapped_by_cptr_el2() {
    let mut machine = Machine::at_level(1, &[FADD]);
    machine.set(Register::CPACR_EL1, 3 << 20);
    machine.set(Register::CPTR_EL2, 0x37ff);
    assert_eq!(machine.run_to_vector(), (0x400, 2));
    assert_eq!(machine.get(Register::ESR_EL2), TRAPPED);
}

#[test]
fn enabled_floating_point_stops_the_core_with_address_and_word() {
    let mut machine = Machine::at_level(1, &[NOP, FADD]);
    machine.set(Register::CPACR_EL1, 3 << 20);
    let Outcome::Fault(fault) = machine.run(10).outcome else {
        panic!("no fault");
    };
    assert_eq!((fault.kind, fault.pc, fault.word), (FaultKind::FloatingPoint, CODE + 4, FADD));
    assert_eq!(machine.core.pc(), CODE + 4);
}
