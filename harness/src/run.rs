//! The run: plan in, records out, one outcome.

use vchiq_mbox::{Deadline, Mailbox, mailbox::MailboxError};

use crate::{
    board::{Board, Host, Identity, Parts},
    failure::Failure,
    inquiry,
    journal::Journal,
    plan::{AtEnd, BadWord, Parsed, Plan},
    record::{Record, Start, clipped},
    scenario,
    session::{PROPERTY_TIMEOUT, Session, verdict_of},
    timing::Calibration,
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
    pub at_end: AtEnd,
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
pub fn run<B: Board>(board: &mut B) -> Outcome {
    let parts = board.parts();
    match read_plan::<B>(parts) {
        Ok(parsed) => follow(board, parsed, None),
        // The ladder will tell more about a silent mailbox; but that the defaults ran must not go unnoticed.
        Err(NoPlan::NoReply(error)) => {
            let parsed = Parsed { plan: Plan::default(), defaults: true };
            follow(board, parsed, Some(Failure::from(error)))
        }
        Err(no_plan) => {
            let Parts { identity, host, .. } = board.parts();
            let failure = match no_plan {
                NoPlan::BadWord(word) => Failure::fail(Owner::Harness, format_args!("{word}")),
                NoPlan::NoReply(error) | NoPlan::Unreadable(error) => {
                    Failure::fail(error.owner().into(), format_args!("command line: {error}"))
                }
            };
            let journal = &mut Journal::new(host);
            refuse(journal, identity, |journal| report_plan(journal, &failure));
            Outcome { verdict: failure.verdict, at_end: AtEnd::default() }
        }
    }
}

/// Follows a plan. `unread` is why the command line could not be read.
fn follow<B: Board>(board: &mut B, parsed: Parsed, unread: Option<Failure>) -> Outcome {
    let Parsed { plan, defaults } = parsed;
    let at_end = plan.at_end;
    let parts = board.parts();
    let identity = parts.identity;
    let mut session = match Session::new(parts, plan) {
        Ok(session) => session,
        Err((fault, host)) => {
            let failure = Failure::fail(Owner::Harness, format_args!("{fault}"));
            refuse(&mut Journal::new(host), identity, |journal| report_alone(journal, "setup", &failure));
            return Outcome { verdict: failure.verdict, at_end };
        }
    };
    let start = start_record(&session.identity, &session.plan, defaults);
    session.journal.emit(&start);
    for kind in session.plan.scenarios.clone() {
        session.journal.emit(&Record::Planned { name: clipped(kind.name()) });
    }
    session.calibration = Calibration::measure(&session.clock).ok();
    inquiry::before(&mut session);

    let mut verdict = verdict_of(unread.as_ref());
    if let Some(failure) = unread {
        report_plan(&mut session.journal, &failure);
    }
    for kind in session.plan.scenarios.clone() {
        session.journal.scenario_start(kind.name());
        let report = scenario::run(&mut session, kind);
        verdict = verdict.and(verdict_of(report.failure.as_ref()));
        session.journal.scenario_end(kind.name(), report.failure.as_ref(), report.counts.into_list());
    }

    inquiry::after(&mut session);
    session.journal.end(verdict);
    Outcome { verdict, at_end }
}

/// Reads `cmdline.txt` through the firmware. No command line means the defaults.
fn read_plan<B: Board>(parts: Parts<'_, B>) -> Result<Parsed, NoPlan> {
    let Parts { clock, platform, mailbox, property, .. } = parts;
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
    Plan::parse(text).map_err(NoPlan::BadWord)
}

/// A run that cannot begin: a first record, what `why` says, and a last record.
fn refuse<H: Host>(
    journal: &mut Journal<'_, H>,
    identity: Identity,
    why: impl FnOnce(&mut Journal<'_, H>) -> Verdict,
) {
    let plan = Plan { scenarios: heapless::Vec::new(), ..Plan::default() };
    journal.emit(&start_record(&identity, &plan, false));
    let verdict = why(journal);
    journal.end(verdict);
}

/// Reading the plan, as a scenario that failed.
fn report_plan<H: Host>(journal: &mut Journal<'_, H>, failure: &Failure) -> Verdict {
    report_alone(journal, "plan", failure)
}

/// A scenario of one step that failed.
fn report_alone<H: Host>(journal: &mut Journal<'_, H>, name: &str, failure: &Failure) -> Verdict {
    journal.scenario_start(name);
    journal.step_end(name, "check", Some(failure));
    journal.scenario_end(name, Some(failure), heapless::Vec::new());
    failure.verdict
}

fn start_record(identity: &Identity, plan: &Plan, defaults: bool) -> Record {
    Record::Start(Start {
        git: clipped(identity.git),
        profile: clipped(identity.profile),
        iterations: plan.iterations,
        seed: plan.seed,
        defaults,
    })
}
