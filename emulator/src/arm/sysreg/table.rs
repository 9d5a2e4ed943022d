//! The table: every system register and system instruction the core knows.

use super::{Behaviour, Encoding, NEVER, Permission, Pmu, Row, Timer};
use Behaviour::*;

/// Read and write from EL0 up.
const RW0: Permission = Permission { read: 0, write: 0 };
const RW1: Permission = Permission { read: 1, write: 1 };
const RW2: Permission = Permission { read: 2, write: 2 };
const RW3: Permission = Permission { read: 3, write: 3 };
/// Read only, from EL0 up.
const RO0: Permission = Permission { read: 0, write: NEVER };
const RO1: Permission = Permission { read: 1, write: NEVER };
const RO3: Permission = Permission { read: 3, write: NEVER };
/// Write only (system instructions), from EL0 up.
const WO0: Permission = Permission { read: NEVER, write: 0 };
const WO1: Permission = Permission { read: NEVER, write: 1 };
const WO2: Permission = Permission { read: NEVER, write: 2 };
const WO3: Permission = Permission { read: NEVER, write: 3 };
const R0W1: Permission = Permission { read: 0, write: 1 };
const R0W3: Permission = Permission { read: 0, write: 3 };

/// Expands the rows to the enumeration, the table and their length.
macro_rules! system_registers {
    ($(
        $(#[$note:meta])*
        $name:ident: $op0:literal $op1:literal $crn:literal $crm:literal $op2:literal,
        $permission:ident, $reset:expr, $behaviour:expr;
    )*) => {
        /// A system register, named as in the architecture manual; system instructions count as write-only ones.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, missing_docs)]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        pub enum Register { $( $(#[$note])* $name, )* }

        /// Rows in the order of the enumeration.
        pub(crate) static ROWS: &[Row] = &[$( Row {
            register: Register::$name,
            name: stringify!($name),
            encoding: Encoding::new($op0, $op1, $crn, $crm, $op2),
            permission: $permission,
            reset: $reset,
            behaviour: $behaviour,
        }, )*];
    };
}

/// Number of rows.
pub(crate) const COUNT: usize = ROWS.len();

// name: op0 op1 CRn CRm op2, access, reset value, behaviour
#[rustfmt::skip]
system_registers! {
    // Identification: Cortex-A53 r0p4 without cryptography, no GIC CPU interface (Cortex-A53 manual, chapter 4).
    MIDR_EL1:          3 0 0 0 0,    RO1, 0x410f_d034, PresentedBy(Register::VPIDR_EL2);
    MPIDR_EL1:         3 0 0 0 5,    RO1, 0x8000_0000, PresentedBy(Register::VMPIDR_EL2);
    REVIDR_EL1:        3 0 0 0 6,    RO1, 0x80, Fixed;
    ID_PFR0_EL1:       3 0 0 1 0,    RO1, 0x0000_0131, Fixed;
    ID_PFR1_EL1:       3 0 0 1 1,    RO1, 0x0001_1011, Fixed;
    ID_DFR0_EL1:       3 0 0 1 2,    RO1, 0x0301_0066, Fixed;
    ID_AFR0_EL1:       3 0 0 1 3,    RO1, 0x0000_0000, Fixed;
    ID_MMFR0_EL1:      3 0 0 1 4,    RO1, 0x1020_1105, Fixed;
    ID_MMFR1_EL1:      3 0 0 1 5,    RO1, 0x4000_0000, Fixed;
    ID_MMFR2_EL1:      3 0 0 1 6,    RO1, 0x0126_0000, Fixed;
    ID_MMFR3_EL1:      3 0 0 1 7,    RO1, 0x0210_2211, Fixed;
    ID_ISAR0_EL1:      3 0 0 2 0,    RO1, 0x0210_1110, Fixed;
    ID_ISAR1_EL1:      3 0 0 2 1,    RO1, 0x1311_2111, Fixed;
    ID_ISAR2_EL1:      3 0 0 2 2,    RO1, 0x2123_2042, Fixed;
    ID_ISAR3_EL1:      3 0 0 2 3,    RO1, 0x0111_2131, Fixed;
    ID_ISAR4_EL1:      3 0 0 2 4,    RO1, 0x0001_1142, Fixed;
    ID_ISAR5_EL1:      3 0 0 2 5,    RO1, 0x0001_0001, Fixed;
    MVFR0_EL1:         3 0 0 3 0,    RO1, 0x1011_0222, Fixed;
    MVFR1_EL1:         3 0 0 3 1,    RO1, 0x1211_1111, Fixed;
    MVFR2_EL1:         3 0 0 3 2,    RO1, 0x0000_0043, Fixed;
    ID_AA64PFR0_EL1:   3 0 0 4 0,    RO1, 0x2222, Fixed;
    ID_AA64DFR0_EL1:   3 0 0 5 0,    RO1, 0x1030_5106, Fixed;
    ID_AA64ISAR0_EL1:  3 0 0 6 0,    RO1, 0x0001_0000, Fixed;
    ID_AA64MMFR0_EL1:  3 0 0 7 0,    RO1, 0x1122, Fixed;
    /// Whatever else the identification space holds: reads as zero.
    RESERVED_ID:       3 0 0 4 7,    RO1, 0, Fixed;
    CCSIDR_EL1:        3 1 0 0 0,    RO1, 0, CacheSize;
    CLIDR_EL1:         3 1 0 0 1,    RO1, 0x0a20_0023, Fixed;
    /// Not the Cortex-A53's 0, but `emul`: by this alone may the image know that no board runs it.
    AIDR_EL1:          3 1 0 0 7,    RO1, 0x656d_756c, Fixed;
    CSSELR_EL1:        3 2 0 0 0,    RW1, 0, Masked(0xf);
    CTR_EL0:           3 3 0 0 1,    RO0, 0x8444_8004, Fixed;
    DCZID_EL0:         3 3 0 0 7,    RO0, 4, ZeroBlockSize;
    VPIDR_EL2:         3 4 0 0 0,    RW2, 0x410f_d034, Stored;
    VMPIDR_EL2:        3 4 0 0 5,    RW2, 0x8000_0000, Stored;

    // Control and traps.
    SCTLR_EL1:         3 0 1 0 0,    RW1, 0x00c5_0838, Translation;
    ACTLR_EL1:         3 0 1 0 1,    RW1, 0, Fixed;
    CPACR_EL1:         3 0 1 0 2,    RW1, 0, Stored;
    SCTLR_EL2:         3 4 1 0 0,    RW2, 0x30c5_0838, Translation;
    ACTLR_EL2:         3 4 1 0 1,    RW2, 0, Stored;
    HCR_EL2:           3 4 1 1 0,    RW2, 0, Routing;
    MDCR_EL2:          3 4 1 1 1,    RW2, 6, Pmu(Pmu::Setting);
    CPTR_EL2:          3 4 1 1 2,    RW2, 0x33ff, Masked(0x8010_0400);
    HSTR_EL2:          3 4 1 1 3,    RW2, 0, Stored;
    HACR_EL2:          3 4 1 1 7,    RW2, 0, Stored;
    SCTLR_EL3:         3 6 1 0 0,    RW3, 0x30c5_0838, Translation;
    ACTLR_EL3:         3 6 1 0 1,    RW3, 0, Stored;
    SCR_EL3:           3 6 1 1 0,    RW3, 0x30, Routing;
    SDER32_EL3:        3 6 1 1 1,    RW3, 0, Stored;
    CPTR_EL3:          3 6 1 1 2,    RW3, 0, Masked(0x8010_0400);
    MDCR_EL3:          3 6 1 3 1,    RW3, 0, Pmu(Pmu::Setting);

    // Translation.
    TTBR0_EL1:         3 0 2 0 0,    RW1, 0, Translation;
    TTBR1_EL1:         3 0 2 0 1,    RW1, 0, Translation;
    TCR_EL1:           3 0 2 0 2,    RW1, 0, Translation;
    TTBR0_EL2:         3 4 2 0 0,    RW2, 0, Translation;
    TCR_EL2:           3 4 2 0 2,    RW2, 0x8080_0000, Translation;
    VTTBR_EL2:         3 4 2 1 0,    RW2, 0, Translation;
    VTCR_EL2:          3 4 2 1 2,    RW2, 0x8000_0000, Translation;
    TTBR0_EL3:         3 6 2 0 0,    RW3, 0, Translation;
    TCR_EL3:           3 6 2 0 2,    RW3, 0x8080_0000, Translation;
    DACR32_EL2:        3 4 3 0 0,    RW2, 0, Stored;
    PAR_EL1:           3 0 7 4 0,    RW1, 0, Stored;
    MAIR_EL1:          3 0 10 2 0,   RW1, 0, Translation;
    AMAIR_EL1:         3 0 10 3 0,   RW1, 0, Stored;
    MAIR_EL2:          3 4 10 2 0,   RW2, 0, Translation;
    AMAIR_EL2:         3 4 10 3 0,   RW2, 0, Stored;
    MAIR_EL3:          3 6 10 2 0,   RW3, 0, Translation;
    AMAIR_EL3:         3 6 10 3 0,   RW3, 0, Stored;
    CONTEXTIDR_EL1:    3 0 13 0 1,   RW1, 0, Stored;

    // Exceptions and processor state.
    SPSR_EL1:          3 0 4 0 0,    RW1, 0, Stored;
    ELR_EL1:           3 0 4 0 1,    RW1, 0, Stored;
    AFSR0_EL1:         3 0 5 1 0,    RW1, 0, Fixed;
    AFSR1_EL1:         3 0 5 1 1,    RW1, 0, Fixed;
    ESR_EL1:           3 0 5 2 0,    RW1, 0, Masked(0xffff_ffff);
    FAR_EL1:           3 0 6 0 0,    RW1, 0, Stored;
    VBAR_EL1:          3 0 12 0 0,   RW1, 0, Masked(!0x7ff);
    SPSR_EL2:          3 4 4 0 0,    RW2, 0, Stored;
    ELR_EL2:           3 4 4 0 1,    RW2, 0, Stored;
    AFSR0_EL2:         3 4 5 1 0,    RW2, 0, Fixed;
    AFSR1_EL2:         3 4 5 1 1,    RW2, 0, Fixed;
    ESR_EL2:           3 4 5 2 0,    RW2, 0, Masked(0xffff_ffff);
    FAR_EL2:           3 4 6 0 0,    RW2, 0, Stored;
    VBAR_EL2:          3 4 12 0 0,   RW2, 0, Masked(!0x7ff);
    SPSR_EL3:          3 6 4 0 0,    RW3, 0, Stored;
    ELR_EL3:           3 6 4 0 1,    RW3, 0, Stored;
    AFSR0_EL3:         3 6 5 1 0,    RW3, 0, Fixed;
    AFSR1_EL3:         3 6 5 1 1,    RW3, 0, Fixed;
    ESR_EL3:           3 6 5 2 0,    RW3, 0, Masked(0xffff_ffff);
    FAR_EL3:           3 6 6 0 0,    RW3, 0, Stored;
    VBAR_EL3:          3 6 12 0 0,   RW3, 0, Masked(!0x7ff);
    HPFAR_EL2:         3 4 6 0 4,    RW2, 0, Stored;
    SP_EL0:            3 0 4 1 0,    RW1, 0, StackPointer(0);
    SP_EL1:            3 4 4 1 0,    RW2, 0, StackPointer(1);
    SP_EL2:            3 6 4 1 0,    RW3, 0, StackPointer(2);
    SPSel:             3 0 4 2 0,    RW1, 0, StackSelect;
    CurrentEL:         3 0 4 2 2,    RO1, 0, CurrentLevel;
    NZCV:              3 3 4 2 0,    RW0, 0, Flags;
    DAIF:              3 3 4 2 1,    RW0, 0, Daif;
    FPCR:              3 3 4 4 0,    RW0, 0, FloatingPoint;
    FPSR:              3 3 4 4 1,    RW0, 0, FloatingPoint;
    SPSR_irq:          3 4 4 3 0,    RW2, 0, Stored;
    SPSR_abt:          3 4 4 3 1,    RW2, 0, Stored;
    SPSR_und:          3 4 4 3 2,    RW2, 0, Stored;
    SPSR_fiq:          3 4 4 3 3,    RW2, 0, Stored;
    IFSR32_EL2:        3 4 5 0 1,    RW2, 0, Stored;
    FPEXC32_EL2:       3 4 5 3 0,    RW2, 0x700, Stored;
    ISR_EL1:           3 0 12 1 0,   RO1, 0, InterruptStatus;
    RVBAR_EL3:         3 6 12 0 1,   RO3, 0, Fixed;
    RMR_EL3:           3 6 12 0 2,   RW3, 1, NotObeyed;
    TPIDR_EL0:         3 3 13 0 2,   RW0, 0, Stored;
    TPIDRRO_EL0:       3 3 13 0 3,  R0W1, 0, Stored;
    TPIDR_EL1:         3 0 13 0 4,   RW1, 0, Stored;
    TPIDR_EL2:         3 4 13 0 2,   RW2, 0, Stored;
    TPIDR_EL3:         3 6 13 0 2,   RW3, 0, Stored;

    // Generic timer.
    CNTFRQ_EL0:        3 3 14 0 0,  R0W3, 0, Stored;
    CNTPCT_EL0:        3 3 14 0 1,   RO0, 0, CounterPhysical;
    CNTVCT_EL0:        3 3 14 0 2,   RO0, 0, CounterVirtual;
    CNTVOFF_EL2:       3 4 14 0 3,   RW2, 0, TimerSetting;
    CNTKCTL_EL1:       3 0 14 1 0,   RW1, 0, TimerSetting;
    CNTHCTL_EL2:       3 4 14 1 0,   RW2, 3, TimerSetting;
    CNTP_TVAL_EL0:     3 3 14 2 0,   RW0, 0, TimerValue(Timer::Physical);
    CNTP_CTL_EL0:      3 3 14 2 1,   RW0, 0, TimerControl(Timer::Physical);
    CNTP_CVAL_EL0:     3 3 14 2 2,   RW0, 0, TimerCompare(Timer::Physical);
    CNTV_TVAL_EL0:     3 3 14 3 0,   RW0, 0, TimerValue(Timer::Virtual);
    CNTV_CTL_EL0:      3 3 14 3 1,   RW0, 0, TimerControl(Timer::Virtual);
    CNTV_CVAL_EL0:     3 3 14 3 2,   RW0, 0, TimerCompare(Timer::Virtual);
    CNTHP_TVAL_EL2:    3 4 14 2 0,   RW2, 0, TimerValue(Timer::Hypervisor);
    CNTHP_CTL_EL2:     3 4 14 2 1,   RW2, 0, TimerControl(Timer::Hypervisor);
    CNTHP_CVAL_EL2:    3 4 14 2 2,   RW2, 0, TimerCompare(Timer::Hypervisor);
    CNTPS_TVAL_EL1:    3 7 14 2 0,   RW1, 0, TimerValue(Timer::SecurePhysical);
    CNTPS_CTL_EL1:     3 7 14 2 1,   RW1, 0, TimerControl(Timer::SecurePhysical);
    CNTPS_CVAL_EL1:    3 7 14 2 2,   RW1, 0, TimerCompare(Timer::SecurePhysical);

    // Performance monitors.
    PMCR_EL0:          3 3 9 12 0,   RW0, 0x4103_3000, Pmu(Pmu::Control);
    PMCNTENSET_EL0:    3 3 9 12 1,   RW0, 0, Pmu(Pmu::EnableSet);
    PMCNTENCLR_EL0:    3 3 9 12 2,   RW0, 0, Pmu(Pmu::EnableClear);
    PMOVSCLR_EL0:      3 3 9 12 3,   RW0, 0, Pmu(Pmu::OverflowClear);
    PMSWINC_EL0:       3 3 9 12 4,   WO0, 0, Pmu(Pmu::SoftwareIncrement);
    PMSELR_EL0:        3 3 9 12 5,   RW0, 0, Masked(0x1f);
    PMCEID0_EL0:       3 3 9 12 6,   RO0, 0x67ff_bfff, Fixed;
    PMCEID1_EL0:       3 3 9 12 7,   RO0, 0, Fixed;
    PMCCNTR_EL0:       3 3 9 13 0,   RW0, 0, Pmu(Pmu::CycleCounter);
    PMXEVTYPER_EL0:    3 3 9 13 1,   RW0, 0, Pmu(Pmu::SelectedType);
    PMXEVCNTR_EL0:     3 3 9 13 2,   RW0, 0, Pmu(Pmu::SelectedCounter);
    PMUSERENR_EL0:     3 3 9 14 0,  R0W1, 0, Masked(0xf);
    PMINTENSET_EL1:    3 0 9 14 1,   RW1, 0, Pmu(Pmu::InterruptSet);
    PMINTENCLR_EL1:    3 0 9 14 2,   RW1, 0, Pmu(Pmu::InterruptClear);
    PMOVSSET_EL0:      3 3 9 14 3,   RW0, 0, Pmu(Pmu::OverflowSet);
    PMEVCNTR0_EL0:     3 3 14 8 0,   RW0, 0, Pmu(Pmu::Counter(0));
    PMEVCNTR1_EL0:     3 3 14 8 1,   RW0, 0, Pmu(Pmu::Counter(1));
    PMEVCNTR2_EL0:     3 3 14 8 2,   RW0, 0, Pmu(Pmu::Counter(2));
    PMEVCNTR3_EL0:     3 3 14 8 3,   RW0, 0, Pmu(Pmu::Counter(3));
    PMEVCNTR4_EL0:     3 3 14 8 4,   RW0, 0, Pmu(Pmu::Counter(4));
    PMEVCNTR5_EL0:     3 3 14 8 5,   RW0, 0, Pmu(Pmu::Counter(5));
    PMEVTYPER0_EL0:    3 3 14 12 0,  RW0, 0, Pmu(Pmu::Type(0));
    PMEVTYPER1_EL0:    3 3 14 12 1,  RW0, 0, Pmu(Pmu::Type(1));
    PMEVTYPER2_EL0:    3 3 14 12 2,  RW0, 0, Pmu(Pmu::Type(2));
    PMEVTYPER3_EL0:    3 3 14 12 3,  RW0, 0, Pmu(Pmu::Type(3));
    PMEVTYPER4_EL0:    3 3 14 12 4,  RW0, 0, Pmu(Pmu::Type(4));
    PMEVTYPER5_EL0:    3 3 14 12 5,  RW0, 0, Pmu(Pmu::Type(5));
    PMCCFILTR_EL0:     3 3 14 15 7,  RW0, 0, Pmu(Pmu::CycleFilter);

    // Implementation defined (Cortex-A53 manual, 4.3).
    L2CTLR_EL1:        3 1 11 0 2,   RW1, 0x0300_0000, Masked(0x3f);
    L2ECTLR_EL1:       3 1 11 0 3,   RW1, 0, Stored;
    L2ACTLR_EL1:       3 1 15 0 0,   RW1, 0x8000_0008, Stored;
    CPUACTLR_EL1:      3 1 15 2 0,   RW1, 0x090c_a000, Stored;
    CPUECTLR_EL1:      3 1 15 2 1,   RW1, 0, Stored;
    CPUMERRSR_EL1:     3 1 15 2 2,   RW1, 0, Stored;
    L2MERRSR_EL1:      3 1 15 2 3,   RW1, 0, Stored;
    CBAR_EL1:          3 1 15 3 0,   RO1, 0, Fixed;

    // Debug: registers hold their values, breakpoints and watchpoints never match.
    MDCCINT_EL1:       2 0 0 2 0,    RW1, 0, Stored;
    MDSCR_EL1:         2 0 0 2 2,    RW1, 0, Stored;
    MDRAR_EL1:         2 0 1 0 0,    RO1, 0, Fixed;
    OSLAR_EL1:         2 0 1 0 4,    WO1, 0, Fixed;
    OSLSR_EL1:         2 0 1 1 4,    RO1, 0xa, Fixed;
    OSDLR_EL1:         2 0 1 3 4,    RW1, 0, Stored;
    MDCCSR_EL0:        2 3 0 1 0,    RO0, 0, Fixed;
    DBGBVR0_EL1:       2 0 0 0 4,    RW1, 0, Stored;
    DBGBCR0_EL1:       2 0 0 0 5,    RW1, 0, Stored;
    DBGBVR1_EL1:       2 0 0 1 4,    RW1, 0, Stored;
    DBGBCR1_EL1:       2 0 0 1 5,    RW1, 0, Stored;
    DBGBVR2_EL1:       2 0 0 2 4,    RW1, 0, Stored;
    DBGBCR2_EL1:       2 0 0 2 5,    RW1, 0, Stored;
    DBGBVR3_EL1:       2 0 0 3 4,    RW1, 0, Stored;
    DBGBCR3_EL1:       2 0 0 3 5,    RW1, 0, Stored;
    DBGBVR4_EL1:       2 0 0 4 4,    RW1, 0, Stored;
    DBGBCR4_EL1:       2 0 0 4 5,    RW1, 0, Stored;
    DBGBVR5_EL1:       2 0 0 5 4,    RW1, 0, Stored;
    DBGBCR5_EL1:       2 0 0 5 5,    RW1, 0, Stored;
    DBGWVR0_EL1:       2 0 0 0 6,    RW1, 0, Stored;
    DBGWCR0_EL1:       2 0 0 0 7,    RW1, 0, Stored;
    DBGWVR1_EL1:       2 0 0 1 6,    RW1, 0, Stored;
    DBGWCR1_EL1:       2 0 0 1 7,    RW1, 0, Stored;
    DBGWVR2_EL1:       2 0 0 2 6,    RW1, 0, Stored;
    DBGWCR2_EL1:       2 0 0 2 7,    RW1, 0, Stored;
    DBGWVR3_EL1:       2 0 0 3 6,    RW1, 0, Stored;
    DBGWCR3_EL1:       2 0 0 3 7,    RW1, 0, Stored;

    // Cache maintenance.
    IC_IALLUIS:        1 0 7 1 0,    WO1, 0, InstructionCache;
    IC_IALLU:          1 0 7 5 0,    WO1, 0, InstructionCache;
    IC_IVAU:           1 3 7 5 1,    WO0, 0, InstructionCache;
    DC_IVAC:           1 0 7 6 1,    WO1, 0, CacheAddress;
    DC_ISW:            1 0 7 6 2,    WO1, 0, CacheOperation;
    DC_CSW:            1 0 7 10 2,   WO1, 0, CacheOperation;
    DC_CISW:           1 0 7 14 2,   WO1, 0, CacheOperation;
    DC_ZVA:            1 3 7 4 1,    WO0, 0, ZeroBlock;
    DC_CVAC:           1 3 7 10 1,   WO0, 0, CacheAddress;
    DC_CVAU:           1 3 7 11 1,   WO0, 0, CacheAddress;
    DC_CIVAC:          1 3 7 14 1,   WO0, 0, CacheAddress;

    // Address translation.
    AT_S1E1R:          1 0 7 8 0,    WO1, 0, Translate { level: 1, write: false };
    AT_S1E1W:          1 0 7 8 1,    WO1, 0, Translate { level: 1, write: true };
    AT_S1E0R:          1 0 7 8 2,    WO1, 0, Translate { level: 0, write: false };
    AT_S1E0W:          1 0 7 8 3,    WO1, 0, Translate { level: 0, write: true };
    AT_S1E2R:          1 4 7 8 0,    WO2, 0, Translate { level: 2, write: false };
    AT_S1E2W:          1 4 7 8 1,    WO2, 0, Translate { level: 2, write: true };
    AT_S12E1R:         1 4 7 8 4,    WO2, 0, Translate { level: 1, write: false };
    AT_S12E1W:         1 4 7 8 5,    WO2, 0, Translate { level: 1, write: true };
    AT_S12E0R:         1 4 7 8 6,    WO2, 0, Translate { level: 0, write: false };
    AT_S12E0W:         1 4 7 8 7,    WO2, 0, Translate { level: 0, write: true };
    AT_S1E3R:          1 6 7 8 0,    WO3, 0, Translate { level: 3, write: false };
    AT_S1E3W:          1 6 7 8 1,    WO3, 0, Translate { level: 3, write: true };

    // TLB maintenance.
    TLBI_VMALLE1IS:    1 0 8 3 0,    WO1, 0, TlbBroadcast;
    TLBI_VAE1IS:       1 0 8 3 1,    WO1, 0, TlbBroadcast;
    TLBI_ASIDE1IS:     1 0 8 3 2,    WO1, 0, TlbBroadcast;
    TLBI_VAAE1IS:      1 0 8 3 3,    WO1, 0, TlbBroadcast;
    TLBI_VALE1IS:      1 0 8 3 5,    WO1, 0, TlbBroadcast;
    TLBI_VAALE1IS:     1 0 8 3 7,    WO1, 0, TlbBroadcast;
    TLBI_ALLE2IS:      1 4 8 3 0,    WO2, 0, TlbBroadcast;
    TLBI_VAE2IS:       1 4 8 3 1,    WO2, 0, TlbBroadcast;
    TLBI_ALLE1IS:      1 4 8 3 4,    WO2, 0, TlbBroadcast;
    TLBI_VALE2IS:      1 4 8 3 5,    WO2, 0, TlbBroadcast;
    TLBI_VMALLS12E1IS: 1 4 8 3 6,    WO2, 0, TlbBroadcast;
    TLBI_ALLE3IS:      1 6 8 3 0,    WO3, 0, TlbBroadcast;
    TLBI_VAE3IS:       1 6 8 3 1,    WO3, 0, TlbBroadcast;
    TLBI_VALE3IS:      1 6 8 3 5,    WO3, 0, TlbBroadcast;
    TLBI_IPAS2E1IS:    1 4 8 0 1,    WO2, 0, TlbBroadcast;
    TLBI_IPAS2LE1IS:   1 4 8 0 5,    WO2, 0, TlbBroadcast;
    TLBI_VMALLE1:      1 0 8 7 0,    WO1, 0, TlbLocal;
    TLBI_VAE1:         1 0 8 7 1,    WO1, 0, TlbLocal;
    TLBI_ASIDE1:       1 0 8 7 2,    WO1, 0, TlbLocal;
    TLBI_VAAE1:        1 0 8 7 3,    WO1, 0, TlbLocal;
    TLBI_VALE1:        1 0 8 7 5,    WO1, 0, TlbLocal;
    TLBI_VAALE1:       1 0 8 7 7,    WO1, 0, TlbLocal;
    TLBI_ALLE2:        1 4 8 7 0,    WO2, 0, TlbLocal;
    TLBI_VAE2:         1 4 8 7 1,    WO2, 0, TlbLocal;
    TLBI_ALLE1:        1 4 8 7 4,    WO2, 0, TlbLocal;
    TLBI_VALE2:        1 4 8 7 5,    WO2, 0, TlbLocal;
    TLBI_VMALLS12E1:   1 4 8 7 6,    WO2, 0, TlbLocal;
    TLBI_ALLE3:        1 6 8 7 0,    WO3, 0, TlbLocal;
    TLBI_VAE3:         1 6 8 7 1,    WO3, 0, TlbLocal;
    TLBI_VALE3:        1 6 8 7 5,    WO3, 0, TlbLocal;
    TLBI_IPAS2E1:      1 4 8 4 1,    WO2, 0, TlbLocal;
    TLBI_IPAS2LE1:     1 4 8 4 5,    WO2, 0, TlbLocal;
}
