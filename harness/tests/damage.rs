//! What a serial line does to records must be noticed, and never makes a verdict better.

use std::collections::BTreeSet;

use harness::{
    Histogram, Record, Verdict,
    record::{
        Latency, MAX_FRAME, Name, ResetCause, Resumed, Samples, ScenarioEnd, Start, Step, Wishes, clipped,
        encode,
    },
    report::{Collector, Finish, Report, Rung, Setup, Timing},
};
use proptest::prelude::*;

fn name(text: &str) -> Name {
    clipped(text)
}

fn start() -> Start {
    Start {
        git: clipped("8805e9a"),
        profile: clipped("image"),
        iterations: 10,
        seed: 1,
        defaults: false,
        wishes: Wishes::default(),
    }
}

fn latency(scenario: &str) -> Record {
    let mut histogram = Histogram::new();
    (1..=20).for_each(|sample| histogram.record(sample * 10));
    let summary = histogram.summary();
    Record::Latency(Latency {
        scenario: name(scenario),
        step: name("import"),
        n: summary.n,
        min: summary.min,
        max: summary.max,
        overflow: summary.overflow,
        part: 0,
        parts: 1,
        buckets: histogram.buckets().collect(),
    })
}

fn samples(scenario: &str, first: u16, count: u32) -> Record {
    let cycles = (0..count).map(|number| number * 100).collect();
    Record::Samples(Samples { scenario: name(scenario), step: name("import"), kept: 74, first, cycles })
}

fn step(scenario: &str, verdict: Verdict) -> Record {
    Record::Step(Step {
        scenario: name(scenario),
        step: name("import"),
        verdict,
        owner: None,
        reason: None,
        evidence: heapless::Vec::new(),
    })
}

/// How many [`scenario`] gives.
const RECORDS_OF_A_SCENARIO: usize = 7;

fn scenario(scenario: &str, verdict: Verdict) -> Vec<Record> {
    let end = ScenarioEnd {
        name: name(scenario),
        verdict,
        owner: None,
        reason: None,
        counts: heapless::Vec::new(),
        took_us: None,
    };
    vec![
        Record::ScenarioStart { name: name(scenario) },
        Record::StepStart { scenario: name(scenario), step: name("import") },
        step(scenario, verdict),
        latency(scenario),
        samples(scenario, 0, 64),
        samples(scenario, 64, 10),
        Record::ScenarioEnd(end),
    ]
}

fn planned(plan: &[(&str, Verdict)]) -> Vec<Record> {
    plan.iter().map(|(scenario, _)| Record::Planned { name: name(scenario) }).collect()
}

fn numbered(records: Vec<Record>) -> Vec<String> {
    let line = |(sequence, record): (usize, &Record)| {
        let mut buffer = [0; MAX_FRAME];
        format!("@record {:?}", encode(record, sequence as u16, &mut buffer).expect("fits"))
    };
    records.iter().enumerate().map(line).collect()
}

fn end(plan: &[(&str, Verdict)], records: &mut Vec<Record>) {
    let verdict = plan.iter().map(|(_, verdict)| *verdict).reduce(Verdict::and).expect("a plan");
    records.push(Record::End { verdict, records: records.len() as u16 });
}

/// The log of a run in one life.
fn run_of(plan: &[(&str, Verdict)]) -> Vec<String> {
    let mut records = vec![Record::Start(start())];
    records.extend(planned(plan));
    records.extend(plan.iter().flat_map(|(name, verdict)| scenario(name, *verdict)));
    end(plan, &mut records);
    numbered(records)
}

/// The same, with a reset after the first scenario, as the image asks for it.
fn resumed_run_of(plan: &[(&str, Verdict)]) -> Vec<String> {
    let (first, verdict) = plan[0];
    let mut before = vec![Record::Start(start())];
    before.extend(planned(plan));
    before.extend(scenario(first, verdict));
    let mut after = vec![Record::Resumed(Resumed {
        start: start(),
        resets: 1,
        scenario: name(first),
        cause: ResetCause::Image,
    })];
    after.extend(planned(plan));
    after.push(Record::Before { name: name(first), verdict });
    after.extend(plan[1..].iter().flat_map(|(name, verdict)| scenario(name, *verdict)));
    end(plan, &mut after);
    let mut lines = numbered(before);
    lines.extend(numbered(after));
    lines
}

fn collect(lines: &[String], last_line: Option<Verdict>) -> Report {
    let mut collector = Collector::new(Setup {
        rung: Rung::Board,
        timing: Timing::Measured,
        image_sha256: String::new(),
        started: 0,
        model_peer: false,
    });
    for line in lines {
        collector.log_line(line, None);
    }
    collector.finish(Finish { last_line, ..Finish::default() })
}

/// What happens to a line of the log.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Vanishes,
    /// A byte of its record changes.
    Changes,
    /// It arrives cut in two, and both parts look like records.
    Breaks,
    /// Before it comes something that looks like a record and is none.
    Follows,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        20 => Just(Fate::Arrives),
        2 => Just(Fate::Vanishes),
        1 => Just(Fate::Changes),
        1 => Just(Fate::Breaks),
        1 => Just(Fate::Follows),
    ]
}

