//! The table of system registers: identity, access rules, what is unknown.

use std::collections::HashSet;

use super::assembler::*;
use super::machine::*;
use crate::arm::sysreg::ROWS;
use crate::arm::{Note, Outcome, Register};

#[test]
fn no_two_rows_share_an_encoding() {
    let encodings: HashSet<_> = ROWS.iter().map(|row| row.encoding.fields()).collect();
    assert_eq!(encodings.len(), ROWS.len());
}

#[test]
fn core_identifies_as_a_cortex_a53_r0p4_that_is_emulated() {
    let program = [
        mrs(0, Register::MIDR_EL1),
        mrs(1, Register::MPIDR_EL1),
        mrs(2, Register::CTR_EL0),
        mrs(3, Register::ID_AA64ISAR0_EL1),
        mrs(4, Register::ID_AA64MMFR0_EL1),
        mrs(5, Register::DCZID_EL0),
        0xd538_0426, // mrs x6, ID_AA64PFR1_EL1, which no row names
        mrs(7, Register::AIDR_EL1),
        WFI,
    ];
    let mut machine = Machine::at_level(1, &program);
    machine.run(100);
    assert_eq!(machine.x(0), 0x410f_d034);
    assert_eq!(machine.x(1), 0x8000_0000);
    assert_eq!(machine.x(2), 0x8444_8004);
    assert_eq!(machine.x(3), 0x0001_0000, "CRC32, no cryptography, no atomics");
    assert_eq!(machine.x(4), 0x1122);
    assert_eq!(machine.x(5), 4);
    assert_eq!(machine.x(6), 0);
    assert_eq!(machine.x(7), u64::from(u32::from_be_bytes(*b"emul")));
}

#[test]
fn unknown_register_is_undefined_and_noted_once() {
    // S3_0_C15_C15_7, twice.
    const UNKNOWN: u32 = 0xd538_ffe0;
    let mut machine = Machine::at_level(1, &[UNKNOWN, UNKNOWN + 1, WFI]);
    let skip = [mrs(20, Register::ELR_EL1), add(20, 20, 4), msr(Register::ELR_EL1, 20), add(21, 21, 1), ERET];
    machine.load(VECTORS[0] + 0x200, &skip);
    machine.run(100);
    assert_eq!(machine.x(21), 2);
    assert_eq!(machine.get(Register::ESR_EL1), 0x0200_0000);
    let note = Note::UnknownSystemRegister { pc: CODE, word: UNKNOWN };
    assert_eq!(machine.core.take_notes(), [note]);
    assert_eq!(note.to_string(), "unknown system register S3_0_C15_C15_7 (0xd538ffe0): undefined");
    assert_eq!(machine.core.take_notes(), []);
}

#[test]
fn register_of_a_higher_level_is_undefined() {
    for word in [mrs(0, Register::SCTLR_EL2), msr(Register::VBAR_EL3, 0), msr(Register::MIDR_EL1, 0)] {
        let mut machine = Machine::at_level(1, &[word]);
        assert_eq!(machine.run_to_vector(), (0x200, 1), "{word:#x}");
        assert_eq!(machine.get(Register::ESR_EL1), 0x0200_0000);
    }
}

#[test]
fn access_of_el0_to_timer_and_counters_is_trapped_until_el1_allows_it() {
    let word = mrs(5, Register::CNTPCT_EL0);
    let mut machine = Machine::at_level(0, &[word]);
    machine.set(Register::CNTHCTL_EL2, 3);
    assert_eq!(machine.run_to_vector(), (0x400, 1));
    // op0 3, op2 1, op1 3, CRn 14, Rt 5, read.
    let iss = 3 << 20 | 1 << 17 | 3 << 14 | 14 << 10 | 5 << 5 | 1;
    assert_eq!(machine.get(Register::ESR_EL1), 0x6200_0000 | iss);

    let mut machine = Machine::at_level(0, &[word, svc(0)]);
    machine.set(Register::CNTKCTL_EL1, 1);
    machine.run(100);
    assert_eq!(machine.get(Register::ESR_EL1), 0x5600_0000);
}

#[test]
fn physical_counter_of_el1_is_trapped_to_el2_without_cnthctl() {
    let mut machine = Machine::at_level(1, &[mrs(5, Register::CNTPCT_EL0)]);
    machine.set(Register::CNTHCTL_EL2, 0);
    assert_eq!(machine.run_to_vector(), (0x400, 2));
    assert_eq!(machine.get(Register::ESR_EL2) >> 26, 0x18);
}

#[test]
fn el1_sees_the_identity_that_el2_presents() {
    let mut machine = Machine::at_level(1, &[mrs(0, Register::MPIDR_EL1), WFI]);
    machine.set(Register::VMPIDR_EL2, 0x8000_0203);
    machine.run(10);
    assert_eq!(machine.x(0), 0x8000_0203);
}

#[test]
fn cpuectlr_can_be_written_below_el3_only_with_leave() {
    let mut machine = Machine::at_level(2, &[msr(Register::CPUECTLR_EL1, 0)]);
    assert_eq!(machine.run_to_vector(), (0x400, 3));
    let mut machine = Machine::at_level(2, &[msr(Register::CPUECTLR_EL1, 0), WFI]);
    machine.set(Register::ACTLR_EL3, 0x73);
    machine.core.set_register(0, 0x40);
    assert_eq!(machine.run(10).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.get(Register::CPUECTLR_EL1), 0x40);
}

#[test]
fn dc_zva_clears_its_block_and_faults_on_device_memory() {
    let mut machine = Machine::at_level(1, &[msr(Register::DC_ZVA, 1), WFI]);
    machine.map(BLOCK);
    for index in 0..32 {
        machine.bus.ram.write64(DATA as u32 + index * 8, u64::MAX);
    }
    machine.core.set_register(1, DATA + 0x47);
    machine.run(10);
    let words: Vec<u64> = (0..32).map(|index| machine.bus.ram.read64(DATA as u32 + index * 8)).collect();
    assert!(words[8..16].iter().all(|word| *word == 0));
    assert!(words[..8].iter().chain(&words[16..]).all(|word| *word == u64::MAX));

    let mut machine = Machine::at_level(1, &[msr(Register::DC_ZVA, 1)]);
    machine.core.set_register(1, DATA);
    assert_eq!(machine.run_to_vector(), (0x200, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_0061);
}
