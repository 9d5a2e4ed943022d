//! The run: plan in, records out, one outcome.

use vchiq_mbox::{Clock, Deadline, Mailbox, mailbox::MailboxError};

use crate::{
    black_box::{self, Fingerprint, Found},
    board::{Board, Identity, Parts},
    failure::Failure,
    inquiry,
    journal::Journal,
    plan::{AtEnd, BadWord, Parsed, Plan},
    record::{Peer, Record, Start, Wishes, clipped},
    resume::{self, Resumption},
    scenario,
    session::{JournalOf, PROPERTY_TIMEOUT, Session, verdict_of},
    timing::{self, Calibration},
    verdict::{Owner, Verdict},
};

/// The longest command line that is read.
const COMMAND_LINE_BYTES: usize = 2048;

/// What a run came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Outcome {
    /// The gravest verdict.
    pub verdict: Verdict,
    /// What the image does next.
    pub next: Next,
}

/// What the image does after a run, or in the middle of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Next {
    /// The run has ended.
    End(AtEnd),
    /// Resets the board: the run goes on with fresh firmware. Only on a board with a black box.
    Reset,
}

impl Outcome {
    fn ended(verdict: Verdict, at_end: AtEnd) -> Self {
        Self { verdict, next: Next::End(at_end) }
    }
}

/// A plan, and what tells it from others; nothing does if it could not be read.
struct Reading {
    parsed: Parsed,
    fingerprint: Option<Fingerprint>,
}

/// Why there is no plan.
enum NoPlan {
    /// A word of ours is wrong.
    BadWord(BadWord),
    /// The mailbox stays silent.
    NoReply(MailboxError),
    /// The command line could not be read, for another reason than the firmware's not having one.
    Unreadable(MailboxError),
}

/// Reads the plan from the command line and follows it. Returns in bounded time: every wait has a deadline, and the
/// run as a whole has one.
// A function of its own: the tests of the watchdog and of the register dump replace its first instructions.
#[inline(never)]
pub fn run<B: Board>(board: &mut B) -> Outcome {
    let outcome = begin(board);
    // However it ended: a later life is to begin anew.
    if let (Next::End(_), Some(window)) = (outcome.next, board.parts().black_box) {
        black_box::close(window);
    }
    outcome
}

fn begin<B: Board>(board: &mut B) -> Outcome {
    let Parts { identity, last_reset, black_box, .. } = board.parts();
    let image = Fingerprint::of_image(identity.git, identity.profile);
    let found = black_box.map_or(Found::Nothing, |window| black_box::begin(window, image, last_reset));
    if found == Found::NoPlanBefore {
        let reason = format_args!("the watchdog reset the board before the image had read its plan");
        return give_up(board, &Failure::hung(Owner::Harness, reason));
    }
    match read_plan::<B>(board.parts()) {
        Ok(reading) => follow(board, reading, None),
        // The defaults are another plan than the one that is open, which nobody can tell.
        Err(NoPlan::NoReply(error)) if found == Found::OpenRun => {
            let reason = format_args!("the mailbox is silent after the reset: {error}");
            give_up(board, &Failure::hung(Owner::Firmware, reason))
        }
        // The ladder will tell more about a silent mailbox; but that the defaults ran must not go unnoticed.
        Err(NoPlan::NoReply(error)) => {
            let parsed = Parsed { plan: Plan::default(), defaults: true };
            follow(board, Reading { parsed, fingerprint: None }, Some(Failure::from(error)))
        }
        Err(no_plan) => {
            let Parts { identity, host, .. } = board.parts();
            let failure = match no_plan {
                NoPlan::BadWord(word) => Failure::fail(Owner::Harness, format_args!("{word}")),
                NoPlan::NoReply(error) | NoPlan::Unreadable(error) => {
                    Failure::fail(error.owner().into(), format_args!("command line: {error}"))
                }
            };
            let journal: &mut JournalOf<'_, B> = &mut Journal::new(host, None);
            refuse::<B>(journal, identity, |journal| report_plan::<B>(journal, &failure));
            Outcome::ended(failure.verdict, AtEnd::default())
        }
    }
}

/// A run that a reset has cut off, and whose plan is unknown to this life.
fn give_up<B: Board>(board: &mut B, failure: &Failure) -> Outcome {
    let Parts { identity, host, .. } = board.parts();
    let journal: &mut JournalOf<'_, B> = &mut Journal::new(host, None);
    refuse::<B>(journal, identity, |journal| report_alone::<B>(journal, "reset", failure));
    Outcome::ended(failure.verdict, AtEnd::default())
}

