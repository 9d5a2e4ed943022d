//! Imports that nobody waits for any longer: the late reply is recognised and the buffer freed behind it.

use core::time::Duration;

use vcsm::{Error, KernelId, Recovered};

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, Client, PLACES},
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "abandon",
    group: Group::Smem,
    needs: Needs::VideoCore,
    proves: "a buffer whose IMPORT was given up comes back: its late reply is followed by FREE, and that by RELEASED",
    asked_by: "raspberrypi/linux#6701, picamera2#1090 (interrupted imports: buffers that VideoCore keeps for ever)",
    steps: &["open", "late-reply", "action-clean", "close"],
    passes_when: "as many RELEASED as imports, with and without ACTION_CLEAN, and no reply is taken for another",
};

/// Bytes of the buffers.
const SIZE: usize = 4096;
/// Buffers of each kind; more would tell no more.
const MOST: u32 = 100;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| {
        let result =
            [("late-reply", false), ("action-clean", true)].into_iter().try_for_each(|(step, clean)| {
                session.step(step, |session| {
                    for _ in 0..session.plan.iterations.min(MOST) {
                        session.check_run_time()?;
                        give_up_and_recover(session, client, clean)?;
                    }
                    Ok(())
                })
            });
        let counters = client.counters();
        counts.set("imports", counters.imports);
        counts.set("abandoned", counters.abandoned);
        counts.set("frees", counters.frees);
        counts.set("released", counters.released);
        counts.set("violations", counters.violations);
        result?;
        if counters.abandoned != 0 {
            return Ok(());
        }
        Err(Failure::fail(Owner::Harness, format_args!("no IMPORT was given up: all were answered at once")))
    })
}

fn give_up_and_recover<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    clean: bool,
) -> Result<(), Failure> {
    let Some(kernel_id) = give_up(session, client)? else { return Ok(()) };
    let deadline = session.deadline(ANSWER_TIMEOUT);
    if clean {
        let undone = client.undo_import(&mut session.link, kernel_id, deadline);
        undone.map_err(|error| session.link_failure(error))?;
    }
    let back = shared_memory::settle(session, client, deadline, |client| client.outstanding().count() == 0)?;
    let Some(Recovered { buffer, .. }) = client.take_recovered().filter(|_| back) else {
        let reason = format_args!("the buffer of an import that was given up does not come back");
        return Err(session.locate(Failure::hung(Owner::Firmware, reason)));
    };
    buffer.check().map_err(|damage| damage.failure("after RELEASED"))?;
    session.lending.put_back(&buffer);
    Ok(())
}

/// Sends IMPORT and waits for nothing. Gives `None` if the answer was there already: then nothing was given up.
fn give_up<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
) -> Result<Option<KernelId>, Failure> {
    let pattern = shared_memory::next_pattern(session, client);
    let block = session.lending.take(SIZE, pattern)?;
    block.fill();
    let at_once = session.deadline(Duration::ZERO);
    match client.import(&mut session.link, block, at_once) {
        Err(failure) => match failure.error {
            Error::ImportTimedOut { kernel_id, .. } => Ok(Some(kernel_id)),
            error => Err(session.link_failure(error)),
        },
        Ok(imported) => {
            let freed = shared_memory::free(session, client, imported)?;
            shared_memory::take_back(session, client, freed).map(|()| None)
        }
    }
}
