//! `cargo xtask soak`: the scenario `soak` for millions of blocks, in legs. `docs/soak.md` tells what for.

mod state;
mod summary;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use harness::Plan;
use harness::scenario::Kind;

use crate::cli::SoakOptions;
use crate::outcome::Outcome;
use crate::report::{self, grouped};
use crate::run::{Pace, Rig};
use crate::terminal::say;
use crate::{interrupt, paths};
use state::{Leg, State, Terms};
use summary::Summary;

/// Time in the machine for a leg: more than the longest takes.
const LEG_LIMIT_S: u32 = 86_400;

/// Goes on where the last command was stopped, until all is done.
///
/// # Errors
/// If the folder cannot be used, the state in it is of another soak, or a leg cannot be booted. A leg that does not pass is no
/// error but a result.
pub fn run(options: &SoakOptions, json: bool) -> Result<Outcome> {
    let folder = options.folder.clone().unwrap_or_else(|| paths::target().join("soak"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let _lock = lock(&folder)?;
    let rig = Rig::set_up(&options.board)?;
    let mut state = begin(options, &folder, terms(options, &rig)?)?;
    interrupt::explain(format!(
        "Stopped. What the running leg had done is lost, everything before it is kept in {}.\n\
         The same command goes on from there.",
        folder.display()
    ))?;
    let failed = run_legs(options, &folder, &rig, &mut state)?;
    let summary = Summary::of(&state, options.transactions, failed);
    let path = folder.join("report.json");
    report::write_json(&summary, &path)?;
    if json {
        say!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        say!("{summary}\nreport: {}", path.display());
    }
    Ok(Outcome::passed(summary.failed.is_none()))
}

/// One command at a time uses a folder. The lock goes with the program, however it ends.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another soak is running in {}; --folder takes another one", folder.display())
        }
        Err(TryLockError::Error(error)) => Err(error).context(format!("cannot lock {}", path.display())),
    }
}

fn terms(options: &SoakOptions, rig: &Rig) -> Result<Terms> {
    Ok(Terms {
        subject: rig.subject()?,
        seed: options.board.seed,
        sizes: options.sizes.iter().flatten().copied().collect(),
        first_transaction: options.first_transaction,
    })
}

/// The state to go on with.
fn begin(options: &SoakOptions, folder: &Path, terms: Terms) -> Result<State> {
    let kept = if options.fresh { None } else { State::load(folder)? };
    let Some(state) = kept else {
        forget(folder)?;
        eprintln!("Soak of {} import/free transactions, from the beginning.", grouped(options.transactions));
        return Ok(State::new(terms));
    };
    if let Some(difference) = state.terms.difference(&terms) {
        bail!(
            "the soak in {} was begun with another {difference}. --fresh forgets it and begins anew; \
             --folder keeps it and begins another",
            folder.display()
        );
    }
    eprintln!(
        "Going on: {} of {} import/free transactions are done, in {} legs.",
        grouped(state.done()),
        grouped(options.transactions),
        state.legs.len()
    );
    Ok(state)
}

/// Removes what another soak left.
fn forget(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        let is_ours = |name: &str| {
            name == "state.json"
                || name == "report.json"
                || name.starts_with("leg-") && name.ends_with(".json")
        };
        if path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Runs what is left, keeping the state after each leg. Gives the leg that did not pass, with which it ends.
fn run_legs(options: &SoakOptions, folder: &Path, rig: &Rig, state: &mut State) -> Result<Option<Leg>> {
    let pace = Pace::begin(state.done(), options.transactions);
    while state.done() < options.transactions {
        let pace = pace.next_run(state.done());
        let leg = run_leg(options, folder, rig, state, pace)?;
        if leg.failure.is_some() {
            return Ok(Some(leg));
        }
        let number = leg.number;
        state.legs.push(leg);
        state.save(folder)?;
        eprintln!(
            "leg {number}: {} of {} done; {}",
            grouped(state.done()),
            grouped(options.transactions),
            pace.so_far(state.done())
        );
    }
    Ok(None)
}

fn run_leg(options: &SoakOptions, folder: &Path, rig: &Rig, state: &State, pace: Pace) -> Result<Leg> {
    let number = state.legs.len() as u32 + 1;
    let left = options.transactions.saturating_sub(state.done());
    let transactions = u32::try_from(left).unwrap_or(u32::MAX).min(options.leg);
    let plan = Plan {
        scenarios: [Kind::Soak].into_iter().collect(),
        iterations: transactions,
        seed: state.terms.seed.wrapping_add(u64::from(number) - 1),
        limit_s: LEG_LIMIT_S,
        sizes: state.terms.sizes.iter().copied().collect(),
        first_transaction: state.next_transaction(),
        ..Plan::default()
    };
    let done = rig.boot(&plan, Some(pace))?;
    report::write_json(&done.report, &leg_path(folder, number))?;
    for line in &done.report.last_words {
        eprintln!("  {line}");
    }
    Ok(Leg::of(number, plan.seed, transactions, &done))
}

fn leg_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("leg-{number:04}.json"))
}
