//! The VideoCore IV VPU: two scalar cores, each with a vector unit (VPU fact sheet 6).
//!
//! ```text
//! core         one core: state, and the frame around the fast path
//! bus          what a core needs of the machine
//! decode       instruction words to the dense form ─→ op, operation
//! page_cache   decoded instructions, a page of RAM at a time
//! hot          the fast path: registers and RAM only
//! execute      one instruction with everything it can do: devices, interrupts, exceptions
//! vector       the vector unit
//! trail        where execution came from
//! disassemble  instruction words as text
//! fault        why a core stopped
//! ```

pub mod bus;
mod core;
mod decode;
mod disassemble;
mod execute;
mod fault;
mod hot;
mod op;
mod operation;
mod page_cache;
mod registers;
#[cfg(test)]
mod tests;
mod trail;
mod vector;

pub use self::core::{Core, Outcome, Run};
pub use disassemble::{disassemble, is_known_instruction};
pub use fault::{Fault, FaultKind};
