//! A receiver that keeps one message in so many, as Linux is suspected to: how long does the firmware go on, and does it
//! come back?

use vchiq_mbox::{link::Misbehaviour, property::FirmwareRevision};

use super::{
    Group, Needs, Scenario,
    crowd::{Crowd, Pressed},
    shared_memory,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "receiver-keeps",
    group: Group::Replay,
    needs: Needs::VideoCore,
    proves: "a receiver that forgets messages stops the service once its slots are used up, and nothing else; letting go of \
             them brings it back",
    asked_by: "raspberrypi/linux#6701 (slots not freed), pikvm#1704 (a count that only grows), users' long soaks",
    steps: &["open", "forget-160", "forget-64", "forget-32", "close"],
    passes_when: "the service falls silent only with slots kept, the mailbox answers meanwhile, and after the messages are \
                  let go of everything owed arrives",
};

/// Bytes of the buffer.
const SIZE: usize = 4096;
/// Handshakes that are tried: two messages each, so one message in 64 pins all slots that the service may have after
/// fewer.
const TRIES: u32 = 3000;

/// One message in so many is kept.
struct Rate {
    one_in: u32,
    step: &'static str,
    /// Count of handshakes until silence.
    handshakes: &'static str,
    /// Count of slots we had then; 0 without silence.
    slots: &'static str,
}

/// A slot holds 170 messages of a handshake, so the first rate forgets about one in each slot.
const RATES: [Rate; 3] = [
    Rate { one_in: 160, step: "forget-160", handshakes: "handshakes_160", slots: "slots_160" },
    Rate { one_in: 64, step: "forget-64", handshakes: "handshakes_64", slots: "slots_64" },
    Rate { one_in: 32, step: "forget-32", handshakes: "handshakes_32", slots: "slots_32" },
];

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| {
        for rate in &RATES {
            session.step(rate.step, |session| {
                let mut crowd = Crowd::new(session, 1, SIZE)?;
                session.link.misbehave(Misbehaviour::KeepMessages { one_in: rate.one_in });
                let pressed = crowd.press(session, client, TRIES);
                let (kept, held) = (session.link.kept(), session.link.positions().slots_held);
                // The mailbox shares nothing with the slots.
                let alive = session.ask::<FirmwareRevision>(());
                session.link.behave();
                let Pressed { rounds, silent } = pressed?;
                counts.set(rate.handshakes, rounds.into());
                counts.set(rate.slots, if silent { held.into() } else { 0 });
                alive.map_err(|error| Failure::from(error).with("kept", kept).with("slots_held", held))?;
                crowd.finish(session, client)?;
                crowd.check(session)
            })?;
        }
        Ok(())
    })
}
