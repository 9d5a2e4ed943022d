//! From records to the report.

use harness::{
    Histogram, Owner, Record, Verdict,
    record::{
        self, BUCKETS_PER_RECORD, BoardFacts, Clocks, Core, Fact, Frame, MAX_FRAME, Machine, Peer,
        ResetCause, Resumed, SAMPLES_PER_RECORD, ScenarioEnd, Start, Step, When, Wishes, clipped, encode,
    },
    report::{Collector, Counters, Finish, Report, Reset, Rung, Setup, Timing},
};

fn setup() -> Setup {
    Setup {
        rung: Rung::Emulated,
        timing: Timing::Modelled,
        image_sha256: "ab".repeat(32),
        started: 1_790_000_000,
        model_peer: false,
    }
}

fn clocks(when: When, arm_hz: u32) -> Record {
    Record::Clocks(Clocks {
        when,
        arm_hz,
        core_hz: 400_000_000,
        counter_hz: 19_200_000,
        cycles_hz: 1_200_000_100,
        bracket_cycles: 6,
        millidegrees: Some(40_000),
        throttled: Some(0),
    })
}

fn machine(core: Core) -> Record {
    let peer =
        Peer { revision: 1_661_522_596, variant: Some(1), hash: Some([0x102f_1e84, 1, 2, 3, 0x9832_6000]) };
    Record::Machine(Machine { build: [7; 8], core, peer })
}

fn opening(scenarios: &str) -> Vec<Record> {
    let mut records = vec![
        Record::Start(Start {
            git: clipped("8805e9a"),
            profile: clipped("image"),
            iterations: 10,
            seed: 1,
            defaults: false,
            wishes: Wishes::default(),
        }),
        Record::Board(BoardFacts {
            soc: clipped("BCM2837"),
            revision: 0x00a0_2082,
            midr: 0x410f_d034,
            entry_el: 2,
            arm_memory: 0x3b40_0000,
            vc_memory: 0x04c0_0000,
        }),
        clocks(When::Before, 1_200_000_000),
        machine(Core::Emulated),
    ];
    let names = scenarios.split(',').filter(|name| !name.is_empty());
    records.extend(names.map(|name| Record::Planned { name: clipped(name) }));
    records
}

fn scenario_start(name: &str) -> Record {
    Record::ScenarioStart { name: clipped(name) }
}

fn step_start(scenario: &str, step: &str) -> Record {
    Record::StepStart { scenario: clipped(scenario), step: clipped(step) }
}

fn scenario_end(name: &str, verdict: Verdict) -> Record {
    let counts =
        [Fact { name: clipped("imports"), value: 10 }, Fact { name: clipped("released"), value: 10 }];
    let owner = (verdict == Verdict::Fail).then_some(Owner::Firmware);
    Record::ScenarioEnd(ScenarioEnd {
        name: clipped(name),
        verdict,
        owner,
        reason: None,
        counts: counts.into_iter().collect(),
        took_us: Some(23_456),
    })
}

fn latencies(scenario: &str, step: &str, histogram: &Histogram) -> Vec<Record> {
    let summary = histogram.summary();
    let buckets: Vec<(u16, u32)> = histogram.buckets().collect();
    let parts = buckets.chunks(BUCKETS_PER_RECORD);
    let total = parts.len() as u16;
    parts
        .enumerate()
        .map(|(part, buckets)| {
            Record::Latency(record::Latency {
                scenario: clipped(scenario),
                step: clipped(step),
                n: summary.n,
                min: summary.min,
                max: summary.max,
                overflow: summary.overflow,
                part: part as u16,
                parts: total,
                buckets: buckets.iter().copied().collect(),
            })
        })
        .collect()
}

