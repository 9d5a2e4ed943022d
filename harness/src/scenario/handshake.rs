//! import → use → free → released, over blocks of 4 KiB to 4 MiB, or of the plan's sizes.
//!
//! One block at a time: filled, cleaned, imported; locked by mailbox, its address compared, its contents looked at,
//! unlocked; freed; given back by RELEASED; looked at again, guards included.

use core::time::Duration;

use vchiq_mbox::{
    BusAddress, Exchange,
    property::{LockMemory, MemoryHandle, Tag, UnlockMemory},
};
use vcsm::{Error, Imported, Returned};

use super::{
    Group, Needs, Scenario, link,
    shared_memory::{self, Client},
    steps::Steps,
};
use crate::{
    block::Block,
    board::Board,
    failure::Failure,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, Counts, Session, record},
    timing::Calibration,
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "handshake",
    group: Group::Basics,
    needs: Needs::VideoCore,
    proves: "a lent buffer is imported, used, freed and given back exactly once, untouched",
    asked_by: "camera and kernel people (raspberrypi/linux#6701, picamera2#1090, linux#3220)",
    steps: &["open", "version", "import", "use", "free", "released", "integrity", "close"],
    passes_when: "as many RELEASED as imports, each with the address, size, id and handle of its import; lock \
                  returns the imported address; the pattern and the guards around it are intact",
};

/// Sizes in bytes: 4 KiB to 4 MiB, doubling. Eleven, a prime: any step walks through all of them.
const SIZES: u32 = 11;
const SMALLEST: usize = 4096;
/// A second RELEASED would come at once; so long is waited for one after the last handshake.
const STRAGGLERS: Duration = Duration::from_millis(5);

const STEPS: Steps<11> = Steps([
    "import",
    "import.submit",
    "import.doorbell_to_irq",
    "import.parse",
    "use",
    "use.lock",
    "use.unlock",
    "free",
    "released",
    "released.doorbell_to_irq",
    "released.parse",
]);
/// Places in [`STEPS`].
mod at {
    pub(super) const IMPORT: usize = 0;
    pub(super) const USE: usize = 4;
    pub(super) const LOCK: usize = 5;
    pub(super) const UNLOCK: usize = 6;
    pub(super) const FREE: usize = 7;
    pub(super) const RELEASED: usize = 8;
}

/// A step and why it did not pass.
type Stopped = (&'static str, Failure);

/// What happened, in numbers.
#[derive(Default)]
struct Tally {
    handshakes: u64,
    locks: u64,
    slept: u64,
    stalls: u64,
    /// Address bits 31:30 that the lock tag answers.
    alias: u64,
}

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let result = shake_hands(session, &mut tally, counts);
    let overflow = STEPS.emit(session);
    counts.set("handshakes", tally.handshakes);
    counts.set("locks", tally.locks);
    counts.set("lock_alias", tally.alias);
    counts.set("slept", tally.slept);
    counts.set("stalls", tally.stalls);
    counts.set("overflow", overflow);
    result
}

fn shake_hands<B: Board>(
    session: &mut Session<'_, B>,
    tally: &mut Tally,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let mut client = session.step("open", |session| {
        session.calibration()?;
        link::ensure_up(session)?;
        shared_memory::open(session)
    })?;
    session.step("version", |_| shared_memory::check_version::<B, _>(&client))?;

    // One record for all: nothing is sent to the PC within a handshake.
    session.journal.step_start(session.scenario, "cycle");
    let stopped = cycle(session, &mut client, tally).err();
    for step in ["import", "use", "free", "released", "integrity"] {
        let failure = stopped.as_ref().filter(|(broken, _)| *broken == step).map(|(_, failure)| failure);
        session.journal.step_end(session.scenario, step, failure);
        if failure.is_some() {
            break;
        }
    }
    let counters = client.counters();
    counts.set("imports", counters.imports);
    counts.set("released", counters.released);
    counts.set("violations", counters.violations);
    session.next_kernel_id = client.next_kernel_id();

    let closed = session.step("close", |session| shared_memory::close(session, &mut client));
    match stopped {
        Some((_, failure)) => Err(failure),
        None => closed,
    }
}

