//! What the firmware says of itself, from records to the report.

use harness::{
    Record, Verdict,
    record::{
        Clocks, Fact, Facts, Frame, MAX_FRAME, TEXT_BYTES, Text, When, Wishes, clipped, decode, encode,
    },
    report::{Collector, Finish, Report, Rung, Setup, Timing},
};

/// The records through the bytes of their frames, as they travel.
fn collect(records: impl IntoIterator<Item = Record>) -> Report {
    let mut collector = Collector::new(Setup {
        rung: Rung::Board,
        timing: Timing::Measured,
        image_sha256: String::new(),
        started: 0,
        model_peer: false,
    });
    for (sequence, record) in records.into_iter().enumerate() {
        let mut buffer = [0; MAX_FRAME];
        let frame: Frame =
            decode(encode(&record, sequence as u16, &mut buffer).expect("fits")).expect("whole");
        collector.frame(frame, None);
    }
    collector.finish(Finish::default())
}

/// An answer in its parts.
fn answer(when: When, command: &str, code: i32, bytes: &[u8]) -> Vec<Record> {
    let parts: Vec<&[u8]> = if bytes.is_empty() { vec![bytes] } else { bytes.chunks(TEXT_BYTES).collect() };
    let record = |(index, part): (usize, &&[u8])| {
        Record::Text(Text {
            when,
            command: clipped(command),
            code,
            size: bytes.len() as u16,
            offset: (index * TEXT_BYTES) as u16,
            bytes: part.iter().copied().collect(),
        })
    };
    parts.iter().enumerate().map(record).collect()
}

fn facts(topic: &str, facts: &[(&str, u32)]) -> Record {
    let fact = |(name, value): &(&str, u32)| Fact { name: clipped(name), value: *value };
    Record::Facts(Facts { topic: clipped(topic), facts: facts.iter().map(fact).collect() })
}

fn clocks(when: When, millidegrees: u32, throttled: u32) -> Record {
    Record::Clocks(Clocks {
        when,
        arm_hz: 1_200_000_000,
        core_hz: 400_000_000,
        counter_hz: 19_200_000,
        cycles_hz: 1_200_000_000,
        bracket_cycles: 6,
        millidegrees: Some(millidegrees),
        throttled: Some(throttled),
    })
}

fn end() -> Record {
    Record::End { verdict: Verdict::Pass, records: 0 }
}

const VERSION: &str =
    "Aug 26 2022 14:04:36 \nCopyright (c) 2012 Broadcom\nversion 102f (clean) (release) (start)";

#[test]
fn a_report_tells_before_and_after() {
    let (before, after) = (When::Before, When::After);
    let mut records = vec![
        clocks(before, 40_000, 0),
        facts("clock-rate", &[("arm", 1_200_000_000), ("uart", 48_000_000)]),
        facts("clock-max", &[("arm", 1_400_000_000)]),
        facts("board", &[("dma_channels", 0x7f35), ("max_millidegrees", 85_000)]),
    ];
    records.extend(answer(before, "version", 0, VERSION.as_bytes()));
    records.extend(answer(before, "get_mem reloc", 0, b"reloc=107M"));
    records.extend(answer(before, "get_rsts", 0, b"get_rsts=1000"));
    records.push(clocks(after, 71_500, 0x2_0002));
    records.extend(answer(after, "get_mem reloc", 0, b"reloc=103M"));
    records.push(end());
    let report = collect(records);
    let json = serde_json::to_value(&report).expect("plain data");
    assert_eq!(json["firmware"]["version_text"], VERSION);
    assert_eq!(
        json["firmware"]["answers"][2],
        serde_json::json!({ "command": "get_rsts", "when": "before", "code": 0, "text": "get_rsts=1000" })
    );
    assert_eq!(json["memory"]["before"], serde_json::json!({ "reloc_free_mib": 107 }));
    assert_eq!(json["memory"]["after"], serde_json::json!({ "reloc_free_mib": 103 }));
    assert_eq!(
        json["throttled"],
        serde_json::json!({
            "before": 0,
            "after": 0x2_0002,
            "flags": ["frequency-capped", "frequency-capped-since-boot"],
            "times_void": true,
        })
    );
    assert_eq!(
        json["temperature"],
        serde_json::json!({
            "before_millidegrees": 40_000,
            "after_millidegrees": 71_500,
            "limit_millidegrees": 85_000,
        })
    );
    assert_eq!(
        json["clocks"]["settings"],
        serde_json::json!({
            "arm": { "set_hz": 1_200_000_000, "max_hz": 1_400_000_000 },
            "uart": { "set_hz": 48_000_000 },
        })
    );
    assert_eq!(json["board"]["dma_channels"], 0x7f35);
    let leak = "MiB free in VideoCore's relocatable heap: 107 before the scenarios, 103 after them";
    assert!(report.notes.iter().any(|note| note == leak), "{:?}", report.notes);
}

