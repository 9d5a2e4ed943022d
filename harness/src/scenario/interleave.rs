//! SMEM, MMAL and echo messages one between the other, some of them held while slots wrap thousands of times.
//!
//! Each client knows its own messages: a foreign one is a violation with its words. In RPi-Distro/vlc#45 the receiver of
//! SMEM read the magic word of MMAL.

use mmal::Fill;
use vchiq_mbox::{HeldMessage, Message, ServiceHandle};

use super::{
    Group, Needs, Scenario, echo, link,
    media::{self, Lender, Media, SIZE, ZERO_COPY, back, payload, submit, with_media},
    shared_memory,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "interleave",
    group: Group::Replay,
    needs: Needs::Firmware,
    proves: "messages of three services on one link stay whole and with their service, also while some are held for long",
    asked_by: "RPi-Distro/vlc#45: a message of mmal where one of SMEM should be; picamera2#1090",
    steps: &["open", "mmal", "rounds", "close"],
    passes_when: "every message is of its service and of the id that was asked for; held ones are as they were received",
};

/// Bytes of an ECHO; three fit a slot, so slots wrap often.
const BYTES: usize = 1200;
/// A message is held for so many rounds.
const HOLD: usize = 8;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let before = session.link.counters();
    let result = with_media(session, |session, media, client| {
        session.step("rounds", |session| {
            let service = echo::open(session)?;
            let (component, input) = media::sink(session, media, &ZERO_COPY)?;
            let mut held: heapless::Deque<(u32, HeldMessage), HOLD> = heapless::Deque::new();
            let result = rounds(session, media, client, &input, service, &mut held);
            while let Some((_, message)) = held.pop_front() {
                session.link.release(message);
            }
            result?;
            media::destroy(session, media, component)?;
            link::close(session, service)
        })
    });
    let after = session.link.counters();
    counts.set("slots_wrapped", after.slots_reclaimed - before.slots_reclaimed);
    result
}

fn rounds<'a, B: Board>(
    session: &mut Session<'a, B>,
    media: &mut Media,
    client: &mut Lender<'a, B>,
    input: &mmal::Port,
    service: ServiceHandle,
    held: &mut heapless::Deque<(u32, HeldMessage), HOLD>,
) -> Result<(), Failure> {
    for number in 0..session.plan.iterations {
        session.check_run_time()?;
        let deadline = session.deadline(ANSWER_TIMEOUT);
        let request = echo::numbered::<BYTES>(number);
        session.link.send(service, &[&request], deadline).map_err(|error| session.link_failure(error))?;
        let imported = shared_memory::import(session, client, SIZE)?;
        let in_flight = submit(session, media, input, payload(&imported), Fill::frame(SIZE as u32))?;
        back(session, media, in_flight)?;
        let freed = shared_memory::free(session, client, imported)?;
        let deadline = session.deadline(ANSWER_TIMEOUT);
        let answer = session.link.receive(service, deadline).map(Message::hold);
        let answer = answer.map_err(|error| session.link_failure(error))?;
        if held.is_full()
            && let Some((number, message)) = held.pop_front()
        {
            let result = check_held(session, &message, number);
            session.link.release(message);
            result?;
        }
        // There is room now.
        let _ = held.push_back((number, answer));
        shared_memory::take_back(session, client, freed)?;
        super::note_progress(session, number + 1, 1);
    }
    Ok(())
}

/// A message that was held is the answer it was.
fn check_held<B: Board>(session: &Session<'_, B>, message: &HeldMessage, number: u32) -> Result<(), Failure> {
    let mut bytes = [0; BYTES];
    let size = session.link.copy_held(message, &mut bytes)?.len();
    let found = echo::number_of(&bytes);
    if (size, found) == (BYTES, number) {
        return Ok(());
    }
    let info = message.info();
    Err(Failure::fail(Owner::Link, format_args!("a held message changed"))
        .with("slot", info.slot.number().into())
        .with("offset", info.offset.into())
        .with("expected", number)
        .with("found", found))
}
