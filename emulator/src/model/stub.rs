//! What the firmware puts at address 0 for the Arm's reset: drops to EL2, sends core 0 to the kernel and lets the
//! others wait for an address (hardware fact sheet 5).

/// Registers by op0 - 2, op1, CRn, CRm, op2, as an instruction has them.
const fn register(op0: u32, op1: u32, crn: u32, crm: u32, op2: u32) -> u32 {
    (op0 - 2) << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5
}
const CPUECTLR_EL1: u32 = register(3, 1, 15, 2, 1);
const CNTFRQ_EL0: u32 = register(3, 3, 14, 0, 0);
const CNTVOFF_EL2: u32 = register(3, 4, 14, 0, 3);
const CPTR_EL3: u32 = register(3, 6, 1, 1, 2);
const SCR_EL3: u32 = register(3, 6, 1, 1, 0);
const ACTLR_EL3: u32 = register(3, 6, 1, 0, 1);
const SPSR_EL3: u32 = register(3, 6, 4, 0, 0);
const ELR_EL3: u32 = register(3, 6, 4, 0, 1);
const MPIDR_EL1: u32 = register(3, 0, 0, 0, 5);

const XZR: u32 = 31;
const fn msr(register: u32, from: u32) -> u32 {
    0xd510_0000 | register | from
}
const fn mrs(to: u32, register: u32) -> u32 {
    0xd530_0000 | register | to
}
const fn movz(to: u32, value: u32) -> u32 {
    0xd280_0000 | value << 5 | to
}
const fn movk_16(to: u32, value: u32) -> u32 {
    0xf2a0_0000 | value << 5 | to
}

/// Words by which a waiting core is sent on, 8 bytes a core.
const SPIN_TABLE: u32 = 0xd8;

/// The code, for address 0.
pub(super) fn code(counter_hz: u32, kernel: u32) -> Vec<u32> {
    vec![
        // Take part in coherency.
        mrs(0, CPUECTLR_EL1),
        0xb27a_0000, // orr x0, x0, #0x40
        msr(CPUECTLR_EL1, 0),
        movz(0, counter_hz & 0xffff),
        movk_16(0, counter_hz >> 16),
        msr(CNTFRQ_EL0, 0),
        msr(CNTVOFF_EL2, XZR),
        // No trap of floating point.
        movz(0, 0x33ff),
        msr(CPTR_EL3, 0),
        // The next level is AArch64 and not secure; HVC works, SMC does not.
        movz(0, 0x5b1),
        msr(SCR_EL3, 0),
        movz(0, 0x73),
        msr(ACTLR_EL3, 0),
        // To EL2h with everything masked.
        movz(0, 0x3c9),
        msr(SPSR_EL3, 0),
        0x1000_0060, // adr x0, in_el2
        msr(ELR_EL3, 0),
        0xd69f_03e0, // eret
        // in_el2:
        mrs(6, MPIDR_EL1),
        0x9240_04c6, // and x6, x6, #3
        0xb400_00e6, // cbz x6, primary
        movz(5, SPIN_TABLE),
        // waiting:
        0xd503_205f, // wfe
        0xf866_78a4, // ldr x4, [x5, x6, lsl #3]
        0xb4ff_ffc4, // cbz x4, waiting
        movz(0, 0),
        0xd61f_0080, // br x4
        // primary:
        0x1800_0064, // ldr w4, kernel
        movz(0, 0),
        0xd61f_0080, // br x4
        // kernel:
        kernel,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_ends_before_the_words_that_release_the_cores() {
        assert!(code(19_200_000, 0x8_0000).len() * 4 <= SPIN_TABLE as usize);
    }
}
