//! Why a core stopped for good.

use std::fmt;

use super::bus::CoreId;
use super::disassemble::disassemble;

/// What the core could not do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// No instruction has this encoding, as far as is known.
    UnknownInstruction,
    /// The encoding is known, what it does is not known well enough to execute it.
    UnsupportedInstruction,
    /// The pc left RAM.
    FetchOutsideRam,
    /// An exception was raised while the core has no vector table.
    NoVectorTable {
        /// Number of the exception: index into the vector table.
        vector: u8,
    },
}

/// A core met something it will not guess at. It stands still at `pc` from then on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Which core.
    pub core: CoreId,
    /// Address of the instruction.
    pub pc: u32,
    /// The five halfwords from `pc` on, in memory order; the first alone decides how many belong to the instruction.
    pub halfwords: [u16; 5],
    /// What went wrong.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::FetchOutsideRam => {
                return write!(out, "execution outside RAM at {:#010x} ({:?})", self.pc, self.core);
            }
            FaultKind::UnknownInstruction => write!(out, "unknown instruction")?,
            FaultKind::UnsupportedInstruction => write!(out, "instruction without known effect")?,
            FaultKind::NoVectorTable { vector } => {
                write!(out, "exception {vector:#04x} without a vector table")?
            }
        }
        let (length, text) = disassemble(self.pc, &self.halfwords);
        write!(out, " at {:#010x} ({:?}):", self.pc, self.core)?;
        for halfword in &self.halfwords[..(length / 2) as usize] {
            write!(out, " {halfword:04x}")?;
        }
        write!(out, " ; {text}")
    }
}

impl std::error::Error for Fault {}
