//! The harness on a board whose VideoCore follows a script.

use harness::{
    Histogram, Next, Outcome, Owner, Verdict,
    plan::AtEnd,
    record::decode,
    report::{Collector, Finish, Latency, PeerKind, Report, Rung, ScenarioReport, Setup, Timing},
};
use tests::fake::{Behaviour, Echo, FakeBoard, Import, Lock, Released};
use vchiq_mbox::property::FirmwareRevision;

/// What a run left, on both ends.
struct Run {
    outcome: Outcome,
    report: Report,
    seconds: u64,
    milliseconds: u64,
    kicks: u32,
}

impl Run {
    fn scenario(&self, name: &str) -> &ScenarioReport {
        let found = self.report.scenarios.iter().find(|scenario| scenario.name == name);
        found.unwrap_or_else(|| panic!("no scenario {name} in {:#?}", self.report))
    }

    fn step(&self, scenario: &str, step: &str) -> Verdict {
        let steps = &self.scenario(scenario).steps;
        let found = steps.iter().find(|ended| ended.name == step);
        found.unwrap_or_else(|| panic!("no step {step} in {steps:#?}")).verdict
    }

    /// Verdict, owner and the beginning of the reason.
    fn assert_scenario(&self, name: &str, verdict: Verdict, owner: Option<Owner>, reason: &str) {
        let scenario = self.scenario(name);
        let found = scenario.reason.clone().unwrap_or_default();
        assert_eq!((scenario.verdict, scenario.owner), (verdict, owner), "{name}: {found}");
        assert!(found.contains(reason), "{name}: {reason:?} is not in {found:?}");
    }
}

fn run(behaviour: Behaviour) -> Run {
    let mut board = FakeBoard::new(behaviour);
    let outcome = harness::run(&mut board);
    let mut collector = Collector::new(Setup {
        rung: Rung::Native,
        timing: Timing::Modelled,
        image_sha256: String::new(),
        started: 0,
        model_peer: false,
    });
    for frame in board.frames() {
        collector.frame(decode(&frame).expect("an undamaged frame"), None);
    }
    assert!(collector.is_finished(), "the run has no last record");
    let report = collector.finish(Finish::default());
    assert_eq!(report.verdict(), outcome.verdict, "{:#?}", report.scenarios);
    Run {
        outcome,
        report,
        seconds: board.seconds(),
        milliseconds: board.milliseconds(),
        kicks: board.kicks(),
    }
}

#[test]
fn each_scenario_tells_how_long_it_took_and_together_no_longer_than_the_run() {
    let run = run(with_plan("harness.iterations=40"));
    let took = |name: &str| run.scenario(name).took_us.unwrap_or_else(|| panic!("{name} told no time"));
    assert!(took("echo") > 0 && took("handshake") > 0);
    let all: u64 = run.report.scenarios.iter().filter_map(|scenario| scenario.took_us).sum();
    assert!(all <= (run.milliseconds + 1) * 1000, "{all} us in {} ms", run.milliseconds);
}

#[test]
fn a_scenario_that_waited_for_its_deadline_took_at_least_that_long() {
    let run = run(Behaviour { echo: Echo::Silent, ..with_plan("harness.scenario=echo") });
    let echo = run.scenario("echo");
    assert_eq!(echo.verdict, Verdict::Hung);
    assert!(echo.took_us.is_some_and(|took| took >= 1_000_000), "{:?}", echo.took_us);
}

fn with_plan(words: &str) -> Behaviour {
    Behaviour { command_line: Some(words.to_owned()), ..Behaviour::default() }
}