fn samples(step: &str, cycles: &[u32]) -> Vec<Record> {
    let parts = cycles.chunks(SAMPLES_PER_RECORD).enumerate();
    parts
        .map(|(part, chunk)| {
            Record::Samples(record::Samples {
                scenario: clipped("handshake"),
                step: clipped(step),
                kept: cycles.len() as u16,
                first: (part * SAMPLES_PER_RECORD) as u16,
                cycles: chunk.iter().copied().collect(),
            })
        })
        .collect()
}

/// A wide histogram: needs more than one record.
fn wide() -> Histogram {
    let mut histogram = Histogram::new();
    (1..=100).for_each(|i| histogram.record(i * i * 10));
    histogram
}

fn passing_run() -> Vec<Record> {
    let mut records = opening("handshake");
    records.push(scenario_start("handshake"));
    records.push(step_start("handshake", "import"));
    records.extend(latencies("handshake", "import", &wide()));
    records.push(scenario_end("handshake", Verdict::Pass));
    records.push(clocks(When::After, 1_200_000_000));
    records.push(Record::End { verdict: Verdict::Pass, records: records.len() as u16 });
    records
}

/// The log lines that an image would print.
fn lines(records: &[Record]) -> Vec<String> {
    let line = |(sequence, record): (usize, &Record)| {
        let mut buffer = [0; MAX_FRAME];
        format!("0.001 INFO @record {:?}", encode(record, sequence as u16, &mut buffer).expect("fits"))
    };
    records.iter().enumerate().map(line).collect()
}

fn collect(lines: &[String], stopped: Option<&str>) -> Report {
    let mut collector = Collector::new(setup());
    let mut counters = Counters::default();
    for line in lines {
        counters.arm_cycles += 1000;
        counters.vpu_instructions += 10;
        collector.log_line(line, Some(counters));
    }
    collector.finish(Finish { wall_s: 3, stopped: stopped.map(ToOwned::to_owned), ..Finish::default() })
}

#[test]
fn the_report_has_the_shape_of_schema_1() {
    let report = collect(&lines(&passing_run()), None);
    let json = serde_json::to_value(&report).expect("plain data");
    let figures = &json["scenarios"][0]["latency"]["import"];
    let histogram = figures["histogram"].as_array().expect("a list").clone();
    let total: u64 = histogram.iter().map(|bucket| bucket[1].as_u64().expect("a count")).sum();
    assert_eq!(total, 100);
    assert_eq!(
        json,
        serde_json::json!({
            "schema": 1,
            "image": { "git": "8805e9a", "sha256": "ab".repeat(32), "profile": "image" },
            "board": { "soc": "BCM2837", "model": "3B", "revision": "a02082" },
            "rung": "emulated",
            "timing": "modelled",
            "clocks": {
                "arm_hz": 1_200_000_000,
                "core_hz": 400_000_000,
                "arm_after_hz": 1_200_000_000,
                "core_after_hz": 400_000_000,
                "counter_hz": 19_200_000,
                "cycles_hz": 1_200_000_100,
                "bracket_cycles": 6,
            },
            "peer": {
                "kind": "firmware",
                "revision": 1_661_522_596,
                "build_id": "102f1e8400000001000000020000000398326000",
                "date": "2022-08-26",
                "variant": "start",
            },
            "memory": { "arm_bytes": 0x3b40_0000, "vc_bytes": 0x04c0_0000 },
            "throttled": { "before": 0, "after": 0, "flags": [], "times_void": false },
            "temperature": { "before_millidegrees": 40_000, "after_millidegrees": 40_000 },
            "plan": {
                "iterations": 10, "seed": 1, "timeout_ms": 10_000, "sizes": [], "first_transaction": 1,
                "delay_us": 0, "samples": 0
            },
            "started": "2026-09-21T14:13:20Z",
            "wall_s": 3,
            "scenarios": [{
                "name": "handshake",
                "verdict": "pass",
                "took_us": 23_456,
                "counts": { "imports": 10, "released": 10 },
                "latency": {
                    "import": {
                        "unit": "cycles",
                        "n": 100,
                        "min": 10,
                        "p50": 25_087,
                        "p90": 81_919,
                        "p99": 98_303,
                        "max": 100_000,
                        "histogram": histogram,
                    },
                },
                "sides": { "arm_cycles": 4000, "vpu_instructions": 40 },
            }],
        })
    );
    assert_eq!(report.notes, Vec::<String>::new());
    let back: harness::report::Report = serde_json::from_value(json).expect("the same shape");
    assert_eq!(back, report);
}

