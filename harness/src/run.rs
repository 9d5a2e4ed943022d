//! The run: plan in, records out, one outcome.

use core::time::Duration;

use vchiq_mbox::{Deadline, Mailbox, mailbox::MailboxError};

use crate::{
    board::{Board, Host, Identity, Parts},
    failure::Failure,
    inquiry,
    journal::Journal,
    plan::{AtEnd, BadWord, Parsed, Plan},
    record::{Record, Start, When, clipped},
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
    /// The command line could not be read, for another reason than the firmware's not having one.
    Unreadable(MailboxError),
}

/// Reads the plan from the command line and follows it. Returns in bounded time: every wait has a deadline, and the
/// run as a whole has one.
pub fn run<B: Board>(board: &mut B) -> Outcome {
    let parts = board.parts();
    match read_plan::<B>(parts) {
        Ok(Parsed { plan, defaults }) => follow(board, plan, defaults),
        Err(no_plan) => {
            let Parts { identity, host, .. } = board.parts();
            let failure = match no_plan {
                NoPlan::BadWord(word) => Failure::fail(Owner::Harness, format_args!("{word}")),
                NoPlan::Unreadable(error) => {
                    Failure::fail(error.owner().into(), format_args!("command line: {error}"))
                }
            };
            refuse(&mut Journal::new(host), identity, "plan", &failure)
        }
    }
}

/// Follows a plan that is known already.
pub fn follow<B: Board>(board: &mut B, plan: Plan, defaults: bool) -> Outcome {
    let at_end = plan.at_end;
    let parts = board.parts();
    let identity = parts.identity;
    let mut session = match Session::new(parts, plan) {
        Ok(session) => session,
        Err((fault, host)) => {
            let failure = Failure::fail(Owner::Harness, format_args!("{fault}"));
            return refuse(&mut Journal::new(host), identity, "setup", &failure);
        }
    };
    let start = start_record(&session.identity, &session.plan, defaults);
    session.journal.emit(&start);
    session.calibration = Calibration::measure(&session.clock).ok();
    inquiry::board_and_peer(&mut session);
    inquiry::clocks(&mut session, When::Before);

    let mut verdict = Verdict::Pass;
    for kind in session.plan.scenarios.clone() {
        session.journal.scenario_start(kind.name());
        let report = scenario::run(&mut session, kind);
        verdict = verdict.and(verdict_of(report.failure.as_ref()));
        session.journal.scenario_end(kind.name(), report.failure.as_ref(), report.counts.into_list());
    }

    inquiry::clocks(&mut session, When::After);
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
        // Firmware without a command line, or a silent mailbox, which the ladder will meet again and report.
        Err(MailboxError::NotAnswered { .. } | MailboxError::NoReply { .. } | MailboxError::Full) => &[],
        Err(error) => return Err(NoPlan::Unreadable(error)),
    };
    Plan::parse(text).map_err(NoPlan::BadWord)
}

/// A run that cannot begin: one failed scenario that says why.
fn refuse<H: Host>(
    journal: &mut Journal<'_, H>,
    identity: Identity,
    name: &str,
    failure: &Failure,
) -> Outcome {
    let plan = Plan { scenarios: heapless::Vec::new(), ..Plan::default() };
    journal.emit(&start_record(&identity, &plan, false));
    journal.scenario_start(name);
    journal.step_end(name, "check", Some(failure));
    journal.scenario_end(name, Some(failure), heapless::Vec::new());
    journal.end(failure.verdict);
    Outcome { verdict: failure.verdict, at_end: plan.at_end }
}

fn start_record(identity: &Identity, plan: &Plan, defaults: bool) -> Record {
    let mut scenarios = heapless::String::new();
    for (i, kind) in plan.scenarios.iter().enumerate() {
        // There is room for all names together; a test says so.
        let _ = scenarios.push_str(if i == 0 { "" } else { "," });
        let _ = scenarios.push_str(kind.name());
    }
    Record::Start(Start {
        git: clipped(identity.git),
        profile: clipped(identity.profile),
        scenarios,
        iterations: plan.iterations,
        seed: plan.seed,
        defaults,
    })
}

/// The time a run may take, for the host that watches it from outside: the plan's limit and what one last step may
/// take past it.
pub fn longest(plan: &Plan) -> Duration {
    Duration::from_secs(u64::from(plan.limit_s) + 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_all_scenarios_fit_the_first_record() {
        let identity = Identity { git: "g", profile: "p", soc: "s", midr: 0, entry_el: 2 };
        let Record::Start(start) = start_record(&identity, &Plan::default(), true) else { unreachable!() };
        let names: Vec<&str> = scenario::Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(start.scenarios.as_str(), names.join(","));
    }
}
