//! Alignment faults and external aborts.

use super::assembler::*;
use super::machine::*;
use crate::arm::Register;

/// Vector of a synchronous exception from the same level, own stack.
const SAME: u64 = 0x200;

#[test]
fn unaligned_load_faults_with_the_mmu_off() {
    let mut machine = Machine::at_level(1, &[ldr(0, 1)]);
    machine.core.set_register(1, DATA + 1);
    assert_eq!(machine.run_to_vector(), (SAME, 1));
    // Data abort from the same level, IL, alignment fault.
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_0021);
    assert_eq!(machine.get(Register::FAR_EL1), DATA + 1);
    assert_eq!(machine.get(Register::ELR_EL1), CODE);
}

#[test]
fn unaligned_store_to_device_memory_faults_with_wnr() {
    let mut machine = Machine::at_level(1, &[str_word(0, 1)]);
    machine.map(DEVICE_BLOCK);
    machine.core.set_register(1, DATA + 2);
    assert_eq!(machine.run_to_vector(), (SAME, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_0061);
    assert_eq!(machine.get(Register::FAR_EL1), DATA + 2);
}

#[test]
fn unaligned_access_to_normal_memory_works_across_a_page_boundary() {
    let mut machine = Machine::at_level(1, &[str(2, 1), ldr(0, 1), WFI]);
    machine.map(BLOCK);
    machine.core.set_register(1, DATA + 0xffd);
    machine.core.set_register(2, 0x1122_3344_5566_7788);
    machine.run(100);
    assert_eq!(machine.x(0), 0x1122_3344_5566_7788);
    assert_eq!(machine.bus.ram.read8(DATA as u32 + 0xffd), 0x88);
    assert_eq!(machine.bus.ram.read8(DATA as u32 + 0x1004), 0x11);
}

#[test]
fn alignment_check_bit_faults_on_normal_memory_too() {
    let mut machine = Machine::at_level(1, &[ldr(0, 1)]);
    machine.map(BLOCK);
    let control = machine.get(Register::SCTLR_EL1);
    machine.set(Register::SCTLR_EL1, control | 2);
    machine.core.set_register(1, DATA + 4);
    assert_eq!(machine.run_to_vector(), (SAME, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_0021);
}

#[test]
fn acquire_and_exclusive_loads_have_to_be_aligned_everywhere() {
    for word in [ldar(0, 1), ldxr(0, 1)] {
        let mut machine = Machine::at_level(1, &[word]);
        machine.map(BLOCK);
        machine.core.set_register(1, DATA + 4);
        assert_eq!(machine.run_to_vector(), (SAME, 1), "{word:#x}");
        assert_eq!(machine.get(Register::ESR_EL1), 0x9600_0021, "{word:#x}");
    }
}

#[test]
fn misaligned_stack_pointer_as_base_faults() {
    let mut machine = Machine::at_level(1, &[ldr(0, 31)]);
    machine.core.set_register(31, DATA + 8);
    assert_eq!(machine.run_to_vector(), (SAME, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x9a00_0000);
}

#[test]
fn misaligned_pc_faults_at_the_target() {
    let mut machine = Machine::at_level(1, &[br(1)]);
    machine.core.set_register(1, CODE + 2);
    assert_eq!(machine.run_to_vector(), (SAME, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x8a00_0000);
    assert_eq!(machine.get(Register::FAR_EL1), CODE + 2);
    assert_eq!(machine.get(Register::ELR_EL1), CODE + 2);
}

#[test]
fn access_that_nobody_answers_is_a_synchronous_external_abort() {
    for (word, syndrome) in [(ldr_word(0, 1), 0x9600_0010), (str_word(0, 1), 0x9600_0050)] {
        let mut machine = Machine::at_level(1, &[word]);
        machine.core.set_register(1, NOWHERE);
        assert_eq!(machine.run_to_vector(), (SAME, 1));
        assert_eq!(machine.get(Register::ESR_EL1), syndrome);
        assert_eq!(machine.get(Register::FAR_EL1), NOWHERE);
    }
}

#[test]
fn external_abort_goes_to_el3_if_scr_says_so() {
    let mut machine = Machine::at_level(1, &[ldr_word(0, 1)]);
    let control = machine.get(Register::SCR_EL3);
    machine.set(Register::SCR_EL3, control | 1 << 3);
    machine.core.set_register(1, NOWHERE);
    // From a lower level.
    assert_eq!(machine.run_to_vector(), (0x400, 3));
    assert_eq!(machine.get(Register::ESR_EL3), 0x9200_0010);
}

#[test]
fn code_outside_ram_is_an_instruction_abort() {
    let mut machine = Machine::at_level(1, &[br(1)]);
    machine.core.set_register(1, NOWHERE);
    assert_eq!(machine.run_to_vector(), (SAME, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x8600_0010);
    assert_eq!(machine.get(Register::ELR_EL1), NOWHERE);
}
