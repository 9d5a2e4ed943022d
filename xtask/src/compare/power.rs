//! How often `compare` finds what, and how often it is wrong: a simulation of measured runs with known truth.
//!
//! A comparison has [`STEPS`] steps, three of each shape. On side B one step of each shape has the effect; the rest are
//! alike on both sides. The numbers are the same each time.

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Error, Result, anyhow};
use comfy_table::CellAlignment;
use harness::Verdict;
use harness::histogram::Histogram;
use harness::report::{Latency, ScenarioReport};
use serde::Serialize;

use super::changes::{Pair, Thresholds};
use super::measured::{self, Intervals, Tested};
use super::statistics::Random;
use crate::report::{grouped, new_table};
use crate::terminal::{Look, say};

/// Steps of a comparison, as three scenarios have about.
const STEPS: usize = 12;
/// Samples a side.
pub const SAMPLES: [u32; 3] = [100, 1000, 10_000];
/// Where the middle of a step is, in cycles.
const SCALE: f64 = 10_000.0;
/// How much slower a slow sample is.
const SLOW: f64 = 10.0;

/// How the samples of a step are spread.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Normal, 1 % wide: a few buckets hold all of it.
    Narrow,
    /// Lognormal, 30 % wide.
    Wide,
    /// Seven of ten samples in one narrow hump, three in another that is 75 % slower: two ways through the code.
    Humps,
    /// Lognormal, 10 % wide, and 1 % of the samples in a tail without an end (Pareto, 1.5).
    Heavy,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Narrow, Self::Wide, Self::Humps, Self::Heavy];

    /// As the table's heading has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
            Self::Wide => "wide",
            Self::Humps => "two humps",
            Self::Heavy => "heavy tail",
        }
    }

    fn sample(self, random: &mut Random) -> f64 {
        match self {
            Self::Narrow => 1.0 + 0.01 * random.normal(),
            Self::Wide => (0.3 * random.normal()).exp(),
            Self::Humps => {
                let middle = if random.unit() < 0.7 { 0.8 } else { 1.4 };
                middle * (1.0 + 0.03 * random.normal())
            }
            Self::Heavy => {
                let tail = if random.unit() < 0.01 { random.unit().powf(-1.0 / 1.5) } else { 1.0 };
                tail * (0.1 * random.normal()).exp()
            }
        }
    }
}

/// What is different on side B.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    None,
    /// Each sample is longer by this part.
    Shift(f64),
    /// This part of the samples takes ten times as long.
    Tail(f64),
}

impl Effect {
    /// Those of the table.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Shift(0.01),
        Self::Shift(0.05),
        Self::Shift(0.1),
        Self::Tail(0.01),
        Self::Tail(0.02),
        Self::Tail(0.05),
    ];

    /// As the table's rows have it.
    pub fn name(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Shift(part) => format!("all {:.0} % longer", 100.0 * part),
            Self::Tail(part) => format!("{:.0} % take ten times as long", 100.0 * part),
        }
    }

    fn applied(self, sample: f64, random: &mut Random) -> f64 {
        match self {
            Self::None => sample,
            Self::Shift(part) => sample * (1.0 + part),
            Self::Tail(part) => {
                if random.unit() < part {
                    sample * SLOW
                } else {
                    sample
                }
            }
        }
    }
}

/// How often something was found.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Rate {
    /// Significant after Holm's correction, in percent.
    pub significant: f64,
    /// Called a change: significant, and the shift reaches the threshold, in percent.
    pub change: f64,
}

/// A row of the table.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// What is different.
    pub effect: Effect,
    /// Samples a side and step.
    pub samples: u32,
    /// How many comparisons were simulated.
    pub comparisons: u32,
    /// By shape: in how many of the comparisons the step with the effect was found. Empty without an effect.
    pub found: BTreeMap<Shape, Rate>,
    /// In how many of the comparisons any of the steps without an effect was.
    pub false_alarms: Rate,
}

/// Simulates each effect with each number of samples, `comparisons` times; ten times as often without an effect, since
/// false alarms are rare.
///
/// # Errors
/// If a simulation panics.
pub fn simulate(comparisons: u32, thresholds: Thresholds, alpha: f64) -> Result<Vec<Row>> {
    let cells = Effect::ALL.into_iter().flat_map(|effect| SAMPLES.map(|samples| (effect, samples)));
    let rows = cells.map(|(effect, samples)| {
        let count = if effect == Effect::None { 10 * comparisons } else { comparisons };
        row(effect, samples, count, thresholds, alpha)
    });
    rows.collect()
}

/// One row, on every processor.
fn row(effect: Effect, samples: u32, comparisons: u32, thresholds: Thresholds, alpha: f64) -> Result<Row> {
    let workers = thread::available_parallelism().map_or(1, usize::from) as u32;
    let (mut found, mut false_alarms) = ([[0u32; 2]; 4], [0u32; 2]);
    thread::scope(|scope| {
        let parts: Vec<_> = (0..workers)
            .map(|worker| {
                let numbers = (worker..comparisons).step_by(workers as usize);
                scope.spawn(move || tally(effect, samples, numbers, thresholds, alpha))
            })
            .collect();
        for part in parts {
            let (part_found, part_false) =
                part.join().map_err(|_| anyhow!("a simulation ended in a panic"))?;
            let all = found.iter_mut().flatten().chain(&mut false_alarms);
            all.zip(part_found.iter().flatten().chain(&part_false)).for_each(|(sum, part)| *sum += part);
        }
        Ok::<_, Error>(())
    })?;
    let percent = |count: u32| 100.0 * f64::from(count) / f64::from(comparisons.max(1));
    let rate =
        |[significant, change]: [u32; 2]| Rate { significant: percent(significant), change: percent(change) };
    let by_shape = Shape::ALL.into_iter().zip(found).map(|(shape, counts)| (shape, rate(counts)));
    Ok(Row {
        effect,
        samples,
        comparisons,
        found: if effect == Effect::None { BTreeMap::new() } else { by_shape.collect() },
        false_alarms: rate(false_alarms),
    })
}

