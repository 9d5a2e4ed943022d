//! Stage 1 translation: ranges, levels, permissions, faults, AT, the cache of translations.

use super::assembler::*;
use super::machine::*;
use crate::arm::{Core, FaultKind, Outcome, Register};

/// Second and third level tables behind the first GiB.
const LEVEL_2: u64 = 0x20_1000;
const LEVEL_3: u64 = 0x20_2000;
/// A page with descriptor flags of the test's choice, identity-mapped.
const PAGE: u64 = 0x20_0000 * 3;

const AP_USER: u64 = 1 << 6;
const AP_READ_ONLY: u64 = 1 << 7;
const UXN: u64 = 1 << 54;
const PXN: u64 = 1 << 53;
const ACCESSED: u64 = 1 << 10;
/// Page descriptor: valid, attribute 0, accessed.
const PAGE_FLAGS: u64 = 3 << 8 | 3 | ACCESSED;

/// EL1 with everything mapped by 2 MiB blocks, but for `PAGE`, which has `flags`.
fn with_page(level: u8, flags: u64, program: &[u32]) -> Machine {
    let mut machine = Machine::at_level(level, program);
    machine.map(LEVEL_2 | 3);
    // EL1 may not execute what EL0 may write.
    let user = if level == 0 { AP_USER | AP_READ_ONLY } else { 0 };
    for block in 0..504u64 {
        machine.bus.ram.write64((LEVEL_2 + block * 8) as u32, block << 21 | BLOCK | user);
    }
    machine.bus.ram.write64((LEVEL_2 + 3 * 8) as u32, LEVEL_3 | 3);
    machine.bus.ram.write64(LEVEL_3 as u32, PAGE | flags);
    machine.core.set_register(1, PAGE);
    machine
}

fn abort_of(level: u8, flags: u64, word: u32) -> (u64, u64) {
    let mut machine = with_page(level, flags, &[word]);
    machine.load(PAGE, &[WFI]);
    machine.run_to_vector();
    (machine.get(Register::ESR_EL1), machine.get(Register::FAR_EL1))
}

#[test]
fn descriptor_faults_report_kind_level_and_address() {
    // Level 3: translation, access flag, permission on a write.
    assert_eq!(abort_of(1, 0, ldr(0, 1)), (0x9600_0007, PAGE));
    assert_eq!(abort_of(1, PAGE_FLAGS & !ACCESSED, ldr(0, 1)), (0x9600_000b, PAGE));
    assert_eq!(abort_of(1, PAGE_FLAGS | AP_READ_ONLY, str(0, 1)), (0x9600_004f, PAGE));
    // A block descriptor's pattern is invalid at level 3.
    assert_eq!(abort_of(1, PAGE_FLAGS & !2, ldr(0, 1)), (0x9600_0007, PAGE));
}

#[test]
fn el0_needs_its_own_permission() {
    assert_eq!(abort_of(0, PAGE_FLAGS, ldr(0, 1)), (0x9200_000f, PAGE));
    assert_eq!(abort_of(0, PAGE_FLAGS | AP_USER | AP_READ_ONLY, str(0, 1)), (0x9200_004f, PAGE));
    // LDTR at EL1 uses it.
    assert_eq!(abort_of(1, PAGE_FLAGS, ldtr(0, 1)), (0x9600_000f, PAGE));
}

#[test]
fn execute_never_bits_hold_for_their_level() {
    assert_eq!(abort_of(1, PAGE_FLAGS | PXN, br(1)), (0x8600_000f, PAGE));
    assert_eq!(abort_of(0, PAGE_FLAGS | AP_USER | UXN, br(1)), (0x8200_000f, PAGE));
    // What EL0 may write, EL1 may not execute.
    assert_eq!(abort_of(1, PAGE_FLAGS | AP_USER, br(1)), (0x8600_000f, PAGE));
    // UXN does not concern EL1.
    let mut machine = with_page(1, PAGE_FLAGS | UXN, &[br(1)]);
    machine.load(PAGE, &[WFI]);
    assert_eq!(machine.run(10).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.core.pc(), PAGE + 4);
}

#[test]
fn writable_implies_execute_never_under_wxn() {
    let mut machine = with_page(1, PAGE_FLAGS, &[br(1)]);
    machine.bus.ram.write64(LEVEL_2 as u32, BLOCK | AP_READ_ONLY);
    let control = machine.get(Register::SCTLR_EL1);
    machine.set(Register::SCTLR_EL1, control | 1 << 19);
    machine.run_to_vector();
    assert_eq!(machine.get(Register::ESR_EL1), 0x8600_000f);
}

#[test]
fn table_attributes_restrict_what_lies_below() {
    let mut machine = with_page(1, PAGE_FLAGS, &[str(0, 1)]);
    // APTable[1]: read-only below.
    machine.bus.ram.write64((LEVEL_2 + 3 * 8) as u32, LEVEL_3 | 3 | 1 << 62);
    machine.run_to_vector();
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_004f);
}

