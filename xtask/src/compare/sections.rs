//! What a comparison has to show, as lines and tables: the same for the terminal and for Markdown.

use super::changes::{CountChange, VerdictChange};
use super::figure::{Figure, Range};
use super::measured::Tested;
use super::side::Identity;
use super::{Comparison, steps::StepGap};
use crate::report::grouped;

/// A table with a sentence above it.
pub struct Section {
    /// The sentence.
    pub title: String,
    /// Headings; empty if the sentence is all.
    pub header: &'static [&'static str],
    /// Columns from this one on are numbers.
    pub right_from: usize,
    /// Cells as they are in the reports, not yet fit for a terminal.
    pub rows: Vec<Vec<String>>,
}

/// What a side is, in one line.
pub fn identity(letter: &str, side: &Identity) -> String {
    let runs = if side.runs == 1 { "1 run".to_owned() } else { format!("{} runs", side.runs) };
    format!(
        "{letter}: {} · {} on {} · {runs} · {} {} · image {} · Arm {} MHz · core {} MHz",
        side.name,
        side.rung,
        side.board,
        side.timing,
        side.peer,
        side.image,
        side.arm_hz / 1_000_000,
        side.core_hz / 1_000_000
    )
}

/// What a reader must know before the tables, a line each.
pub fn remarks(comparison: &Comparison) -> Vec<String> {
    let mut lines: Vec<String> = comparison.notes.iter().map(|note| format!("note: {note}")).collect();
    lines.extend(comparison.void.iter().map(|why| format!("figures are not compared: {why}")));
    for (letter, names) in [("A", &comparison.only_in_a), ("B", &comparison.only_in_b)] {
        if !names.is_empty() {
            lines.push(format!("only in {letter}: {}", names.join(", ")));
        }
    }
    let how = |gap: &StepGap| if gap.compared { "compared in part" } else { "not compared" };
    let gaps = comparison.step_gaps.iter();
    lines.extend(gaps.map(|gap| format!("{} {}: {}: {}", gap.scenario, gap.step, how(gap), gap.why)));
    lines
}

/// The tables; with `all` what did not move, too.
pub fn sections(comparison: &Comparison, all: bool) -> Vec<Section> {
    let parts = [
        Some(verdicts(comparison)),
        counts(&comparison.counts),
        figures(&comparison.figures, all),
        tests(comparison, all),
    ];
    parts.into_iter().flatten().collect()
}

fn verdicts(comparison: &Comparison) -> Section {
    let changes = &comparison.verdicts;
    let title = match (changes.len(), comparison.scenarios) {
        (0, 1) => "The scenario has the same verdict and owner on both sides.".to_owned(),
        (0, all) => format!("Each of {all} scenarios has the same verdict and owner on both sides."),
        (changed, all) => format!("{changed} of {all} verdicts changed."),
    };
    let row = |change: &VerdictChange| vec![change.scenario.clone(), change.a.clone(), change.b.clone()];
    Section { title, header: &["scenario", "A", "B"], right_from: 3, rows: changes.iter().map(row).collect() }
}

fn counts(changes: &[CountChange]) -> Option<Section> {
    let values = |values: &[u32]| match (values.iter().min(), values.iter().max()) {
        (Some(min), Some(max)) if min != max => format!("{min} to {max}"),
        (Some(min), _) => min.to_string(),
        _ => "–".to_owned(),
    };
    let row = |change: &CountChange| {
        let mark = if change.relevant { "changed" } else { "may be chance" };
        vec![
            change.scenario.clone(),
            change.count.clone(),
            values(&change.a),
            values(&change.b),
            mark.to_owned(),
        ]
    };
    (!changes.is_empty()).then(|| Section {
        title: "Counts that no run of A shares with one of B:".to_owned(),
        header: &["scenario", "count", "A", "B", ""],
        right_from: 2,
        rows: changes.iter().map(row).collect(),
    })
}

fn figures(figures: &[Figure], all: bool) -> Option<Section> {
    let spread = |range: &Range| grouped((range.max - range.min).round() as u64 / 2);
    let row = |figure: &Figure| {
        let mark = match (figure.relevant, figure.apart) {
            (true, _) => "changed",
            (false, true) => "below threshold",
            (false, false) => "runs overlap",
        };
        vec![
            figure.scenario.clone(),
            figure.what.clone(),
            grouped(figure.a.median.round() as u64),
            spread(&figure.a),
            grouped(figure.b.median.round() as u64),
            spread(&figure.b),
            format!("{:+.2} %", figure.shift_percent),
            mark.to_owned(),
        ]
    };
    let apart = figures.iter().filter(|figure| figure.apart).count();
    let relevant = figures.iter().filter(|figure| figure.relevant).count();
    (!figures.is_empty()).then(|| Section {
        title: format!(
            "Cycles and instructions, modelled, exact for each seed: of {} figures {apart} lie apart, {relevant} of them \
             by the threshold or more.",
            figures.len()
        ),
        header: &["scenario", "figure", "A", "± runs", "B", "± runs", "shift", ""],
        right_from: 2,
        rows: figures.iter().filter(|figure| all || figure.apart).map(row).collect(),
    })
}

fn tests(comparison: &Comparison, all: bool) -> Option<Section> {
    let tests = &comparison.tests;
    let row = |tested: &Tested| {
        let mark = match (tested.relevant, tested.p_holm < comparison.alpha) {
            (true, _) => "changed",
            (false, true) if tested.is_below(&comparison.thresholds_percent) => "below threshold",
            (false, true) => "in doubt",
            (false, false) => "",
        };
        let [low, high] = tested.interval_percent;
        vec![
            tested.scenario.clone(),
            tested.step.clone(),
            tested.quantile.to_owned(),
            grouped(tested.n_a),
            grouped(tested.n_b),
            grouped(tested.a.round() as u64),
            grouped(tested.b.round() as u64),
            format!("{:+.1} %", tested.shift_percent),
            format!("{low:+.1} to {high:+.1}"),
            tested.evidence(),
            format!("{:.1e}", tested.p_holm),
            mark.to_owned(),
        ]
    };
    let significant = |tested: &&Tested| tested.p_holm < comparison.alpha;
    (!tests.is_empty()).then(|| Section {
        title: format!(
            "Cycles, measured. p50 by the rank-sum test, the others by Fisher's exact test of the slowest: {} of {} \
             significant at {} (Holm), {} of them changes.",
            tests.iter().filter(significant).count(),
            tests.len(),
            comparison.alpha,
            tests.iter().filter(|tested| tested.relevant).count()
        ),
        header: &[
            "scenario",
            "step",
            "",
            "n A",
            "n B",
            "A",
            "B",
            "shift",
            "95 % interval",
            "evidence",
            "p (Holm)",
            "",
        ],
        right_from: 3,
        rows: tests.iter().filter(|tested| all || significant(tested)).map(row).collect(),
    })
}
