//! Generic timer, sleep, and the cycle counter that stops in it.

use super::assembler::*;
use super::machine::*;
use crate::arm::bus::TimerLines;
use crate::arm::{Outcome, Register};

/// Arms CNTP to fire in x0 counts.
fn arm_physical() -> [u32; 3] {
    [msr(Register::CNTP_TVAL_EL0, 0), movz(2, 1), msr(Register::CNTP_CTL_EL0, 2)]
}

#[test]
fn timer_fires_within_the_slice_at_its_very_instruction() {
    let mut program = arm_physical().to_vec();
    program.extend([unmask(2), add(3, 3, 1), 0x17ff_ffff]);
    let mut machine = Machine::at_level(1, &program);
    machine.load(VECTORS[0] + 0x280, &[SPIN]);
    machine.core.set_register(0, 100);
    machine.run(1000);
    // TVAL was written at 1000, the first instruction of the slice: it fires when the counter reads 1100. Of the
    // 100 instructions until then 4 come before the loop, and every second one of the loop adds.
    assert_eq!(machine.get(Register::CNTP_CVAL_EL0), 1100);
    assert_eq!(machine.x(3), 48);
    assert!(machine.bus.timer_lines.physical);
}

#[test]
fn next_timer_names_the_count_and_the_line_follows_the_mask() {
    let mut program = arm_physical().to_vec();
    program.extend([WFI, movz(2, 3), msr(Register::CNTP_CTL_EL0, 2), mrs(4, Register::CNTP_CTL_EL0), WFI]);
    let mut machine = Machine::at_level(1, &program);
    machine.core.set_register(0, 5000);
    assert_eq!(machine.run(100).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.core.next_timer(), Some(6000));
    // The machine skips the idle time.
    machine.bus.counter = 6000;
    machine.core.update_timers(&mut machine.bus);
    assert!(machine.bus.timer_lines.physical);
    assert_eq!(machine.core.next_timer(), None);
    // WFI wakes though IRQ is masked; the image then masks the timer.
    assert_eq!(machine.run(100).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.bus.timer_lines, TimerLines::default());
    assert_eq!(machine.x(4), 7, "ISTATUS shows the condition also when masked");
}

#[test]
fn virtual_counter_lags_by_the_offset() {
    let mut machine =
        Machine::at_level(1, &[mrs(0, Register::CNTPCT_EL0), mrs(1, Register::CNTVCT_EL0), WFI]);
    machine.set(Register::CNTVOFF_EL2, 400);
    machine.run(10);
    assert_eq!(machine.x(0) - machine.x(1), 399, "one count passes between the two reads");
}

#[test]
fn secure_and_hypervisor_timers_have_their_lines() {
    let program = [movz(2, 1), msr(Register::CNTHP_CTL_EL2, 2), WFI];
    let mut machine = Machine::at_level(2, &program);
    machine.run(10);
    assert!(machine.bus.timer_lines.hypervisor);

    let program = [movz(2, 1), msr(Register::CNTPS_CTL_EL1, 2), WFI];
    let mut machine = Machine::new(&program);
    machine.run(10);
    assert!(machine.bus.timer_lines.secure_physical);
}

#[test]
fn wfe_takes_a_pending_event_and_sleeps_without_one() {
    let mut machine = Machine::at_level(1, &[SEVL, WFE, WFE, SEV, WFI]);
    // The exception return into EL1 left an event too: use it up.
    machine.core.set_pc(CODE + 4);
    machine.run(1);
    machine.core.set_pc(CODE);
    assert_eq!(machine.run(100).outcome, Outcome::WaitForEvent);
    assert_eq!(machine.core.pc(), CODE + 12);
    machine.core.wake_event();
    assert_eq!(machine.run(100).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.bus.events_sent, 1);
}

#[test]
fn event_stream_wakes_wfe_at_the_count_it_announced() {
    let mut machine = Machine::at_level(1, &[SEVL, WFE, WFE, WFI]);
    // Enabled, rising edges of bit 7: every 256 counts, at odd multiples of 128.
    machine.set(Register::CNTKCTL_EL1, 1 << 2 | 7 << 4);
    assert_eq!(machine.run(100).outcome, Outcome::WaitForEvent);
    assert_eq!(machine.core.next_timer(), Some(1152));
    machine.bus.counter = 1151;
    assert_eq!(machine.run(100).executed, 0);
    machine.bus.counter = 1152;
    assert_eq!(machine.run(100).outcome, Outcome::WaitForInterrupt);
}

