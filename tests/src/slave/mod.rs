//! A slave written from `docs/protocol` alone, to see whether those chapters are enough.
//!
//! It uses nothing of the drivers but the board's traits: no layout, no number and no order is taken from them. It polls,
//! has one caller, and believes nothing it reads. Whatever breaks the protocol ends the test.

mod link;
mod property;
mod rig;

pub use link::{Received, Slave, lay_out};
pub use property::{Answer, Property};
pub use rig::{Rig, VCHIQ_INIT, boot, boot_with, read};

/// Bytes of words as they lie in memory.
pub fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The payload of OPEN (chapter 5).
pub fn open(fourcc: &[u8; 4], version: u16, oldest: u16) -> Vec<u8> {
    let mut payload: Vec<u8> = fourcc.iter().rev().copied().collect();
    payload.extend([0; 4]);
    payload.extend(version.to_le_bytes());
    payload.extend(oldest.to_le_bytes());
    payload
}

/// A msgid (chapter 3).
pub const fn msgid(kind: u32, from: u32, to: u32) -> u32 {
    kind << 24 | from << 12 | to
}

/// Types of messages (chapter 3).
#[expect(missing_docs, reason = "the names of the protocol")]
pub mod kind {
    pub const PADDING: u32 = 0;
    pub const CONNECT: u32 = 1;
    pub const OPEN: u32 = 2;
    pub const OPENACK: u32 = 3;
    pub const CLOSE: u32 = 4;
    pub const DATA: u32 = 5;
    pub const BULK_RX: u32 = 6;
    pub const BULK_TX: u32 = 7;
    pub const BULK_RX_DONE: u32 = 8;
    pub const BULK_TX_DONE: u32 = 9;
    pub const PAUSE: u32 = 10;
    pub const RESUME: u32 = 11;
    pub const REMOTE_USE: u32 = 12;
    pub const REMOTE_RELEASE: u32 = 13;
    pub const REMOTE_USE_ACTIVE: u32 = 14;
}