#[test]
fn by_the_book_everything_passes_and_every_import_comes_back() {
    let run = run(with_plan("harness.iterations=40"));
    assert_eq!(run.outcome, Outcome { verdict: Verdict::Pass, next: Next::End(AtEnd::Halt) });
    let handshake = run.scenario("handshake");
    for name in ["imports", "released", "handshakes", "locks"] {
        assert_eq!(handshake.counts[name], 40, "{name}");
    }
    assert_eq!(handshake.counts["violations"], 0);
    for step in
        ["import", "import.submit", "import.doorbell_to_irq", "import.parse", "use", "free", "released"]
    {
        assert_eq!(handshake.latency[step].n, 40, "{step}");
    }
    let echo = run.scenario("echo");
    assert_eq!(echo.counts["pings"], 160);
    for step in ["sync-0", "echo-64", "echo-1024", "echo-4000.submit"] {
        assert_eq!(echo.latency[step].n, 40, "{step}");
    }
    assert!(!run.report.scenarios.iter().any(|scenario| scenario.name == "plan"));
    let report = &run.report;
    assert_eq!((report.peer.kind, report.board.model.as_str()), (PeerKind::Firmware, "3B"));
    assert_eq!(report.peer.build_id, "102f1e8400000000000000000000000000098326");
    assert_eq!(run.report.notes, Vec::<String>::new());
    assert!(run.kicks > 200, "the watchdog was kicked {} times", run.kicks);
}

#[test]
fn the_parts_of_a_step_are_not_longer_than_the_step() {
    let run = run(with_plan("harness.iterations=40"));
    let latency = &run.scenario("handshake").latency;
    for step in ["import", "released"] {
        let whole = latency[step].max;
        assert!(latency[&format!("{step}.doorbell_to_irq")].max <= whole);
        assert!(latency[&format!("{step}.parse")].max <= whole);
    }
    assert!(latency["use.lock"].min + latency["use.unlock"].min <= latency["use"].min);
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let report = |seed| run(with_plan(&format!("harness.seed={seed} harness.iterations=30"))).report;
    assert_eq!(report(5), report(5));
}

#[test]
fn only_the_scenarios_asked_for_run_in_the_order_asked_for() {
    let run = run(with_plan("harness.scenario=handshake,bring-up harness.iterations=2 harness.end=wait"));
    let names: Vec<&str> = run.report.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names, ["handshake", "bring-up"]);
    // The link is up already when the ladder begins, and cannot be brought up twice.
    for name in names {
        assert_eq!(run.scenario(name).verdict, Verdict::Pass, "{name}");
    }
    assert_eq!(run.outcome.next, Next::End(AtEnd::Wait));
}

#[test]
fn firmware_without_a_command_line_means_the_defaults() {
    let run = run(Behaviour { command_line: None, ..Behaviour::default() });
    assert_eq!(run.outcome.verdict, Verdict::Pass);
    assert_eq!(run.scenario("handshake").counts["imports"], 1000);
}

#[test]
fn what_firmware_says_of_itself_is_in_the_report_escaped_and_cut() {
    let answer = |bytes: &[u8]| {
        let command_answer = Some(bytes.to_vec());
        let behaviour = Behaviour { command_answer, ..with_plan("harness.scenario=bring-up") };
        run(behaviour).report.firmware.expect("answers")
    };
    let firmware = answer(b"one\x1b[2J\xff\nversion two\0three");
    assert_eq!(firmware.version_text, "one\\x1b[2J\\xff\nversion two");
    assert_eq!(firmware.answers.len(), 25, "before and after");
    let firmware = answer(&[0x80; 3000]);
    assert_eq!(firmware.version_text, "\\x80".repeat(1020));
    assert!(firmware.answers.iter().all(|answer| answer.cut));
    assert!(answer(b"").answers.iter().all(|answer| answer.text.is_empty() && !answer.cut));
    assert_eq!(run(with_plan("harness.scenario=bring-up")).report.firmware, None);
}