#[test]
fn upper_range_goes_through_ttbr1_and_the_gap_faults() {
    let mut machine = with_page(1, PAGE_FLAGS, &[ldr(0, 2), ldr(3, 4)]);
    let table = 0x20_3000;
    machine.bus.ram.write64(table, BLOCK);
    machine.set(Register::TTBR1_EL1, u64::from(table));
    // 39 bits on both sides, 4 KiB granules.
    machine.set(Register::TCR_EL1, 25 | 25 << 16 | 2 << 30);
    machine.bus.ram.write64(DATA as u32, 0x1234);
    machine.core.set_register(2, 0xffff_ff80_0000_0000 + DATA);
    machine.core.set_register(4, 0x0000_0080_0000_0000);
    machine.run_to_vector();
    assert_eq!(machine.x(0), 0x1234);
    // Above the lower range: translation fault, level 0.
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_0004);
    assert_eq!(machine.get(Register::FAR_EL1), 0x0000_0080_0000_0000);
}

#[test]
fn disabled_range_faults() {
    let mut machine = with_page(1, PAGE_FLAGS, &[ldr(0, 2)]);
    machine.core.set_register(2, 0xffff_ff80_0000_0000);
    machine.run_to_vector();
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_0004);
}

#[test]
fn top_byte_is_ignored_if_tcr_says_so() {
    let mut machine = with_page(1, PAGE_FLAGS, &[ldr(0, 2), WFI]);
    let control = machine.get(Register::TCR_EL1);
    machine.set(Register::TCR_EL1, control | 1 << 37);
    machine.bus.ram.write64(DATA as u32, 0x4321);
    machine.core.set_register(2, 0xab00_0000_0000_0000 + DATA);
    assert_eq!(machine.run(10).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.x(0), 0x4321);
}

#[test]
fn branch_to_a_tagged_address_drops_the_tag() {
    let mut machine = with_page(1, PAGE_FLAGS, &[br(2)]);
    let control = machine.get(Register::TCR_EL1);
    machine.set(Register::TCR_EL1, control | 1 << 37);
    machine.load(DATA, &[0x1000_0000, WFI]); // adr x0, .
    machine.core.set_register(2, 0xab00_0000_0000_0000 + DATA);
    assert_eq!(machine.run(10).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.x(0), DATA);
}

#[test]
fn four_levels_translate_a_48_bit_address() {
    let mut machine = Machine::at_level(1, &[ldr(0, 1), WFI]);
    let (level_0, level_1) = (0x21_0000, 0x21_1000);
    machine.map(0);
    machine.bus.ram.write64(level_0, u64::from(level_1) | 3);
    machine.bus.ram.write64(level_1, BLOCK);
    machine.bus.ram.write64(level_0 + 8 * 511, u64::from(level_1) | 3);
    machine.set(Register::TTBR0_EL1, u64::from(level_0));
    machine.set(Register::TCR_EL1, 16 | 1 << 23);
    machine.bus.ram.write64(DATA as u32, 7);
    machine.core.set_register(1, 0x0000_ff80_0000_0000 + DATA);
    assert_eq!(machine.run(10).outcome, Outcome::WaitForInterrupt);
    assert_eq!(machine.x(0), 7);
}

#[test]
fn el2_and_el3_have_regimes_of_their_own() {
    for (level, table, tcr, mair, sctlr) in [
        (2, Register::TTBR0_EL2, Register::TCR_EL2, Register::MAIR_EL2, Register::SCTLR_EL2),
        (3, Register::TTBR0_EL3, Register::TCR_EL3, Register::MAIR_EL3, Register::SCTLR_EL3),
    ] {
        let mut machine = Machine::at_level(level, &[ldr(0, 1), ldr(0, 2)]);
        // Virtual 1 GiB is physical 0; AP[1] is RES1 here and means nothing.
        machine.bus.ram.write64(TABLE as u32, BLOCK | AP_USER);
        machine.bus.ram.write64(TABLE as u32 + 8, BLOCK);
        machine.set(table, TABLE);
        machine.set(mair, 0xff);
        machine.set(tcr, 25);
        let control = machine.get(sctlr);
        machine.set(sctlr, control | 1);
        machine.bus.ram.write64(DATA as u32, 0x77);
        machine.core.set_register(1, (1 << 30) + DATA);
        machine.core.set_register(2, 2 << 30);
        assert_eq!(machine.run_to_vector(), (0x200, level));
        assert_eq!(machine.x(0), 0x77);
        let far = if level == 2 { Register::FAR_EL2 } else { Register::FAR_EL3 };
        assert_eq!(machine.get(far), 2 << 30);
    }
}

#[test]
fn walk_outside_ram_is_an_external_abort_on_the_walk() {
    let mut machine = with_page(1, PAGE_FLAGS, &[ldr(0, 1)]);
    machine.bus.ram.write64((LEVEL_2 + 3 * 8) as u32, NOWHERE | 3);
    machine.run_to_vector();
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_0017);
}