/// Reports of the first release have none of what came later.
#[test]
fn a_report_without_the_optional_objects_is_read() {
    let mut json = serde_json::to_value(collect(&lines(&passing_run()), None)).expect("plain data");
    let object = json.as_object_mut().expect("an object");
    for name in ["firmware", "memory", "throttled", "temperature"] {
        object.remove(name);
    }
    object["clocks"] = serde_json::json!({ "arm_hz": 1_200_000_000, "core_hz": 400_000_000 });
    let report: harness::report::Report = serde_json::from_value(json).expect("a report");
    assert_eq!((report.throttled, report.clocks.counter_hz), (None, None));
}

#[test]
fn a_run_that_a_person_stopped_did_not_hang() {
    let mut records = opening("bring-up,echo");
    records.push(scenario_start("bring-up"));
    records.push(step_start("bring-up", "connect"));
    let mut collector = Collector::new(setup());
    for line in lines(&records) {
        collector.log_line(&line, None);
    }
    let report = collector.finish(Finish { by_hand: true, ..Finish::default() });
    let [bring_up, echo] = &report.scenarios[..] else { panic!("{report:?}") };
    assert_eq!(bring_up.verdict, Verdict::Skip);
    assert_eq!(bring_up.reason.as_deref(), Some("in connect: the run was stopped by hand"));
    let reason = echo.reason.as_deref();
    assert_eq!((echo.verdict, reason), (Verdict::Skip, Some("not reached: the run was stopped by hand")));
    for scenario in [bring_up, echo] {
        assert!(scenario.next.as_deref().is_some_and(|next| next.contains("run it again")), "{scenario:?}");
    }
    assert_ne!(report.verdict(), Verdict::Pass);
}

#[test]
fn a_run_that_stops_in_a_step_is_hung_there_and_what_was_not_reached_is_skipped() {
    let mut records = opening("bring-up,echo");
    records.push(scenario_start("bring-up"));
    records.push(step_start("bring-up", "connect"));
    let report = collect(&lines(&records), Some("the machine stopped at its limit of 10 s"));
    let [bring_up, echo] = &report.scenarios[..] else { panic!("{report:?}") };
    assert_eq!(bring_up.verdict, Verdict::Hung);
    assert_eq!(
        bring_up.reason.as_deref(),
        Some("connect: no further record from the image; the machine stopped at its limit of 10 s")
    );
    assert_eq!((echo.verdict, echo.reason.as_deref()), (Verdict::Skip, Some("not reached")));
    assert_eq!(
        bring_up.steps.last().map(|step| (step.name.as_str(), step.verdict)),
        Some(("connect", Verdict::Hung))
    );
    assert_eq!(report.verdict(), Verdict::Hung);
}

#[test]
fn an_image_that_says_nothing_is_hung_at_boot() {
    let report = collect(&["INFO hello".to_owned()], None);
    let [boot] = &report.scenarios[..] else { panic!("{report:?}") };
    assert_eq!((boot.name.as_str(), boot.verdict), ("boot", Verdict::Hung));
    assert_eq!(boot.reason.as_deref(), Some("no record from the image"));
}

#[test]
fn a_run_that_ends_between_scenarios_is_hung_too() {
    let mut records = passing_run();
    records.pop();
    let report = collect(&lines(&records), None);
    assert_eq!(report.scenarios[0].verdict, Verdict::Pass);
    assert_eq!((report.scenarios[1].name.as_str(), report.verdict()), ("end", Verdict::Hung));
}