#[test]
fn firmware_that_answers_nothing_leaves_nothing() {
    let json = serde_json::to_value(collect([end()])).expect("plain data");
    for name in ["firmware", "memory", "throttled", "temperature"] {
        assert!(json.get(name).is_none(), "{name}: {json}");
    }
    assert!(json["board"].get("dma_channels").is_none() && json["clocks"].get("settings").is_none());
}

#[test]
fn hostile_text_is_escaped_or_cut_and_never_a_panic() {
    let long = [b'z'; 1020];
    let mut records = answer(When::Before, "version", 0, b"a\xff\x1b[31m\xe2\x82\0b\\");
    records.extend(answer(When::Before, "get_config int", 0, &long));
    records.extend(answer(When::Before, "get_mem reloc", 0, b"reloc=99999999999999999999M"));
    records.extend(answer(When::Before, "mem_reloc_stats", i32::MIN, b""));
    records.extend(answer(When::Before, "mem_oom", 0, b"oom events:\noom events: -1"));
    records.push(facts("clock-rate", &[("moon", 1)]));
    records.push(facts("weather", &[("rain", 1)]));
    // A part of nothing, and one that claims to lie at the end of the world.
    let part = |offset, size, bytes: &[u8]| {
        let bytes = bytes.iter().copied().collect();
        Record::Text(Text { when: When::After, command: clipped("version"), code: 0, size, offset, bytes })
    };
    records.extend([part(512, 600, b"x"), part(u16::MAX, u16::MAX, b"x"), part(0, 0, b"more than it says")]);
    records.push(end());
    let report = collect(records);
    let firmware = report.firmware.expect("answers");
    assert_eq!(firmware.version_text, "a\\xff\\x1b[31m\\xe2\\x82\\x00b\\\\");
    let answer =
        |command: &str| firmware.answers.iter().find(|answer| answer.command == command).expect("there");
    assert_eq!((answer("get_config int").text.len(), answer("get_config int").cut), (1020, true));
    assert_eq!(answer("mem_reloc_stats").code, i32::MIN);
    assert_eq!(report.memory, None);
    assert_eq!(report.clocks.settings.len(), 1);
    let control = |answer: &harness::report::Answer| answer.text.chars().any(|c| c.is_control() && c != '\n');
    assert!(!firmware.answers.iter().any(control));
}

#[test]
fn a_lost_part_cuts_its_text_and_no_other() {
    let long: Vec<u8> = (0..900).map(|i| b'a' + (i % 26) as u8).collect();
    let mut records = answer(When::Before, "get_config int", 0, &long);
    records.pop();
    records.extend(answer(When::Before, "get_rsts", 0, b"get_rsts=0"));
    records.push(end());
    let answers = collect(records).firmware.expect("answers").answers;
    assert_eq!((answers[0].text.len(), answers[0].cut), (TEXT_BYTES, true));
    assert_eq!((answers[1].text.as_str(), answers[1].cut), ("get_rsts=0", false));
}

#[test]
fn a_board_that_starts_again_is_asked_anew() {
    let run = |text: &[u8]| {
        let start = Record::Start(harness::record::Start {
            git: clipped("8805e9a"),
            profile: clipped("image"),
            iterations: 1,
            seed: 1,
            defaults: true,
            wishes: Wishes::default(),
        });
        let mut records = vec![start];
        records.extend(answer(When::Before, "version", 0, text));
        records
    };
    let mut records = run(b"first");
    records.extend(run(b"second"));
    records.push(end());
    let firmware = collect(records).firmware.expect("answers");
    assert_eq!((firmware.version_text.as_str(), firmware.answers.len()), ("second", 1));
}