#[test]
fn changed_descriptor_is_seen_after_tlbi() {
    let program = [ldr(0, 1), str(2, 3), msr(Register::TLBI_VMALLE1IS, 31), ISB, ldr(4, 1), WFI];
    let mut machine = with_page(1, PAGE_FLAGS, &program);
    let other = PAGE + 0x1000;
    machine.bus.ram.write64(PAGE as u32, 1);
    machine.bus.ram.write64(other as u32, 2);
    machine.core.set_register(2, other | PAGE_FLAGS);
    machine.core.set_register(3, LEVEL_3);
    machine.run(100);
    assert_eq!((machine.x(0), machine.x(4)), (1, 2));
    assert_eq!(machine.bus.broadcasts, 1);
}

#[test]
fn page_cached_for_loads_is_not_thereby_writable() {
    let mut machine = with_page(1, PAGE_FLAGS | AP_READ_ONLY, &[ldr(0, 1), ldr(0, 1), str(0, 1)]);
    machine.run_to_vector();
    assert_eq!(machine.get(Register::ELR_EL1), CODE + 8);
    assert_eq!(machine.get(Register::ESR_EL1), 0x9600_004f);
}

#[test]
fn permission_cached_at_el1_does_not_leak_to_el0() {
    let mut machine = with_page(1, PAGE_FLAGS, &[ldr(0, 1), ERET]);
    // Back at EL0 on a page that it may execute.
    machine.bus.ram.write64((LEVEL_2 + 4 * 8) as u32, 4 << 21 | BLOCK | AP_USER | AP_READ_ONLY);
    machine.load(4 << 21, &[ldr(0, 1)]);
    machine.set(Register::SPSR_EL1, 0x3c0);
    machine.set(Register::ELR_EL1, 4 << 21);
    assert_eq!(machine.run_to_vector(), (0x400, 1));
    assert_eq!(machine.get(Register::ESR_EL1), 0x9200_000f);
}

#[test]
fn at_reports_address_and_attributes_or_the_fault() {
    let program = [
        msr(Register::AT_S1E1R, 1),
        mrs(2, Register::PAR_EL1),
        msr(Register::AT_S1E1W, 1),
        mrs(3, Register::PAR_EL1),
        msr(Register::AT_S1E0R, 1),
        mrs(4, Register::PAR_EL1),
        WFI,
    ];
    let mut machine = with_page(1, PAGE_FLAGS | AP_READ_ONLY, &program);
    machine.core.set_register(1, PAGE + 0x123);
    machine.run(100);
    // Write-back, inner shareable, non-secure.
    assert_eq!(machine.x(2), 0xff << 56 | PAGE | 1 << 11 | 1 << 9 | 3 << 7);
    assert_eq!(machine.x(3), 1 << 11 | 0xf << 1 | 1);
    assert_eq!(machine.x(4), 1 << 11 | 0xf << 1 | 1);
}

#[test]
fn cache_maintenance_of_an_unmapped_address_faults_with_cm() {
    assert_eq!(abort_of(1, 0, msr(Register::DC_CVAC, 1)), (0x9600_0147, PAGE));
}

#[test]
fn what_is_not_modelled_stops_the_core() {
    // Stage 2.
    let mut machine = Machine::at_level(1, &[ldr(0, 1)]);
    machine.set(Register::HCR_EL2, 1 << 31 | 1);
    assert_eq!(fault_of(&mut machine), FaultKind::Stage2);
    // 64 KiB granule.
    let mut machine = with_page(1, PAGE_FLAGS, &[ldr(0, 1)]);
    machine.set(Register::TCR_EL1, 25 | 1 << 14 | 1 << 23);
    assert_eq!(fault_of(&mut machine), FaultKind::Granule);
    // Big-endian data.
    let mut machine = Machine::at_level(1, &[ldr(0, 1)]);
    let control = machine.get(Register::SCTLR_EL1);
    machine.set(Register::SCTLR_EL1, control | 1 << 25);
    assert_eq!(fault_of(&mut machine), FaultKind::BigEndian);
}

fn fault_of(machine: &mut Machine) -> FaultKind {
    match machine.run(10).outcome {
        Outcome::Fault(fault) => fault.kind,
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn broadcast_invalidate_reaches_a_core_through_the_machine() {
    let mut machine = with_page(1, PAGE_FLAGS, &[ldr(0, 1), 0x17ff_ffff]);
    machine.bus.ram.write64(PAGE as u32, 1);
    machine.bus.ram.write64(PAGE as u32 + 0x1000, 2);
    machine.run(11);
    machine.bus.ram.write64(LEVEL_3 as u32, (PAGE + 0x1000) | PAGE_FLAGS);
    machine.run(10);
    assert_eq!(machine.x(0), 1, "the old translation is still cached");
    Core::invalidate_tlb(&mut machine.core);
    machine.run(10);
    assert_eq!(machine.x(0), 2);
}
