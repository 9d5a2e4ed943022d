//! The SMEM service, as scenarios use it.

use core::time::Duration;

use vchiq_mbox::{Deadline, Window};
use vcsm::{Error, Freed, Imported, Lendable, Misuse, Options, ProtocolVersion, Returned, Smem, Violation};

use super::{leftovers, link};
use crate::{
    block::Block,
    board::Board,
    failure::Failure,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, CONTROL_TIMEOUT, Session},
    verdict::Owner,
};

/// Buffers out at a time; one more than needed, so that a late one is reported and not refused.
pub(super) const PLACES: usize = 2;
/// CLIENT_VERSION took 1.5 ms on a board with logging on (VCSM fact sheet 5).
const VERSION_TIMEOUT: Duration = Duration::from_millis(500);

/// The client for blocks of a board.
pub(super) type Client<'a, B, const N: usize = PLACES> = Smem<Block<'a, <B as Board>::Lendable>, N>;

/// What a client tells of itself and may lend, unless a scenario wants it otherwise.
pub(super) fn options<B: Board>(session: &Session<'_, B>) -> Options {
    let memory = session.lending.memory();
    let start = memory.bus_address().physical();
    Options {
        version_timeout: VERSION_TIMEOUT,
        first_transaction: session.plan.first_transaction,
        first_kernel_id: session.next_kernel_id,
        lendable: Lendable { start, end: start.saturating_add(memory.len() as u32) },
        ..Options::default()
    }
}

/// Opens the service; a refusal means that the firmware does not have it.
pub(super) fn open<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
) -> Result<Client<'a, B, N>, Failure> {
    let options = options(session);
    open_with(session, &options)
}

/// Opens the service with options of its own.
pub(super) fn open_with<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    options: &Options,
) -> Result<Client<'a, B, N>, Failure> {
    leftovers::check(session)?;
    session.smem_version_told |= options.tells_version;
    let deadline = session.deadline(CONTROL_TIMEOUT);
    Smem::open(&mut session.link, options, deadline).map_err(|error| match error {
        Error::Absent => session.service_absent("SMEM"),
        error => session.link_failure(error),
    })
}

/// The link up, the service open, and a firmware that tells when it is done with a buffer.
pub(super) fn ready<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
) -> Result<Client<'a, B, N>, Failure> {
    link::ensure_up(session)?;
    let client = open(session)?;
    check_version::<B, N>(&client)?;
    Ok(client)
}

/// Runs the steps of a scenario between `open` and `close`. The service is closed after a failure too, unless a buffer is
/// out.
pub(super) fn with_client<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    body: impl FnOnce(&mut Session<'a, B>, &mut Client<'a, B, N>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut client = session.step("open", ready)?;
    let result = body(session, &mut client);
    session.next_kernel_id = client.next_kernel_id();
    let closed = session.step("close", |session| close(session, &mut client));
    result.and(closed)
}

/// The firmware tells when it is done with a buffer: protocol version 2 or later.
pub(super) fn check_version<B: Board, const N: usize>(client: &Client<'_, B, N>) -> Result<(), Failure> {
    match client.version() {
        ProtocolVersion::Notifying(_) => Ok(()),
        ProtocolVersion::One => Err(Failure::absent(format_args!(
            "version 1 firmware: no answer to CLIENT_VERSION, it never says when it is done with a buffer"
        ))),
    }
}

/// Lends a fresh block of `size` bytes.
pub(super) fn import<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    size: usize,
) -> Result<Imported, Failure> {
    let block = session.lending.take(size, next_pattern(session, client))?;
    lend(session, client, block)
}

/// The pattern of the block that is lent next.
pub(super) fn next_pattern<B: Board, const N: usize>(
    session: &Session<'_, B>,
    client: &Client<'_, B, N>,
) -> Pattern {
    Pattern::new(session.plan.seed ^ u64::from(client.next_kernel_id()))
}

/// Fills a block and lends it.
pub(super) fn lend<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    block: Block<'a, B::Lendable>,
) -> Result<Imported, Failure> {
    block.fill();
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let imported = client.import(&mut session.link, block, deadline);
    imported.map_err(|failure| session.link_failure(failure.error))
}

/// Sends FREE.
pub(super) fn free<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    imported: Imported,
) -> Result<Freed, Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let freed = client.free(&mut session.link, imported, deadline);
    freed.map_err(|failure| session.link_failure(failure.error))
}

