//! `cargo xtask test`: everything that must hold, on a laptop as in CI.

mod browser;
mod cargo_tests;
mod catalogue;
mod checks;
mod compare;
mod context;
mod emulate;
mod emulated;
mod expected;
mod farm;
mod faults;
mod flash;
mod hang;
mod many;
mod monitor;
mod qemu;
mod sdcard;
mod suite;
mod tools;

use std::time::Instant;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::cli::TestOptions;
use crate::outcome::Outcome;
use crate::terminal::say;
use context::Context;
use suite::{SUITES, Suite};

/// How a suite ended.
#[derive(Debug, Serialize)]
struct Ran {
    suite: &'static str,
    passed: bool,
    seconds: f64,
    /// Why not, with the output that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// Runs the suites asked for, all of them to the end, and counts.
///
/// # Errors
/// If a suite is asked for that does not exist. A suite that fails is no error but a result.
pub fn run(options: &TestOptions, json: bool) -> Result<Outcome> {
    if options.list {
        list(json)?;
        return Ok(Outcome::Pass);
    }
    let chosen = choose(&options.suites)?;
    let mut context = Context::with_release(options.firmware.as_deref())?;
    let ran: Vec<Ran> = chosen.into_iter().map(|suite| run_one(suite, &mut context, json)).collect();
    report(&ran, json)?;
    Ok(Outcome::passed(ran.iter().all(|ran| ran.passed)))
}

fn list(json: bool) -> Result<()> {
    if json {
        let suites =
            SUITES.each_ref().map(|suite| serde_json::json!({ "suite": suite.name, "about": suite.about }));
        say!("{}", serde_json::to_string_pretty(&serde_json::json!({ "suites": suites }))?);
        return Ok(());
    }
    for suite in &SUITES {
        say!("{:12} {}", suite.name, suite.about);
    }
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Suite>> {
    if names.is_empty() {
        return Ok(SUITES.iter().collect());
    }
    let known = SUITES.each_ref().map(|suite| suite.name).join(", ");
    let find = |name: &String| match SUITES.iter().find(|suite| suite.name == name.as_str()) {
        Some(suite) => Ok(suite),
        None => bail!("no suite is called {name}; the suites are {known}"),
    };
    names.iter().map(find).collect()
}

fn run_one(suite: &'static Suite, context: &mut Context, quiet: bool) -> Ran {
    if !quiet {
        say!("==== {}: {}", suite.name, suite.about);
    }
    let started = Instant::now();
    context.begin(suite.limit, quiet);
    let result = tools::provide(suite.tools).and_then(|()| (suite.run)(context));
    let seconds = started.elapsed().as_secs_f64();
    let failure = result.err().map(|error| format!("{error:#}"));
    if !quiet {
        let end = if failure.is_none() { "passed" } else { "FAILED" };
        if let Some(failure) = &failure {
            say!("{failure}");
        }
        say!("---- {}: {end} in {seconds:.1} s\n", suite.name);
    }
    Ran { suite: suite.name, passed: failure.is_none(), seconds, failure }
}

/// The failures once more, together, and the counting line as the last one.
fn report(ran: &[Ran], json: bool) -> Result<()> {
    let failed: Vec<&Ran> = ran.iter().filter(|ran| !ran.passed).collect();
    if json {
        let passed = ran.len() - failed.len();
        let all = serde_json::json!({ "suites": ran, "passed": passed, "failed": failed.len() });
        say!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    for ran in ran {
        say!("{} {:12} {:7.1} s", if ran.passed { "passed" } else { "FAILED" }, ran.suite, ran.seconds);
    }
    for ran in &failed {
        let first = ran.failure.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
        say!("{}: {first}", ran.suite);
    }
    say!("{} passed, {} failed", ran.len() - failed.len(), failed.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_names_of_their_own() {
        for (number, suite) in SUITES.iter().enumerate() {
            assert!(SUITES[..number].iter().all(|other| other.name != suite.name), "{}", suite.name);
        }
    }

    #[test]
    fn an_unknown_suite_is_answered_with_those_there_are() {
        let error = choose(&["unit".into(), "nap".into()]).unwrap_err().to_string();
        assert!(error.contains("nap") && error.contains("clippy"), "{error}");
        assert_eq!(choose(&["unit".into()]).unwrap().len(), 1);
        assert_eq!(choose(&[]).unwrap().len(), SUITES.len());
    }
}
