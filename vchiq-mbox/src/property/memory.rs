//! Memory handles: the same as those of the SMEM service (VCSM fact sheet 13).

use super::{MAX_WORDS, Tag, word};
use crate::platform::BusAddress;

/// A handle of VideoCore's memory manager. The mailbox knows no clients: what is locked stays locked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MemoryHandle(pub u32);

/// Locks a block in place; answers its bus address, or `None` if firmware refuses. Adds no reference.
pub struct LockMemory;

impl Tag for LockMemory {
    const ID: u32 = 0x0003_000d;
    const VALUE_WORDS: usize = 1;
    type Request = MemoryHandle;
    type Response = Option<BusAddress>;

    fn encode(handle: MemoryHandle, words: &mut [u32; MAX_WORDS]) {
        words[0] = handle.0;
    }

    fn decode(words: &[u32]) -> Result<Option<BusAddress>, u32> {
        Ok(match word(words, 0) {
            0 => None,
            address => Some(BusAddress(address)),
        })
    }
}

/// Undoes one [`LockMemory`]; answers a status, 0 for success.
pub struct UnlockMemory;

impl Tag for UnlockMemory {
    const ID: u32 = 0x0003_000e;
    const VALUE_WORDS: usize = 1;
    type Request = MemoryHandle;
    type Response = u32;

    fn encode(handle: MemoryHandle, words: &mut [u32; MAX_WORDS]) {
        words[0] = handle.0;
    }

    fn decode(words: &[u32]) -> Result<u32, u32> {
        Ok(word(words, 0))
    }
}
