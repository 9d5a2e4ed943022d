//! The report as JUnit XML, which CI servers and board farms read.
//!
//! A run is one test suite, a scenario one test case. `fail` is a failure, `hung` an error: what was to be judged did not
//! come. `absent` and `skip` are skipped. A test case's `time` is the scenario's own, by the board's or the emulated
//! board's counter; the property `timing` says which. The suite's is their sum, as JUnit has it.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::DateTime;
use harness::Verdict;
use harness::report::{Clocks, Report, ScenarioReport};
use harness::scenario::Kind;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::legible::legible;
use super::reason::in_short;
use super::{again, html};

/// Name of all that is in a file.
const NAME: &str = "VPU harness";

/// The whole file.
///
/// # Errors
/// None that a report can cause: the writer's own.
pub fn xml(report: &Report) -> Result<String> {
    // The writer would leave out what XML forbids, and nobody would know that it was there.
    let report = legible(report)?;
    let mut all = quick_junit::Report::new(NAME);
    all.add_test_suite(suite(&report));
    all.to_string().context("cannot turn the report into JUnit XML")
}

fn suite(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new(suite_name(report));
    if let Ok(started) = DateTime::parse_from_rfc3339(&report.started) {
        suite.set_timestamp(started);
    }
    if let Some(sum) = report.scenarios.iter().filter_map(took).reduce(Duration::saturating_add) {
        suite.set_time(sum);
    }
    suite.add_properties(properties(report).into_iter().map(|(name, value)| Property::new(name, value)));
    suite.add_test_cases(report.scenarios.iter().map(|scenario| case(report, scenario)));
    let notes: Vec<&str> = report.notes.iter().map(String::as_str).collect();
    if !notes.is_empty() {
        suite.set_system_out(notes.join("\n"));
    }
    if !report.last_words.is_empty() {
        suite.set_system_err(report.last_words.join("\n"));
    }
    suite
}

/// The same from run to run, so that a server recognises it.
fn suite_name(report: &Report) -> String {
    let words = [report.rung.name(), &report.board.model, &report.peer.variant];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What ran where, as names and values; what is not known is left out.
fn properties(report: &Report) -> Vec<(String, String)> {
    let mut list = Vec::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            list.push((name.to_owned(), value));
        }
    };
    add("verdict", report.verdict().to_string());
    add("rung", report.rung.name().to_owned());
    add("timing", report.timing.name().to_owned());
    add("wall_s", report.wall_s.to_string());
    add("image.git", report.image.git.clone());
    add("image.profile", report.image.profile.clone());
    add("image.sha256", report.image.sha256.clone());
    add("board.model", report.board.model.clone());
    add("board.soc", report.board.soc.clone());
    add("board.revision", report.board.revision.clone());
    add("peer.kind", report.peer.kind.name().to_owned());
    add("peer.variant", report.peer.variant.clone());
    add("peer.date", report.peer.date.clone());
    add("peer.build_id", report.peer.build_id.clone());
    if let Some(firmware) = &report.firmware {
        // A line feed in an attribute is read back as a space.
        let lines: Vec<&str> = firmware.version_text.lines().map(str::trim).collect();
        add("firmware.version_text", lines.join("; "));
    }
    clocks(&report.clocks, &mut add);
    if let Some(throttled) = &report.throttled {
        add("throttled", if throttled.times_void { throttled.flags.join(", ") } else { "no".to_owned() });
    }
    for reset in &report.resets {
        add("reset", format!("{}: {}", reset.scenario, reset.cause.name()));
    }
    list
}

fn clocks(clocks: &Clocks, add: &mut impl FnMut(&str, String)) {
    let rates = [
        ("clocks.arm_hz", Some(clocks.arm_hz)),
        ("clocks.arm_after_hz", clocks.arm_after_hz),
        ("clocks.core_hz", Some(clocks.core_hz)),
        ("clocks.core_after_hz", clocks.core_after_hz),
        ("clocks.counter_hz", clocks.counter_hz),
        ("clocks.cycles_hz", clocks.cycles_hz),
    ];
    for (name, rate) in rates {
        if let Some(rate) = rate.filter(|rate| *rate != 0) {
            add(name, rate.to_string());
        }
    }
}