#[test]
fn a_reset_in_mid_run_hangs_what_ran_before_it() {
    let mut records = opening("handshake");
    records.push(scenario_start("handshake"));
    records.push(step_start("handshake", "cycle"));
    let mut lines = lines(&records);
    lines.extend(self::lines(&passing_run()));
    let report = collect(&lines, None);
    let [before, after] = &report.scenarios[..] else { panic!("{report:?}") };
    assert_eq!((before.verdict, after.verdict), (Verdict::Hung, Verdict::Pass));
    let reason = before.reason.as_deref();
    assert_eq!(reason, Some("cycle: no further record from the image; the image started again"));
    assert_eq!(report.verdict(), Verdict::Hung);
}

#[test]
fn what_a_life_did_not_reach_is_skipped_when_another_run_begins_without_it() {
    let mut first = opening("echo,handshake");
    first.extend([scenario_start("echo"), scenario_end("echo", Verdict::Pass)]);
    let mut second = opening("");
    second.extend([scenario_start("reset"), scenario_end("reset", Verdict::Hung)]);
    second.push(end(&second, Verdict::Hung));
    let report = collect(&[lines(&first), lines(&second)].concat(), None);
    let scenarios = &report.scenarios;
    let verdicts: Vec<_> =
        scenarios.iter().map(|scenario| (scenario.name.as_str(), scenario.verdict)).collect();
    let expected = [
        ("echo", Verdict::Pass),
        ("end", Verdict::Hung),
        ("reset", Verdict::Hung),
        ("handshake", Verdict::Skip),
    ];
    assert_eq!(verdicts, expected);
}

fn resumed(scenario: &str, cause: ResetCause) -> Record {
    let Some(Record::Start(start)) = opening("").into_iter().next() else { panic!("no start") };
    Record::Resumed(Resumed { start, resets: 1, scenario: clipped(scenario), cause })
}

fn hung_step(scenario: &str, step: &str) -> Record {
    Record::Step(Step {
        scenario: clipped(scenario),
        step: clipped(step),
        verdict: Verdict::Hung,
        owner: Some(Owner::Harness),
        reason: Some(clipped("the Arm made no progress")),
        evidence: [Fact { name: clipped("tx_pos"), value: 0x40 }].into_iter().collect(),
    })
}

/// The opening of a life after a reset: the same but for the first record, which says so.
fn reopening(scenario: &str, cause: ResetCause, plan: &str, before: &[(&str, Verdict)]) -> Vec<Record> {
    let mut records = opening(plan);
    records[0] = resumed(scenario, cause);
    records.extend(
        before.iter().map(|(name, verdict)| Record::Before { name: clipped(name), verdict: *verdict }),
    );
    records
}

fn end(records: &[Record], verdict: Verdict) -> Record {
    Record::End { verdict, records: records.len() as u16 }
}

#[test]
fn a_run_that_goes_on_after_the_watchdog_is_one_report_with_the_hung_step_in_it() {
    let plan = "bring-up,echo,handshake";
    let mut first = opening(plan);
    first.extend([scenario_start("bring-up"), scenario_end("bring-up", Verdict::Pass)]);
    first.extend([scenario_start("echo"), step_start("echo", "echo-64")]);
    let mut second = reopening("echo", ResetCause::Watchdog, plan, &[("bring-up", Verdict::Pass)]);
    second.extend([hung_step("echo", "echo-64"), scenario_end("echo", Verdict::Hung)]);
    second.extend([scenario_start("handshake"), scenario_end("handshake", Verdict::Pass)]);
    second.push(end(&second, Verdict::Hung));
    let report = collect(&[lines(&first), lines(&second)].concat(), None);
    let report = &report;
    let verdicts: Vec<_> =
        report.scenarios.iter().map(|scenario| (scenario.name.as_str(), scenario.verdict)).collect();
    assert_eq!(
        verdicts,
        [("bring-up", Verdict::Pass), ("echo", Verdict::Hung), ("handshake", Verdict::Pass)]
    );
    let reason = report.scenarios[1].reason.as_deref();
    assert_eq!(reason, Some("echo-64: the Arm made no progress [tx_pos=0x40]"));
    assert_eq!(report.scenarios[1].sides, None, "the reset's time is not the scenario's");
    assert!(report.scenarios[2].sides.is_some());
    assert_eq!(report.resets, [Reset { scenario: "echo".to_owned(), cause: ResetCause::Watchdog }]);
    assert_eq!(report.notes, Vec::<String>::new(), "nothing is lost by a reset");
    let json = serde_json::to_value(report).expect("plain data");
    assert_eq!(json["resets"][0]["cause"], "watchdog");
}

