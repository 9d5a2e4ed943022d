//! The raw samples as a table for other programs: CSV as in RFC 4180, with LF line ends.

use std::borrow::Cow;
use std::fmt::Write;

use anyhow::{Result, ensure};
use harness::report::Report;

/// The names of the columns.
const HEADER: &str = "scenario,step,number,cycles,microseconds,timing\n";

/// One line a sample: scenarios in the order of the report, steps by name, samples in the order they were taken.
///
/// # Errors
/// If the report has no raw samples.
pub fn text(report: &Report) -> Result<String> {
    ensure!(
        report.scenarios.iter().any(|scenario| !scenario.samples.is_empty()),
        "the report has no raw samples: `--samples N` of the run or the card keeps the first N of each timed step"
    );
    let timing = report.timing.name();
    let mut out = HEADER.to_owned();
    for scenario in &report.scenarios {
        for (step, samples) in &scenario.samples {
            let (scenario, step) = (quoted(&scenario.name), quoted(step));
            for (i, cycles) in samples.iter().enumerate() {
                let number = i + 1;
                let time = microseconds(*cycles, report.clocks.arm_hz);
                // Writing to a string never fails.
                let _ = writeln!(out, "{scenario},{step},{number},{cycles},{time},{timing}");
            }
        }
    }
    Ok(out)
}

/// A field. What would end it is put in quotes, with each quote doubled. What a spreadsheet would take for a formula has an
/// apostrophe before it: our own names begin with a letter or a digit, but a report may be of another image, or edited.
fn quoted(field: &str) -> Cow<'_, str> {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return Cow::Owned(quoted(&format!("'{field}")).into_owned());
    }
    if field.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}

/// Cycles at a clock rate, in microseconds with three decimals, rounded down; empty if the rate is unknown.
fn microseconds(cycles: u32, hz: u32) -> String {
    let Some(nanoseconds) = (u64::from(cycles) * 1_000_000_000).checked_div(hz.into()) else {
        return String::new();
    };
    format!("{}.{:03}", nanoseconds / 1000, nanoseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn with_samples(name: &str, step: &str) -> Report {
        let mut report = example();
        report.scenarios.truncate(1);
        report.scenarios[0].name = name.to_owned();
        report.scenarios[0].samples = [(step.to_owned(), vec![1200, u32::MAX])].into();
        report
    }

    #[test]
    fn each_sample_is_a_line_with_its_number_time_and_label() {
        let report = with_samples("echo", "sync-0.parse");
        let expected = "scenario,step,number,cycles,microseconds,timing\n\
                        echo,sync-0.parse,1,1200,1.000,modelled\n\
                        echo,sync-0.parse,2,4294967295,3579139.412,modelled\n";
        assert_eq!(text(&report).expect("samples"), expected);
    }

    #[test]
    fn without_a_known_clock_the_time_is_empty() {
        let mut report = with_samples("echo", "sync-0");
        report.clocks.arm_hz = 0;
        assert!(text(&report).expect("samples").contains("\necho,sync-0,1,1200,,modelled\n"));
    }

    #[test]
    fn a_name_from_the_line_cannot_end_its_field_or_its_line() {
        let report = with_samples("a,b\"c", "one\ntwo\r");
        let line = "\n\"a,b\"\"c\",\"one\ntwo\r\",1,1200,1.000,modelled\n";
        assert!(text(&report).expect("samples").contains(line));
    }

    #[test]
    fn no_name_is_a_formula_to_a_spreadsheet() {
        let report = with_samples("=1+2", "@SUM(A1,A2)");
        assert!(text(&report).expect("samples").contains("\n'=1+2,\"'@SUM(A1,A2)\",1,1200,1.000,modelled\n"));
        for name in ["+1", "-1", "\t=1", "\r=1"] {
            assert!(quoted(name).trim_start_matches('"').starts_with('\''), "{name:?}");
        }
    }

    #[test]
    fn our_own_names_need_no_apostrophe() {
        let kinds = harness::scenario::Kind::ALL.iter().map(|kind| kind.scenario());
        for name in kinds.flat_map(|kind| kind.steps.iter().chain([&kind.name])) {
            assert!(name.starts_with(|first: char| first.is_ascii_alphanumeric()), "{name}");
            assert_eq!(quoted(name), **name);
        }
    }

    #[test]
    fn a_report_without_samples_makes_no_table() {
        let error = text(&example()).unwrap_err().to_string();
        assert!(error.contains("--samples"), "{error}");
    }
}
