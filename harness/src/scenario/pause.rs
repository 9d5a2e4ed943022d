//! PAUSE and RESUME from our side. Afterwards a ping tells whether the link is still there.

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{CONTROL_TIMEOUT, Counts, Session},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "pause",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "the firmware answers PAUSE, and goes on at RESUME",
    asked_by: "driver maintainers; Linux itself never pauses a Pi's firmware",
    steps: &["open", "pause", "resume", "ping"],
    passes_when: "PAUSE is answered, and the echo service answers after RESUME",
};

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, _: &mut Counts) -> Result<(), Failure> {
    session.step("open", link::ensure_up)?;
    session.step("pause", |session| {
        let deadline = session.deadline(CONTROL_TIMEOUT);
        session.link.pause(deadline).map_err(|error| session.link_failure(error))
    })?;
    session.step("resume", |session| {
        let deadline = session.deadline(CONTROL_TIMEOUT);
        session.link.resume(deadline).map_err(|error| session.link_failure(error))
    })?;
    session.step("ping", echo::ping_alone)
}
