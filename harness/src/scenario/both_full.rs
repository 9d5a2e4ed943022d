//! Both directions full: requests go out, answers are not looked at, until neither side can send.
//!
//! Linux sends and receives SMEM messages on one thread; so does the firmware. If both are stuck in a send at once, only
//! reading can end it. Here it is the harness that reads again.

use vchiq_mbox::{Error, ServiceHandle, property::FirmwareRevision};

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::{Board, Host},
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "both-full",
    group: Group::Replay,
    needs: Needs::VideoCore,
    proves: "with both directions full nothing is lost: once we read again, every request is answered, in order",
    asked_by: "raspberrypi/linux#6701 (second suspicion: both sides' one thread blocked in a send), firmware#449",
    steps: &["open", "fill", "mailbox", "drain", "ping", "close"],
    passes_when: "as many answers as requests, each whole and in order; the mailbox answers while the slots are full",
};

/// Bytes of an ECHO: one a slot, so both directions fill with few.
const BYTES: usize = 4000;
/// More than both sides' slots together.
const MOST: u32 = 128;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let service = session.step("open", echo::open)?;
    let result = fill_and_drain(session, service, counts);
    let closed = session.step("close", |session| link::close(session, service));
    result.and(closed)
}

fn fill_and_drain<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let sent = session.step("fill", |session| fill(session, service))?;
    counts.set("requests", sent.into());
    counts.set("slots_lent", session.link.positions().slots_lent.into());
    session.step("mailbox", |session| Ok(session.ask::<FirmwareRevision>(()).map(drop)?))?;
    session.step("drain", |session| {
        let mut answer = [0; BYTES];
        for number in 0..sent {
            let size = link::receive(session, service, &mut answer)
                .map_err(|failure| failure.with("answered", number).with("requests", sent))?;
            if (size, echo::number_of(&answer)) != (BYTES, number) {
                let reason = format_args!("answer {number} is another one, or cut");
                return Err(Failure::fail(Owner::Firmware, reason)
                    .with("size", size as u32)
                    .with("expected", number)
                    .with("found", echo::number_of(&answer)));
            }
        }
        Ok(())
    })?;
    session.step("ping", |session| echo::configure(session, service, echo::CONFIG))
}

/// Sends without reading, until there is no slot; gives the number of requests.
fn fill<B: Board>(session: &mut Session<'_, B>, service: ServiceHandle) -> Result<u32, Failure> {
    for number in 0..MOST {
        session.journal.host().progress();
        let request = echo::numbered::<BYTES>(number);
        // Answers are taken out of the slots' order but not let go of: they stay where they are.
        let deadline = session.deadline(ANSWER_TIMEOUT / 4);
        match session.link.send(service, &[&request], deadline) {
            Ok(_) => {}
            Err(Error::Exhausted(_)) => return Ok(number),
            Err(error) => return Err(session.link_failure(error)),
        }
    }
    Ok(MOST)
}
