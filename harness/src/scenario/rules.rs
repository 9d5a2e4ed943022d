//! Rules of the link that a firmware may break for good, each in a scenario of its own: a second VCHIQ_INIT, and a
//! pause from our side. Afterwards a ping tells whether the link is still there.

use vchiq_mbox::property::{VchiqInit, VchiqReply};

use super::{Kind, Outcome, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{CONTROL_TIMEOUT, Counts, Session},
    verdict::Owner,
};

/// VCHIQ_INIT while the link is up: refused, and the link stays.
pub(super) fn second_init<B: Board>(session: &mut Session<'_, B>) -> Outcome {
    let mut counts = Counts::default();
    let failure = ask_again(session, &mut counts).err();
    Outcome { failure, counts }
}

fn ask_again<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let scenario = Kind::SecondInit.name();
    session.step(scenario, "open", link::ensure_up)?;
    session.step(scenario, "second-init", |session| {
        let slot_zero = session.link.bus_address();
        match session.ask::<VchiqInit>(slot_zero)? {
            VchiqReply::Refused(word) => {
                counts.set("answer", word.into());
                Ok(())
            }
            VchiqReply::Accepted => {
                Err(Failure::fail(Owner::Firmware, format_args!("second VCHIQ_INIT accepted"))
                    .with("slot_zero", slot_zero.0))
            }
        }
    })?;
    session.step(scenario, "ping", echo::ping_alone)
}

/// PAUSE and RESUME from our side.
pub(super) fn pause<B: Board>(session: &mut Session<'_, B>) -> Outcome {
    let failure = pause_and_resume(session).err();
    Outcome { failure, counts: Counts::default() }
}

fn pause_and_resume<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let scenario = Kind::Pause.name();
    session.step(scenario, "open", link::ensure_up)?;
    session.step(scenario, "pause", |session| {
        let deadline = session.deadline(CONTROL_TIMEOUT);
        session.link.pause(deadline).map_err(|error| session.link_failure(error))
    })?;
    session.step(scenario, "resume", |session| {
        let deadline = session.deadline(CONTROL_TIMEOUT);
        session.link.resume(deadline).map_err(|error| session.link_failure(error))
    })?;
    session.step(scenario, "ping", echo::ping_alone)
}