#[test]
fn a_reset_that_the_image_asked_for_leaves_the_verdicts_as_they_are() {
    let mut first = opening("echo,handshake");
    first.extend([scenario_start("echo"), hung_step("echo", "open"), scenario_end("echo", Verdict::Hung)]);
    let mut second = reopening("echo", ResetCause::Image, "echo,handshake", &[("echo", Verdict::Hung)]);
    second.extend([scenario_start("handshake"), scenario_end("handshake", Verdict::Pass)]);
    second.push(end(&second, Verdict::Hung));
    let report = collect(&[lines(&first), lines(&second)].concat(), None);
    let verdicts: Vec<_> = report.scenarios.iter().map(|scenario| scenario.verdict).collect();
    assert_eq!(verdicts, [Verdict::Hung, Verdict::Pass]);
    assert!(report.scenarios[0].reason.as_deref().is_some_and(|reason| reason.starts_with("open: ")));
    assert_eq!(report.resets.len(), 1);
}

#[test]
fn a_log_that_begins_after_the_reset_still_has_the_verdicts_from_before() {
    let mut records = reopening("echo", ResetCause::Image, "echo,handshake", &[("echo", Verdict::Hung)]);
    records.extend([scenario_start("handshake"), scenario_end("handshake", Verdict::Pass)]);
    records.push(end(&records, Verdict::Hung));
    let report = collect(&lines(&records), None);
    assert_eq!(report.image.git, "8805e9a");
    assert_eq!(report.scenarios[0].name, "echo");
    assert_eq!(report.scenarios[0].verdict, Verdict::Hung);
    let reason = report.scenarios[0].reason.as_deref();
    assert_eq!(reason, Some("its records from before the reset are missing"));
    assert_eq!(report.scenarios[1].verdict, Verdict::Pass);
    assert_eq!(report.verdict(), Verdict::Hung);
}

#[test]
fn another_image_that_goes_on_is_not_taken_for_this_run() {
    let mut first = opening("echo");
    first.extend([scenario_start("echo"), step_start("echo", "open")]);
    let mut second = reopening("handshake", ResetCause::Image, "handshake", &[]);
    if let Record::Resumed(resumed) = &mut second[0] {
        resumed.start.seed = 99;
    }
    second.push(end(&second, Verdict::Pass));
    let report = collect(&[lines(&first), lines(&second)].concat(), None);
    assert_eq!(report.scenarios[0].verdict, Verdict::Hung);
    let reason = report.scenarios[0].reason.as_deref();
    assert_eq!(reason, Some("open: no further record from the image; the image started again"));
}

#[test]
fn a_run_that_does_not_come_back_from_a_reset_is_hung_where_it_was() {
    let mut first = opening("echo,handshake");
    first.extend([scenario_start("echo"), hung_step("echo", "open"), scenario_end("echo", Verdict::Hung)]);
    let report = collect(&lines(&first), Some("the watchdog restarted the board"));
    let verdicts: Vec<_> =
        report.scenarios.iter().map(|scenario| (scenario.name.as_str(), scenario.verdict)).collect();
    assert_eq!(verdicts, [("echo", Verdict::Hung), ("end", Verdict::Hung), ("handshake", Verdict::Skip)]);
}

