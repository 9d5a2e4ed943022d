//! The machine with small programs of its own; the firmware's turn is in `tests/`.

use super::*;
use crate::boot_rom::fixture::card_running;

/// `b .`: a core that is always busy.
const ENDLESS_LOOP: [u8; 2] = [0x00, 0x1f];
const ENTRY: u32 = 0xcec0_0200;

fn machine(seed: u64, arm: ArmSide) -> Machine {
    let card = card_running(ENTRY, &ENDLESS_LOOP.repeat(8));
    let config = Config { board: Board::PI_3B, seed, card, arm, peer: Peer::Firmware, log: EventLevel::All };
    Machine::power_on(config).expect("a good card")
}

#[test]
fn a_limit_of_instructions_is_kept_exactly() {
    let mut machine = machine(0, ArmSide::External);
    let limit = Limit { instructions: Some(12_345), ..Limit::default() };
    assert_eq!(machine.run(limit), Stop::Limit);
    assert_eq!(machine.counters().vpu_instructions, 12_345);
}

#[test]
fn a_busy_vpu_retires_its_clock_rate() {
    let mut machine = machine(0, ArmSide::External);
    assert_eq!(machine.run_for(1_000_000), Stop::Limit);
    assert_eq!(machine.now_ns(), 1_000_000);
    assert_eq!(machine.counters().vpu_instructions, 250_000);
}

#[test]
fn the_watchdog_ends_the_run_and_says_whether_the_board_stays_off() {
    for (partition, expected) in [(0x5a00_0555, Stop::PowerOff), (0x5a00_0000, Stop::Reset)] {
        let mut machine = machine(0, ArmSide::External);
        for (register, value) in [(0x20, partition), (0x24, 0x5a00_000a), (0x1c, 0x5a00_0020)] {
            assert!(machine.arm_write32(0x3f10_0000 + register, value).is_some());
        }
        assert_eq!(machine.run_for(1_000_000_000), expected);
        // Ten ticks of 1/65,536 s.
        assert_eq!(machine.now_ns() / 1000, 152);
        assert_eq!(machine.run_for(1), expected);
    }
}

#[test]
fn a_restart_boots_from_the_card_again_with_ram_kept_and_time_going_on() {
    let mut machine = machine(0, ArmSide::External);
    assert!(machine.restart().is_ok(), "nothing to restart");
    assert_eq!(machine.now_ns(), 0);
    machine.ram_mut().write32(0x5f_f000, 0x1234_5678);
    machine.ram_mut().write32(ENTRY + 8, 0);
    // A bell, and a register that a reset clears.
    assert!(machine.arm_write32(0x3f00_b218, 1 << 2).is_some());
    assert!(machine.arm_write32(0x3f00_b840, 1).is_some());
    assert!(machine.arm_interrupt());
    for (register, value) in [(0x24, 0x5a00_000a), (0x1c, 0x5a00_0020)] {
        assert!(machine.arm_write32(0x3f10_0000 + register, value).is_some());
    }
    assert_eq!(machine.run_for(1_000_000_000), Stop::Reset);
    let before = machine.counters();
    machine.restart().expect("the card is still good");
    assert_eq!(machine.ram().read32(0x5f_f000), 0x1234_5678);
    assert_eq!(machine.ram().read32(ENTRY + 8), u32::from_le_bytes([0, 0x1f, 0, 0x1f]), "loaded again");
    assert!(!machine.arm_interrupt());
    assert_eq!(machine.arm_read32(0x3f10_0020), Some(0x20), "PM_RSTS");
    assert_eq!(machine.run_for(1_000_000), Stop::Limit);
    assert_eq!(machine.now_ns() / 1000, 1152);
    // A cycle may lie across the reset.
    let since = machine.counters().vpu_instructions - before.vpu_instructions;
    assert!((249_999..=250_000).contains(&since), "{since}");
    assert_eq!(machine.summary().vpu_instructions[0], machine.counters().vpu_instructions);
}

#[test]
fn a_restarted_machine_is_as_deterministic_as_any() {
    let run = |seed| {
        let mut machine = machine(seed, ArmSide::External);
        for (register, value) in [(0x24, 0x5a00_000a), (0x1c, 0x5a00_0020)] {
            machine.arm_write32(0x3f10_0000 + register, value);
        }
        machine.run_for(1_000_000);
        machine.restart().expect("the card is still good");
        machine.run_for(1_000_000);
        (machine.now_ns(), machine.counters(), machine.take_events())
    };
    assert_eq!(run(5), run(5));
}

#[test]
fn an_outside_arm_reaches_registers_and_ram_and_nothing_else() {
    let mut machine = machine(0, ArmSide::External);
    assert!(machine.arm_write32(0x1000, 7).is_some());
    assert_eq!(machine.arm_read32(0x1000), Some(7));
    assert_eq!(machine.arm_read32(0x3f00_b898), Some(0x4000_0000));
    assert_eq!(machine.arm_read32(0x5000_0000), None);
    assert!(!machine.arm_interrupt() && !machine.arm_released());
}

#[test]
fn an_unmodelled_register_is_one_event_and_a_line_of_the_summary() {
    let mut machine = machine(0, ArmSide::External);
    assert_eq!(machine.arm_read32(0x3f00_3040), Some(0));
    assert_eq!(machine.arm_read32(0x3f00_3040), Some(0));
    let events = machine.take_events();
    let unmodelled = |event: &&Event| matches!(event.kind, EventKind::Unmodelled { .. });
    assert_eq!(events.iter().filter(unmodelled).count(), 1);
    let summary = machine.summary();
    assert_eq!(summary.unmodelled.len(), 1);
    assert_eq!((summary.unmodelled[0].register.as_str(), summary.unmodelled[0].reads), ("ST+0x40", 2));
}

#[test]
fn a_sent_byte_stops_the_run_if_asked_and_carries_its_writer() {
    let mut machine = machine(0, ArmSide::External);
    machine.run_for(1_000);
    // UART enable and transmit enable, then the byte.
    for (register, value) in [(0x30, 0x101), (0x00, u32::from(b'k'))] {
        assert!(machine.arm_write32(0x3f20_1000 + register, value).is_some());
    }
    let limit = Limit { stop_on_uart: true, ..Limit::default() };
    assert_eq!(machine.run(limit), Stop::Uart);
    let sent = machine.take_uart();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].byte, sent[0].source, sent[0].port), (b'k', UartSource::Arm, UartPort::Pl011));
    assert_eq!((sent[0].at_ns, sent[0].counters.vpu_instructions), (1_000, 250));
}

#[test]
fn a_seed_changes_the_slices_and_not_the_time_they_add_up_to() {
    for seed in [0, 1, 99] {
        let mut machine = machine(seed, ArmSide::External);
        machine.run_for(123_456);
        assert_eq!((machine.now_ns(), machine.counters().vpu_instructions), (123_456, 30_864));
    }
}
