//! Noise, lost bytes and garbage on the line: noticed, and never a better verdict.

use anyhow::{Context as _, Result, ensure};
use harness::Verdict;
use harness::report::{Report, Timing};

use super::super::context::Context;
use super::Recorded;
use crate::monitor::decode;

/// Damaged lines of each kind.
const SEEDS: u64 = 150;
/// Lines that are nothing but garbage.
const GARBAGE: u64 = 300;

/// SplitMix64: numbers that look random, the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// What a line does.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Single bits flip, as by noise.
    Flips,
    /// Single bytes vanish, as by an overrun of the adapter.
    Losses,
    /// Whole stretches vanish, as by a loose contact.
    Gaps,
    /// Bytes come that nobody sent.
    Bursts,
}

fn damaged(bytes: &[u8], damage: Damage, random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        match damage {
            Damage::Flips => bytes[at] ^= 1 << random.below(8),
            Damage::Losses => drop(bytes.remove(at)),
            Damage::Gaps => {
                let end = (at + random.below(800)).min(bytes.len());
                bytes.drain(at..end);
            }
            Damage::Bursts => {
                let burst: Vec<u8> = (0..random.below(60)).map(|_| random.next() as u8).collect();
                bytes.splice(at..at, burst);
            }
        }
    }
    bytes
}

/// With every kind of damage, over many seeds; then garbage, which must come to no verdict but `hung` or `fail`.
pub fn is_told(context: &Context, whole: &Recorded, reset: &Recorded) -> Result<()> {
    let elf = std::fs::read(crate::build::elf_path()).context("the image's ELF file")?;
    let mut changed = 0;
    for recorded in [whole, reset] {
        for damage in [Damage::Flips, Damage::Losses, Damage::Gaps, Damage::Bursts] {
            for seed in 0..SEEDS {
                let mut random = Random(seed);
                let reports = decode(&elf, &damaged(&recorded.bytes, damage, &mut random))?;
                let checked = reports.iter().map(|report| check(report, &recorded.report));
                let differs = checked.collect::<Result<Vec<bool>>>();
                let differs = differs.with_context(|| format!("{damage:?}, seed {seed}"))?;
                changed += usize::from(differs.contains(&true) || reports.len() != 1);
            }
        }
    }
    ensure!(changed > 0, "no damage did anything: it is none");
    for seed in 0..GARBAGE {
        let mut random = Random(seed);
        let garbage: Vec<u8> = (0..random.below(6000)).map(|_| random.next() as u8).collect();
        for report in decode(&elf, &garbage)? {
            ensure!(report.verdict() >= Verdict::Fail, "garbage came to {report:#?}");
            ensure!(report.timing == Timing::Unknown, "garbage was labelled: {report:#?}");
        }
    }
    context.say(&format!(
        "of {} damaged lines {changed} came to other verdicts, each with what is missing, none to a pass that was not there",
        8 * SEEDS
    ));
    Ok(())
}

/// Gives whether the verdicts differ from those of the run.
fn check(heard: &Report, run: &Report) -> Result<bool> {
    ensure!(heard.timing != Timing::Measured, "modelled times are called measured: {heard:#?}");
    for scenario in heard.scenarios.iter().filter(|scenario| scenario.verdict == Verdict::Pass) {
        let there = run.scenarios.iter().find(|told| told.name == scenario.name);
        let passed = there.is_some_and(|told| told.verdict == Verdict::Pass);
        ensure!(passed, "a pass that was not there: {scenario:#?}");
        // Its figures are the run's: what arrived is not half of it.
        let figures = there.map(|told| (&told.latency, &told.counts));
        let is_told_after = scenario.reason.is_some() || scenario.latency.is_empty();
        ensure!(
            figures == Some((&scenario.latency, &scenario.counts)) || is_told_after,
            "figures that were not there: {scenario:#?}"
        );
    }
    ensure!(
        heard.verdict() != Verdict::Pass || run.verdict() == Verdict::Pass,
        "a better verdict: {heard:#?}"
    );
    let differs = super::verdicts(heard) != super::verdicts(run);
    if differs {
        let reasons = heard.scenarios.iter().filter_map(|scenario| scenario.reason.as_deref());
        let mut texts = heard.notes.iter().map(String::as_str).chain(reasons);
        let is_said = texts.any(|text| {
            ["lost", "damaged", "missing", "no further record", "no record", "says why", "incomplete"]
                .iter()
                .any(|word| text.contains(word))
        });
        ensure!(is_said, "nobody says what is missing: {heard:#?}");
    }
    Ok(differs)
}