#[test]
fn a_throttled_board_passes_and_its_times_are_void() {
    let behaviour = Behaviour { throttled: 0x5_0001, ..with_plan("harness.scenario=bring-up") };
    let report = run(behaviour).report;
    assert_eq!(report.verdict(), Verdict::Pass);
    let throttled = report.throttled.expect("a throttle word");
    assert!(throttled.times_void);
    assert_eq!(throttled.flags, ["under-voltage", "under-voltage-since-boot", "throttled-since-boot"]);
}

#[test]
fn a_bad_word_ends_the_run_with_its_place_and_starts_nothing() {
    let run = run(with_plan("quiet harness.iterations=lots"));
    run.assert_scenario("plan", Verdict::Fail, Some(Owner::Harness), "byte 25: want a number from 1");
    assert_eq!(run.report.scenarios.len(), 1);
}

#[test]
fn qemu_has_a_mailbox_and_no_vchiq() {
    let behaviour = Behaviour {
        revision: vchiq_mbox::property::FirmwareRevision::QEMU,
        command_line: None,
        vchiq: false,
        ..Behaviour::default()
    };
    let run = run(behaviour);
    run.assert_scenario("bring-up", Verdict::Absent, None, "vchiq-init: QEMU");
    run.assert_scenario("echo", Verdict::Absent, None, "QEMU");
    run.assert_scenario("handshake", Verdict::Absent, None, "QEMU");
    assert_eq!(run.step("bring-up", "mailbox"), Verdict::Pass);
    assert_eq!(run.step("bring-up", "connect"), Verdict::Skip);
    assert_eq!(run.report.peer.kind, PeerKind::Absent);
    assert!(run.seconds < 5, "took {} s", run.seconds);
}

#[test]
fn firmware_that_takes_slot_zero_and_stays_silent_is_hung() {
    let run = run(Behaviour { vchiq: false, ..Behaviour::default() });
    run.assert_scenario("bring-up", Verdict::Hung, Some(Owner::Firmware), "slot zero does not change");
    run.assert_scenario("handshake", Verdict::Skip, None, "no link");
}

#[test]
fn firmware_that_sends_no_connect_is_hung_with_both_positions() {
    let run = run(Behaviour { connect: false, ..Behaviour::default() });
    run.assert_scenario("bring-up", Verdict::Hung, Some(Owner::Firmware), "peer.tx_pos=0x0");
    assert_eq!(run.step("bring-up", "connect"), Verdict::Hung);
    assert_eq!(run.step("bring-up", "smem-service"), Verdict::Skip);
}

#[test]
fn a_dead_mailbox_hangs_the_mailbox_rung_and_the_run_still_ends() {
    let run = run(Behaviour { mailbox: false, ..Behaviour::default() });
    run.assert_scenario("plan", Verdict::Hung, Some(Owner::Firmware), "no reply to tag 0x00050001");
    assert_eq!(run.step("bring-up", "mailbox"), Verdict::Hung);
    assert_eq!(run.scenario("bring-up").owner, Some(Owner::Firmware));
    assert!(run.seconds < 15, "took {} s", run.seconds);
}

#[test]
fn cut_down_firmware_is_absent_and_not_a_failure() {
    let run = run(Behaviour { echo_service: false, smem_service: false, ..Behaviour::default() });
    run.assert_scenario("bring-up", Verdict::Absent, None, "no echo service: OPEN refused");
    run.assert_scenario("echo", Verdict::Absent, None, "no echo service");
    run.assert_scenario("handshake", Verdict::Absent, None, "no SMEM service");
    assert_eq!(run.step("bring-up", "doorbell"), Verdict::Pass);
}

#[test]
fn cut_down_firmware_is_named_when_it_says_so() {
    let run = run(Behaviour { variant: 4, echo_service: false, smem_service: false, ..Behaviour::default() });
    run.assert_scenario(
        "handshake",
        Verdict::Absent,
        None,
        "cut-down firmware (start_cd) has no SMEM service",
    );
    assert_eq!(run.report.peer.variant, "start_cd");
}

