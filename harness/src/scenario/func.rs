//! The script of the service `func`, the partner of the functional part of `vchiq_test` (VCHIQ fact sheet 9.1).
//!
//! The service waits for these events in this order, and starts over at any other:
//!
//! | ours | the service's |
//! |---|---|
//! | OPEN, with a client id other than 0 | listens for a second client |
//! | a second OPEN, CLOSE of it, OPEN again | offers the second client 2048 bytes, which nobody asks for |
//! | the alphabet, to the first client's port | sends it back, takes 1024 bytes |
//! | BULK_TX of 1024 | offers 1024 bytes |
//! | BULK_RX of 2048 | aborted, on both sides; offers 2048: the 1024 twice |
//! | BULK_RX of 2048 | done; an empty message; takes 1024 bytes, which never come |
//! | CLOSE of the first, then of the second | all that is out is aborted; listens for a first client |

use vchiq_mbox::{
    ServiceHandle,
    bulk::{Direction, Finished},
    link::OpenRequest,
    wire::FourCc,
};

use super::{
    Group, Needs, Scenario,
    bulk::{self, Queue},
    link,
};
use crate::{
    board::Board,
    failure::Failure,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "func",
    group: Group::Transport,
    needs: Needs::Firmware,
    proves: "two clients of one service, a message of several parts, transfers of unequal sizes and transfers that are \
             out at CLOSE: what Linux's own test program goes through",
    asked_by: "driver maintainers, who run `vchiq_test -f` by hand (raspberrypi/linux#3646: transfers aborted)",
    steps: &["link", "open", "message", "blocks", "close", "again"],
    passes_when: "a third client is refused, the alphabet and the bytes come back, transfers of unequal sizes and those \
                  out at CLOSE are aborted, and the script can be played again",
};

/// The service starts over at an OPEN with client id 0.
const FUNC: OpenRequest = OpenRequest { client_id: 1, ..OpenRequest::new(FourCc::new(*b"func"), 3, 3) };

const ALPHABET: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
/// Bytes that the service takes from the first client.
const TAKEN: usize = 1024;
/// Bytes that it gives: the same, twice.
const GIVEN: usize = 2 * TAKEN;

struct Clients {
    first: ServiceHandle,
    second: ServiceHandle,
}

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    session.step("link", link::ensure_up)?;
    let mut aborted = 0;
    let clients = session.step("open", open)?;
    session.step("message", |session| send_alphabet(session, &clients))?;
    let mut queue = Queue::<B>::new();
    session.step("blocks", |session| move_blocks(session, &mut queue, &clients, &mut aborted))?;
    session.step("close", |session| close(session, &mut queue, &clients, &mut aborted))?;
    counts.set("aborted", aborted);
    session.step("again", |session| {
        let clients = open(session)?;
        send_alphabet(session, &clients)?;
        move_blocks(session, &mut queue, &clients, &mut aborted)?;
        close(session, &mut queue, &clients, &mut aborted)
    })?;
    counts.set("aborted", aborted);
    Ok(())
}

/// Two clients, of which the second comes twice; a third is refused.
fn open<B: Board>(session: &mut Session<'_, B>) -> Result<Clients, Failure> {
    let first = link::open(session, FUNC, "func")?;
    let second = link::open(session, FUNC, "second func")?;
    if let Some(third) = link::try_open(session, FUNC)? {
        link::close(session, third)?;
        return Err(session.locate(Failure::fail(Owner::Firmware, format_args!("a third OPEN is accepted"))));
    }
    link::close(session, second)?;
    let second = link::open(session, FUNC, "second func")?;
    Ok(Clients { first, second })
}