#[test]
fn a_pass_with_a_record_lost_on_its_way_is_no_pass() {
    let all = lines(&passing_run());
    for lost in [5, 6, 7] {
        let mut lines = all.clone();
        lines.remove(lost);
        let report = collect(&lines, None);
        assert_eq!(report.scenarios[0].verdict, Verdict::Fail, "record {lost}");
        assert_eq!(report.scenarios[0].owner, Some(Owner::Harness));
    }
}

#[test]
fn a_scenario_whose_first_or_last_record_is_lost_is_no_pass_and_not_hung() {
    let records = passing_run();
    let is_frame = |record: &Record| matches!(record, Record::ScenarioStart { .. } | Record::ScenarioEnd(_));
    let frames: Vec<usize> = (0..records.len()).filter(|place| is_frame(&records[*place])).collect();
    assert_eq!(frames.len(), 2);
    for lost in frames {
        let mut lines = lines(&records);
        lines.remove(lost);
        let scenario = &collect(&lines, None).scenarios[0];
        let reason = scenario.reason.as_deref().unwrap_or_default();
        assert_eq!(
            (scenario.verdict, scenario.owner),
            (Verdict::Fail, Some(Owner::Harness)),
            "record {lost}"
        );
        assert!(reason.contains("1 records lost"), "{reason}");
    }
}

#[test]
fn a_pass_with_a_record_damaged_on_its_way_is_no_pass() {
    let mut lines = lines(&passing_run());
    lines[6] = lines[6].replacen(", ", ", 1", 1);
    let report = collect(&lines, None);
    assert_eq!(report.scenarios[0].verdict, Verdict::Fail);
    assert!(report.notes.iter().any(|note| note.contains("damaged")), "{:?}", report.notes);
}

#[test]
fn the_first_failed_step_gives_the_reason_with_its_evidence() {
    let mut records = opening("bring-up");
    records.push(scenario_start("bring-up"));
    let evidence =
        [Fact { name: clipped("slave.tx_pos"), value: 0x20 }, Fact { name: clipped("found"), value: 7 }];
    records.push(Record::Step(Step {
        scenario: clipped("bring-up"),
        step: clipped("connect"),
        verdict: Verdict::Fail,
        owner: Some(Owner::Firmware),
        reason: Some(clipped("no CONNECT within 2 s")),
        evidence: evidence.into_iter().collect(),
    }));
    records.push(scenario_end("bring-up", Verdict::Fail));
    records.push(Record::End { verdict: Verdict::Fail, records: 8 });
    let report = collect(&lines(&records), None);
    assert_eq!(
        report.scenarios[0].reason.as_deref(),
        Some("connect: no CONNECT within 2 s [slave.tx_pos=0x20, found=0x7]")
    );
    let [connect] = &report.scenarios[0].steps[..] else { panic!("{report:#?}") };
    assert_eq!((connect.name.as_str(), connect.verdict), ("connect", Verdict::Fail));
    assert_eq!(connect.evidence, [("slave.tx_pos".to_owned(), 0x20), ("found".to_owned(), 7)]);
    assert_eq!(report.scenarios[0].owner, Some(Owner::Firmware));
}

#[test]
fn an_image_of_another_commit_is_told_once() {
    let mut lines = lines(&passing_run());
    for line in &mut lines {
        // A layout of the future, its checksum right.
        *line = "0.001 INFO @record [255, 0, 0, 255, 237, 217, 65]".to_owned();
    }
    let notes = collect(&lines, None).notes;
    let told: Vec<_> = notes.iter().filter(|note| note.contains("record layout 255")).collect();
    assert_eq!(told.len(), 1, "{notes:?}");
    assert!(told[0].contains("not of the same commit"), "{told:?}");
}