fn case(report: &Report, scenario: &ScenarioReport) -> TestCase {
    let mut case = TestCase::new(scenario.name.clone(), status(report, scenario));
    case.set_classname(class(&scenario.name));
    if let Some(took) = took(scenario) {
        case.set_time(took);
    }
    let counts = scenario.counts.iter().map(|(name, value)| (format!("count.{name}"), value.to_string()));
    let timing = report.timing.name();
    let latency = scenario.latency.iter().map(|(step, figures)| {
        let value = format!(
            "n {}, min {}, p50 {}, p90 {}, p99 {}, max {} {}, {timing}",
            figures.n, figures.min, figures.p50, figures.p90, figures.p99, figures.max, figures.unit
        );
        (format!("latency.{step}"), value)
    });
    case.add_properties(counts.chain(latency).map(|(name, value)| Property::new(name, value)));
    case
}

/// How long it took, if the image told.
fn took(scenario: &ScenarioReport) -> Option<Duration> {
    scenario.took_us.map(Duration::from_micros)
}

/// Scenarios of the catalogue stand in their group; what only a run that went wrong has stands apart.
fn class(scenario: &str) -> String {
    let kind = Kind::ALL.iter().find(|kind| kind.name() == scenario);
    format!("harness.{}", kind.map_or("run", |kind| kind.scenario().group.name()))
}

