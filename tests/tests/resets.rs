//! Going on after a reset, on a board whose VideoCore follows a script and whose memory survives.

use harness::{
    LastReset, Next, Outcome, Owner, Verdict,
    plan::AtEnd,
    record::{Record, ResetCause, decode},
    report::{Collector, Finish, Report, Rung, Setup, Timing},
};
use tests::fake::{Behaviour, Echo, FakeBoard};

const FIRMWARE_REVISION: u32 = 0x0000_0001;
const COMMAND_LINE: u32 = 0x0005_0001;

const END: Next = Next::End(AtEnd::Halt);

fn board(behaviour: Behaviour, plan: &str) -> FakeBoard {
    FakeBoard::new(Behaviour { command_line: Some(plan.to_owned()), ..behaviour }).with_black_box()
}

fn collect(board: &FakeBoard) -> Report {
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
    collector.finish(Finish::default())
}

fn verdicts(report: &Report) -> Vec<(&str, Verdict)> {
    let scenarios = &report.scenarios;
    scenarios.iter().map(|scenario| (scenario.name.as_str(), scenario.verdict)).collect()
}

/// Runs until the run ends, at most so many lives.
fn run_through(board: &mut FakeBoard, lives: usize) -> Outcome {
    for _ in 0..lives {
        let outcome = harness::run(board);
        if outcome.next != Next::Reset {
            return outcome;
        }
        board.reset(LastReset::Watchdog);
    }
    panic!("the run has not ended after {lives} lives: {:#?}", collect(board))
}

/// The frame after which the board stops, as by a wedge: what the image does from there on does not happen.
fn frames_until(board: &FakeBoard, is_last: impl Fn(&Record) -> bool) -> usize {
    let frames = board.frames();
    let found = frames.iter().position(|frame| is_last(&decode(frame).expect("undamaged").record));
    found.expect("the record in question") + 1
}

#[test]
fn a_scenario_that_hangs_costs_a_reset_and_the_next_one_runs_on_fresh_firmware() {
    let behaviour = Behaviour { echo: Echo::Silent, ..Behaviour::default() };
    let mut board = board(behaviour, "harness.scenario=echo,handshake harness.iterations=3");
    let outcome = run_through(&mut board, 2);
    assert_eq!(outcome, Outcome { verdict: Verdict::Hung, next: END });
    let report = collect(&board);
    assert_eq!(verdicts(&report), [("echo", Verdict::Hung), ("handshake", Verdict::Pass)]);
    assert_eq!(report.scenarios[0].owner, Some(Owner::Firmware));
    let resets: Vec<_> = report.resets.iter().map(|reset| (reset.scenario.as_str(), reset.cause)).collect();
    assert_eq!(resets, [("echo", ResetCause::Image)]);
}

#[test]
fn a_link_that_broke_costs_a_reset_too() {
    let behaviour = Behaviour { breaks_protocol: true, ..Behaviour::default() };
    let mut board = board(behaviour, "harness.scenario=echo,handshake harness.iterations=3");
    run_through(&mut board, 2);
    let report = collect(&board);
    assert_eq!(report.resets.len(), 1, "{:#?}", report);
    let [echo, handshake] = &report.scenarios[..] else { panic!("{report:#?}") };
    assert_eq!((echo.verdict, echo.owner), (Verdict::Fail, Some(Owner::Firmware)));
    let reason = handshake.reason.as_deref().unwrap_or_default();
    assert!(!reason.contains("no link"), "it had a link of its own: {reason}");
}

#[test]
fn nothing_is_reset_for_the_sake_of_nothing() {
    let silent = || Behaviour { echo: Echo::Silent, ..Behaviour::default() };
    // Nothing is left to run.
    let mut board = board(silent(), "harness.scenario=handshake,echo harness.iterations=3");
    assert_eq!(harness::run(&mut board).next, END);
    // Nowhere to note it.
    let plan = Some("harness.scenario=echo,handshake harness.iterations=3".to_owned());
    let mut board = FakeBoard::new(Behaviour { command_line: plan, ..silent() });
    assert_eq!(harness::run(&mut board).next, END);
    // A failure that leaves firmware and link as they are.
    let flipped = Behaviour { echo: Echo::Flipped, ..Behaviour::default() };
    let mut board = self::board(flipped, "harness.scenario=echo,handshake harness.iterations=3");
    assert_eq!(harness::run(&mut board).next, END);
    assert_eq!(verdicts(&collect(&board)), [("echo", Verdict::Fail), ("handshake", Verdict::Pass)]);
    // A plan that could not be read.
    let mut board = self::board(Behaviour { mailbox: false, ..Behaviour::default() }, "");
    assert_eq!(harness::run(&mut board).next, END);
}

#[test]
fn a_firmware_that_answers_nothing_costs_a_reset_a_scenario_and_no_more() {
    let behaviour = Behaviour { connect: false, ..Behaviour::default() };
    let mut board = board(behaviour, "harness.scenario=handshake,echo,bring-up harness.iterations=3");
    let outcome = run_through(&mut board, 3);
    assert_eq!(outcome.verdict, Verdict::Hung);
    let report = collect(&board);
    let expected = ["handshake", "echo", "bring-up"].map(|name| (name, Verdict::Hung));
    assert_eq!(verdicts(&report), expected);
    assert_eq!(report.resets.len(), 2);
}

