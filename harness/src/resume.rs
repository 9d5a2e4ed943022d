//! Going on after a reset: what the life before it left is reported, and what only a reset helps against.
//!
//! A scenario is never run twice, so a run has at most as many resets as scenarios, and one more: each life but the last
//! ends with a scenario that has not ended before, or outside of one, and the next life then ends the run, before it asks
//! anything. A life that does not get as far as here is noted too ([`crate::black_box::begin`]).

use vchiq_mbox::link::Connection;

use crate::{
    black_box::Phase,
    board::Board,
    failure::Failure,
    record::{Fact, MAX_COUNTS, Record, ResetCause, Resumed, Start, clipped},
    run::announce_plan,
    session::{Earlier, LinkState, Session},
    verdict::{Owner, Verdict},
};

// One exists in a run, and there is no allocator to put the failure elsewhere.
#[allow(clippy::large_enum_variant)]
/// What becomes of the run.
pub(crate) enum Resumption {
    /// It goes on with the scenarios that have not ended.
    GoOn,
    /// It ends here: the board was reset outside of a scenario, and would be again.
    GiveUp(Failure),
}

/// Tells the PC that the run goes on, and how the scenario ended in which the board was reset.
pub(crate) fn report<B: Board>(session: &mut Session<'_, B>, start: Start, earlier: &Earlier) -> Resumption {
    let state = &earlier.left.state;
    if let Some(black_box) = session.journal.black_box() {
        black_box.resumed();
    }
    let (cause, place) = match state.phase {
        Phase::Running(place) => (ResetCause::Watchdog, Some(place)),
        Phase::Resetting(place) => (ResetCause::Image, Some(place)),
        Phase::Between => (ResetCause::Watchdog, None),
    };
    let scenario = place.and_then(|place| session.plan.scenarios.get(place)).map_or("", |kind| kind.name());
    session.journal.emit(&Record::Resumed(Resumed {
        start,
        resets: u16::try_from(state.resets.saturating_add(1)).unwrap_or(u16::MAX),
        scenario: clipped(scenario),
        cause,
    }));
    announce_plan(session);
    for (kind, verdict) in session.plan.scenarios.clone().iter().zip(state.verdicts) {
        if let Some(verdict) = verdict {
            session.journal.emit(&Record::Before { name: clipped(kind.name()), verdict });
        }
    }
    match state.phase {
        Phase::Running(place) => {
            report_hung(session, earlier, place, scenario);
            Resumption::GoOn
        }
        Phase::Resetting(_) => Resumption::GoOn,
        Phase::Between => Resumption::GiveUp(
            Failure::hung(Owner::Harness, format_args!("the watchdog reset the board while no scenario ran"))
                .with("resets", state.resets + 1),
        ),
    }
}

/// Every wait for VideoCore has a deadline: an Arm that the watchdog had to reset did not wait for VideoCore, it stood.
fn report_hung<B: Board>(session: &mut Session<'_, B>, earlier: &Earlier, place: usize, scenario: &str) {
    let spent_ms = earlier.left.state.spent_ms;
    if let Some(black_box) = session.journal.black_box() {
        black_box.scenario_end(place, Verdict::Hung, spent_ms);
    }
    let step = match earlier.left.state.step.as_str() {
        "" => "outside of a step",
        step => step,
    };
    let reason = format_args!("the Arm made no progress, and the watchdog reset the board");
    let mut failure = Failure::hung(Owner::Harness, reason);
    if let Some(done) = earlier.left.iterations {
        failure = failure.with("iterations", done);
    }
    failure = match &earlier.remains {
        Some(remains) => failure.at_remains(remains),
        None => failure,
    };
    session.journal.step_end(scenario, step, Some(&failure));
    let mut counts = heapless::Vec::<Fact, MAX_COUNTS>::new();
    if let Some(value) = earlier.left.iterations {
        let _ = counts.push(Fact { name: clipped("iterations"), value });
    }
    // The counter began anew with the board: how long it stood is not known.
    session.journal.scenario_end(scenario, Some(&failure), counts, None);
}

/// The gravest verdict of the lives before.
pub(crate) fn verdict_so_far<B: Board>(session: &mut Session<'_, B>) -> Verdict {
    let black_box = session.journal.black_box();
    let verdicts = black_box.map(|black_box| black_box.state().verdicts);
    verdicts.into_iter().flatten().flatten().fold(Verdict::Pass, Verdict::and)
}

/// The scenario at this place of the plan has ended, in this life or before.
pub(crate) fn has_ended<B: Board>(session: &mut Session<'_, B>, place: usize) -> bool {
    let black_box = session.journal.black_box();
    black_box.is_some_and(|black_box| matches!(black_box.state().verdicts.get(place), Some(Some(_))))
}

/// After a scenario that hung nobody knows what VideoCore still does, and with which of our memory; a link that broke
/// cannot be set up again, because VCHIQ_INIT works once in the life of a firmware. Neither can a service be opened again
/// that was left with buffers out.
pub(crate) fn only_a_reset_helps<B: Board>(session: &Session<'_, B>, ended: Verdict) -> bool {
    let broken = match &session.link_state {
        LinkState::Failed(failure) => failure.verdict != Verdict::Absent,
        LinkState::Down | LinkState::TakenUp | LinkState::Up => false,
    };
    let spoilt = session.spoilt_by.is_some();
    ended == Verdict::Hung || broken || spoilt || matches!(session.link.connection(), Connection::Dead(_))
}

/// Notes that the image asks for a reset; false on a board that has nowhere to note it.
pub(crate) fn prepare_reset<B: Board>(session: &mut Session<'_, B>, place: usize) -> bool {
    let Some(black_box) = session.journal.black_box() else { return false };
    black_box.resetting(place);
    true
}
