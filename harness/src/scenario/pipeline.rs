//! Imports and frees one behind the other, and then with the slots that carry the answers held back.
//!
//! With the slots held back the firmware's SMEM thread comes to a point where it cannot send; that is where the VPU
//! was found in raspberrypi/linux#6701. Once the slots are returned everything must come that had to wait.

use vchiq_mbox::{Clock, link::Misbehaviour, property::FirmwareRevision};

use super::{
    Group, Needs, Scenario,
    crowd::{Crowd, Pressed, WideClient},
    shared_memory,
    steps::Steps,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session, record},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "pipeline",
    group: Group::Replay,
    needs: Needs::VideoCore,
    proves: "imports and frees that do not wait for each other are all answered, also after the answers' slots were \
             held back until the firmware could send no more",
    asked_by: "raspberrypi/linux#6701: concurrent imports, the VPU waiting to send RELEASED; #6426",
    steps: &[
        "open",
        "width-1",
        "width-4",
        "width-8",
        "width-32",
        "width-128",
        "held-1",
        "held-4",
        "held-8",
        "held-32",
        "held-128",
        "close",
    ],
    passes_when: "every RELEASED arrives, after the pressure too; the mailbox answers meanwhile; nothing stays mapped",
};

/// Bytes of each buffer.
const SIZE: usize = 4096;
/// Imports after which the firmware must have run out of slots: 31 slots hold 2600 pairs of IMPORT's reply and RELEASED.
const ENOUGH: usize = 3000;

/// So many buffers at once.
struct Width {
    count: usize,
    free: &'static str,
    held: &'static str,
}

const WIDTHS: [Width; 5] = [
    Width { count: 1, free: "width-1", held: "held-1" },
    Width { count: 4, free: "width-4", held: "held-4" },
    Width { count: 8, free: "width-8", held: "held-8" },
    Width { count: 32, free: "width-32", held: "held-32" },
    Width { count: 128, free: "width-128", held: "held-128" },
];
/// Times of a whole round, from the first IMPORT to the last RELEASED.
const STEPS: Steps<5> = Steps(["width-1", "width-4", "width-8", "width-32", "width-128"]);

#[derive(Default)]
struct Tally {
    rounds: u64,
    stopped: u64,
    most_slots_held: u32,
}

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| {
        let mut tally = Tally::default();
        let result = free_running(session, client, &mut tally)
            .and_then(|()| with_slots_held_back(session, client, &mut tally));
        STEPS.emit(session);
        let counters = client.counters();
        counts.set("imports", counters.imports);
        counts.set("released", counters.released);
        counts.set("rounds", tally.rounds);
        counts.set("stopped", tally.stopped);
        counts.set("most_slots_held", tally.most_slots_held.into());
        result
    })
}

fn free_running<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut WideClient<'a, B>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let calibration = session.calibration()?;
    for (place, width) in WIDTHS.iter().enumerate() {
        session.step(width.free, |session| {
            let mut crowd = Crowd::new(session, width.count, SIZE)?;
            let rounds = (session.plan.iterations as usize / width.count).max(1);
            for round in 0..rounds {
                session.check_run_time()?;
                let begin = session.clock.now();
                let deadline = session.deadline(ANSWER_TIMEOUT);
                crowd.import(session, client, deadline)?;
                crowd.finish(session, client)?;
                let elapsed = calibration.elapsed(begin, session.clock.now());
                record(session.samples, place, elapsed);
                crowd.turn_round();
                tally.rounds += 1;
                let done = (round * width.count) as u32 + place as u32 * session.plan.iterations;
                super::note_progress(session, done, WIDTHS.len() as u32);
            }
            crowd.check(session)
        })?;
    }
    Ok(())
}

fn with_slots_held_back<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut WideClient<'a, B>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    for width in &WIDTHS {
        session.step(width.held, |session| {
            let mut crowd = Crowd::new(session, width.count, SIZE)?;
            session.link.misbehave(Misbehaviour::HoldSlotsBack);
            let pressed = crowd.press(session, client, ENOUGH.div_ceil(width.count) as u32);
            let held = session.link.positions().slots_held;
            tally.most_slots_held = tally.most_slots_held.max(held);
            // The mailbox shares nothing with the slots: if it is silent too, the firmware as a whole is.
            let alive = session.ask::<FirmwareRevision>(());
            session.link.behave();
            let Pressed { rounds, silent } = pressed?;
            tally.rounds += u64::from(rounds);
            tally.stopped += u64::from(silent);
            alive.map_err(|error| {
                Failure::from(error).with("slots_held", held).at(&session.link.positions())
            })?;
            crowd.finish(session, client)?;
            crowd.check(session)
        })?;
    }
    Ok(())
}