#[test]
fn version_1_firmware_has_no_handshake_to_test() {
    let run = run(Behaviour { version_ack: false, ..Behaviour::default() });
    run.assert_scenario("handshake", Verdict::Absent, None, "version 1 firmware");
    assert_eq!(run.scenario("echo").verdict, Verdict::Pass);
}

#[test]
fn an_echo_that_comes_back_changed_is_the_links_fault() {
    let run = run(Behaviour { echo: Echo::Flipped, ..Behaviour::default() });
    run.assert_scenario("echo", Verdict::Fail, Some(Owner::Link), "byte 63 of 64 came back changed");
    assert_eq!(run.scenario("handshake").verdict, Verdict::Pass, "the link goes on");
}

#[test]
fn an_echo_service_that_says_nothing_is_hung() {
    let run = run(Behaviour { echo: Echo::Silent, ..Behaviour::default() });
    run.assert_scenario("echo", Verdict::Hung, Some(Owner::Firmware), "sync-0: timed out");
    assert_eq!(run.step("echo", "configure"), Verdict::Pass);
}

#[test]
fn a_message_that_passes_its_slot_kills_the_link_and_the_next_scenario_says_so() {
    let run = run(Behaviour { breaks_protocol: true, ..Behaviour::default() });
    run.assert_scenario("bring-up", Verdict::Fail, Some(Owner::Firmware), "passes the slot's end");
    run.assert_scenario("echo", Verdict::Skip, None, "no link: message");
    run.assert_scenario("handshake", Verdict::Skip, None, "no link: message");
}

fn misbehaving(import: Import, released: Released, lock: Lock) -> Behaviour {
    Behaviour { import, released, lock, good_imports: 5, ..Behaviour::default() }
}

#[test]
fn a_refused_import_is_the_firmwares_failure() {
    let run = run(misbehaving(Import::Refuse, Released::Once, Lock::Imported));
    run.assert_scenario("handshake", Verdict::Fail, Some(Owner::Firmware), "import: IMPORT of kernel id");
    assert_eq!(run.scenario("handshake").counts["handshakes"], 5);
    assert_eq!(run.scenario("handshake").latency["import"].n, 5);
}

#[test]
fn an_import_without_an_answer_is_hung() {
    let run = run(misbehaving(Import::Silent, Released::Once, Lock::Imported));
    run.assert_scenario("handshake", Verdict::Hung, Some(Owner::Firmware), "import: IMPORT of kernel id");
}

#[test]
fn released_that_never_comes_is_hung() {
    let run = run(misbehaving(Import::Accept, Released::Never, Lock::Imported));
    run.assert_scenario("handshake", Verdict::Hung, Some(Owner::Firmware), "released: no RELEASED");
    let counts = &run.scenario("handshake").counts;
    assert_eq!((counts["imports"], counts["released"]), (6, 5));
}

#[test]
fn released_with_another_address_is_the_firmwares_failure() {
    let run = run(misbehaving(Import::Accept, Released::WrongAddress, Lock::Imported));
    run.assert_scenario("handshake", Verdict::Fail, Some(Owner::Firmware), "released: RELEASED");
}

#[test]
fn released_twice_is_noticed_also_after_the_last_handshake() {
    let mut behaviour = misbehaving(Import::Accept, Released::Twice, Lock::Imported);
    let run_early = run(behaviour.clone());
    run_early.assert_scenario("handshake", Verdict::Fail, Some(Owner::Firmware), "again");
    behaviour.good_imports = 11;
    let run_last = run(behaviour);
    run_last.assert_scenario("handshake", Verdict::Fail, Some(Owner::Firmware), "released: RELEASED");
    assert_eq!(run_last.scenario("handshake").counts["handshakes"], 12);
}

#[test]
fn released_before_free_is_the_firmwares_failure() {
    let run = run(misbehaving(Import::Accept, Released::BeforeFree, Lock::Imported));
    assert_eq!(run.scenario("handshake").verdict, Verdict::Fail);
    assert_eq!(run.scenario("handshake").owner, Some(Owner::Firmware));
}

