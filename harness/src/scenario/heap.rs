//! Blocks of VideoCore's own heap: made, pinned, resized, let go (VCSM fact sheet 9).
//!
//! Their memory is VideoCore's and out of the image's reach, so what is in them is not looked at.

use vchiq_mbox::property::{LockMemory, MemoryHandle, UnlockMemory};
use vcsm::{Block, BlockSize, Error, wire::CacheType};

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, Client, PLACES},
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "heap",
    group: Group::Smem,
    needs: Needs::VideoCore,
    proves: "the old requests of the service still work: ALLOC, LOCK, UNLOCK, UNLOCK_NOANS, RESIZE and FREE of heap blocks",
    asked_by: "users of the older vcsm driver (userland PR #445)",
    steps: &["open", "cached", "non-cached", "close"],
    passes_when: "the block is aligned as asked, stays where it is while it is locked, is locked by the mailbox at the same \
                  address, and every request is answered",
};

/// Bytes of a unit, and the alignment asked for.
const UNIT: u32 = 4096;
const SIZE: BlockSize = BlockSize { unit: UNIT, count: 4, alignment: UNIT, cache: CacheType::Cached };
/// Bytes after RESIZE.
const RESIZED: u32 = 8 * UNIT;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| {
        for (step, cache) in [("cached", CacheType::Cached), ("non-cached", CacheType::NonCached)] {
            let mut memory = 0;
            session.step(step, |session| {
                for _ in 0..session.plan.iterations.min(MOST) {
                    memory = live(session, client, BlockSize { cache, ..SIZE })?;
                }
                Ok(())
            })?;
            // Bits 31:30 tell the alias.
            counts.set(step, u64::from(memory >> 30));
        }
        counts.set("blocks", u64::from(2 * session.plan.iterations.min(MOST)));
        Ok(())
    })
}

/// Blocks of a kind; more would tell no more.
const MOST: u32 = 100;

/// The life of a block. Gives VideoCore's pointer to it.
fn live<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    size: BlockSize,
) -> Result<u32, Failure> {
    session.check_run_time()?;
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let made = client.alloc(&mut session.link, size, deadline);
    let (block, _) = made.map_err(|error| session.link_failure(error))?;
    let memory = lock_twice(session, client, &block)?;
    let result = client.resize(&mut session.link, &block, RESIZED, deadline).map(drop);
    result.map_err(|error| session.link_failure(error))?;
    lock_twice(session, client, &block)?;
    let freed = client.free_heap(&mut session.link, block, deadline);
    freed.map_err(|failure| session.link_failure(failure.error))?;
    Ok(memory)
}

/// Locks twice and by mailbox, compares the addresses, takes all locks back. Gives the address.
fn lock_twice<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    block: &Block,
) -> Result<u32, Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let first =
        client.lock(&mut session.link, block, deadline).map_err(|error| session.link_failure(error))?;
    let second =
        client.lock(&mut session.link, block, deadline).map_err(|error| session.link_failure(error))?;
    let handle = MemoryHandle(block.handle().number());
    let by_mailbox = session.ask::<LockMemory>(handle)?;
    let status = session.ask::<UnlockMemory>(handle)?;
    // One answered, one not: LOCK after both shows that the count is right.
    let unlocked = client
        .unlock(&mut session.link, block, deadline)
        .map(drop)
        .and_then(|()| client.unlock_without_answer(&mut session.link, block, deadline));
    unlocked.map_err(|error: Error| session.link_failure(error))?;
    let found = by_mailbox.map_or(0, |address| address.0);
    let wrong = if first.memory == 0 || !first.memory.is_multiple_of(UNIT) {
        "is not aligned as asked"
    } else if second.memory != first.memory {
        "moves while it is locked"
    } else if found & 0x3fff_ffff != first.memory & 0x3fff_ffff {
        "is elsewhere for the mailbox"
    } else if status != 0 {
        "is not unlocked by the mailbox"
    } else {
        return Ok(first.memory);
    };
    Err(Failure::fail(Owner::Firmware, format_args!("a heap block {wrong}"))
        .with("handle", handle.0)
        .with("first", first.memory)
        .with("second", second.memory)
        .with("mailbox", found)
        .with("status", status))
}