/// All handshakes, then a look for stragglers.
fn cycle<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B>,
    tally: &mut Tally,
) -> Result<(), Stopped> {
    for number in 0..session.plan.iterations {
        session.check_run_time().map_err(|failure| ("import", failure))?;
        shake_hands_once(session, client, number, tally)?;
        super::note_progress(session, number + 1, 1);
    }
    let deadline = session.deadline(STRAGGLERS);
    while !deadline.has_passed(&session.clock) {
        client.poll(&mut session.link).map_err(|error| ("released", session.link_failure(error)))?;
    }
    let counters = client.counters();
    if counters.released == counters.imports {
        return Ok(());
    }
    let (imports, released) = (counters.imports, counters.released);
    let reason = format_args!("{imports} imports, {released} RELEASED");
    Err(("released", Failure::fail(Owner::Firmware, reason)))
}

fn shake_hands_once<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B>,
    number: u32,
    tally: &mut Tally,
) -> Result<(), Stopped> {
    let pattern = Pattern::new(session.plan.seed.wrapping_add(u64::from(number)));
    let size = session.plan.size_in_turn(number).unwrap_or_else(|| size_of_block(session.plan.seed, number));
    let block = session.lending.take(size, pattern).map_err(|failure| ("import", failure))?;
    block.fill();
    let imported = import(session, client, block, tally).map_err(|failure| ("import", failure))?;
    use_block(session, client, &imported, tally).map_err(|failure| ("use", failure))?;
    let block = give_back(session, client, imported, tally)?;
    block.check().map_err(|damage| ("integrity", damage.failure("after RELEASED")))?;
    session.lending.put_back(&block);
    tally.handshakes += 1;
    Ok(())
}

/// The sizes in an order that the seed chooses; each comes once in eleven handshakes.
fn size_of_block(seed: u64, number: u32) -> usize {
    let sizes = u64::from(SIZES);
    let step = 1 + seed % (sizes - 1);
    SMALLEST << ((seed / (sizes - 1) + u64::from(number) * step) % sizes)
}

fn import<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B>,
    block: Block<'a, B::Lendable>,
    tally: &mut Tally,
) -> Result<Imported, Failure> {
    let calibration = session.calibration()?;
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let (address, size) = (vcsm::Lend::bus_address(&block), vcsm::Lend::size(&block));
    let result = client.import(&mut session.link, block, deadline);
    let imported = result.map_err(|failure| {
        session.link_failure(failure.error).with("address", address.0).with("size", size)
    })?;
    let exchange = client.import_exchange(&imported).map_err(Error::from)?;
    tally.slept += u64::from(super::record_parts(session.samples, at::IMPORT, &calibration, &exchange));
    Ok(imported)
}

/// Locks by mailbox, compares the address, looks at the contents, unlocks.
fn use_block<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &Client<'a, B>,
    imported: &Imported,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let handle = MemoryHandle(imported.handle().number());
    let block = client.buffer(imported).map_err(Error::from)?;
    let lent = vcsm::Lend::bus_address(block);
    let (locked, lock_cycles) = timed::<B, LockMemory>(session, handle, at::LOCK, tally)?;
    tally.locks += 1;
    let looked_at = check_lock(locked, lent, handle)
        .and_then(|()| block.check().map_err(|damage| damage.failure("while imported")));
    // Unlocked also after a failure: nobody else would, and FREE of a locked handle is a fault of its own.
    let (status, unlock_cycles) = timed::<B, UnlockMemory>(session, handle, at::UNLOCK, tally)?;
    looked_at?;
    if status != 0 {
        return Err(Failure::fail(Owner::Firmware, format_args!("unlock answers status {status:#x}"))
            .with("handle", handle.0)
            .with("status", status));
    }
    tally.alias = locked.map_or(0, |address| u64::from(address.0 >> 30));
    session.samples.record(at::USE, lock_cycles + unlock_cycles);
    Ok(())
}

