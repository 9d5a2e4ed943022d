//! WALK_ALLOC: the firmware prints its resources into its own log.
//!
//! It does so at the log level `trace` only, which is asked for by text. What it prints is for people, with `--log`: the
//! image cannot read it.

use super::{
    Group, Needs, Scenario,
    firmware_trace::traced,
    shared_memory::{self, PLACES},
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "walk",
    group: Group::Smem,
    needs: Needs::VideoCore,
    proves: "WALK_ALLOC does no harm; with --log one sees what the firmware prints",
    asked_by: "people who look for leaked buffers with `vcdbg log msg` (pikvm#1704)",
    steps: &["open", "walk", "close"],
    passes_when: "the service answers after WALK_ALLOC, and the buffer comes back",
};

/// Bytes of the buffer that is in the list.
const SIZE: usize = 4096;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client::<B, PLACES>(session, |session, client| {
        session.step("walk", |session| {
            traced(session, |session, is_traced| {
                counts.set("traced", is_traced.into());
                let imported = shared_memory::import(session, client, SIZE)?;
                let deadline = session.deadline(ANSWER_TIMEOUT);
                let walked = client.walk_alloc(&mut session.link, deadline);
                let walked = walked.map_err(|error| session.link_failure(error));
                let freed = shared_memory::free(session, client, imported)?;
                shared_memory::take_back(session, client, freed)?;
                walked
            })
        })
    })
}
