//! A start like that of the firmware's own stub: EL3 to EL2, one core goes on, the others wait in WFE.

use super::assembler::*;
use super::machine::*;
use crate::arm::{Core, Outcome, Register};

/// Where the waiting cores look for an address, 8 bytes each.
const SPIN_TABLE: u64 = 0xd8;
const KERNEL: u64 = CODE;

/// The steps of the stub, at 0: what it sets at EL3, the drop to EL2, the wait.
fn stub() -> Vec<u32> {
    vec![
        mrs(0, Register::CPUECTLR_EL1),
        0xb27a_0000, // orr x0, x0, #0x40 (SMPEN)
        msr(Register::CPUECTLR_EL1, 0),
        mrs(0, Register::L2CTLR_EL1),
        movz(1, 0x22),
        0xaa01_0000, // orr x0, x0, x1
        msr(Register::L2CTLR_EL1, 0),
        movz(19, 0x9000),
        msr(Register::CNTFRQ_EL0, 19),
        msr(Register::CNTVOFF_EL2, 31),
        movz(0, 0x33ff),
        msr(Register::CPTR_EL3, 0),
        movz(0, 0x5b1), // RW, HCE, SMD, RES1, NS
        msr(Register::SCR_EL3, 0),
        movz(0, 0x73),
        msr(Register::ACTLR_EL3, 0),
        movz(0, 0x3c9),
        msr(Register::SPSR_EL3, 0),
        0x1000_0060, // adr x0, in_el2
        msr(Register::ELR_EL3, 0),
        ERET,
        // in_el2:
        mrs(6, Register::MPIDR_EL1),
        0x9240_04c6, // and x6, x6, #3
        0xb400_00c6, // cbz x6, primary
        movz(5, SPIN_TABLE as u16),
        // secondary:
        WFE,
        0xf866_78a4, // ldr x4, [x5, x6, lsl #3]
        0xb4ff_ffc4, // cbz x4, secondary
        br(4),
        // primary:
        0xf940_00a4 | 31 << 5, // ldr x4, [sp]
        br(4),
    ]
}

fn cores() -> (Machine, Vec<Core>) {
    let mut machine = Machine::new(&[]);
    machine.load(0, &stub());
    // The primary's target, where its stack pointer is set to point below.
    machine.bus.ram.write64(0x100, KERNEL);
    machine.load(KERNEL, &[mrs(9, Register::CurrentEL), mrs(10, Register::MPIDR_EL1), WFI]);
    let cores = (0..4)
        .map(|id| {
            let mut core = Core::new(id);
            core.reset(0);
            core.set_system_register(Register::SP_EL2, 0x100);
            core
        })
        .collect();
    (machine, cores)
}

#[test]
fn primary_core_reaches_the_kernel_in_el2() {
    let (mut machine, mut cores) = cores();
    let core = &mut cores[0];
    // ADR is 3 words ahead.
    core.run(&mut machine.bus, 21);
    assert_eq!(core.exception_level(), 2);
    core.set_register(31, 0x100);
    assert_eq!(core.run(&mut machine.bus, 100).outcome, Outcome::WaitForInterrupt);
    assert_eq!(core.pc(), KERNEL + 12);
    assert_eq!((core.register(9), core.register(10)), (2 << 2, 0x8000_0000));
    assert_eq!(core.system_register(Register::CNTFRQ_EL0), 0x9000);
    assert_eq!(core.system_register(Register::CPUECTLR_EL1), 0x40);
}

#[test]
fn secondary_cores_sleep_until_an_address_and_an_event_arrive() {
    let (mut machine, mut cores) = cores();
    for core in &mut cores[1..] {
        let run = core.run(&mut machine.bus, 1000);
        assert_eq!(run.outcome, Outcome::WaitForEvent);
        assert!(core.is_asleep() && core.exception_level() == 2);
    }
    // An event without an address: they look and sleep again.
    for core in &mut cores[1..] {
        core.wake_event();
        assert_eq!(core.run(&mut machine.bus, 1000).outcome, Outcome::WaitForEvent);
    }
    // 0xe8 is core 2's.
    machine.bus.ram.write64(SPIN_TABLE as u32 + 16, KERNEL);
    for core in &mut cores[1..] {
        core.wake_event();
        core.run(&mut machine.bus, 1000);
    }
    assert_eq!(cores[1].pc(), cores[3].pc());
    assert_eq!(cores[2].pc(), KERNEL + 12);
    assert_eq!(cores[2].register(10), 0x8000_0002);
}
