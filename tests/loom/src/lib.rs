//! A board whose memory, barriers and doorbell are loom's, for the real driver to run on.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p loom-models --target-dir target/loom` runs every interleaving, and every value that a
//! weakly ordered memory may give to a load, of the short scenarios in `tests/`. Without the flag the package is
//! empty.
#![cfg(loom)]
#![forbid(unsafe_code)]

mod bell;
mod board;
mod memory;
mod peer;
mod scenario;

pub use bell::Bell;
pub use board::{Board, Mistake};
pub use memory::Memory;
pub use peer::Peer;
pub use scenario::{Scenario, explore};

/// Byte offsets of VCHIQ fact sheet 2.2, written down again: a mistake in the driver's own would not be repeated.
pub mod offset {
    /// VideoCore's half of slot zero.
    pub const MASTER: usize = 0x020;
    /// The Arm's half.
    pub const SLAVE: usize = 0x194;
    /// Within a half: its half is ready.
    pub const INITIALISED: usize = 0x00;
    /// Within a half: the event for new messages.
    pub const TRIGGER: usize = 0x10;
    /// Within a half: end of what has been published.
    pub const TX_POS: usize = 0x1c;
    /// Within a half: the event for returned slots.
    pub const RECYCLE: usize = 0x20;
    /// Within a half: slots ever available.
    pub const SLOT_QUEUE_RECYCLE: usize = 0x2c;
    /// Within a half: the slots in their order of use.
    pub const SLOT_QUEUE: usize = 0x48;
    /// Within an event: its owner wants the doorbell.
    pub const ARMED: usize = 0;
    /// Within an event: the other side has signalled.
    pub const FIRED: usize = 4;
    /// Bytes of a slot.
    pub const SLOT: usize = 4096;
}
