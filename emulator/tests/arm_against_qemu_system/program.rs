//! The program that both machines run, and the instructions it tries.

/// Where the program is loaded and entered, at EL2.
pub(crate) const CODE: u32 = 0x8_0000;
/// Offset of the exception vectors; every one of them branches to `HANDLER`.
pub(crate) const VECTORS: u32 = 0x800;
/// Index of the first word of the exception handler in `PROGRAM`.
pub(crate) const HANDLER: u32 = 53;

/// Sets EL1 up from the parameter block, then for each case: writes two descriptors and SCTLR_EL1, goes to the
/// case's instruction by an exception return, and sends ESR, FAR, ELR, SPSR, PAR and x0 to the UART when the
/// exception comes back.
#[rustfmt::skip]
pub(crate) const PROGRAM: [u32; 80] = [
    0xd2a0_041b, // mov x27, #2097152
    0xd2b0_0000, // mov x0, #2147483648
    0xd51c_1100, // msr HCR_EL2, x0
    0xd286_7fe0, // mov x0, #13311
    0xd51c_1140, // msr CPTR_EL2, x0
    0xd280_00c0, // mov x0, #6
    0xd51c_1120, // msr MDCR_EL2, x0
    0xd280_0060, // mov x0, #3
    0xd51c_e100, // msr CNTHCTL_EL2, x0
    0xd518_e11f, // msr CNTKCTL_EL1, xzr
    0xd51b_9e1f, // msr PMUSERENR_EL0, xzr
    0xd518_105f, // msr CPACR_EL1, xzr
    0xd281_0000, // mov x0, #2048
    0xf2a0_0100, // movk x0, #8, lsl #16
    0xd518_c000, // msr VBAR_EL1, x0
    0xa940_0760, // ldp x0, x1, [x27]
    0xd518_a200, // msr MAIR_EL1, x0
    0xd518_2041, // msr TCR_EL1, x1
    0xa941_0760, // ldp x0, x1, [x27, #16]
    0xd518_2000, // msr TTBR0_EL1, x0
    0xd518_2021, // msr TTBR1_EL1, x1
    0xa942_5b75, // ldp x21, x22, [x27, #32]
    0xa943_6377, // ldp x23, x24, [x27, #48]
    0xf940_2360, // ldr x0, [x27, #64]
    0xd518_1000, // msr SCTLR_EL1, x0
    0xd280_78a0, // mov x0, #965
    0xd51c_4000, // msr SPSR_EL2, x0
    0x1000_0080, // adr x0, #16
    0xd51c_4020, // msr ELR_EL2, x0
    0x9140_0774, // add x20, x27, #1, lsl #12   // =4096
    0xd69f_03e0, // eret
    0xb400_0295, // cbz x21, 0xcc
    0xa940_0680, // ldp x0, x1, [x20]
    0xf900_02e0, // str x0, [x23]
    0xf900_0301, // str x1, [x24]
    0xa941_0e82, // ldp x2, x3, [x20, #16]
    0xd503_3f9f, // dsb sy
    0xd508_871f, // tlbi vmalle1
    0xd503_3f9f, // dsb sy
    0xd518_1002, // msr SCTLR_EL1, x2
    0xd518_4023, // msr ELR_EL1, x3
    0xa942_0684, // ldp x4, x1, [x20, #32]
    0xd518_4004, // msr SPSR_EL1, x4
    0xd518_4101, // msr SP_EL0, x1
    0x9100_003f, // mov sp, x1
    0xd518_601f, // msr FAR_EL1, xzr
    0xd518_741f, // msr PAR_EL1, xzr
    0xd280_0aa0, // mov x0, #85
    0xd280_0ee2, // mov x2, #119
    0xd503_3fdf, // isb
    0xd69f_03e0, // eret
    0xd503_207f, // wfi
    0x17ff_ffff, // b 0xcc
    0xd538_5205, // mrs x5, ESR_EL1
    0xd538_6006, // mrs x6, FAR_EL1
    0xd538_4027, // mrs x7, ELR_EL1
    0xd538_4008, // mrs x8, SPSR_EL1
    0xd538_7409, // mrs x9, PAR_EL1
    0xaa05_03ea, // mov x10, x5
    0x9400_000e, // bl 0x124
    0xaa06_03ea, // mov x10, x6
    0x9400_000c, // bl 0x124
    0xaa07_03ea, // mov x10, x7
    0x9400_000a, // bl 0x124
    0xaa08_03ea, // mov x10, x8
    0x9400_0008, // bl 0x124
    0xaa09_03ea, // mov x10, x9
    0x9400_0006, // bl 0x124
    0xaa00_03ea, // mov x10, x0
    0x9400_0004, // bl 0x124
    0x9100_c294, // add x20, x20, #48
    0xd100_06b5, // sub x21, x21, #1
    0x17ff_ffd7, // b 0x7c
    0xd280_010b, // mov x11, #8
    0x1200_1d4c, // and w12, w10, #0xff
    0xb900_02cc, // str w12, [x22]
    0xd348_fd4a, // lsr x10, x10, #8
    0xf100_056b, // subs x11, x11, #1
    0x54ff_ff81, // b.ne 0x128
    0xd65f_03c0, // ret
];