#[test]
fn a_wedge_in_a_scenario_is_hung_in_its_step_with_both_sides_positions() {
    let plan = "harness.scenario=bring-up,echo,handshake harness.iterations=20";
    let mut board = board(Behaviour::default(), plan);
    board.stop_after(frames_until(
        &first_life(plan),
        |record| matches!(record, Record::Progress { scenario, done: 24, .. } if scenario == "echo"),
    ));
    harness::run(&mut board);
    board.reset(LastReset::Unknown);
    assert_eq!(harness::run(&mut board), Outcome { verdict: Verdict::Hung, next: END });
    let report = collect(&board);
    let expected = [("bring-up", Verdict::Pass), ("echo", Verdict::Hung), ("handshake", Verdict::Pass)];
    assert_eq!(verdicts(&report), expected);
    let echo = &report.scenarios[1];
    let reason = echo.reason.as_deref().unwrap_or_default();
    assert!(reason.starts_with("echo-64: the Arm made no progress"), "{reason}");
    assert!(reason.contains("iterations=0x18") && reason.contains("peer.tx_pos=0x"), "{reason}");
    assert_eq!((echo.owner, echo.counts["iterations"]), (Some(Owner::Harness), 24));
    // The counter began anew with the board.
    let took: Vec<bool> = report.scenarios.iter().map(|scenario| scenario.took_us.is_some()).collect();
    assert_eq!(took, [true, false, true]);
}

#[test]
fn a_wedge_outside_of_a_scenario_ends_the_run() {
    let plan = "harness.scenario=echo,handshake harness.iterations=3";
    let mut board = board(Behaviour::default(), plan);
    board.stop_after(frames_until(&first_life(plan), |record| matches!(record, Record::ScenarioEnd(_))));
    harness::run(&mut board);
    board.reset(LastReset::Watchdog);
    assert_eq!(harness::run(&mut board), Outcome { verdict: Verdict::Hung, next: END });
    let report = collect(&board);
    let expected = [("echo", Verdict::Pass), ("reset", Verdict::Hung), ("handshake", Verdict::Skip)];
    assert_eq!(verdicts(&report), expected);
}

/// A board that stops at the same question in every life, until it has said its last.
fn run_with_wedges(board: &mut FakeBoard, lives: usize) -> Report {
    for _ in 0..lives {
        harness::run(board);
        let last = board.frames().last().map(|frame| decode(frame).expect("undamaged").record);
        if matches!(last, Some(Record::End { .. })) {
            return collect(board);
        }
        board.reset(LastReset::Watchdog);
    }
    panic!("the run has not ended after {lives} lives: {:#?}", collect(board))
}

#[test]
fn a_wedge_in_the_questions_before_the_scenarios_ends_the_run_in_the_next_life() {
    let behaviour = Behaviour { wedges_at: Some(FIRMWARE_REVISION), ..Behaviour::default() };
    let mut board = board(behaviour, "harness.scenario=echo,handshake harness.iterations=3");
    let report = run_with_wedges(&mut board, 3);
    let expected = [("reset", Verdict::Hung), ("echo", Verdict::Skip), ("handshake", Verdict::Skip)];
    assert_eq!(verdicts(&report), expected);
    assert_eq!(report.resets.len(), 1);
}

#[test]
fn a_wedge_while_the_plan_is_read_ends_the_run_in_the_next_life() {
    let behaviour = Behaviour { wedges_at: Some(COMMAND_LINE), ..Behaviour::default() };
    let mut board = board(behaviour, "harness.scenario=echo,handshake harness.iterations=3");
    let report = run_with_wedges(&mut board, 3);
    assert_eq!(verdicts(&report), [("reset", Verdict::Hung)]);
    assert_eq!(report.scenarios[0].owner, Some(Owner::Harness));
}

#[test]
fn a_mailbox_that_is_silent_after_a_reset_ends_the_run_instead_of_beginning_another() {
    let behaviour = Behaviour { echo: Echo::Silent, mute_after_reset: true, ..Behaviour::default() };
    let mut board = board(behaviour, "harness.scenario=echo,handshake harness.iterations=3");
    let outcome = run_through(&mut board, 2);
    assert_eq!(outcome, Outcome { verdict: Verdict::Hung, next: END });
    let report = collect(&board);
    let expected = [
        ("echo", Verdict::Hung),
        ("end", Verdict::Hung),
        ("reset", Verdict::Hung),
        ("handshake", Verdict::Skip),
    ];
    assert_eq!(verdicts(&report), expected);
    let reset = &report.scenarios[2];
    let reason = reset.reason.as_deref().unwrap_or_default();
    assert!(reason.contains("the mailbox is silent after the reset"), "{reason}");
    assert_eq!(reset.owner, Some(Owner::Firmware));
    // Told once: what runs next is another run.
    board.reset(LastReset::Watchdog);
    let told = board.frames().len();
    harness::run(&mut board);
    let next = board.frames().split_off(told);
    let plans = |frame: &Vec<u8>| matches!(decode(frame).expect("undamaged").record, Record::Planned { .. });
    assert!(next.iter().any(plans), "the box was closed");
}

#[test]
fn after_power_on_a_run_begins_anew_whatever_memory_holds() {
    let plan = "harness.scenario=echo,handshake harness.iterations=3";
    let mut board = board(Behaviour::default(), plan);
    board
        .stop_after(frames_until(&first_life(plan), |record| matches!(record, Record::ScenarioStart { .. })));
    harness::run(&mut board);
    board.reset(LastReset::PowerOn);
    assert_eq!(harness::run(&mut board), Outcome { verdict: Verdict::Pass, next: END });
    let report = collect(&board);
    assert_eq!(report.resets, []);
    let reason = report.scenarios[0].reason.as_deref();
    assert_eq!(reason, Some("no further record from the image; the image started again"));
}

/// A board that has run this plan without mishap, for its records.
fn first_life(plan: &str) -> FakeBoard {
    let mut board = board(Behaviour::default(), plan);
    harness::run(&mut board);
    board
}