fn status(report: &Report, scenario: &ScenarioReport) -> TestCaseStatus {
    let mut status = match scenario.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Skip | Verdict::Absent => TestCaseStatus::skipped(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Hung => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let owner = scenario.owner.map(|owner| format!(" ({})", owner.name())).unwrap_or_default();
    let reason = Some(in_short(scenario)).filter(|reason| !reason.is_empty());
    let reason = reason.unwrap_or("no reason was told".into());
    status.set_type(scenario.verdict.name());
    status.set_message(format!("{}{owner}: {reason}", scenario.verdict));
    status.set_description(description(report, scenario));
    status
}

/// All that a server shows of a test case that did not pass, properties being for machines: owner, reason, what to look at
/// next, what ran where, how to run it again, the steps that did not pass with the words that prove it, and the log.
fn description(report: &Report, scenario: &ScenarioReport) -> String {
    let mut out = format!("verdict: {}\n", scenario.verdict);
    if let Some(owner) = scenario.owner {
        let _ = writeln!(out, "owner: {}", owner.name());
    }
    if scenario.reason.is_some() {
        let _ = writeln!(out, "reason: {}", in_short(scenario));
    }
    if let Some(next) = &scenario.next {
        let _ = writeln!(out, "look at: {next}");
    }
    let image = &report.image.git;
    let _ = writeln!(out, "ran: {}, times {}, image {image}", html::subject(report), report.timing.name());
    if let Some(command) = again::command(report, scenario) {
        let _ = writeln!(out, "again: {command}");
        if let Some(with) = again::with(report) {
            let _ = writeln!(out, "  {with}");
        }
    }
    for step in scenario.steps.iter().filter(|step| step.verdict != Verdict::Pass) {
        let _ =
            writeln!(out, "step {}: {}: {}", step.name, step.verdict, step.reason.as_deref().unwrap_or(""));
        for (name, value) in &step.evidence {
            let _ = writeln!(out, "  {name} = {value:#x}");
        }
    }
    if !scenario.log.is_empty() {
        let _ = writeln!(out, "log before it ended:");
    }
    for line in &scenario.log {
        let _ = writeln!(out, "  {line}");
    }
    out
}

#[cfg(test)]
mod tests {
    use harness::Owner;

    use super::*;
    use crate::report::example;
    use crate::report::legible::{forbidden, full_of_evil};

    fn with_verdict(verdict: Verdict, owner: Option<Owner>) -> Report {
        let mut report = example();
        let scenario = &mut report.scenarios[1];
        (scenario.verdict, scenario.owner) = (verdict, owner);
        report
    }

    fn read_back(report: &Report) -> TestSuite {
        let text = xml(report).expect("writable");
        let all = quick_junit::Report::deserialize_from_str(&text).expect("readable");
        all.test_suites.into_iter().next().expect("a suite")
    }

    #[test]
    fn each_verdict_becomes_what_ci_servers_show_it_as() {
        let kind_of = |verdict, owner| {
            let suite = read_back(&with_verdict(verdict, owner));
            match suite.test_cases[1].status {
                TestCaseStatus::Success { .. } => "passed",
                TestCaseStatus::Skipped { .. } => "skipped",
                TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failure",
                TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
            }
        };
        assert_eq!(kind_of(Verdict::Pass, None), "passed");
        assert_eq!(kind_of(Verdict::Skip, None), "skipped");
        assert_eq!(kind_of(Verdict::Absent, None), "skipped");
        assert_eq!(kind_of(Verdict::Fail, Some(Owner::Link)), "failure");
        assert_eq!(kind_of(Verdict::Hung, Some(Owner::Firmware)), "error");
    }

    #[test]
    fn a_failure_carries_owner_reason_next_and_the_evidence_of_its_steps() {
        let mut report = example();
        report.scenarios[1].log = vec!["[   1.234567] vc      assert".to_owned()];
        let text = xml(&report).expect("writable");
        for part in [
            "message=\"fail (firmware): released: none within 2 s\"",
            "owner: firmware",
            "reason: released: none within 2 s",
            "look at: the cable",
            "step open: fail",
            "tx_pos = 0x1000",
            "ran: firmware start of 2022-08-26 on 3B, emulated, times modelled, image 8805e9a",
            "again: cargo xtask run --log --scenario handshake",
            "\n  with the firmware of 2022-08-26 (build id ",
            "log before it ended:\n  [   1.234567] vc      assert",
            "classname=\"harness.basics\"",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn the_suite_says_what_ran_where() {
        let suite = read_back(&example());
        let value = |name: &str| {
            let property = suite.properties.iter().find(|property| property.name.as_str() == name);
            property.unwrap_or_else(|| panic!("no property {name}")).value.as_str().to_owned()
        };
        assert_eq!(suite.name.as_str(), "emulated 3B start");
        assert_eq!(value("timing"), "modelled");
        assert_eq!(value("image.git"), "8805e9a");
        assert_eq!(value("peer.build_id"), "102f1e8400");
        assert_eq!(value("clocks.arm_hz"), "1200000000");
        assert!(value("firmware.version_text").contains("(clean) (start)"));
        assert_eq!(value("wall_s"), "3");
        assert!(suite.timestamp.is_some());
    }

    #[test]
    fn a_case_has_the_time_that_its_scenario_took_and_the_suite_their_sum() {
        let mut report = example();
        report.scenarios[0].took_us = Some(1_234_567);
        report.scenarios[1].took_us = None;
        let suite = read_back(&report);
        let times: Vec<_> = suite.test_cases.iter().map(|case| case.time).collect();
        assert_eq!(times, [Some(Duration::from_millis(1235)), None]);
        assert_eq!(suite.time, Some(Duration::from_millis(1235)));
        report.scenarios[0].took_us = Some(u64::MAX);
        report.scenarios[1].took_us = Some(u64::MAX);
        assert!(xml(&report).is_ok());
    }

    #[test]
    fn what_xml_forbids_is_written_as_an_escape_and_not_left_out() {
        let text = xml(&full_of_evil(example())).expect("writable");
        assert!(forbidden(&text).is_empty(), "{text}");
        for escape in ["\\x00", "\\x1b", "\\x1f", "\\x7f", "\\u{fffe}", "\\u{202e}"] {
            assert!(text.contains(escape), "{escape} is not in {text}");
        }
        assert!(quick_junit::Report::deserialize_from_str(&text).is_ok());
    }

    #[test]
    fn text_of_the_firmware_cannot_break_the_file() {
        let mut report = example();
        let text = "]]></failure><b a=\"1\" & '\u{1}\u{b}\u{fffe}";
        report.scenarios[1].reason = Some(text.to_owned());
        report.notes = vec![text.to_owned()];
        report.last_words = vec![text.to_owned()];
        if let Some(firmware) = &mut report.firmware {
            firmware.version_text = text.to_owned();
        }
        let suite = read_back(&report);
        assert_eq!(suite.test_cases.len(), 2);
        assert!(suite.system_out.expect("notes").as_str().contains("]]></failure><b a=\"1\" & '"));
    }
}
