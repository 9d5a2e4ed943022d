//! The few instructions that the tests need, by name.

use crate::arm::sysreg::Register;

pub(super) const ERET: u32 = 0xd69f_03e0;
pub(super) const NOP: u32 = 0xd503_201f;
pub(super) const YIELD: u32 = 0xd503_203f;
pub(super) const WFE: u32 = 0xd503_205f;
pub(super) const WFI: u32 = 0xd503_207f;
pub(super) const SEV: u32 = 0xd503_209f;
pub(super) const SEVL: u32 = 0xd503_20bf;
pub(super) const ISB: u32 = 0xd503_3fdf;
pub(super) const RET: u32 = 0xd65f_03c0;
/// Branch to itself.
pub(super) const SPIN: u32 = 0x1400_0000;
/// Permanently undefined.
pub(super) const UDF: u32 = 0;

/// MOVZ of the low halfword.
pub(super) fn movz(rd: u32, value: u16) -> u32 {
    0xd280_0000 | u32::from(value) << 5 | rd
}

/// ADD rd, rn, #value.
pub(super) fn add(rd: u32, rn: u32, value: u32) -> u32 {
    0x9100_0000 | value << 10 | rn << 5 | rd
}

pub(super) fn mrs(rt: u32, register: Register) -> u32 {
    0xd520_0000 | encoding(register) | rt
}

/// MSR, or a system instruction with a register.
pub(super) fn msr(register: Register, rt: u32) -> u32 {
    0xd500_0000 | encoding(register) | rt
}

fn encoding(register: Register) -> u32 {
    let (op0, op1, crn, crm, op2) = register.row().encoding.fields();
    u32::from(op0) << 19
        | u32::from(op1) << 16
        | u32::from(crn) << 12
        | u32::from(crm) << 8
        | u32::from(op2) << 5
}

/// LDR Xt, [Xn].
pub(super) fn ldr(rt: u32, rn: u32) -> u32 {
    0xf940_0000 | rn << 5 | rt
}

/// LDR Wt, [Xn].
pub(super) fn ldr_word(rt: u32, rn: u32) -> u32 {
    0xb940_0000 | rn << 5 | rt
}

/// STR Xt, [Xn].
pub(super) fn str(rt: u32, rn: u32) -> u32 {
    0xf900_0000 | rn << 5 | rt
}

/// STR Wt, [Xn].
pub(super) fn str_word(rt: u32, rn: u32) -> u32 {
    0xb900_0000 | rn << 5 | rt
}

/// LDTR Xt, [Xn].
pub(super) fn ldtr(rt: u32, rn: u32) -> u32 {
    0xf840_0800 | rn << 5 | rt
}

/// LDXR Xt, [Xn].
pub(super) fn ldxr(rt: u32, rn: u32) -> u32 {
    0xc85f_7c00 | rn << 5 | rt
}

/// STXR Ws, Xt, [Xn].
pub(super) fn stxr(rs: u32, rt: u32, rn: u32) -> u32 {
    0xc800_7c00 | rs << 16 | rn << 5 | rt
}

/// LDAR Xt, [Xn].
pub(super) fn ldar(rt: u32, rn: u32) -> u32 {
    0xc8df_fc00 | rn << 5 | rt
}

pub(super) fn br(rn: u32) -> u32 {
    0xd61f_0000 | rn << 5
}

pub(super) fn svc(immediate: u32) -> u32 {
    0xd400_0001 | immediate << 5
}

pub(super) fn hvc(immediate: u32) -> u32 {
    0xd400_0002 | immediate << 5
}

pub(super) fn smc(immediate: u32) -> u32 {
    0xd400_0003 | immediate << 5
}

pub(super) fn brk(immediate: u32) -> u32 {
    0xd420_0000 | immediate << 5
}

/// MSR DAIFSet.
pub(super) fn mask(bits: u32) -> u32 {
    0xd503_40df | bits << 8
}

/// MSR DAIFClr.
pub(super) fn unmask(bits: u32) -> u32 {
    0xd503_40ff | bits << 8
}

/// MSR SPSel.
pub(super) fn select_stack(own: u32) -> u32 {
    0xd500_40bf | own << 8
}