#[test]
fn a_clock_that_moved_is_noted() {
    let mut records = passing_run();
    let at = records.len() - 2;
    records[at] = clocks(When::After, 600_000_000);
    let report = collect(&lines(&records), None);
    assert!(report.notes[0].contains("1200000000 to 600000000 Hz"), "{:?}", report.notes);
}

#[test]
fn qemu_is_told_by_its_revision_as_no_peer() {
    let mut records = passing_run();
    let peer = Peer { revision: vchiq_mbox::property::FirmwareRevision::QEMU, ..Peer::UNASKED };
    records[3] = Record::Machine(Machine { build: [7; 8], core: Core::Silicon, peer });
    let peer = collect(&lines(&records), None).peer;
    assert_eq!(serde_json::to_value(peer.kind).expect("plain"), "absent");
    assert_eq!((peer.date.as_str(), peer.build_id.as_str(), peer.variant.as_str()), ("", "", "unknown"));
}

/// A line whose other end nobody knows, with these records and without those of the machine that are `lost`.
fn heard(records: &[Record], announced: bool, lost: &[usize]) -> Report {
    let unknown = Setup { rung: Rung::Unknown, timing: Timing::Unknown, ..setup() };
    let mut collector = Collector::new(unknown);
    if announced {
        collector.announce_emulated();
    }
    let is_machine = |line: &&(usize, String)| matches!(records[line.0], Record::Machine(_));
    let lines: Vec<(usize, String)> = lines(records).into_iter().enumerate().collect();
    let machines: Vec<usize> = lines.iter().filter(is_machine).map(|(at, _)| *at).collect();
    let lost: Vec<usize> = lost.iter().map(|which| machines[*which]).collect();
    for (at, line) in &lines {
        if !lost.contains(at) {
            collector.log_line(line, None);
        }
    }
    collector.finish(Finish::default())
}

/// A passing run that tells of its machine three times, as the image does: before the scenarios, before the only one,
/// and at the end.
fn run_on(core: Core) -> Vec<Record> {
    let mut records = opening("handshake");
    records[3] = machine(core);
    records.push(machine(core));
    records.push(scenario_start("handshake"));
    records.extend(latencies("handshake", "import", &wide()));
    records.push(scenario_end("handshake", Verdict::Pass));
    records.push(machine(core));
    records.push(end(&records, Verdict::Pass));
    records
}

#[test]
fn a_report_is_labelled_by_any_one_record_of_the_machine_and_by_none_as_unknown() {
    for (core, labels) in [
        (Core::Silicon, (Rung::Board, Timing::Measured)),
        (Core::Emulated, (Rung::Emulated, Timing::Modelled)),
    ] {
        let records = run_on(core);
        for lost in [&[][..], &[0], &[0, 1], &[0, 2], &[1, 2]] {
            let report = heard(&records, false, lost);
            assert_eq!((report.rung, report.timing), labels, "{lost:?}");
            assert_eq!(report.peer.build_id, "102f1e8400000001000000020000000398326000", "{lost:?}");
            assert_eq!(report.verdict(), Verdict::Pass, "what is told again is no scenario's: {report:#?}");
        }
        let report = heard(&records, false, &[0, 1, 2]);
        assert_eq!((report.rung, report.timing), (Rung::Unknown, Timing::Unknown));
        assert!(report.notes.iter().any(|note| note.contains("measured or modelled")), "{:?}", report.notes);
    }
}

#[test]
fn machines_that_contradict_each_other_are_told_and_not_believed() {
    let mut records = run_on(Core::Silicon);
    let report = heard(&records, true, &[]);
    assert_eq!((report.rung, report.timing), (Rung::Unknown, Timing::Unknown));
    records[3] = machine(Core::Emulated);
    let report = heard(&records, false, &[]);
    assert_eq!((report.rung, report.timing), (Rung::Unknown, Timing::Unknown));
    assert!(report.notes.iter().any(|note| note.contains("a real one")), "{:?}", report.notes);
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let write = || serde_json::to_string(&collect(&lines(&passing_run()), None)).expect("plain");
    assert_eq!(write(), write());
}

