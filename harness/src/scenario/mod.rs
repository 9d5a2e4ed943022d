//! The scenarios, as values.
//!
//! A scenario is a file: its description (what it proves, who asked for it, when it has passed) and how it runs.
//! `catalogue.rs` lists them; docs/adding-a-scenario.md tells how to add one.

mod catalogue;
mod traffic;

// What scenarios share.
mod crowd;
mod firmware_trace;
mod known;
mod leftovers;
mod link;
mod media;
mod shared_memory;
mod steps;

// One file a scenario.
mod abandon;
mod alias_matrix;
mod bad_handles;
mod boot_race;
mod both_full;
mod bring_up;
mod bulk;
mod close_races;
mod close_with_imports;
mod echo;
mod free_behind_buffer;
mod free_in_flight;
mod free_while_locked;
mod fun2;
mod func;
mod gencmd;
mod handshake;
mod heap;
mod ids;
mod interleave;
mod leak;
mod not_ours;
mod offers;
mod padding;
mod pause;
mod pipeline;
mod quotas;
mod receiver_keeps;
mod receiver_leaves_claimed;
mod second_init;
mod sender_publishes_first;
mod services;
mod shared_payload;
mod soak;
mod stop_streaming;
mod sync;
mod two_holders;
mod use_by_mmal;
mod vc_mem;
mod version_one;
mod versions;
mod walk;
mod wrap;

use vchiq_mbox::{Exchange, property::FirmwareRevision};

pub use catalogue::{ALL, Group, Kind, Needs, Scenario};
pub(crate) use media::Media;

use crate::{
    board::Board,
    failure::Failure,
    histogram::Samples,
    session::{Counts, Session, record},
    timing::Calibration,
};
use traffic::Traffic;

/// What a scenario came to.
pub(crate) struct Outcome {
    /// Why it did not pass.
    pub(crate) failure: Option<Failure>,
    /// How often what happened.
    pub(crate) counts: Counts,
}

/// Runs a scenario.
pub(crate) fn run<B: Board>(session: &mut Session<'_, B>, kind: Kind) -> Outcome {
    session.samples.clear();
    session.scenario = kind.name();
    session.strays_before = session.link.counters().strays;
    let mut counts = Counts::default();
    if let Some(failure) = cannot_run(session, kind) {
        return Outcome { failure: Some(failure), counts };
    }
    let before = Traffic::of(session);
    let failure = catalogue::run(session, kind, &mut counts).err();
    if failure.is_some() {
        leftovers::close(session);
    }
    let traffic = Traffic::of(session).since(&before);
    traffic.count(&mut counts);
    let failure = failure.or_else(|| traffic.judge(session.link.last_stray()));
    Outcome { failure, counts }
}

/// The verdict on a message for nobody.
#[cfg(all(test, feature = "std"))]
pub(crate) fn judge_stray(stray: vchiq_mbox::link::Stray) -> Option<Failure> {
    Traffic::one_stray(stray)
}

/// Why this rung cannot run a scenario.
fn cannot_run<B: Board>(session: &Session<'_, B>, kind: Kind) -> Option<Failure> {
    let is_model = session.peer.revision == FirmwareRevision::MODEL;
    match kind.scenario().needs {
        Needs::Firmware if is_model => {
            Some(Failure::skip(format_args!("needs real firmware: the model does not do all of this")))
        }
        Needs::Model if !is_model => {
            Some(Failure::skip(format_args!("needs the model: no firmware does this by itself")))
        }
        _ => None,
    }
}

/// Records a round trip: the whole, `submit`, `doorbell_to_irq`, `parse`, in four histograms from `first` on. Gives
/// whether the core slept meanwhile.
fn record_parts(samples: &mut Samples, first: usize, calibration: &Calibration, exchange: &Exchange) -> bool {
    let slept = record(samples, first, calibration.elapsed(exchange.begin, exchange.parsed));
    record(samples, first + 1, calibration.elapsed(exchange.begin, exchange.rung));
    record_answer(samples, first + 2, calibration, exchange);
    slept
}

/// Records `doorbell_to_irq` and `parse`, in two histograms from `first` on. They are known only if the answer's
/// interrupt came before the answer was found. An answer so fast that its interrupt came before the sender had
/// returned counts as 0 and is parsed from then on.
fn record_answer(samples: &mut Samples, first: usize, calibration: &Calibration, exchange: &Exchange) {
    let Exchange { rung, interrupt: Some(interrupt), parsed, .. } = *exchange else { return };
    let interrupt = if interrupt.cycles < rung.cycles { rung } else { interrupt };
    record(samples, first, calibration.elapsed(rung, interrupt));
    record(samples, first + 1, calibration.elapsed(interrupt, parsed));
}

/// Kicks the watchdog, notes it for after a reset, and tells the PC twenty times in a scenario how far it is. `rounds`
/// is how often the plan's iterations are gone through.
fn note_progress<B: Board>(session: &mut Session<'_, B>, done: u32, rounds: u32) {
    session.journal.iterations(done);
    let total = session.plan.iterations.saturating_mul(rounds);
    let part = (total / 20).max(1);
    if done.is_multiple_of(part) {
        session.journal.progress(session.scenario, done, total);
    }
}
