//! The end of a stream: flush, disable and destroy with buffers in flight. All that went out must come back.

use mmal::{Drained, Fill, PortSetup};
use vcsm::Imported;

use super::{
    Group, Needs, Scenario,
    media::{self, Lender, Media, SIZE, ZERO_COPY, payload, submit, with_media},
    shared_memory,
    steps::Steps,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session, record},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "stop-streaming",
    group: Group::Replay,
    needs: Needs::Firmware,
    proves: "stopping a stream at any moment gives every buffer back, and components can be made and ended for ever",
    asked_by: "raspberrypi/linux#4606, #4592, #5360, #5579, #6887 (buffers outstanding at stop); firmware#1552 (destroy hangs), #417",
    steps: &["open", "mmal", "flush", "disable", "destroy", "create-destroy", "close"],
    passes_when: "as many buffers come back as went out, in each way to stop; every component ends in time",
};

/// Buffers in flight.
const OUT: usize = 4;
const SETUP: PortSetup<'_> = PortSetup { buffers: OUT as u32, ..ZERO_COPY };
const STEPS: Steps<1> = Steps(["create-destroy"]);

/// How the stream is stopped.
#[derive(Clone, Copy)]
enum Stop {
    Flush,
    Disable,
    Destroy,
}

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    with_media(session, |session, media, client| {
        let mut imported: heapless::Vec<Imported, OUT> = heapless::Vec::new();
        for _ in 0..OUT {
            // There is room for OUT.
            let _ = imported.push(shared_memory::import(session, client, SIZE)?);
        }
        let result = stop_in_all_ways(session, media, &imported, counts);
        STEPS.emit(session);
        give_back(session, client, imported)?;
        result
    })
}

fn stop_in_all_ways<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    imported: &[Imported],
    counts: &mut Counts,
) -> Result<(), Failure> {
    for (step, stop) in [("flush", Stop::Flush), ("disable", Stop::Disable), ("destroy", Stop::Destroy)] {
        session.step(step, |session| {
            // Working, so that some are back already when it stops; and paused, so that none is.
            for paused in [false, true] {
                stop_with_buffers_out(session, media, imported, stop, paused)?;
            }
            Ok(())
        })?;
    }
    counts.set("buffers", 3 * 2 * OUT as u64);
    session.step("create-destroy", |session| {
        let calibration = session.calibration()?;
        for done in 0..session.plan.iterations {
            session.check_run_time()?;
            let begin = vchiq_mbox::Clock::now(session.clock);
            let (component, _) = media::sink(session, media, &SETUP)?;
            media::destroy(session, media, component)?;
            record(session.samples, 0, calibration.elapsed(begin, vchiq_mbox::Clock::now(session.clock)));
            super::note_progress(session, done + 1, 1);
        }
        counts.set("components", session.plan.iterations.into());
        Ok(())
    })
}

fn stop_with_buffers_out<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    imported: &[Imported],
    stop: Stop,
    paused: bool,
) -> Result<(), Failure> {
    let (component, mut input) = media::sink(session, media, &SETUP)?;
    if paused {
        media::pause(session, media, &component)?;
    }
    for imported in imported {
        // The token is not needed: all of the port's are taken below.
        drop(submit(session, media, &input, payload(imported), Fill::frame(SIZE as u32))?);
    }
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let still_out = match stop {
        Stop::Flush => {
            media.flush_port(&mut session.link, &input, deadline).map(|Drained { still_out, .. }| still_out)
        }
        Stop::Disable => media
            .disable_port(&mut session.link, &mut input, deadline)
            .map(|Drained { still_out, .. }| still_out),
        Stop::Destroy => Ok(0),
    };
    let still_out = still_out.map_err(|error| session.link_failure(error))?;
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let ended = media.destroy(&mut session.link, component, deadline);
    let not_returned = ended.map_err(|failure| session.link_failure(failure.error))?.not_returned;
    let mut back = 0;
    while media.take_any().is_some() {
        back += 1;
    }
    if (still_out, not_returned, back) == (0, 0, OUT) {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("{not_returned} of {OUT} buffers did not come back"))
        .with("still_out_at_reply", still_out as u32)
        .with("paused", paused.into()))
}

fn give_back<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Lender<'a, B>,
    imported: heapless::Vec<Imported, OUT>,
) -> Result<(), Failure> {
    for imported in imported {
        let freed = shared_memory::free(session, client, imported)?;
        shared_memory::take_back(session, client, freed)?;
    }
    Ok(())
}
