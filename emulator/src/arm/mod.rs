//! An A64 core, Cortex-A53 as far as software can tell.
//!
//! ```text
//! core       Core: reset, run, what the machine asks of it
//! ├─ decode     instruction word → dense form, by encoding group
//! ├─ page_cache decoded pages, keyed by physical page
//! ├─ execute    dense form → effect on the state
//! ├─ state      general registers, PSTATE, system register values
//! ├─ sysreg     one table of system registers: name, encoding, access, reset, behaviour
//! ├─ mmu, tlb   stage 1 translation and its cache
//! ├─ exception  entry, return, syndromes
//! ├─ exclusive  the local monitor
//! └─ timer, pmu generic timer and cycle counter
//! ```

pub mod bus;
mod core;
mod fault;

pub use self::core::{Core, Outcome, Run};
pub use self::fault::{Fault, FaultKind};