/// The alphabet in four parts, which comes back in one.
fn send_alphabet<B: Board>(session: &mut Session<'_, B>, clients: &Clients) -> Result<(), Failure> {
    let parts = [&ALPHABET[..1], &ALPHABET[1..6], &ALPHABET[6..17], &ALPHABET[17..]];
    let deadline = session.deadline(ANSWER_TIMEOUT);
    session.link.send(clients.first, &parts, deadline).map_err(|error| session.link_failure(error))?;
    let mut answer = [0; ALPHABET.len()];
    let size = link::receive(session, clients.first, &mut answer)?;
    if (size, &answer) == (ALPHABET.len(), ALPHABET) {
        return Ok(());
    }
    let reason = format_args!("the alphabet came back as {size} bytes, or changed");
    Err(session.locate(Failure::fail(Owner::Firmware, reason).with("size", size as u32)))
}

/// All transfers, up to the two that are out at CLOSE.
fn move_blocks<'a, B: Board>(
    session: &mut Session<'a, B>,
    queue: &mut Queue<'a, B>,
    clients: &Clients,
    aborted: &mut u64,
) -> Result<(), Failure> {
    // It stays in the queue until CLOSE: the service never asks for it.
    let never_taken = session.lending.take_stretch(0, GIVEN)?;
    let _in_flight = bulk::submit(session, queue, clients.second, Direction::Transmit, never_taken)?;

    let around = Pattern::new(session.plan.seed);
    let sent = session.lending.take_stretch(0, TAKEN)?;
    sent.fill_bytes(byte, around);
    let sending = bulk::submit(session, queue, clients.first, Direction::Transmit, sent)?;
    let sent = bulk::whole(session, queue, sending, Direction::Transmit)?;
    session.lending.put_back_stretch(&sent.memory);

    let got = session.lending.take_stretch(0, GIVEN)?;
    let receiving = bulk::submit(session, queue, clients.first, Direction::Receive, got)?;
    let Finished { memory, moved, .. } = bulk::wait(session, queue, receiving, Direction::Receive)?;
    session.lending.put_back_stretch(&memory);
    bulk::must_be_aborted(session, moved, Direction::Receive, "though the service gives half as many")?;
    *aborted += 1;

    let got = session.lending.take_stretch(0, GIVEN)?;
    got.fill_bytes(|at| !byte(at), around);
    let receiving = bulk::submit(session, queue, clients.first, Direction::Receive, got)?;
    let got = bulk::whole(session, queue, receiving, Direction::Receive)?.memory;
    let checked = got.check_bytes(|at| byte(at % TAKEN), around);
    session.lending.put_back_stretch(&got);
    if let Err(damage) = checked {
        let reason = format_args!("byte {} of {GIVEN} is not the one sent", damage.offset);
        let failure = Failure::fail(Owner::Link, reason);
        return Err(failure.with("expected", damage.expected).with("found", damage.found));
    }

    let size = link::receive(session, clients.first, &mut [0; ALPHABET.len()])?;
    if size != 0 {
        let reason = format_args!("the message after the bytes has {size} bytes, not none");
        return Err(session.locate(Failure::fail(Owner::Firmware, reason)));
    }
    let never_given = session.lending.take_stretch(0, GIVEN)?;
    let _in_flight = bulk::submit(session, queue, clients.first, Direction::Receive, never_given)?;
    Ok(())
}

/// CLOSE of both; what is out is aborted before each answer.
fn close<'a, B: Board>(
    session: &mut Session<'a, B>,
    queue: &mut Queue<'a, B>,
    clients: &Clients,
    aborted: &mut u64,
) -> Result<(), Failure> {
    for (service, direction) in [(clients.first, Direction::Receive), (clients.second, Direction::Transmit)] {
        link::close(session, service)?;
        let Some(Finished { memory, moved, .. }) =
            queue.try_finish(&mut session.link).map_err(|error| session.link_failure(error))?
        else {
            let reason = format_args!("CLOSE answered while a transfer is not ended");
            return Err(session.locate(Failure::fail(Owner::Firmware, reason)));
        };
        session.lending.put_back_stretch(&memory);
        bulk::must_be_aborted(session, moved, direction, "though the service is closed")?;
        *aborted += 1;
    }
    Ok(())
}

/// The byte at a place of what is sent.
fn byte(at: usize) -> u8 {
    (at % 251) as u8
}
