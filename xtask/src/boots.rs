//! `cargo xtask boots`: the scenario `boot-race` over many boots, each with a delay and a seed of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::report::Timing;
use harness::scenario::Kind;
use harness::{Plan, Verdict};
use serde::Serialize;

use crate::cli::BootsOptions;
use crate::outcome::Outcome;
use crate::run::{Done, Pace, Rig, Subject, side_by_side, span};
use crate::terminal::say;
use crate::{paths, report};

/// From the link's being up to the first OPEN, in microseconds: what people tried who met the race.
const DELAYS_US: [u32; 4] = [0, 1000, 10_000, 100_000];

/// One boot.
#[derive(Clone, Debug, Serialize)]
struct Boot {
    delay_us: u32,
    seed: u64,
    verdict: Verdict,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<harness::Owner>,
    /// When the first OPEN was sent, on the constant counter (modelled).
    opened_us: Option<u32>,
    /// The firmware has the service mmal.
    has_mmal: bool,
}

/// The boots of one delay.
#[derive(Clone, Debug, Serialize)]
struct Group {
    delay_us: u32,
    boots: usize,
    passed: usize,
    with_mmal: usize,
    opened_us_first: Option<u32>,
    opened_us_last: Option<u32>,
}

/// All of them.
#[derive(Clone, Debug, Serialize)]
struct Boots {
    boots: usize,
    passed: usize,
    delays: Vec<Group>,
    /// Those that did not pass.
    failed: Vec<Boot>,
    timing: Timing,
    first_seed: u64,
    wall_ms: u64,
    #[serde(flatten)]
    subject: Subject,
}

/// Boots as often as asked, as many at a time as there are processors.
///
/// # Errors
/// If a card cannot be made or booted, or the report cannot be written. A boot that does not pass is no error but a
/// result.
pub fn run(options: &BootsOptions, json: bool) -> Result<Outcome> {
    let path = options.report.clone().unwrap_or_else(default_report);
    report::check_writable(&path)?;
    let rig = Rig::set_up(&options.board)?;
    let started = Instant::now();
    let pace = Pace::begin(0, options.count.into());
    let boots = side_by_side(options.count as usize, |number| {
        let boot = boot(&rig, number, options.board.seed).with_context(|| format!("boot {}", number + 1))?;
        let (verdict, done) = (boot.verdict, number as u64 + 1);
        eprintln!("{done:3} of {}: {} µs, {verdict}; {}", options.count, boot.delay_us, pace.so_far(done));
        Ok(boot)
    })?;
    let boots = sum_up(&boots, &rig, options, started.elapsed())?;
    report::write_json(&boots, &path)?;
    if json {
        say!("{}", serde_json::to_string_pretty(&boots)?);
    } else {
        print(&boots);
        say!("report: {}", path.display());
    }
    Ok(Outcome::passed(boots.passed == boots.boots))
}

fn default_report() -> PathBuf {
    paths::target().join("report/boots.json")
}

fn delay_of(number: usize) -> u32 {
    DELAYS_US[number % DELAYS_US.len()]
}

fn boot(rig: &Rig, number: usize, first_seed: u64) -> Result<Boot> {
    let plan = Plan {
        scenarios: [Kind::BootRace].into_iter().collect(),
        iterations: 1,
        // All delays with each seed.
        seed: first_seed.wrapping_add((number / DELAYS_US.len()) as u64),
        delay_us: delay_of(number),
        ..Plan::default()
    };
    Ok(judge(&plan, &rig.boot(&plan, None)?))
}

fn judge(plan: &Plan, done: &Done) -> Boot {
    let report = &done.report;
    let scenario = report.scenarios.iter().find(|scenario| scenario.name == Kind::BootRace.name());
    let count = |name: &str| scenario.and_then(|scenario| scenario.counts.get(name)).copied();
    let blamed = scenario.filter(|scenario| scenario.verdict != Verdict::Pass).or(report.scenarios.first());
    Boot {
        delay_us: plan.delay_us,
        seed: plan.seed,
        verdict: report.verdict(),
        reason: blamed.and_then(|scenario| scenario.reason.clone()),
        owner: blamed.and_then(|scenario| scenario.owner),
        opened_us: count("opened_us"),
        has_mmal: count("mmal") == Some(1),
    }
}

