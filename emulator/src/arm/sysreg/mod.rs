//! The system registers and system instructions of a Cortex-A53: one table, and what its rows do.

mod access;
mod table;
mod traps;

pub use table::Register;
pub(crate) use table::{COUNT, ROWS};

/// `op0:op1:CRn:CRm:op2` as in bits 20:5 of MRS, MSR and SYS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Encoding(u16);

impl Encoding {
    /// From the five fields.
    pub(crate) const fn new(op0: u16, op1: u16, crn: u16, crm: u16, op2: u16) -> Self {
        Self(op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2)
    }

    /// From an MRS, MSR or SYS word.
    pub(crate) const fn of_instruction(word: u32) -> Self {
        Self((word >> 5) as u16)
    }

    /// op0, op1, CRn, CRm, op2.
    pub(crate) const fn fields(self) -> (u8, u8, u8, u8, u8) {
        let Self(all) = self;
        (
            (all >> 14) as u8,
            (all >> 11 & 7) as u8,
            (all >> 7 & 15) as u8,
            (all >> 3 & 15) as u8,
            (all & 7) as u8,
        )
    }
}

/// Who may read and write: the lowest exception level, `NEVER` if nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Permission {
    pub(crate) read: u8,
    pub(crate) write: u8,
}

/// No exception level may.
const NEVER: u8 = 4;

/// What a row does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Behaviour {
    /// Holds what was written.
    Stored,
    /// Holds these bits of what was written; the others keep their reset value.
    Masked(u64),
    /// Reads as its reset value; a write is accepted and has no effect.
    Fixed,
    /// Holds what was written; cached translations are dropped.
    Translation,
    /// Holds what was written; interrupt routing is looked at again, translations are dropped.
    Routing,
    /// MIDR_EL1 and MPIDR_EL1: at non-secure EL1 the values that EL2 presents.
    PresentedBy(Register),
    /// CCSIDR_EL1, by CSSELR_EL1.
    CacheSize,
    /// DCZID_EL0.
    ZeroBlockSize,
    CurrentLevel,
    StackSelect,
    Flags,
    Daif,
    /// ISR_EL1.
    InterruptStatus,
    /// SP_EL0 to SP_EL2.
    StackPointer(u8),
    /// FPCR and FPSR.
    FloatingPoint,
    CounterPhysical,
    CounterVirtual,
    TimerValue(Timer),
    TimerCompare(Timer),
    TimerControl(Timer),
    /// CNTKCTL and CNTHCTL, CNTVOFF.
    TimerSetting,
    Pmu(Pmu),
    /// Cache maintenance by set and way: caches are not modelled.
    CacheOperation,
    /// Cache maintenance by address: it can still fault.
    CacheAddress,
    /// IC: decoded code is checked against memory again.
    InstructionCache,
    /// DC ZVA.
    ZeroBlock,
    /// TLBI of this core.
    TlbLocal,
    /// TLBI of all cores.
    TlbBroadcast,
    /// AT: stage 1 translation as seen from this level, for a write or a read.
    Translate {
        level: u8,
        write: bool,
    },
    /// RMR_EL3 and others that would reset the core: a write is noted, not obeyed.
    NotObeyed,
}

/// One of the core's generic timers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    /// CNTP.
    Physical,
    /// CNTV.
    Virtual,
    /// CNTHP.
    Hypervisor,
    /// CNTPS.
    SecurePhysical,
}

/// A performance monitor register that does more than hold a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pmu {
    Control,
    EnableSet,
    EnableClear,
    OverflowSet,
    OverflowClear,
    InterruptSet,
    InterruptClear,
    SoftwareIncrement,
    CycleCounter,
    CycleFilter,
    SelectedType,
    SelectedCounter,
    Counter(u8),
    Type(u8),
    /// PMUSERENR, MDCR: counting may start or stop.
    Setting,
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) register: Register,
    pub(crate) name: &'static str,
    pub(crate) encoding: Encoding,
    pub(crate) permission: Permission,
    pub(crate) reset: u64,
    pub(crate) behaviour: Behaviour,
}

impl Register {
    /// The row of an encoding; none if the table does not know it.
    pub(crate) fn at(encoding: Encoding) -> Option<Self> {
        let row = ROWS.iter().find(|row| row.encoding == encoding);
        match row {
            Some(row) => Some(row.register),
            None if is_reserved_identification(encoding) => Some(Self::RESERVED_ID),
            None => None,
        }
    }

    /// Its row.
    pub(crate) fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Name in the architecture manual.
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

/// The identification space reads as zero where nothing is allocated (D17.3.1).
fn is_reserved_identification(encoding: Encoding) -> bool {
    matches!(encoding.fields(), (3, 0, 0, 1..=7, _))
}