/// Follows a plan, or goes on with it after a reset. `unread` is why the command line could not be read.
fn follow<B: Board>(board: &mut B, reading: Reading, unread: Option<Failure>) -> Outcome {
    let Reading { parsed: Parsed { plan, defaults }, fingerprint } = reading;
    let at_end = plan.at_end;
    let parts = board.parts();
    let identity = parts.identity;
    let (mut session, earlier) = match Session::new(parts, plan, fingerprint) {
        Ok(ready) => ready,
        Err((fault, host)) => {
            let failure = Failure::fail(Owner::Harness, format_args!("{fault}"));
            let journal: &mut JournalOf<'_, B> = &mut Journal::new(host, None);
            refuse::<B>(journal, identity, |journal| report_alone::<B>(journal, "setup", &failure));
            return Outcome::ended(failure.verdict, at_end);
        }
    };
    let start = start_record(&session.identity, &session.plan, defaults);
    let resumption = match earlier {
        None => {
            session.journal.emit(&Record::Start(start));
            announce_plan(&mut session);
            Resumption::GoOn
        }
        Some(earlier) => resume::report(&mut session, start, &earlier),
    };
    // Before any question: the Arm may have stood in one.
    if let Resumption::GiveUp(failure) = &resumption {
        session.journal.machine(&session.identity, &session.peer);
        let failed = report_alone::<B>(&mut session.journal, "reset", failure);
        let verdict = resume::verdict_so_far(&mut session).and(failed);
        session.journal.end(verdict);
        return Outcome::ended(verdict, at_end);
    }
    session.calibration = Calibration::measure(&session.clock).ok();
    inquiry::before(&mut session);

    let mut verdict = resume::verdict_so_far(&mut session).and(verdict_of(unread.as_ref()));
    if let Some(failure) = unread {
        report_plan::<B>(&mut session.journal, &failure);
    }
    if run_scenarios(&mut session, &mut verdict) == Next::Reset {
        return Outcome { verdict, next: Next::Reset };
    }

    inquiry::after(&mut session);
    session.journal.machine(&session.identity, &session.peer);
    session.journal.end(verdict);
    Outcome::ended(verdict, at_end)
}

/// Tells the PC what is going to run.
pub(crate) fn announce_plan<B: Board>(session: &mut Session<'_, B>) {
    for kind in session.plan.scenarios.clone() {
        session.journal.emit(&Record::Planned { name: clipped(kind.name()) });
    }
}

/// Runs the scenarios that have not ended before a reset; stops where only a reset helps.
fn run_scenarios<B: Board>(session: &mut Session<'_, B>, verdict: &mut Verdict) -> Next {
    let plan = session.plan.scenarios.clone();
    for (place, kind) in plan.iter().enumerate() {
        if resume::has_ended(session, place) {
            continue;
        }
        if let Some(black_box) = session.journal.black_box() {
            black_box.scenario_start(place);
        }
        session.journal.machine(&session.identity, &session.peer);
        session.journal.scenario_start(kind.name());
        let began = session.clock.ticks();
        let report = scenario::run(session, *kind);
        let took_us = timing::microseconds_since(session.clock, began);
        let ended = verdict_of(report.failure.as_ref());
        *verdict = verdict.and(ended);
        // First where it survives: a verdict that was not sent is told after the reset.
        let spent_ms = session.spent_ms();
        if let Some(black_box) = session.journal.black_box() {
            black_box.scenario_end(place, ended, spent_ms);
        }
        let scenario::Outcome { failure, counts } = report;
        session.journal.scenario_end(kind.name(), failure.as_ref(), counts.into_list(), took_us);
        let more = (place + 1..plan.len()).any(|place| !resume::has_ended(session, place));
        if more && resume::only_a_reset_helps(session, ended) && resume::prepare_reset(session, place) {
            return Next::Reset;
        }
    }
    Next::End(session.plan.at_end)
}

/// Reads `cmdline.txt` through the firmware. No command line means the defaults.
fn read_plan<B: Board>(parts: Parts<'_, B>) -> Result<Reading, NoPlan> {
    let Parts { identity, clock, platform, mailbox, property, .. } = parts;
    let mut mailbox = Mailbox::new(mailbox, property).map_err(NoPlan::Unreadable)?;
    let mut text = [0; COMMAND_LINE_BYTES];
    let deadline = Deadline::after(clock, PROPERTY_TIMEOUT);
    let text = match mailbox.command_line(&platform, &mut text, deadline) {
        Ok(text) => text,
        // Firmware without a command line, such as QEMU's.
        Err(MailboxError::NotAnswered { .. }) => &[],
        Err(error @ (MailboxError::NoReply { .. } | MailboxError::Full)) => {
            return Err(NoPlan::NoReply(error));
        }
        Err(error) => return Err(NoPlan::Unreadable(error)),
    };
    let parsed = Plan::parse(text).map_err(NoPlan::BadWord)?;
    let image = Fingerprint::of_image(identity.git, identity.profile);
    Ok(Reading { parsed, fingerprint: Some(image.with_plan(text)) })
}

/// A run that cannot begin: a first record, what `why` says, and a last record.
fn refuse<B: Board>(
    journal: &mut JournalOf<'_, B>,
    identity: Identity,
    why: impl FnOnce(&mut JournalOf<'_, B>) -> Verdict,
) {
    let plan = Plan { scenarios: heapless::Vec::new(), ..Plan::default() };
    journal.emit(&Record::Start(start_record(&identity, &plan, false)));
    journal.machine(&identity, &Peer::UNASKED);
    let verdict = why(journal);
    journal.end(verdict);
}

/// Reading the plan, as a scenario that failed.
fn report_plan<B: Board>(journal: &mut JournalOf<'_, B>, failure: &Failure) -> Verdict {
    report_alone::<B>(journal, "plan", failure)
}

/// A scenario of one step that failed.
fn report_alone<B: Board>(journal: &mut JournalOf<'_, B>, name: &str, failure: &Failure) -> Verdict {
    journal.scenario_start(name);
    journal.step_end(name, "check", Some(failure));
    journal.scenario_end(name, Some(failure), heapless::Vec::new(), None);
    failure.verdict
}

fn start_record(identity: &Identity, plan: &Plan, defaults: bool) -> Start {
    Start {
        git: clipped(identity.git),
        profile: clipped(identity.profile),
        iterations: plan.iterations,
        seed: plan.seed,
        defaults,
        wishes: Wishes::of(plan),
    }
}
