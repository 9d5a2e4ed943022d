//! Why a core stopped: something that the emulator will not guess.

use std::fmt;

/// The core met something that is not modelled. Nothing after it can be trusted, so the core stays stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Which core.
    pub core: u8,
    /// Virtual address of the instruction.
    pub pc: u64,
    /// The instruction word, 0 if it could not be fetched.
    pub word: u32,
    /// What is not modelled.
    pub kind: FaultKind,
}

/// What a core stopped at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// A floating-point or SIMD instruction while `CPACR`/`CPTR` allow them.
    FloatingPoint,
    /// Stage 2 translation (`HCR_EL2.VM`).
    Stage2,
    /// A translation granule other than 4 KiB.
    Granule,
    /// Big-endian data (`SCTLR_ELx.EE` or `E0E`).
    BigEndian,
    /// An exception return to AArch32.
    Aarch32,
    /// The first instruction of an exception vector raises an exception to the same vector, and would for ever.
    ExceptionLoop,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::FloatingPoint => "floating-point or SIMD instruction, which is not modelled",
            FaultKind::Stage2 => "stage 2 translation is on, which is not modelled",
            FaultKind::Granule => "translation granule other than 4 KiB, which is not modelled",
            FaultKind::BigEndian => "big-endian data accesses are on, which is not modelled",
            FaultKind::Aarch32 => "exception return to AArch32, which is not modelled",
            FaultKind::ExceptionLoop => "the exception vector raises an exception itself, for ever",
        };
        write!(f, "arm core {} at {:#x}, word {:#010x}: {what}", self.core, self.pc, self.word)
    }
}

impl std::error::Error for Fault {}
