//! CLOSE of the SMEM service while the firmware holds imports of ours, then the service again.

use core::time::Duration;

use vchiq_mbox::property::FirmwareRevision;

use super::{
    Group, Needs, Scenario, echo, link,
    shared_memory::{self, Client},
};
use crate::{
    board::Board,
    failure::Failure,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, CONTROL_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "close-with-imports",
    group: Group::Hostile,
    needs: Needs::Firmware,
    proves: "the firmware survives a client that closes the SMEM service without freeing its imports",
    asked_by: "camera people whose application dies with buffers mapped (raspberrypi/linux#6701)",
    steps: &["open", "version", "import", "close", "answers", "reopen", "still-answers"],
    passes_when: "CLOSE is answered, the service opens again, speaks and closes, and 10 ms after each CLOSE the mailbox and \
                  the echo service still answer",
};

/// Imports that are out at the CLOSE.
const IMPORTS: usize = 3;
const SIZE: usize = 64 * 1024;
/// What the firmware does behind its answer to CLOSE takes less.
const SETTLE: Duration = Duration::from_millis(10);

/// A client with a place for each import.
type Holder<'a, B> = Client<'a, B, IMPORTS>;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut client: Holder<'_, B> = session.step("open", |session| {
        link::ensure_up(session)?;
        shared_memory::open(session)
    })?;
    session.step("version", |_| shared_memory::check_version::<B, _>(&client))?;
    let imported = session.step("import", |session| import_all(session, &mut client));
    counts.set("imports", client.counters().imported);
    // Also after a failure: the buffers stay reserved either way, and the memory with them.
    session.next_kernel_id = client.next_kernel_id();
    imported?;
    session.step("close", |session| close(session, &mut client))?;
    session.step("answers", still_answers)?;
    session.step("reopen", reopen)?;
    session.step("still-answers", still_answers)
}

fn import_all<'a, B: Board>(session: &mut Session<'a, B>, client: &mut Holder<'a, B>) -> Result<(), Failure> {
    for number in 0..IMPORTS {
        let pattern = Pattern::new(session.plan.seed.wrapping_add(number as u64));
        let block = session.lending.take(SIZE, pattern)?;
        block.fill();
        let deadline = session.deadline(ANSWER_TIMEOUT);
        let imported = client.import(&mut session.link, block, deadline);
        // The token goes: nobody is going to free the buffer.
        drop(imported.map_err(|failure| session.link_failure(failure.error))?);
    }
    Ok(())
}

fn close<'a, B: Board>(session: &mut Session<'a, B>, client: &mut Holder<'a, B>) -> Result<(), Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    let closed = client.close_with_buffers_out(&mut session.link, deadline);
    closed.map_err(|error| session.link_failure(error))
}

/// Firmware of 2022 opens the service again, and answers no message to it.
fn reopen<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let mut client: Holder<'_, B> = shared_memory::open(session)?;
    if shared_memory::check_version::<B, _>(&client).is_err() {
        let reason =
            format_args!("the service opens again, and does not answer CLIENT_VERSION as it did before");
        let failure = Failure::hung(Owner::Firmware, reason).at(&session.link.positions());
        return Err(failure.with("imports", IMPORTS as u32));
    }
    shared_memory::close(session, &mut client)
}

/// Does the mailbox, which needs no service, and does another service?
fn still_answers<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let settled = session.deadline(SETTLE);
    while !settled.has_passed(&session.clock) {
        session.link.poll().map_err(|error| session.link_failure(error))?;
    }
    if let Err(error) = session.ask::<FirmwareRevision>(()) {
        return Err(Failure::from(error).at(&session.link.positions()).with("imports", IMPORTS as u32));
    }
    echo::ping_alone(session)
}