#[test]
fn a_lock_that_answers_another_address_is_noticed_and_still_unlocked() {
    // The fake panics on FREE of a locked handle.
    let run = run(misbehaving(Import::Accept, Released::Once, Lock::Elsewhere));
    run.assert_scenario(
        "handshake",
        Verdict::Fail,
        Some(Owner::Firmware),
        "use: lock answers another address",
    );
    assert_eq!(run.step("handshake", "import"), Verdict::Pass);
    assert_eq!(run.step("handshake", "use"), Verdict::Fail);
}

#[test]
fn a_lock_that_fails_is_noticed() {
    let run = run(misbehaving(Import::Accept, Released::Once, Lock::Fails));
    run.assert_scenario(
        "handshake",
        Verdict::Fail,
        Some(Owner::Firmware),
        "use: lock of the imported handle",
    );
}

/// Firmware of 2022 halts when the service is closed under an import (docs/findings.md).
#[test]
fn the_service_stays_open_when_a_block_is_left_with_the_firmware() {
    for behaviour in [
        misbehaving(Import::Silent, Released::Once, Lock::Imported),
        misbehaving(Import::Accept, Released::Once, Lock::Fails),
    ] {
        assert_eq!(run(behaviour).step("handshake", "close"), Verdict::Skip);
    }
    assert_eq!(run(with_plan("harness.iterations=2")).step("handshake", "close"), Verdict::Pass);
}

#[test]
fn a_word_written_into_the_block_is_found_while_it_is_imported() {
    let run = run(Behaviour { scribbles_inside: true, good_imports: 3, ..Behaviour::default() });
    run.assert_scenario(
        "handshake",
        Verdict::Fail,
        Some(Owner::Firmware),
        "changed while imported, at offset 0",
    );
}

#[test]
fn a_word_written_past_the_block_is_found() {
    let run = run(Behaviour { scribbles_past: true, good_imports: 3, ..Behaviour::default() });
    run.assert_scenario("handshake", Verdict::Fail, Some(Owner::Firmware), "changed while imported");
}

#[test]
fn the_run_ends_at_its_limit() {
    let run = run(with_plan("harness.iterations=100000000 harness.limit_s=1"));
    run.assert_scenario("echo", Verdict::Fail, Some(Owner::Harness), "limit of 1 s");
    assert!(run.seconds < 4, "took {} s", run.seconds);
}

#[test]
fn the_run_s_limit_does_not_cut_a_wait_short_and_blame_the_firmware() {
    let words = "harness.scenario=handshake harness.iterations=100000000 harness.limit_s=1";
    let behaviour = Behaviour { import: Import::Silent, good_imports: 1800, ..with_plan(words) };
    let run = run(behaviour);
    run.assert_scenario("handshake", Verdict::Hung, Some(Owner::Firmware), "import: IMPORT of kernel id");
    // Half of the run's second had passed; the answer had its whole second all the same.
    assert!(run.milliseconds > 1_400, "took {} ms", run.milliseconds);
}

#[test]
fn a_scenario_that_needs_real_firmware_is_skipped_when_the_model_answers() {
    let revision = FirmwareRevision::MODEL;
    let run = run(Behaviour { revision, ..with_plan("harness.scenario=sync,pause") });
    run.assert_scenario("sync", Verdict::Skip, None, "needs real firmware");
}

#[test]
fn no_service_by_the_sync_slot_is_absent_and_no_failure() {
    let run = run(with_plan("harness.scenario=sync"));
    run.assert_scenario("sync", Verdict::Absent, None, "none of 2 services");
}

#[test]
fn an_open_that_should_be_refused_and_is_not_fails() {
    // The scripted VideoCore does not look at versions.
    let run = run(with_plan("harness.scenario=versions"));
    let reason = "OPEN of echo, version 4 (min 4): opened, not refused";
    run.assert_scenario("versions", Verdict::Fail, Some(Owner::Firmware), reason);
}

