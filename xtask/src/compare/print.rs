//! The comparison for a person.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::Comparison;
use super::figure::Range;
use crate::report::grouped;
use crate::terminal::say;

/// Prints all of it, the conclusion last.
pub fn print(comparison: &Comparison, all: bool) {
    for (letter, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        let runs = if side.runs == 1 { "1 run".to_owned() } else { format!("{} runs", side.runs) };
        say!(
            "{letter}: {} · {} on {} · {runs} · {} {} · image {} · Arm {} MHz · core {} MHz",
            side.name,
            side.rung,
            side.board,
            side.timing,
            side.peer,
            side.image,
            side.arm_hz / 1_000_000,
            side.core_hz / 1_000_000
        );
    }
    for note in &comparison.notes {
        say!("note: {note}");
    }
    for reason in &comparison.void {
        say!("figures are not compared: {reason}");
    }
    for (letter, names) in [("A", &comparison.only_in_a), ("B", &comparison.only_in_b)] {
        if !names.is_empty() {
            say!("only in {letter}: {}", names.join(", "));
        }
    }
    for gap in &comparison.step_gaps {
        let how = if gap.compared { "compared in part" } else { "not compared" };
        say!("{} {}: {how}: {}", gap.scenario, gap.step, gap.why);
    }
    verdicts(comparison);
    counts(comparison);
    figures(comparison, all);
    tests(comparison, all);
    say!("\n{}", comparison.conclusion);
}

fn table(header: &[&str], right_from: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(right_from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn verdicts(comparison: &Comparison) {
    if comparison.verdicts.is_empty() {
        say!("\nEach of {} scenarios has the same verdict and owner on both sides.", comparison.scenarios);
        return;
    }
    let mut rows = table(&["scenario", "A", "B"], 3);
    for change in &comparison.verdicts {
        rows.add_row([&change.scenario, &change.a, &change.b]);
    }
    say!("\n{} of {} verdicts changed.\n{rows}", comparison.verdicts.len(), comparison.scenarios);
}

fn counts(comparison: &Comparison) {
    if comparison.counts.is_empty() {
        return;
    }
    let mut rows = table(&["scenario", "count", "A", "B", ""], 2);
    for change in &comparison.counts {
        let values = |values: &[u32]| match (values.iter().min(), values.iter().max()) {
            (Some(min), Some(max)) if min != max => format!("{min} to {max}"),
            (Some(min), _) => min.to_string(),
            _ => "–".to_owned(),
        };
        let mark = if change.relevant { "changed" } else { "may be chance" };
        rows.add_row([
            change.scenario.clone(),
            change.count.clone(),
            values(&change.a),
            values(&change.b),
            mark.to_owned(),
        ]);
    }
    say!("\nCounts that no run of A shares with one of B:\n{rows}");
}

fn figures(comparison: &Comparison, all: bool) {
    if comparison.figures.is_empty() {
        return;
    }
    let header = ["scenario", "figure", "A", "± runs", "B", "± runs", "shift", ""];
    let mut rows = table(&header, 2);
    let spread = |range: &Range| grouped((range.max - range.min).round() as u64 / 2);
    for figure in comparison.figures.iter().filter(|figure| all || figure.apart) {
        let mark = match (figure.relevant, figure.apart) {
            (true, _) => "changed",
            (false, true) => "below threshold",
            (false, false) => "runs overlap",
        };
        rows.add_row([
            figure.scenario.clone(),
            figure.what.clone(),
            grouped(figure.a.median.round() as u64),
            spread(&figure.a),
            grouped(figure.b.median.round() as u64),
            spread(&figure.b),
            format!("{:+.2} %", figure.shift_percent),
            mark.to_owned(),
        ]);
    }
    let apart = comparison.figures.iter().filter(|figure| figure.apart).count();
    let relevant = comparison.figures.iter().filter(|figure| figure.relevant).count();
    say!(
        "\nCycles and instructions, modelled, exact for each seed: of {} figures {apart} lie apart, {relevant} of them by \
         the threshold or more.",
        comparison.figures.len()
    );
    if rows.row_count() > 0 {
        say!("{rows}");
    }
}

fn tests(comparison: &Comparison, all: bool) {
    if comparison.tests.is_empty() {
        return;
    }
    let header = [
        "scenario",
        "step",
        "",
        "n A",
        "n B",
        "A",
        "B",
        "shift",
        "95 % interval",
        "P(B > A)",
        "p (Holm)",
        "",
    ];
    let mut rows = table(&header, 3);
    for tested in comparison.tests.iter().filter(|tested| all || tested.p_holm < comparison.alpha) {
        let mark = if tested.relevant { "changed" } else { "" };
        let [low, high] = tested.interval_percent;
        rows.add_row([
            tested.scenario.clone(),
            tested.step.clone(),
            tested.quantile.to_owned(),
            grouped(tested.n_a),
            grouped(tested.n_b),
            grouped(tested.a.round() as u64),
            grouped(tested.b.round() as u64),
            format!("{:+.1} %", tested.shift_percent),
            format!("{low:+.1} to {high:+.1}"),
            format!("{:.2}", tested.superiority),
            format!("{:.1e}", tested.p_holm),
            mark.to_owned(),
        ]);
    }
    let significant = comparison.tests.iter().filter(|tested| tested.p_holm < comparison.alpha).count();
    say!(
        "\nCycles, measured. p50 by the rank-sum test, p99 by Fisher's exact test of the slowest hundredth: {significant} of \
         {} significant at {} (Holm).",
        comparison.tests.len(),
        comparison.alpha
    );
    if rows.row_count() > 0 {
        say!("{rows}");
    }
}