#[test]
fn frames_without_a_log_line_are_taken_too() {
    let mut collector = Collector::new(setup());
    for (sequence, record) in passing_run().into_iter().enumerate() {
        assert!(!collector.is_finished());
        collector.frame(Frame { sequence: sequence as u16, record }, None);
    }
    assert!(collector.is_finished());
    assert_eq!(collector.finish(Finish::default()).scenarios[0].sides, None);
}

/// A run with raw samples in four parts, and those parts as numbers of the records.
fn run_with_samples(cycles: &[u32]) -> (Vec<Record>, std::ops::Range<usize>) {
    let mut records = opening("handshake");
    records.push(scenario_start("handshake"));
    records.extend(latencies("handshake", "import", &wide()));
    let first = records.len();
    records.extend(samples("import", cycles));
    let parts = first..records.len();
    records.push(scenario_end("handshake", Verdict::Pass));
    records.push(end(&records, Verdict::Pass));
    (records, parts)
}

#[test]
fn raw_samples_come_back_in_the_order_they_were_taken() {
    let cycles: Vec<u32> = (0..200).map(|number| 1000 - number).collect();
    let report = collect(&lines(&run_with_samples(&cycles).0), None);
    assert_eq!(report.verdict(), Verdict::Pass, "{report:#?}");
    assert_eq!(report.scenarios[0].samples, [("import".to_owned(), cycles)].into());
}

#[test]
fn raw_samples_without_one_of_their_parts_are_left_out_and_no_pass() {
    let cycles: Vec<u32> = (0..200).collect();
    let (records, parts) = run_with_samples(&cycles);
    assert_eq!(parts.len(), 4);
    for lost in parts {
        let mut log = lines(&records);
        log.remove(lost);
        let scenario = &collect(&log, None).scenarios[0];
        assert!(scenario.samples.is_empty(), "part {lost}: {scenario:#?}");
        assert_eq!((scenario.verdict, scenario.owner), (Verdict::Fail, Some(Owner::Harness)));
    }
    // Also where nothing was lost on the way: the image itself left one out, or sent one twice.
    let without_one = |parts: &mut Vec<Record>| drop(parts.remove(1));
    let one_twice = |parts: &mut Vec<Record>| parts.push(parts[0].clone());
    for change in [without_one as fn(&mut Vec<Record>), one_twice] {
        let mut parts = samples("import", &cycles);
        change(&mut parts);
        let mut records = opening("handshake");
        records.push(scenario_start("handshake"));
        records.extend(parts);
        records.push(scenario_end("handshake", Verdict::Pass));
        records.push(end(&records, Verdict::Pass));
        let scenario = &collect(&lines(&records), None).scenarios[0];
        let reason = scenario.reason.clone().unwrap_or_default();
        assert!(reason.contains("samples of import are incomplete"), "{reason}");
        assert_eq!(scenario.verdict, Verdict::Fail);
    }
}

#[test]
fn the_report_tells_every_wish_that_shapes_a_run() {
    let mut records = passing_run();
    let Record::Start(start) = &mut records[0] else { panic!("a run begins with its start") };
    start.wishes =
        Wishes { timeout_ms: 50, first_transaction: 7, delay_us: 9, samples: 11, ..Wishes::default() };
    start.wishes.sizes.extend([64, 4096]);
    let plan = collect(&lines(&records), None).plan.expect("a plan");
    assert_eq!((plan.iterations, plan.seed), (10, 1));
    assert_eq!((plan.timeout_ms, plan.sizes), (Some(50), Some(vec![64, 4096])));
    assert_eq!((plan.first_transaction, plan.delay_us, plan.samples), (Some(7), Some(9), Some(11)));
}