#[test]
fn the_counts_name_the_services_offered_and_their_versions() {
    let run = run(with_plan("harness.scenario=services"));
    let counts = &run.scenario("services").counts;
    assert_eq!((counts["echo"], counts["SMEM"], counts["offered"]), (3, 1, 2));
    assert!(!counts.contains_key("mmal"));
}

#[test]
fn a_soak_lends_the_sizes_of_the_plan_and_its_transaction_ids_go_round() {
    let run = run(with_plan(
        "harness.scenario=soak harness.iterations=20 harness.sizes=128,4096 harness.first_transaction=2147483640",
    ));
    run.assert_scenario("soak", Verdict::Pass, None, "");
    let counts = &run.scenario("soak").counts;
    assert_eq!((counts["imports"], counts["released"], counts["violations"]), (21, 21, 0));
    // CLIENT_VERSION, and an IMPORT and a FREE for each block: 43 ids, of which 8 were left.
    assert_eq!((counts["first_transaction"], counts["next_transaction"]), (2_147_483_640, 36));
}

#[test]
fn a_soak_notices_a_frame_s_block_that_is_changed_past_its_end() {
    let with_damage =
        Behaviour { scribbles_past: true, good_imports: 5, ..with_plan("harness.scenario=soak") };
    run(with_damage).assert_scenario("soak", Verdict::Fail, Some(Owner::Firmware), "changed after RELEASED");
}

#[test]
fn a_service_that_opens_late_only_is_told_from_one_that_is_not_there() {
    let plan =
        |seed| with_plan(&format!("harness.scenario=boot-race harness.delay_us=1000 harness.seed={seed}"));
    let in_time = run(plan(1));
    in_time.assert_scenario("boot-race", Verdict::Pass, None, "");
    assert_eq!(in_time.scenario("boot-race").counts["fresh_link"], 1);
    assert_eq!(in_time.scenario("boot-race").counts["mmal"], 0);
    let late = run(Behaviour { early_refusals: 1, ..plan(1) });
    late.assert_scenario("boot-race", Verdict::Fail, Some(Owner::Firmware), "SMEM refuses OPEN");
    let never = run(Behaviour { smem_service: false, ..plan(1) });
    never.assert_scenario("boot-race", Verdict::Absent, None, "no SMEM service");
}

#[test]
fn boot_race_waits_as_long_as_the_plan_says() {
    let opened = |delay: u32| {
        let plan = with_plan(&format!("harness.scenario=boot-race harness.delay_us={delay}"));
        run(plan).scenario("boot-race").counts["opened_us"]
    };
    assert!(opened(100_000) >= opened(0) + 99_000);
}

#[test]
fn the_first_raw_samples_of_each_timed_step_are_kept_on_request() {
    let plan = "harness.scenario=echo,handshake harness.iterations=200";
    let all = run(with_plan(&format!("{plan} harness.samples=2048")));
    let some = run(with_plan(&format!("{plan} harness.samples=100")));
    let none = run(with_plan(plan));
    for name in ["echo", "handshake"] {
        let (all, some, none) = (all.scenario(name), some.scenario(name), none.scenario(name));
        assert_eq!((all.verdict, some.verdict), (Verdict::Pass, Verdict::Pass));
        assert!(none.samples.is_empty());
        assert!(all.samples.keys().eq(all.latency.keys()), "{name}");
        for (step, cycles) in &all.samples {
            let mut histogram = Histogram::new();
            cycles.iter().for_each(|cycles| histogram.record(u64::from(*cycles)));
            assert_eq!(Latency::of(&histogram).as_ref(), all.latency.get(step), "{name}, {step}");
            assert_eq!(some.samples[step], cycles[..cycles.len().min(100)], "{name}, {step}");
        }
    }
}