/// Asks a tag and records how long it took, in the histogram at `step`.
fn timed<B: Board, T: Tag>(
    session: &mut Session<'_, B>,
    request: T::Request,
    step: usize,
    tally: &mut Tally,
) -> Result<(T::Response, u64), Failure> {
    use vchiq_mbox::Clock;

    let calibration = session.calibration()?;
    let begin = session.clock.now();
    let answer = session.ask::<T>(request);
    let elapsed = calibration.elapsed(begin, session.clock.now());
    let answer = answer?;
    tally.slept += u64::from(record(session.samples, step, elapsed));
    Ok((answer, elapsed.cycles))
}

/// The address must be the one that was lent; in which alias the firmware answers is its own affair.
fn check_lock(locked: Option<BusAddress>, lent: BusAddress, handle: MemoryHandle) -> Result<(), Failure> {
    let Some(address) = locked else {
        let reason = format_args!("lock of the imported handle refused");
        return Err(Failure::fail(Owner::Firmware, reason).with("handle", handle.0).with("lent", lent.0));
    };
    if address.physical() == lent.physical() {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("lock answers another address than was lent"))
        .with("handle", handle.0)
        .with("lent", lent.0)
        .with("found", address.0))
}

/// Frees, and waits until the block is ours again.
fn give_back<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B>,
    imported: Imported,
    tally: &mut Tally,
) -> Result<Block<'a, B::Lendable>, Stopped> {
    let calibration = session.calibration().map_err(|failure| ("free", failure))?;
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let freed = client
        .free(&mut session.link, imported, deadline)
        .map_err(|failure| ("free", session.link_failure(failure.error)))?;
    let submitted = freed.submitted();
    let returned = client.await_released(&mut session.link, freed, deadline);
    let Returned { buffer, exchange, .. } =
        returned.map_err(|failure| ("released", session.link_failure(failure.error)))?;
    tally.stalls += u64::from(submitted.stalls);
    record(session.samples, at::FREE, calibration.elapsed(submitted.begin, submitted.rung));
    tally.slept += u64::from(record_released(session, &calibration, &exchange));
    Ok(buffer)
}

/// From FREE's doorbell to RELEASED, decoded.
fn record_released<B: Board>(
    session: &mut Session<'_, B>,
    calibration: &Calibration,
    exchange: &Exchange,
) -> bool {
    let slept = record(session.samples, at::RELEASED, calibration.elapsed(exchange.rung, exchange.parsed));
    super::record_answer(session.samples, at::RELEASED + 1, calibration, exchange);
    slept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_walks_through_all_sizes_once_in_eleven() {
        for seed in 0..200 {
            let mut sizes: Vec<usize> = (0..SIZES).map(|number| size_of_block(seed, number)).collect();
            sizes.sort_unstable();
            let all: Vec<usize> = (0..SIZES).map(|shift| SMALLEST << shift).collect();
            assert_eq!(sizes, all, "seed {seed}");
        }
        assert_eq!(SMALLEST << (SIZES - 1), crate::board::LARGEST_BLOCK_BYTES);
        assert!((0..SIZES).any(|number| size_of_block(1, number) != size_of_block(2, number)));
    }

    #[test]
    fn the_lock_s_alias_does_not_matter_but_its_address_does() {
        let lent = BusAddress(0xc010_1000);
        let handle = MemoryHandle(0xc000_0020);
        assert_eq!(check_lock(Some(BusAddress(0x0010_1000)), lent, handle), Ok(()));
        assert_eq!(check_lock(Some(lent), lent, handle), Ok(()));
        assert!(check_lock(Some(BusAddress(0xc010_2000)), lent, handle).is_err());
        assert!(check_lock(None, lent, handle).is_err());
    }
}
