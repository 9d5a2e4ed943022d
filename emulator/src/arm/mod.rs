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
//! ├─ timer, pmu generic timer and cycle counter
//! └─ ram_bus    a machine that is nothing but RAM, for tests and benchmarks
//! ```

pub mod bus;
mod core;
mod decode;
mod exception;
mod exclusive;
mod execute;
mod fault;
mod mmu;
mod page_cache;
mod pmu;
mod ram_bus;
mod state;
mod sysreg;
mod timer;
mod tlb;

#[cfg(test)]
mod tests;

pub use self::core::{Core, Outcome, Run};
pub use self::fault::{Fault, FaultKind};
pub use self::ram_bus::RamBus;
pub use self::state::Note;
pub use self::sysreg::Register;
