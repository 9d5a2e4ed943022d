//! `cargo xtask bisect GOOD BAD SCENARIO`: the first release at hand with which a scenario comes to something else.

mod command;
mod judge;
mod outcome;
mod search;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum, value_parser};
use harness::Verdict;
use harness::report::Report;

use crate::cli;
use crate::compare::On;
use crate::firmware::{Cache, Release, Variant};
use crate::interrupt::{Interrupted, Notice};
use crate::outcome::Outcome;
use crate::run::side_by_side;
use crate::terminal::{Look, say};
use crate::{paths, report};
use judge::{Judged, Step, judge};
use outcome::Bisection;
use search::{Judgement, WrongEnd, search};

/// Options of `bisect`.
#[derive(Args, Debug)]
pub struct Options {
    /// The older release, with which the scenario comes to the verdict of `--expect`.
    pub good: String,
    /// The newer release, with which it does not.
    pub bad: String,
    /// Which scenario.
    #[arg(value_parser = cli::scenario_words(), hide_possible_values = true)]
    pub scenario: String,
    /// The verdict of a good release; `fail` finds the release that mended something.
    #[arg(long, value_enum, value_name = "VERDICT", default_value = "pass")]
    pub expect: Expect,
    /// Use this build of each release.
    #[arg(long, value_enum, default_value = "start")]
    pub variant: Variant,
    /// Run each release so often, each time with the next seed: for a scenario that fails now and then. One failure
    /// makes a release bad.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=100))]
    pub seeds: u32,
    #[command(flatten)]
    pub on: On,
}

/// A verdict on the command line.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "lowercase")]
pub enum Expect {
    /// Each step met its criterion.
    Pass,
    /// A step did not.
    Fail,
    /// The firmware does not offer it.
    Absent,
    /// No answer came.
    Hung,
}

impl Expect {
    fn verdict(self) -> Verdict {
        match self {
            Self::Pass => Verdict::Pass,
            Self::Fail => Verdict::Fail,
            Self::Absent => Verdict::Absent,
            Self::Hung => Verdict::Hung,
        }
    }
}

/// Searches, and prints each step.
///
/// # Errors
/// If a release is not at hand, GOOD is not good or BAD is not bad, the image cannot be built, a report cannot be
/// written, or Ctrl-C came, after which what was found by then is printed.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    let releases = between(&Cache::open()?, &options.good, &options.bad)?;
    let names: Vec<String> = releases.iter().map(|release| release.name.clone()).collect();
    eprintln!("{} releases by build date: {}", names.len(), names.join(", "));
    let interrupts = Notice::of_interrupts()?;
    let mut steps = Vec::new();
    let found = search(releases.len(), |index| {
        let release = &releases[index];
        let step = step(options, release, &interrupts).with_context(|| release.name.clone())?;
        eprintln!("{:>5}  {} ({}): {}", step.judgement.name(), step.release, step.built, step.evidence);
        let judgement = step.judgement;
        steps.push(step);
        Ok(judgement)
    });
    let found = match found {
        Ok(found) => Some(found),
        Err(error) if error.is::<Interrupted>() => None,
        Err(error) if error.is::<WrongEnd>() => return Err(unusable(error, &steps, options)),
        Err(error) => return Err(error),
    };
    let bisection = Bisection::new(options, names, steps, found.as_ref());
    if json {
        say!("{}", serde_json::to_string_pretty(&bisection)?);
    } else {
        say!("{}", bisection.text(Look::of_stdout()));
    }
    match found {
        Some(found) => Ok(Outcome::passed(found.candidates().count() == 1)),
        None => {
            interrupts.check()?;
            bail!("{}", bisection.conclusion)
        }
    }
}

/// The releases from GOOD to BAD, oldest build first.
fn between(cache: &Cache, good: &str, bad: &str) -> Result<Vec<Release>> {
    cache.find(good)?;
    cache.find(bad)?;
    let releases = cache.releases()?;
    ensure!(good != bad, "GOOD and BAD are both {good}: there is nothing between them");
    let place = |name: &str| releases.iter().position(|release| release.name == name);
    let (good_place, bad_place) = place(good).zip(place(bad)).context("a release is gone")?;
    ensure!(
        good_place < bad_place,
        "{good} is not older than {bad}: GOOD comes first and is the older one; to find the release that mended \
         something, name the verdict of the older one with --expect"
    );
    Ok(releases[good_place..=bad_place].to_vec())
}

fn step(options: &Options, release: &Release, interrupts: &Notice) -> Result<Step> {
    let built =
        release.identity().map_or("unknown".to_owned(), |build| format!("{} {}", build.date, build.time));
    let runs = options.on.runs(std::slice::from_ref(&options.scenario), options.seeds);
    let step = |judged: Judged| Step {
        release: release.name.clone(),
        built,
        judgement: judged.judgement,
        evidence: judged.evidence,
        command: command::repeating(options, &release.name, runs.plan_of(judged.run).seed),
    };
    if !release.has(options.variant.start_file()) {
        return Ok(step(Judged::skip(0, format!("it has no {}", options.variant.start_file()))));
    }
    let rig = runs.rig(release, options.variant)?.interrupted_by(interrupts);
    let booted = side_by_side(options.seeds as usize, |run| {
        let plan = runs.plan_of(run);
        interrupts.check()?;
        let done = match rig.boot(&plan, None) {
            Ok(done) => done,
            // Firmware that does not start a board says something of the release; a full disk says nothing.
            Err(error) => return Ok(Err(Judged::skip(run, format!("{error:#}")))),
        };
        if let Some(interrupted) = done.interrupted {
            return Err(interrupted.into());
        }
        let file = format!("report/bisect/{}-{}.json", release.name, plan.seed);
        report::write_all(&done.report, &paths::target().join(file))?;
        Ok(Ok(done.report))
    })?;
    let reports: Result<Vec<Report>, Judged> = booted.into_iter().collect();
    Ok(step(reports.map_or_else(|skipped| skipped, |reports| judge(&reports, options.expect.verdict()))))
}

/// An end of the range is not what it was said to be.
fn unusable(error: anyhow::Error, steps: &[Step], options: &Options) -> anyhow::Error {
    let Some(last) = steps.last() else { return error };
    if steps.len() > 1 && last.judgement == Judgement::Good {
        return error.context(format!(
            "there is nothing to find: {} comes to what is expected of a good release ({})",
            last.release, last.evidence
        ));
    }
    error.context(format!(
        "{} comes to: {} (expected of a good release: {})",
        last.release,
        last.evidence,
        options.expect.verdict()
    ))
}
