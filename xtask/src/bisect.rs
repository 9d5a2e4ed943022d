//! `cargo xtask bisect GOOD BAD SCENARIO`: the first release at hand with which a scenario comes to something else.

mod search;

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::ValueEnum;
use harness::Verdict;
use harness::report::Report;
use serde::Serialize;

use crate::cli;
use crate::compare::On;
use crate::firmware::{Cache, Release, Variant};
use crate::outcome::Outcome;
use crate::terminal::say;
use crate::{paths, report};
use search::{Found, Judgement, search};

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

/// One release that was run, or could not be.
#[derive(Clone, Debug, Serialize)]
struct Step {
    release: String,
    built: String,
    judgement: Judgement,
    /// The verdict with owner and reason, or why the release cannot be judged.
    evidence: String,
    /// The command that does it again.
    command: String,
}

/// All that was found.
#[derive(Clone, Debug, Serialize)]
struct Bisection {
    scenario: String,
    variant: &'static str,
    expect: Verdict,
    releases: Vec<String>,
    steps: Vec<Step>,
    last_good: String,
    /// One release if it could be told, else all that may be it.
    first_bad: Vec<String>,
    conclusion: String,
}

/// Searches, and prints each step.
///
/// # Errors
/// If a release is not at hand, GOOD is not good or BAD is not bad, or the image cannot be built.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    let releases = between(&Cache::open()?, &options.good, &options.bad)?;
    let names: Vec<String> = releases.iter().map(|release| release.name.clone()).collect();
    eprintln!("{} releases by build date: {}", names.len(), names.join(", "));
    let mut steps = Vec::new();
    let found = search(releases.len(), |index| {
        let step = judge(options, &releases[index])?;
        eprintln!("{:>5}  {} ({}): {}", step.judgement.name(), step.release, step.built, step.evidence);
        let judgement = step.judgement;
        steps.push(step);
        Ok(judgement)
    });
    let found = found.map_err(|error| unusable(error, &steps, options))?;
    let bisection = sum_up(options, names, steps, &found);
    if json {
        say!("{}", serde_json::to_string_pretty(&bisection)?);
    } else {
        say!("{}", bisection.conclusion);
        for step in &bisection.steps {
            say!("  {:>5}  {}  {}", step.judgement.name(), step.release, step.command);
        }
    }
    Ok(Outcome::passed(found.candidates().count() == 1))
}

/// The releases from GOOD to BAD, oldest build first.
fn between(cache: &Cache, good: &str, bad: &str) -> Result<Vec<Release>> {
    cache.find(good)?;
    cache.find(bad)?;
    let releases = cache.releases()?;
    let place = |name: &str| releases.iter().position(|release| release.name == name);
    let (good_place, bad_place) = place(good).zip(place(bad)).context("a release is gone")?;
    ensure!(
        good_place < bad_place,
        "{good} is not older than {bad}: GOOD comes first and is the older one; to find the release that mended \
         something, name the verdict of the older one with --expect"
    );
    Ok(releases[good_place..=bad_place].to_vec())
}

fn judge(options: &Options, release: &Release) -> Result<Step> {
    let built =
        release.identity().map_or("unknown".to_owned(), |build| format!("{} {}", build.date, build.time));
    let variant = options.variant.name();
    let step = |judgement, evidence| Step {
        release: release.name.clone(),
        built,
        judgement,
        evidence,
        command: format!(
            "cargo xtask run --firmware {} --variant {variant} --scenario {} --board {} --iterations {} --seed {}",
            release.name, options.scenario, options.on.board.name, options.on.iterations, options.on.seed
        ),
    };
    if !release.has(options.variant.start_file()) {
        return Ok(step(Judgement::Skip, format!("it has no {}", options.variant.start_file())));
    }
    let runs = options.on.runs(std::slice::from_ref(&options.scenario), 1);
    let rig = runs.rig(release, options.variant)?;
    let done = match rig.boot(&runs.plan, None) {
        Ok(done) => done,
        Err(error) => return Ok(step(Judgement::Skip, format!("{error:#}"))),
    };
    let report = done.report;
    report::write_all(&report, &paths::target().join(format!("report/bisect/{}.json", release.name)))?;
    let (judgement, evidence) = read(&report, options);
    Ok(step(judgement, evidence))
}

/// What a report says of a release. One whose image never spoke says nothing of the scenario.
fn read(report: &Report, options: &Options) -> (Judgement, String) {
    let gravest = report.scenarios.iter().max_by_key(|scenario| scenario.verdict);
    let Some(scenario) = gravest else { return (Judgement::Skip, "the run left no scenario".to_owned()) };
    let owner = scenario.owner.map_or(String::new(), |owner| format!(", owner {}", owner.name()));
    let reason = scenario.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    let evidence = format!("{} {}{owner}{reason}", scenario.name, scenario.verdict);
    if report.image.git.is_empty() {
        return (Judgement::Skip, format!("it does not boot; {evidence}"));
    }
    let good = report.verdict() == options.expect.verdict();
    (if good { Judgement::Good } else { Judgement::Bad }, evidence)
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

fn sum_up(options: &Options, releases: Vec<String>, steps: Vec<Step>, found: &Found) -> Bisection {
    let first_bad: Vec<String> = found.candidates().map(|index| releases[index].clone()).collect();
    let last_good = releases[found.last_good].clone();
    let evidence = |name: &String| {
        let step = steps.iter().find(|step| step.release == *name);
        step.map_or(String::new(), |step| step.evidence.clone())
    };
    let conclusion = match first_bad.as_slice() {
        [only] => format!("first bad release: {only} ({}); last good: {last_good}", evidence(only)),
        several => format!(
            "the first bad release is one of {}: those between could not be judged; last good: {last_good}",
            several.join(", ")
        ),
    };
    Bisection {
        scenario: options.scenario.clone(),
        variant: options.variant.name(),
        expect: options.expect.verdict(),
        releases,
        steps,
        last_good,
        first_bad,
        conclusion,
    }
}