/// The instructions tried: each is followed by `svc #0xabc`, so an exception always comes. x1 and SP hold the
/// case's address, x0 is 0x55. Cache maintenance by address is left out: QEMU does not translate for it.
pub(crate) const TRIED: [(u32, &str); 38] = [
    (0xf940_0020, "ldr x0, [x1]"),
    (0xf900_0020, "str x0, [x1]"),
    (0x3940_0020, "ldrb w0, [x1]"),
    (0x3900_0020, "strb w0, [x1]"),
    (0xa940_0820, "ldp x0, x2, [x1]"),
    (0xa900_0820, "stp x0, x2, [x1]"),
    (0xf840_0820, "ldtr x0, [x1]"),
    (0xf800_0820, "sttr x0, [x1]"),
    (0xc8df_fc20, "ldar x0, [x1]"),
    (0xc89f_fc20, "stlr x0, [x1]"),
    (0xc85f_7c20, "ldxr x0, [x1]"),
    (0xf940_03e0, "ldr x0, [sp]"),
    (0xd61f_0020, "br x1"),
    (0xd508_7801, "at s1e1r, x1"),
    (0xd508_7821, "at s1e1w, x1"),
    (0xd508_7841, "at s1e0r, x1"),
    (0xd508_7861, "at s1e0w, x1"),
    (0xd50b_7421, "dc zva, x1"),
    (0xf980_0020, "prfm pldl1keep, [x1]"),
    (0xd53b_0020, "mrs x0, CTR_EL0"),
    (0xd53b_00e0, "mrs x0, DCZID_EL0"),
    (0xd53b_4220, "mrs x0, DAIF"),
    (0xd503_43df, "msr DAIFSet, #3"),
    (0xd503_44ff, "msr DAIFClr, #4"),
    (0xd53b_9d00, "mrs x0, PMCCNTR_EL0"),
    (0xd53b_4200, "mrs x0, NZCV"),
    (0xd538_4240, "mrs x0, CurrentEL"),
    (0xd53c_1000, "mrs x0, SCTLR_EL2"),
    (0xd53b_4400, "mrs x0, FPCR"),
    (0x1e62_2820, "fadd d0, d1, d2"),
    (0xd420_2460, "brk #0x123"),
    (0xd400_6421, "svc #0x321"),
    (0xd538_4200, "mrs x0, SPSel"),
    (0xd538_0000, "mrs x0, MIDR_EL1"),
    (0xd538_0700, "mrs x0, ID_AA64MMFR0_EL1"),
    (0xd538_ffe0, "mrs x0, S3_0_C15_C15_7"),
    (0xd53b_d040, "mrs x0, TPIDR_EL0"),
    (0xd500_40bf, "msr SPSel, #0"),
];

/// `svc #0xabc`
pub(crate) const SVC: u32 = 0xd401_5781;
/// `svc #7`, which fills the page that the cases access.
pub(crate) const SVC_IN_PAGE: u32 = 0xd400_00e1;
