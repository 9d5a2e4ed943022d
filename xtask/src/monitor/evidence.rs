//! The log that stays with a scenario which did not pass.

use harness::record::{ResetCause, Resumed, clipped};
use harness::report::{Report, ScenarioReport};
use harness::{Record, Verdict};

use super::decode;
use crate::line::fake::{Line, elf, scenario_end, start};

fn level(line: &mut Line, level: u8) {
    line.log("boot: entered at EL{=u8}", &[level]);
}

/// A life up to the middle of its first scenario, which logs two lines. The board's clock begins with each.
fn life() -> Line {
    let mut line = Line::default();
    line.banner();
    level(&mut line, 2);
    line.record(&Record::Start(start()));
    line.record(&Record::Planned { name: clipped("echo") });
    line.banner();
    line.record(&Record::ScenarioStart { name: clipped("echo") });
    level(&mut line, 3);
    level(&mut line, 4);
    line
}

fn echo_of(bytes: &[u8]) -> ScenarioReport {
    let reports = decode(&elf(), bytes).expect("the image is one");
    let [Report { scenarios, .. }] = reports.as_slice() else { panic!("{reports:#?}") };
    scenarios.iter().find(|scenario| scenario.name == "echo").expect("echo").clone()
}

/// What the lines say, without their times.
fn said(scenario: &ScenarioReport) -> Vec<&str> {
    scenario.log.iter().filter_map(|line| line.rsplit_once(": ")).map(|(_, said)| said).collect()
}

const LINES: [&str; 2] = ["entered at EL3", "entered at EL4"];

#[test]
fn a_scenario_that_a_reset_ended_keeps_its_lines_though_the_boards_clock_begins_anew() {
    let mut bytes = life().bytes;
    let mut second = Line::default();
    second.banner();
    level(&mut second, 2);
    second.record(&Record::Resumed(Resumed {
        start: start(),
        resets: 1,
        scenario: clipped("echo"),
        cause: ResetCause::Watchdog,
    }));
    second.record(&scenario_end("echo", Verdict::Hung));
    second.record(&Record::End { verdict: Verdict::Hung, records: 0 });
    bytes.extend(second.bytes);
    let echo = echo_of(&bytes);
    assert_eq!((echo.verdict, said(&echo)), (Verdict::Hung, LINES.to_vec()));
}

#[test]
fn an_image_that_falls_silent_leaves_the_lines_of_the_scenario_it_was_in() {
    let echo = echo_of(&life().bytes);
    assert_eq!((echo.verdict, said(&echo)), (Verdict::Hung, LINES.to_vec()));
}

#[test]
fn a_pass_that_lost_records_keeps_its_lines_and_one_that_did_not_has_none() {
    for (lost, verdict, lines) in [(true, Verdict::Fail, &LINES[..]), (false, Verdict::Pass, &[])] {
        let mut line = life();
        let before = line.bytes.len();
        line.record(&Record::StepStart { scenario: clipped("echo"), step: clipped("open") });
        if lost {
            line.bytes.truncate(before);
        }
        line.record(&scenario_end("echo", Verdict::Pass));
        line.record(&Record::End { verdict: Verdict::Pass, records: 0 });
        let echo = echo_of(&line.bytes);
        assert_eq!((echo.verdict, said(&echo)), (verdict, lines.to_vec()), "{:?}", echo.reason);
    }
}
