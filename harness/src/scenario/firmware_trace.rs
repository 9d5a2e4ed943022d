//! The firmware's own log of what its shared-memory service does, while a scenario needs it as a witness (`run --log` shows it).

use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_BYTES, Session},
};

/// Has the service log every step during `body`. The body is given false on firmware without the command.
pub(super) fn traced<'a, B: Board>(
    session: &mut Session<'a, B>,
    body: impl FnOnce(&mut Session<'a, B>, bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let is_traced = set_level(session, "vcos log set smservice trace");
    let result = body(session, is_traced);
    set_level(session, "vcos log set smservice warn");
    result
}

fn set_level<B: Board>(session: &mut Session<'_, B>, command: &str) -> bool {
    let mut room = [0; ANSWER_BYTES];
    session.ask_text(command, &mut room).is_ok_and(|answer| answer.code == 0)
}