/// Waits for RELEASED, and looks at the block before it can be lent again.
pub(super) fn take_back<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    freed: Freed,
) -> Result<(), Failure> {
    take_back_in_order(session, client, freed).map(drop)
}

/// The same; gives the number of RELEASED among all messages of the link.
pub(super) fn take_back_in_order<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    freed: Freed,
) -> Result<u64, Failure> {
    let Returned { buffer, info, .. } = unchanged(session, client, freed)?;
    session.lending.put_back(&buffer);
    Ok(info.sequence)
}

/// The same for a block that is going to be lent again at once: it stays out of the memory to lend.
pub(super) fn await_released<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    freed: Freed,
) -> Result<Block<'a, B::Lendable>, Failure> {
    Ok(unchanged(session, client, freed)?.buffer)
}

fn unchanged<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    freed: Freed,
) -> Result<Returned<Block<'a, B::Lendable>>, Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let returned = client.await_released(&mut session.link, freed, deadline);
    let returned = returned.map_err(|failure| session.link_failure(failure.error))?;
    returned.buffer.check().map_err(|damage| damage.failure("after RELEASED"))?;
    Ok(returned)
}

/// Waits for RELEASED of a block that VideoCore was asked to write to.
pub(super) fn take_back_changed<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    freed: Freed,
) -> Result<(), Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let returned = client.await_released(&mut session.link, freed, deadline);
    let Returned { buffer, .. } = returned.map_err(|failure| session.link_failure(failure.error))?;
    session.lending.put_back(&buffer);
    Ok(())
}

/// The whole life of one block. Gives the handle it had.
pub(super) fn handshake_once<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    size: usize,
) -> Result<u32, Failure> {
    let imported = import(session, client, size)?;
    let handle = imported.handle().number();
    let freed = free(session, client, imported)?;
    take_back(session, client, freed)?;
    Ok(handle)
}

/// Reads what comes until `is_done` says so. Gives false if it does not before `deadline`.
pub(super) fn settle<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, N>,
    deadline: Deadline,
    is_done: impl Fn(&Client<'a, B, N>) -> bool,
) -> Result<bool, Failure> {
    loop {
        client.poll(&mut session.link).map_err(|error| session.link_failure(error))?;
        if is_done(client) {
            return Ok(true);
        }
        if deadline.has_passed(&session.clock) {
            return Ok(false);
        }
    }
}

/// Closes the service; with a buffer out it stays open, because CLOSE would halt the firmware.
pub(super) fn close<B: Board, const N: usize>(
    session: &mut Session<'_, B>,
    client: &mut Client<'_, B, N>,
) -> Result<(), Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    client.close(&mut session.link, deadline).map_err(|error| match error {
        Error::Misuse(misuse @ Misuse::BuffersOut { .. }) => Failure::skip(format_args!("{misuse}")),
        error => session.link_failure(error),
    })
}

/// A peer that does not answer is hung; one that answers wrongly has failed.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let owner = Owner::from(error.owner());
        match error {
            Error::Link(error) => error.into(),
            Error::Absent | Error::NoReleaseNotice => Self::absent(format_args!("{error}")),
            Error::ImportTimedOut { .. } | Error::RequestTimedOut { .. } | Error::ReleaseTimedOut { .. } => {
                Self::hung(owner, format_args!("{error}"))
            }
            Error::Violation(Violation::DuplicateReply { first, again, .. }) => {
                let distance = again.sequence.saturating_sub(first.sequence);
                Self::fail(owner, format_args!("{error}")).repeated(
                    (first.slot, first.offset),
                    (again.slot, again.offset),
                    distance,
                )
            }
            _ => Self::fail(owner, format_args!("{error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use vcsm::Place;

    use super::*;

    #[test]
    fn a_repeated_reply_keeps_both_places_however_long_its_sentence_is() {
        let first = Place { slot: 3, offset: 0x18, sequence: 5_500_033 };
        let again = Place { slot: 127, offset: 0xff8, sequence: 5_500_161 };
        let violation = Violation::DuplicateReply { words: [u32::MAX; 2], first, again };
        let failure = Failure::from(Error::from(violation));
        let evidence = |name| failure.evidence.iter().find(|fact| fact.name == name).map(|fact| fact.value);
        assert_eq!(evidence("first.place"), Some(0x3018));
        assert_eq!(evidence("again.place"), Some(0x7_fff8));
        assert_eq!(evidence("distance"), Some(128));
    }
}