/// For each shape and for the steps without effect: comparisons with a significant one, and with a change.
fn tally(
    effect: Effect,
    samples: u32,
    numbers: impl Iterator<Item = u32>,
    thresholds: Thresholds,
    alpha: f64,
) -> ([[u32; 2]; 4], [u32; 2]) {
    let (mut found, mut false_alarms) = ([[0; 2]; 4], [0; 2]);
    for number in numbers {
        // The same comparison whichever worker does it.
        let mut random = Random::new(u64::from(number) << 20);
        let a = side(Effect::None, samples, &mut random);
        let b = side(effect, samples, &mut random);
        let tests =
            measured::test(&[Pair::of(vec![&a], vec![&b])], thresholds, alpha, Intervals::OfSignificant);
        let count = |place: usize, sums: &mut [u32; 2]| {
            let of_step = |tested: &&Tested| tested.step == step_name(place);
            sums[0] += u32::from(tests.iter().filter(of_step).any(|tested| tested.p_holm < alpha));
            sums[1] += u32::from(tests.iter().filter(of_step).any(|tested| tested.relevant));
        };
        let mut wrong = [0; 2];
        for place in 0..STEPS {
            let with_effect = found.get_mut(place).filter(|_| effect != Effect::None);
            count(place, with_effect.unwrap_or(&mut wrong));
        }
        // One wrong step is a false alarm, and several are one.
        false_alarms.iter_mut().zip(wrong).for_each(|(sum, steps)| *sum += u32::from(steps > 0));
    }
    (found, false_alarms)
}

/// The first step of each shape.
fn has_effect(place: usize) -> bool {
    place < Shape::ALL.len()
}

fn step_name(place: usize) -> String {
    format!("step-{place:02}")
}

fn side(effect: Effect, samples: u32, random: &mut Random) -> ScenarioReport {
    let mut latency = BTreeMap::new();
    for place in 0..STEPS {
        let shape = Shape::ALL[place % Shape::ALL.len()];
        let effect = if has_effect(place) { effect } else { Effect::None };
        let mut histogram = Histogram::new();
        for _ in 0..samples {
            let sample = shape.sample(random);
            histogram.record((SCALE * effect.applied(sample, random)).max(0.0) as u64);
        }
        latency.extend(Latency::of(&histogram).map(|latency| (step_name(place), latency)));
    }
    ScenarioReport {
        name: "simulated".to_owned(),
        verdict: Verdict::Pass,
        owner: None,
        reason: None,
        next: None,
        took_us: None,
        counts: BTreeMap::new(),
        latency,
        samples: BTreeMap::new(),
        sides: None,
        steps: Vec::new(),
        log: Vec::new(),
    }
}

/// All rows for a person.
pub fn print(rows: &[Row], alpha: f64, look: Look) {
    let mut header = vec!["on side B", "samples", "comparisons"];
    header.extend(Shape::ALL.map(Shape::name));
    header.push("steps without effect");
    let mut table = new_table(&header, look);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in rows {
        let mut cells = vec![row.effect.name(), grouped(row.samples.into()), grouped(row.comparisons.into())];
        let in_words = |rate: &Rate| format!("{:.0} / {:.0}", rate.significant, rate.change);
        cells.extend(Shape::ALL.map(|shape| row.found.get(&shape).map_or("–".to_owned(), in_words)));
        cells.push(format!("{:.1} / {:.1}", row.false_alarms.significant, row.false_alarms.change));
        table.add_row(cells);
    }
    say!(
        "Of {STEPS} steps one of each shape has the effect. In percent of the comparisons: significant at {alpha} (Holm) / \
         called a change. Simulated.\n{table}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHA: f64 = 0.01;
    const THRESHOLDS: Thresholds = Thresholds { count: 1.0, median: 5.0, tail: 10.0 };

    #[test]
    fn equal_sides_alarm_no_oftener_than_is_said() {
        // At 5 % of 400 comparisons 20 are expected, 13 more are three standard deviations.
        let row = row(Effect::None, 1000, 400, THRESHOLDS, 0.05).expect("a row");
        assert!(row.false_alarms.significant <= 8.25, "{row:?}");
        assert!(row.false_alarms.change <= row.false_alarms.significant, "{row:?}");
    }

    #[test]
    fn a_tail_of_two_in_a_hundred_is_found_whatever_the_shape() {
        let row = row(Effect::Tail(0.02), 1000, 100, THRESHOLDS, ALPHA).expect("a row");
        for (shape, rate) in &row.found {
            assert!(rate.change >= 75.0, "{shape:?}: {row:#?}");
        }
    }

    #[test]
    fn a_tenth_more_is_found_and_a_hundredth_is_no_change() {
        for samples in [1000, 10_000] {
            let tenth = row(Effect::Shift(0.1), samples, 30, THRESHOLDS, ALPHA).expect("a row");
            assert!(tenth.found.values().all(|rate| rate.change >= 90.0), "{tenth:#?}");
        }
        let hundredth = row(Effect::Shift(0.01), 10_000, 30, THRESHOLDS, ALPHA).expect("a row");
        assert!(hundredth.found.values().all(|rate| rate.change == 0.0), "{hundredth:#?}");
    }
}
