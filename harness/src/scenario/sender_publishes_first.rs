//! A sender that publishes a message before it has stored it: what does a reader find that looks at once?

use core::time::Duration;

use vchiq_mbox::{
    Error, Message, ServiceHandle, error::Step, link::Misbehaviour, property::FirmwareRevision,
};

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::{Board, Host},
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "sender-publishes-first",
    group: Group::Hostile,
    needs: Needs::Firmware,
    proves: "a message published before it is stored is lost or read as an older one, and the firmware stays on its feet",
    asked_by: "raspberrypi/linux#6701, picamera2#1090: the order of store and publish that Linux's message queue is suspected of",
    steps: &["open", "fill-slots", "publish-first", "recover", "close"],
    passes_when: "the mailbox answers, and the service does once messages are stored first again",
};

/// Messages sent so.
const MESSAGES: u32 = 100;
/// Messages that fill all 31 slots, so that an older one lies where a new one is to go.
const FILL: u32 = 2000;
/// Time between publishing and storing, in ticks: longer than the firmware takes to look.
const GAP_TICKS: u32 = 400;
/// An answer takes microseconds.
const PATIENCE: Duration = Duration::from_millis(2);
/// Bytes of an ECHO.
const BYTES: usize = 64;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let service = session.step("open", echo::open)?;
    session.step("fill-slots", |session| {
        for number in 0..FILL {
            session.journal.host().progress();
            echo::exchange_numbered::<B, BYTES>(session, service, number)?;
        }
        Ok(())
    })?;
    let mut tally = Tally::default();
    let result = session.step("publish-first", |session| {
        session.link.misbehave(Misbehaviour::PublishFirst { gap_ticks: GAP_TICKS });
        let result = send_all(session, service, &mut tally);
        session.link.behave();
        result
    });
    counts.set("sent", tally.sent);
    counts.set("answered", tally.answered);
    counts.set("answered_as_another", tally.others);
    result?;
    session.step("recover", |session| {
        session.ask::<FirmwareRevision>(())?;
        drain(session, service, &mut tally)?;
        echo::configure(session, service, echo::CONFIG)
    })?;
    session.step("close", |session| link::close(session, service))
}

#[derive(Default)]
struct Tally {
    sent: u64,
    answered: u64,
    /// Answers that are those of another message.
    others: u64,
}

fn send_all<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    tally: &mut Tally,
) -> Result<(), Failure> {
    for number in 0..MESSAGES {
        session.journal.host().progress();
        let deadline = session.deadline(ANSWER_TIMEOUT);
        let request = echo::numbered::<BYTES>(FILL + number);
        session.link.send(service, &[&request], deadline).map_err(|error| session.link_failure(error))?;
        tally.sent += 1;
        if let Some(answer) = take(session, service)? {
            tally.answered += u64::from(answer == FILL + number);
            tally.others += u64::from(answer != FILL + number);
        }
    }
    Ok(())
}

/// The number in the next answer; `None` if there is none in time.
fn take<B: Board>(session: &mut Session<'_, B>, service: ServiceHandle) -> Result<Option<u32>, Failure> {
    let deadline = session.deadline(PATIENCE);
    let message = match session.link.receive(service, deadline).map(Message::hold) {
        Ok(message) => message,
        Err(Error::Timeout { step: Step::Receive }) => return Ok(None),
        Err(error) => return Err(session.link_failure(error)),
    };
    let mut bytes = [0; BYTES];
    let copied = session.link.copy_held(&message, &mut bytes).map(<[u8]>::len);
    session.link.release(message);
    // One that is longer than any request is another one for certain.
    Ok(Some(copied.map_or(u32::MAX, |_| echo::number_of(&bytes))))
}

/// Takes answers that come late.
fn drain<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    tally: &mut Tally,
) -> Result<(), Failure> {
    for _ in 0..MESSAGES {
        if take(session, service)?.is_none() {
            break;
        }
        tally.others += 1;
    }
    Ok(())
}
