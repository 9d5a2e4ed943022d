//! Interrupts, exceptions, sleep.

use super::encode::*;
use super::*;
use crate::vpu::op::LR;
use crate::vpu::registers::INTERRUPT_ENABLE;

const TABLE: u32 = 0x2000;
const HANDLER: u32 = 0x3000;

/// A core with a vector table whose entry `vector` leads to `handler: nop; rti`.
fn rig_with_vector(code: &[u16], vector: u32) -> Rig {
    let mut rig = Rig::new(code);
    rig.bus.vector_base = TABLE;
    // Bit 0 is not part of the address.
    rig.set_word(TABLE + 4 * vector, HANDLER | 1);
    rig.write_code(HANDLER, &[NOP, RTI]);
    rig
}

#[test]
fn an_interrupt_pushes_pc_and_sr_and_disables_interrupts() {
    let mut rig = rig_with_vector(&[NOP, LOOP], 0x40 + 5).with(SR, INTERRUPT_ENABLE | 3);
    rig.bus.pending = Some(5);
    rig.step(1);
    assert_eq!(rig.core.pc(), HANDLER + 2);
    assert_eq!(rig.get(SR), 3);
    assert_eq!(rig.get(SP), STACK - 8);
    assert_eq!((rig.word(STACK - 4), rig.word(STACK - 8)), (CODE, INTERRUPT_ENABLE | 3));
    rig.step(1);
    assert_eq!((rig.core.pc(), rig.get(SP), rig.get(SR)), (CODE, STACK, INTERRUPT_ENABLE | 3));
}

#[test]
fn a_disabled_interrupt_waits_for_ei() {
    let mut rig = rig_with_vector(&[NOP, EI, NOP], 0x40);
    rig.bus.pending = Some(0);
    rig.step(1);
    assert_eq!(rig.core.pc(), CODE + 2);
    rig.step(1);
    assert_eq!((rig.core.pc(), rig.word(STACK - 4)), (HANDLER, CODE + 4));
}

#[test]
fn an_interrupt_raised_by_a_device_access_is_taken_at_once() {
    let mut code = transfer(ST, 0, 1, 0).to_vec();
    code.extend([NOP, NOP]);
    let mut rig = rig_with_vector(&code, 0x40 + 9).with(1, DEVICE).with(SR, INTERRUPT_ENABLE);
    rig.bus.raised_by_device = Some(9);
    rig.step(2);
    assert_eq!((rig.core.pc(), rig.word(STACK - 4)), (HANDLER + 2, CODE + 4));
}

#[test]
fn writing_sr_can_let_an_interrupt_in() {
    // mov sr, r2
    let mut rig = rig_with_vector(&[0xc01e, 2 | ALWAYS << 7, NOP], 0x41).with(2, INTERRUPT_ENABLE);
    rig.bus.pending = Some(1);
    rig.step(2);
    assert_eq!((rig.core.pc(), rig.word(STACK - 4)), (HANDLER + 2, CODE + 4));
}

#[test]
fn di_keeps_interrupts_out() {
    let mut rig = rig_with_vector(&[DI, NOP], 0x40).with(SR, INTERRUPT_ENABLE | 8);
    rig.step(1);
    rig.bus.pending = Some(0);
    rig.step(1);
    assert_eq!((rig.core.pc(), rig.get(SR)), (CODE + 4, 8));
}

#[test]
fn sleep_waits_and_enables_interrupts() {
    let mut rig = rig_with_vector(&[SLEEP, DI], 0x40 + 7);
    let run = rig.core.run(&mut rig.bus, 10);
    assert_eq!((run.executed, run.outcome), (1, Outcome::Asleep));
    assert!(rig.core.is_asleep() && rig.core.is_running());
    let run = rig.core.run(&mut rig.bus, 10);
    assert_eq!((run.executed, run.outcome), (0, Outcome::Asleep));
    rig.bus.pending = Some(7);
    rig.step(1);
    assert_eq!((rig.core.pc(), rig.word(STACK - 4)), (HANDLER + 2, CODE + 2));
    assert!(!rig.core.is_asleep());
}

#[test]
fn software_interrupts_use_the_upper_half_of_the_exceptions() {
    // swi #3; swi r1 with r1 = 0x23.
    for code in [0x01c3, 0x0021] {
        let mut rig = rig_with_vector(&[code], 0x23).with(1, 0x23);
        rig.step(2);
        assert_eq!((rig.core.pc(), rig.word(STACK - 4)), (HANDLER + 2, CODE + 2));
    }
}

#[test]
fn a_breakpoint_raises_vector_13_and_returns_behind_itself() {
    let mut rig = rig_with_vector(&[0x0000, NOP], 0x0d);
    rig.step(3);
    assert_eq!(rig.core.pc(), CODE + 2);
}

#[test]
fn division_by_zero_raises_vector_2_and_leaves_the_register() {
    let mut rig = rig_with_vector(&on_registers(0x27), 2).with(0, 5).with(1, 1);
    rig.step(1);
    assert_eq!((rig.core.pc(), rig.get(0)), (HANDLER, 5));
}

#[test]
fn an_exception_without_a_vector_table_stops_the_core() {
    let mut rig = Rig::new(&[0x0000]);
    assert_eq!(rig.fault(), FaultKind::NoVectorTable { vector: 0x0d });
    assert_eq!((rig.core.pc(), rig.get(SP)), (CODE, STACK));
}

#[test]
fn a_slice_ends_when_the_machine_asks() {
    let mut code = transfer(ST, 0, 1, 0).to_vec();
    code.push(NOP);
    let mut rig = Rig::new(&code).with(1, DEVICE);
    rig.bus.yields = true;
    let run = rig.core.run(&mut rig.bus, 10);
    assert_eq!((run.executed, run.outcome), (1, Outcome::Yielded));
    assert_eq!(rig.core.pc(), CODE + 4);
}

#[test]
fn a_core_in_reset_does_nothing() {
    let mut rig = Rig::new(&[NOP]);
    rig.core = Core::new(CoreId::Core1, CPUID);
    let run = rig.core.run(&mut rig.bus, 10);
    assert_eq!((run.executed, run.outcome), (0, Outcome::Asleep));
    assert!(!rig.core.is_running());
}

#[test]
fn a_core_starts_with_all_registers_zero() {
    let mut rig = Rig::new(&[NOP]).with(LR, 1).with(SR, 15);
    rig.core.start(0xcec0_0200);
    let mut expected = [0; 32];
    expected[31] = 0xcec0_0200;
    assert_eq!(rig.core.registers(), &expected);
}

#[test]
fn retired_counts_over_all_slices() {
    let mut rig = Rig::new(&[NOP, NOP, LOOP]);
    rig.step(2);
    rig.step(100);
    assert_eq!(rig.core.retired(), 102);
}
