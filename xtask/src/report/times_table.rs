//! The table of times in a terminal. It is made narrower, column by column, rather than breaking a number in two.

use comfy_table::{CellAlignment, Table};
use harness::report::{Latency, Report, ScenarioReport};

use super::table::{grouped, in_order, new_table};
use crate::terminal::{Look, printable};

/// All columns. Those after the names are numbers.
const COLUMNS: [&str; 9] = ["scenario", "step", "n", "min", "p50", "p90", "p99", "max", "p50 µs"];
/// What is given up where there is no room, in this order; the report has it all the same.
const GIVEN_UP: [&str; 3] = ["p90", "min", "n"];

/// One row a step and scenario, no wider than `width` if that can be; `None` if nothing was timed.
pub fn table(report: &Report, look: Look, width: u16) -> Option<Table> {
    let mut times = Times::of(report);
    if times.rows.is_empty() {
        return None;
    }
    let width = usize::from(width);
    if times.width() > width {
        times = times.with_headings();
    }
    for column in GIVEN_UP {
        if times.width() > width {
            times = times.without(column);
        }
    }
    Some(times.into_table(look))
}

/// Cells as text.
struct Times {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Times {
    fn of(report: &Report) -> Self {
        let hz = report.clocks.arm_hz;
        let row = |scenario: &ScenarioReport, step: &str, figures: &Latency| {
            let mut row = vec![printable(&scenario.name), printable(step), grouped(u64::from(figures.n))];
            row.extend([figures.min, figures.p50, figures.p90, figures.p99, figures.max].map(grouped));
            row.push(microseconds(figures.p50, hz));
            row
        };
        let rows = report.scenarios.iter().flat_map(|scenario| {
            in_order(scenario).into_iter().map(move |(step, figures)| row(scenario, step, figures))
        });
        Self { header: COLUMNS.to_vec(), rows: rows.collect() }
    }

    /// With its borders.
    fn width(&self) -> usize {
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([self.header[column].chars().count()]).max().unwrap_or(0)
        };
        (0..self.header.len()).map(|column| widest(column) + 3).sum::<usize>() + 1
    }

    /// Each scenario's name in a row above its steps, instead of a column.
    fn with_headings(self) -> Self {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut current = None;
        for mut row in self.rows {
            let scenario = row.remove(0);
            if current.as_ref() != Some(&scenario) {
                let blanks = vec![String::new(); row.len() - 1];
                rows.push([vec![scenario.clone()], blanks].concat());
                current = Some(scenario);
            }
            row[0].insert_str(0, "  ");
            rows.push(row);
        }
        Self { header: self.header.into_iter().skip(1).collect(), rows }
    }

    fn without(mut self, column: &str) -> Self {
        if let Some(place) = self.header.iter().position(|name| *name == column) {
            self.header.remove(place);
            self.rows.iter_mut().for_each(|row| drop(row.remove(place)));
        }
        self
    }

    fn into_table(self, look: Look) -> Table {
        let mut table = new_table(&self.header, look);
        let names = self.header.iter().filter(|name| ["scenario", "step"].contains(*name)).count();
        table.add_rows(self.rows);
        for column in table.column_iter_mut().skip(names) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

/// Cycles at a clock rate, to a tenth of a microsecond; a dash if the rate is unknown.
fn microseconds(cycles: u64, hz: u32) -> String {
    if hz == 0 {
        return "–".to_owned();
    }
    let tenths = u128::from(cycles) * 10_000_000 / u128::from(hz);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    /// Names as long as they come, and numbers of seven digits.
    fn with_long_names() -> Report {
        let mut report = example();
        let figures = report.scenarios[0].latency["import"].clone();
        report.scenarios[0].name = "receiver-leaves-claimed".to_owned();
        report.scenarios[0].latency.insert("echo-1024.doorbell_to_irq".to_owned(), figures);
        report
    }

    fn lines(width: u16) -> Vec<String> {
        let table = table(&with_long_names(), Look::PLAIN, width).expect("times");
        table.to_string().lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn no_number_and_no_name_is_broken_at_any_width_that_terminals_have() {
        for width in [80, 100, 120, 160] {
            let lines = lines(width);
            let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(widest <= usize::from(width), "{widest} at {width}:\n{}", lines.join("\n"));
            for part in ["echo-1024.doorbell_to_irq", "receiver-leaves-claimed", "1 234 567", "100.0"] {
                assert!(lines.iter().any(|line| line.contains(part)), "{part} is broken at {width}");
            }
        }
    }

    #[test]
    fn where_there_is_room_every_column_is_there() {
        assert!(COLUMNS.iter().all(|column| lines(160)[1].contains(column)), "{}", lines(160)[1]);
    }

    #[test]
    fn cycles_become_microseconds_only_with_a_known_clock() {
        assert_eq!(microseconds(120_060, 1_200_000_000), "100.0");
        assert_eq!(microseconds(1, 0), "–");
    }
}