fn sum_up(boots: &[Boot], rig: &Rig, options: &BootsOptions, wall: Duration) -> Result<Boots> {
    let failed: Vec<Boot> = boots.iter().filter(|boot| boot.verdict != Verdict::Pass).cloned().collect();
    Ok(Boots {
        boots: boots.len(),
        passed: boots.len() - failed.len(),
        delays: groups(boots),
        failed,
        timing: Timing::Modelled,
        first_seed: options.board.seed,
        wall_ms: wall.as_millis() as u64,
        subject: rig.subject()?,
    })
}

fn groups(boots: &[Boot]) -> Vec<Group> {
    let group = |delay_us| {
        let of_delay = || boots.iter().filter(move |boot| boot.delay_us == delay_us);
        let opened = || of_delay().filter_map(|boot| boot.opened_us);
        Group {
            delay_us,
            boots: of_delay().count(),
            passed: of_delay().filter(|boot| boot.verdict == Verdict::Pass).count(),
            with_mmal: of_delay().filter(|boot| boot.has_mmal).count(),
            opened_us_first: opened().min(),
            opened_us_last: opened().max(),
        }
    };
    DELAYS_US.into_iter().map(group).filter(|group| group.boots > 0).collect()
}

fn print(boots: &Boots) {
    say!("boots: {} of {} passed", boots.passed, boots.boots);
    for group in &boots.delays {
        let opened = match (group.opened_us_first, group.opened_us_last) {
            (Some(first), Some(last)) => {
                format!("first OPEN {first} to {last} µs after the reset (modelled)")
            }
            _ => "no OPEN".to_owned(),
        };
        let (passed, all, with_mmal) = (group.passed, group.boots, group.with_mmal);
        say!("  after {:6} µs: {passed} of {all}, {with_mmal} with mmal; {opened}", group.delay_us);
    }
    for boot in &boots.failed {
        let owner = boot.owner.map_or(String::new(), |owner| format!(" ({})", owner.name()));
        let reason = boot.reason.as_deref().unwrap_or_default();
        say!("  {}{owner} after {} µs, seed {}: {reason}", boot.verdict, boot.delay_us, boot.seed);
        say!(
            "    again: cargo xtask run --scenario boot-race --iterations 1 --delay-us {} --seed {}",
            boot.delay_us,
            boot.seed
        );
    }
    let Subject { git, firmware, variant, board, .. } = &boots.subject;
    say!(
        "  {} on this PC; image {git}, firmware {firmware} {variant} on board {board}",
        span(Duration::from_millis(boots.wall_ms))
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(delay_us: u32, verdict: Verdict, opened_us: Option<u32>) -> Boot {
        Boot { delay_us, seed: 1, verdict, reason: None, owner: None, opened_us, has_mmal: true }
    }

    #[test]
    fn boots_are_counted_by_their_delay() {
        let boots = [
            boot(0, Verdict::Pass, Some(70)),
            boot(1000, Verdict::Fail, None),
            boot(0, Verdict::Hung, Some(50)),
        ];
        let groups = groups(&boots);
        assert_eq!(groups.len(), 2);
        assert_eq!((groups[0].boots, groups[0].passed), (2, 1));
        assert_eq!((groups[0].opened_us_first, groups[0].opened_us_last), (Some(50), Some(70)));
        assert_eq!((groups[1].boots, groups[1].passed, groups[1].opened_us_first), (1, 0, None));
    }

    #[test]
    fn every_delay_comes_once_with_each_seed() {
        assert_eq!((0..8).map(delay_of).collect::<Vec<_>>(), [DELAYS_US, DELAYS_US].concat());
    }
}