#[test]
fn yield_ends_the_slice_early() {
    let mut machine = Machine::at_level(1, &[NOP, YIELD, SPIN]);
    let run = machine.run(1000);
    assert_eq!((run.outcome, run.executed), (Outcome::Yielded, 2));
    assert_eq!(machine.run(10).outcome, Outcome::Budget);
}

#[test]
fn doorbell_ends_the_slice_if_the_bus_asks_for_it() {
    let mut machine = Machine::at_level(1, &[str_word(0, 1), NOP, SPIN]);
    machine.bus.device_yields = true;
    machine.core.set_register(1, DEVICE);
    let run = machine.run(1000);
    assert_eq!((run.outcome, run.executed), (Outcome::Yielded, 1));
    let (access, address, _) = machine.bus.accesses[0];
    assert_eq!((access.pc, access.core, access.elapsed, address), (CODE, 0, 0, DEVICE));
}

/// Counts cycles at EL1: PMCR = E | C | LC, the counter enabled.
fn count_cycles() -> Vec<u32> {
    vec![
        0xb261_03e0, // mov x0, #0x8000_0000
        msr(Register::PMCNTENSET_EL0, 0),
        movz(0, 0x45),
        msr(Register::PMCR_EL0, 0),
        ISB,
        mrs(1, Register::PMCCNTR_EL0),
    ]
}

#[test]
fn cycle_counter_counts_one_an_instruction_and_not_in_wfi() {
    let mut program = count_cycles();
    program.extend([NOP, NOP, mrs(2, Register::PMCCNTR_EL0), WFI, mrs(3, Register::PMCCNTR_EL0), WFI]);
    let mut machine = Machine::at_level(1, &program);
    let run = machine.run(100);
    assert_eq!(run.outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.x(2) - machine.x(1), 3);
    // A million cycles of sleep.
    machine.bus.cycles += u64::from(run.executed) + 1_000_000;
    machine.bus.lines.irq = true;
    machine.run(1);
    machine.bus.lines.irq = false;
    machine.bus.cycles += 1;
    machine.run(10);
    assert_eq!(machine.x(3) - machine.x(2), 2, "WFI itself and the read");
}

#[test]
fn cycle_counter_stops_when_disabled_and_by_the_filter() {
    let mut program = count_cycles();
    program.extend([
        movz(0, 0x40),
        msr(Register::PMCR_EL0, 0),
        mrs(2, Register::PMCCNTR_EL0),
        NOP,
        mrs(3, Register::PMCCNTR_EL0),
        WFI,
    ]);
    let mut machine = Machine::at_level(1, &program);
    machine.run(100);
    assert_eq!(machine.x(2), machine.x(3));

    // At EL2 the counter needs NSH.
    for (filter, expected) in [(0, 0), (1 << 27, 2)] {
        let mut program = count_cycles();
        program.extend([NOP, mrs(2, Register::PMCCNTR_EL0), WFI]);
        let mut machine = Machine::at_level(2, &program);
        machine.set(Register::PMCCFILTR_EL0, filter);
        machine.run(100);
        assert_eq!(machine.x(2) - machine.x(1), expected);
    }
}

#[test]
fn event_counter_counts_retired_instructions() {
    let program = [
        movz(0, 8),
        msr(Register::PMEVTYPER0_EL0, 0),
        movz(0, 1),
        msr(Register::PMCNTENSET_EL0, 0),
        movz(0, 1),
        msr(Register::PMCR_EL0, 0),
        mrs(1, Register::PMEVCNTR0_EL0),
        NOP,
        NOP,
        NOP,
        mrs(2, Register::PMEVCNTR0_EL0),
        WFI,
    ];
    let mut machine = Machine::at_level(1, &program);
    machine.run(100);
    assert_eq!(machine.x(2) - machine.x(1), 4);
}

#[test]
fn pmu_access_is_trapped_by_mdcr_el2() {
    let mut machine = Machine::at_level(1, &[mrs(0, Register::PMCCNTR_EL0)]);
    machine.set(Register::MDCR_EL2, 6 | 1 << 6);
    assert_eq!(machine.run_to_vector(), (0x400, 2));
}
