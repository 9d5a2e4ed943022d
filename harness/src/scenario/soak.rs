//! A block imported and freed for every "frame", beside a large one that stays: a camera's life, without a camera.
//!
//! The frame's block is stamped, so that a frame costs little more than its messages: a soak is about their number. The
//! one that stays is filled and checked like any other.
//!
//! The client keeps the last 256 replies, with slot, offset and sequence. A reply seen twice ends the scenario with both
//! places: the stray replies of picamera2#1090 repeat what was received 128 messages earlier.

use vchiq_mbox::Clock;

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, Client, PLACES},
    steps::Steps,
};
use crate::{
    block::Block,
    board::Board,
    failure::Failure,
    session::{Counts, Session, record},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "soak",
    group: Group::Replay,
    needs: Needs::VideoCore,
    proves: "over any number of frames no reply is repeated, none is for nobody, and nothing is released twice",
    asked_by: "raspberrypi/picamera2#1090, #1392, #985, #986, #1004, #1275; rpicam-apps#733: stray replies after 10 to 20 hours",
    steps: &["open", "long-lived", "frames", "large-released", "close"],
    passes_when: "as many RELEASED as imports, no id seen twice in the last 256, no unknown id; transactions and kernel ids \
                  are never reused",
};

/// Bytes of the block that stays: a frame of 3 MB, as in the reports.
const LARGE: usize = 3_112_960;
/// Bytes of the block of each frame, unless the plan names others: the lens-shading table of the reports.
const TABLE: usize = 32 * 1024;
const STEPS: Steps<1> = Steps(["frame"]);

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| {
        let result = live(session, client);
        STEPS.emit(session);
        let counters = client.counters();
        counts.set("imports", counters.imports);
        counts.set("released", counters.released);
        counts.set("violations", counters.violations);
        counts.set("first_transaction", session.plan.first_transaction.into());
        counts.set("next_transaction", client.next_transaction().into());
        result
    })
}

fn live<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
) -> Result<(), Failure> {
    let large = session.step("long-lived", |session| shared_memory::import(session, client, LARGE))?;
    session.step("frames", |session| frames(session, client))?;
    session.step("large-released", |session| {
        let freed = shared_memory::free(session, client, large)?;
        shared_memory::take_back(session, client, freed)?;
        let counters = client.counters();
        if counters.imports == counters.released {
            return Ok(());
        }
        let reason = format_args!("{} imports, {} RELEASED", counters.imports, counters.released);
        Err(Failure::fail(Owner::Firmware, reason))
    })
}

fn frames<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
) -> Result<(), Failure> {
    let calibration = session.calibration()?;
    let largest = session.plan.sizes.iter().max().map_or(TABLE, |size| *size as usize);
    let pattern = shared_memory::next_pattern(session, client);
    let mut table = session.lending.take(largest, pattern)?.stamped();
    for number in 0..session.plan.iterations {
        session.check_run_time()?;
        let size = session.plan.size_in_turn(number).unwrap_or(TABLE);
        let begin = session.clock.now();
        table.renew(size, shared_memory::next_pattern(session, client));
        table = frame(session, client, table)?;
        record(session.samples, 0, calibration.elapsed(begin, session.clock.now()));
        super::note_progress(session, number + 1, 1);
    }
    table.renew(largest, pattern);
    session.lending.put_back(&table);
    Ok(())
}

/// The whole life of the frame's block. It comes back once the firmware has let go of it.
fn frame<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    table: Block<'a, B::Lendable>,
) -> Result<Block<'a, B::Lendable>, Failure> {
    let imported = shared_memory::lend(session, client, table)?;
    let freed = shared_memory::free(session, client, imported)?;
    shared_memory::await_released(session, client, freed)
}
