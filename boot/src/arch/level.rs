//! Exception levels: EL3 to EL2 to EL1, in the order of hardware fact sheet 5.

use cortex_a::asm;
use cortex_a::registers::{
    CNTFRQ_EL0, CNTHCTL_EL2, CNTVOFF_EL2, CPACR_EL1, CPTR_EL2, ELR_EL2, ELR_EL3, HCR_EL2, MDCR_EL2,
    MPIDR_EL1, Readable, SCR_EL3, SCTLR_EL1, SCTLR_EL2, SP, SP_EL2, SPSR_EL2, SPSR_EL3, VMPIDR_EL2,
    Writeable,
};

use super::{barrier, counters, identity};

/// SCTLR of EL1 and EL2 with nothing enabled: the RES1 bits of Armv8.0 only (Arm ARM D13.2.118).
const SCTLR_EL1_RESET: u64 = 0x30d0_0800;
const SCTLR_EL2_RESET: u64 = 0x30c5_0830;

/// Bits 5:4 of SCR_EL3 read as one.
const SCR_EL3_RES1: u64 = 0b11 << 4;

/// CPTR_EL2 with no trap: the RES1 bits only.
const CPTR_EL2_NO_TRAP: u64 = 0x33ff;

/// Leaves EL3 for `continuation` at EL2, as the firmware's armstub would have done.
pub(super) fn drop_to_el2(continuation: u64) -> ! {
    let control = SCR_EL3::NS::NonSecure
        + SCR_EL3::RW::NextELIsAarch64
        + SCR_EL3::HCE::HvcEnabled
        + SCR_EL3::SMD::SmcDisabled;
    SCR_EL3.set(control.value | SCR_EL3_RES1);
    if CNTFRQ_EL0.get() == 0 {
        announce_counter_rate(identity::soc().crystal_hz());
    }
    join_coherency();
    clear_secure_traps();
    SCTLR_EL2.set(SCTLR_EL2_RESET);
    SP_EL2.set(SP.get());
    SPSR_EL3.write(
        SPSR_EL3::D::Masked
            + SPSR_EL3::A::Masked
            + SPSR_EL3::I::Masked
            + SPSR_EL3::F::Masked
            + SPSR_EL3::M::EL2h,
    );
    ELR_EL3.set(continuation);
    barrier::instruction_synchronise();
    asm::eret()
}

/// Leaves EL2 for `continuation` at EL1 with interrupts masked.
pub(super) fn drop_to_el1(continuation: u64) -> ! {
    HCR_EL2.write(HCR_EL2::RW::EL1IsAarch64);
    CNTHCTL_EL2.write(CNTHCTL_EL2::EL1PCTEN::SET + CNTHCTL_EL2::EL1PCEN::SET);
    CNTVOFF_EL2.set(0);
    CPTR_EL2.set(CPTR_EL2_NO_TRAP);
    clear_hypervisor_traps();
    announce_identity(identity::midr());
    VMPIDR_EL2.set(MPIDR_EL1.get());
    // All event counters belong to EL1, and no access to them is trapped (hardware fact sheet 8).
    MDCR_EL2.write(MDCR_EL2::HPMN.val(counters::event_counters()));
    SCTLR_EL1.set(SCTLR_EL1_RESET);
    CPACR_EL1.write(CPACR_EL1::FPEN::TrapNothing);
    SPSR_EL2.write(
        SPSR_EL2::D::Masked
            + SPSR_EL2::A::Masked
            + SPSR_EL2::I::Masked
            + SPSR_EL2::F::Masked
            + SPSR_EL2::M::EL1h,
    );
    ELR_EL2.set(continuation);
    barrier::instruction_synchronise();
    asm::eret()
}

/// CPTR_EL3 = 0 and MDCR_EL3 = 0: no trap of floating point, debug or performance registers.
fn clear_secure_traps() {
    // SAFETY: a write to a trap control register of the level we run at; it has no effect on memory.
    unsafe { core::arch::asm!("msr cptr_el3, xzr", options(nomem, nostack, preserves_flags)) }
    // SAFETY: as above.
    unsafe { core::arch::asm!("msr mdcr_el3, xzr", options(nomem, nostack, preserves_flags)) }
}

/// HSTR_EL2 = 0: no trap of AArch32 system registers.
fn clear_hypervisor_traps() {
    // SAFETY: a write to a trap control register of the level we run at; it has no effect on memory.
    unsafe { core::arch::asm!("msr hstr_el2, xzr", options(nomem, nostack, preserves_flags)) }
}

/// Sets SMPEN (CPUECTLR_EL1 bit 6): the caches of a Cortex-A53 or A72 need it before they are enabled.
fn join_coherency() {
    let control: u64;
    // SAFETY: reads CPUECTLR_EL1, which both cores implement and EL3 may always access.
    unsafe { core::arch::asm!("mrs {}, s3_1_c15_c2_1", out(reg) control, options(nomem, nostack)) }
    // SAFETY: sets SMPEN while the caches are still off, as the cores' manuals ask for.
    unsafe { core::arch::asm!("msr s3_1_c15_c2_1, {}", in(reg) control | 1 << 6, options(nomem, nostack)) }
}

/// Writes CNTFRQ_EL0: software below EL3 reads there how fast the counter counts.
fn announce_counter_rate(hz: u64) {
    // SAFETY: EL3 may write the register, and it has no effect but being read.
    unsafe { core::arch::asm!("msr cntfrq_el0, {}", in(reg) hz, options(nomem, nostack, preserves_flags)) }
}

/// Writes VPIDR_EL2: what EL1 reads as MIDR_EL1.
fn announce_identity(midr: u64) {
    // SAFETY: EL2 may write the register, and it has no effect but being read.
    unsafe { core::arch::asm!("msr vpidr_el2, {}", in(reg) midr, options(nomem, nostack, preserves_flags)) }
}
