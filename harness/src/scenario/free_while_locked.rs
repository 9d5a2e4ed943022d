//! FREE of a buffer that is locked by mailbox: is it given back while an address of it is in use?

use core::time::Duration;

use vchiq_mbox::property::{LockMemory, MemoryHandle, UnlockMemory};
use vcsm::{Error, Lend};

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, Client, PLACES, settle},
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "free-while-locked",
    group: Group::Lifecycle,
    needs: Needs::VideoCore,
    proves: "a buffer that VideoCore has locked is not given back by FREE, but by the unlock after it",
    asked_by: "raspberrypi/userland#445 (handles locked by mailbox); raspberrypi/firmware#1137 (memory reused while the VPU \
               may still write)",
    steps: &["open", "import", "lock", "free", "withheld", "unlock", "released", "close"],
    passes_when: "no RELEASED while the lock is held, exactly one after the unlock, the contents intact",
};

/// Bytes of the buffer.
const SIZE: usize = 4096;
/// Long enough for a RELEASED that is not withheld: it takes microseconds.
const WATCH: Duration = Duration::from_millis(20);

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| walk(session, client, counts))
}

fn walk<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let imported = session.step("import", |session| shared_memory::import(session, client, SIZE))?;
    let handle = MemoryHandle(imported.handle().number());
    let lent = client.buffer(&imported).map_err(Error::from)?.bus_address();
    session.step("lock", |session| match session.ask::<LockMemory>(handle)? {
        Some(address) if address.physical() == lent.physical() => Ok(()),
        found => Err(Failure::fail(
            Owner::Firmware,
            format_args!("lock does not answer the address that was lent"),
        )
        .with("lent", lent.0)
        .with("found", found.map_or(0, |address| address.0))),
    })?;
    let freed = session.step("free", |session| shared_memory::free(session, client, imported))?;
    let withheld = session.step("withheld", |session| {
        let deadline = session.deadline(WATCH);
        let early = settle(session, client, deadline, |client| client.outstanding().next().is_none())?;
        counts.set("released_while_locked", early.into());
        Ok(!early)
    })?;
    session.step("unlock", |session| {
        let status = session.ask::<UnlockMemory>(handle)?;
        counts.set("unlock_status", status.into());
        if status == 0 || !withheld {
            return Ok(());
        }
        Err(Failure::fail(Owner::Firmware, format_args!("unlock answers status {status:#x}"))
            .with("handle", handle.0)
            .with("status", status))
    })?;
    session.step("released", |session| {
        shared_memory::take_back(session, client, freed)?;
        if withheld {
            return Ok(());
        }
        let reason = format_args!("RELEASED while the buffer was locked: its memory was not safe to reuse");
        Err(Failure::fail(Owner::Firmware, reason).with("handle", handle.0).with("lent", lent.0))
    })
}