fn after(lines: &[String], fates: &[Fate]) -> Vec<String> {
    let mut arrived = Vec::new();
    for (line, fate) in lines.iter().zip(fates) {
        match fate {
            Fate::Arrives => arrived.push(line.clone()),
            Fate::Vanishes => {}
            Fate::Changes => arrived.push(line.replacen(", ", ", 1", 1)),
            Fate::Breaks => {
                let (first, second) = line.split_at(line.len() / 2);
                arrived.push(first.to_owned());
                arrived.push(format!("@record [{second}"));
            }
            Fate::Follows => {
                arrived.push("@record [1, 2, 3]".to_owned());
                arrived.push(line.clone());
            }
        }
    }
    arrived
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![4 => Just(Verdict::Pass), 1 => Just(Verdict::Fail), 1 => Just(Verdict::Hung), 1 => Just(Verdict::Absent)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn damage_is_told_and_makes_no_verdict_better(
        verdicts in [verdict(), verdict(), verdict()],
        is_resumed: bool,
        fates in prop::collection::vec(fate(), 60),
        says_its_end: bool,
    ) {
        let plan: Vec<_> = ["bring-up", "echo", "handshake"].into_iter().zip(verdicts).collect();
        let lines = if is_resumed { resumed_run_of(&plan) } else { run_of(&plan) };
        let fates = &fates[..lines.len()];
        let clean = collect(&lines, None);
        prop_assert!(clean.notes.is_empty(), "{:?}", clean.notes);
        let last_line = says_its_end.then(|| clean.verdict());
        let damaged = collect(&after(&lines, fates), last_line);

        for scenario in &damaged.scenarios {
            let told = plan.iter().find(|(name, _)| *name == scenario.name);
            if scenario.verdict == Verdict::Pass {
                prop_assert_eq!(told.map(|(_, verdict)| *verdict), Some(Verdict::Pass), "{:#?}", scenario);
            }
        }
        prop_assert!(damaged.verdict() >= clean.verdict().min(Verdict::Skip), "{:#?}", damaged);
        if damaged.verdict() == Verdict::Pass {
            prop_assert_eq!(clean.verdict(), Verdict::Pass);
        }
        let verdicts = |report: &Report| -> BTreeSet<(String, Verdict)> {
            report.scenarios.iter().map(|line| (line.name.clone(), line.verdict)).collect()
        };
        if verdicts(&damaged) != verdicts(&clean) {
            let reasons = damaged.scenarios.iter().filter_map(|scenario| scenario.reason.as_deref());
            let mut said = reasons.chain(damaged.notes.iter().map(String::as_str));
            let is_said = said.any(|text| {
                ["lost", "damaged", "no further record", "no record", "says why"].iter().any(|word| text.contains(word))
            });
            prop_assert!(is_said, "{:#?}", damaged);
        }
    }
}

/// A line of the log that only looks like a record must not hide a record that is lost later.
#[test]
fn a_loss_is_noticed_after_damage_that_cost_nothing() {
    let mut lines = run_of(&[("echo", Verdict::Pass), ("handshake", Verdict::Pass)]);
    let start_of_handshake = 3 + RECORDS_OF_A_SCENARIO;
    lines.remove(start_of_handshake + 2);
    lines.insert(1, "@record [1, 2, 3]".to_owned());
    let report = collect(&lines, None);
    assert_eq!(report.scenarios[1].verdict, Verdict::Fail, "{:#?}", report.scenarios[1]);
}

#[test]
fn a_failure_that_is_lost_with_its_scenario_still_fails_the_run() {
    let mut lines = run_of(&[("echo", Verdict::Pass), ("handshake", Verdict::Fail)]);
    let start_of_handshake = 3 + RECORDS_OF_A_SCENARIO;
    lines.drain(start_of_handshake..start_of_handshake + RECORDS_OF_A_SCENARIO);
    // Nor does the plan tell of it.
    lines.remove(2);
    let report = collect(&lines, None);
    assert_eq!(report.verdict(), Verdict::Fail, "{report:#?}");
    let reason = report.scenarios[1].reason.clone().unwrap_or_default();
    assert!(reason.contains("ended with verdict fail"), "{reason}");
}

#[test]
fn a_run_whose_last_record_alone_is_lost_did_not_hang() {
    let mut lines = run_of(&[("echo", Verdict::Pass)]);
    lines.pop();
    let report = collect(&lines, Some(Verdict::Pass));
    let verdicts: Vec<_> = report.scenarios.iter().map(|line| (line.name.as_str(), line.verdict)).collect();
    assert_eq!(verdicts, [("echo", Verdict::Pass), ("end", Verdict::Fail)]);
    // After a register dump there is no record to lose.
    assert_eq!(collect(&lines, Some(Verdict::Fail)).verdict(), Verdict::Hung);
}

#[test]
fn a_life_whose_first_record_is_lost_does_not_lose_65000_others() {
    let mut lines = resumed_run_of(&[("echo", Verdict::Fail), ("handshake", Verdict::Pass)]);
    let resumed = 3 + RECORDS_OF_A_SCENARIO;
    lines.remove(resumed);
    let collected = collect(&lines, None);
    assert_eq!(collected.notes, ["1 records lost on their way"]);
    let verdicts: Vec<_> = collected.scenarios.iter().map(|line| line.verdict).collect();
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Pass]);
}
