//! Exception entry and return, routing, interrupts.

use super::assembler::*;
use super::machine::*;
use crate::arm::bus::Lines;
use crate::arm::{FaultKind, Outcome, Register};

const IRQ: Lines = Lines { irq: true, fiq: false };
const FIQ: Lines = Lines { irq: false, fiq: true };
/// PSTATE of EL1h, DAIF masked.
const EL1H_MASKED: u64 = 0x3c5;

#[test]
fn el3_drops_to_el2_and_el1_by_exception_returns() {
    let mut machine = Machine::at_level(2, &[msr(Register::SPSR_EL2, 1), msr(Register::ELR_EL2, 2), ERET]);
    machine.load(DATA, &[mrs(3, Register::CurrentEL), WFI]);
    machine.core.set_register(1, 0x3c5);
    machine.core.set_register(2, DATA);
    machine.run(100);
    assert_eq!(machine.core.exception_level(), 1);
    assert_eq!(machine.x(3), 1 << 2);
}

#[test]
fn svc_saves_pstate_and_the_next_address() {
    let mut machine = Machine::at_level(1, &[NOP, svc(0x1234)]);
    assert_eq!(machine.run_to_vector(), (0x200, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x5600_1234);
    assert_eq!(machine.get(Register::ELR_EL1), CODE + 8);
    assert_eq!(machine.get(Register::SPSR_EL1), EL1H_MASKED);
}

#[test]
fn vector_depends_on_where_the_exception_comes_from() {
    // From EL0.
    let mut machine = Machine::at_level(0, &[svc(0)]);
    assert_eq!(machine.run_to_vector(), (0x400, 1));
    // From EL1 on SP_EL0.
    let mut machine = Machine::at_level(1, &[select_stack(0), svc(0)]);
    assert_eq!(machine.run_to_vector(), (0x000, 1));
    assert_eq!(machine.get(Register::SPSR_EL1), EL1H_MASKED & !1);
}

#[test]
fn hvc_and_smc_go_up_and_eret_comes_back() {
    let mut machine = Machine::at_level(1, &[hvc(7), smc(9), WFI]);
    machine.load(VECTORS[1] + 0x400, &[mrs(10, Register::ESR_EL2), ERET]);
    machine.load(VECTORS[2] + 0x400, &[mrs(11, Register::ESR_EL3), ERET]);
    machine.run(100);
    assert_eq!(machine.core.pc(), CODE + 12);
    assert_eq!(machine.core.exception_level(), 1);
    assert_eq!(machine.x(10), 0x5a00_0007);
    assert_eq!(machine.x(11), 0x5e00_0009);
}

#[test]
fn smc_is_undefined_when_disabled_as_the_firmware_stub_leaves_it() {
    let mut machine = Machine::at_level(1, &[smc(0)]);
    let control = machine.get(Register::SCR_EL3);
    machine.set(Register::SCR_EL3, control | 1 << 7);
    assert_eq!(machine.run_to_vector(), (0x200, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x0200_0000);
    assert_eq!(machine.get(Register::ELR_EL1), CODE);
}

#[test]
fn brk_reports_its_own_address() {
    let mut machine = Machine::at_level(1, &[brk(0xf000)]);
    assert_eq!(machine.run_to_vector(), (0x200, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0xf200_f000);
    assert_eq!(machine.get(Register::ELR_EL1), CODE);
}

#[test]
fn large_system_extension_is_undefined() {
    // LDADD, CAS, SWP.
    for word in [0xf820_0000, 0xc8a0_7c00, 0xf820_8000] {
        let mut machine = Machine::at_level(1, &[word]);
        assert_eq!(machine.run_to_vector(), (0x200, 1), "{word:#x}");
        assert_eq!(machine.get(Register::ESR_EL1), 0x0200_0000, "{word:#x}");
    }
}

#[test]
fn each_level_has_its_stack_pointer() {
    let mut machine = Machine::at_level(1, &[add(31, 1, 0), select_stack(0), add(31, 2, 0), svc(0)]);
    machine.core.set_register(1, 0x1000);
    machine.core.set_register(2, 0x2000);
    machine.run(100);
    assert_eq!(machine.x(31), 0x1000, "the exception goes back to SP_EL1");
    machine.load(VECTORS[0] + 4, &[mrs(3, Register::SP_EL0), WFI]);
    machine.bus.lines = IRQ;
    machine.run(100);
    assert_eq!(machine.x(3), 0x2000);
}

#[test]
fn interrupt_waits_for_the_mask_and_returns_to_the_instruction_after() {
    let mut machine = Machine::at_level(1, &[NOP, NOP, unmask(2), NOP]);
    machine.bus.lines = IRQ;
    machine.load(VECTORS[0] + 0x280, &[SPIN]);
    machine.run(10);
    assert_eq!(machine.core.pc(), VECTORS[0] + 0x280);
    assert_eq!(machine.get(Register::ELR_EL1), CODE + 12);
    assert_eq!(machine.get(Register::SPSR_EL1), EL1H_MASKED & !(1 << 7));
    assert_eq!(machine.core.pstate(), EL1H_MASKED);
}

#[test]
fn fiq_has_its_own_mask_and_vector() {
    let mut machine = Machine::at_level(1, &[unmask(2), NOP, unmask(1), NOP]);
    machine.bus.lines = FIQ;
    machine.load(VECTORS[0] + 0x300, &[SPIN]);
    machine.run(10);
    assert_eq!(machine.core.pc(), VECTORS[0] + 0x300);
    assert_eq!(machine.get(Register::ELR_EL1), CODE + 12);
}

#[test]
fn device_access_that_raises_an_interrupt_is_followed_by_it_at_once() {
    let mut machine = Machine::at_level(1, &[unmask(2), str_word(0, 1), NOP, NOP]);
    machine.bus.device_interrupts = true;
    machine.core.set_register(1, DEVICE);
    machine.load(VECTORS[0] + 0x280, &[SPIN]);
    machine.run(100);
    assert_eq!(machine.get(Register::ELR_EL1), CODE + 8);
}

#[test]
fn interrupt_routed_to_el2_ignores_the_mask_of_el1() {
    let mut machine = Machine::at_level(1, &[NOP, SPIN]);
    machine.set(Register::HCR_EL2, 1 << 31 | 1 << 4);
    machine.bus.lines = IRQ;
    machine.load(VECTORS[1] + 0x480, &[SPIN]);
    machine.run(10);
    assert_eq!((machine.core.exception_level(), machine.core.pc()), (2, VECTORS[1] + 0x480));
}

#[test]
fn interrupt_of_el1_stays_pending_at_el2() {
    let mut machine = Machine::at_level(2, &[unmask(7), mrs(0, Register::ISR_EL1), WFI, SPIN]);
    machine.bus.lines = IRQ;
    let run = machine.run(50);
    assert_eq!(run.outcome, Outcome::Budget, "WFI does not sleep while a line is asserted");
    assert_eq!(machine.core.pc(), CODE + 12);
    assert_eq!(machine.x(0), 1 << 7);
}

#[test]
fn illegal_return_keeps_the_level_and_faults_at_the_target() {
    // EL2 is not a level to return to from EL1.
    let mut machine = Machine::at_level(1, &[msr(Register::SPSR_EL1, 1), msr(Register::ELR_EL1, 2), ERET]);
    machine.core.set_register(1, 0x3c9);
    machine.core.set_register(2, DATA);
    assert_eq!(machine.run_to_vector(), (0x200, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x3a00_0000);
    assert_eq!(machine.get(Register::ELR_EL1), DATA);
    assert_eq!(machine.get(Register::SPSR_EL1) >> 20 & 1, 1, "PSTATE.IL is saved");
}

#[test]
fn return_to_aarch32_stops_the_core() {
    let mut machine = Machine::at_level(2, &[msr(Register::SPSR_EL2, 1), ERET]);
    machine.core.set_register(1, 0x1d3);
    let Outcome::Fault(fault) = machine.run(10).outcome else {
        panic!("no fault");
    };
    assert_eq!((fault.kind, fault.pc, fault.word), (FaultKind::Aarch32, CODE + 4, ERET));
    assert!(matches!(machine.run(10).outcome, Outcome::Fault(_)), "it stays stopped");
}

#[test]
fn vector_that_faults_itself_stops_the_core_instead_of_looping() {
    let mut machine = Machine::at_level(1, &[UDF]);
    machine.load(VECTORS[0] + 0x200, &[UDF]);
    let Outcome::Fault(fault) = machine.run(1000).outcome else {
        panic!("no fault");
    };
    assert_eq!((fault.kind, fault.pc), (FaultKind::ExceptionLoop, VECTORS[0] + 0x200));
}

#[test]
fn daif_access_of_el0_is_trapped() {
    let mut machine = Machine::at_level(0, &[mask(0xf)]);
    assert_eq!(machine.run_to_vector(), (0x400, 1));
    // op2 6, op1 3, CRn 4, Rt 31, CRm 15.
    assert_eq!(machine.get(Register::ESR_EL1), 0x6200_0000 | 6 << 17 | 3 << 14 | 4 << 10 | 31 << 5 | 15 << 1);
}
