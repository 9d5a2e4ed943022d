//! The VideoCore IV VPU: two scalar cores, each with a vector unit (VPU fact sheet 6).
//!
//! ```text
//! core         one core: registers, state, the run loop
//! bus          what a core needs of the machine
//! fault        why a core stopped
//! ```

pub mod bus;
mod core;
mod disassemble;
mod fault;

pub use self::core::{Core, Outcome, Run};
pub use disassemble::disassemble;
pub use fault::{Fault, FaultKind};
