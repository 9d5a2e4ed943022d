//! Drivers and harness on the PC against the real firmware, in process.
//!
//! Needs a folder with the firmware in `FIRMWARE_DIR`; without it the tests are passed over with a line that says
//! so, unless `REQUIRE_FIRMWARE` is set.

use emulator::{board::Board, machine::Stop};
use harness::{
    Verdict,
    record::decode,
    report::{Collector, Finish, PeerKind, Report, Rung, Setup, Timing},
};
use tests::native::{Firmware, NativeBoard, StartFault, firmware_dir};

/// Virtual time the firmware may take to release the Arm: boards need one to two seconds.
const BOOT_LIMIT_NS: u64 = 20_000_000_000;

/// Boots, runs, collects. `None` without firmware.
fn run(model: Board, variant: &str, command_line: &str) -> Option<Report> {
    let folder = firmware_dir()?;
    let firmware = Firmware {
        folder: &folder,
        start: &format!("start{variant}.elf"),
        fixup: &format!("fixup{variant}.dat"),
    };
    let card = firmware.card(command_line);
    let mut board = NativeBoard::start(model, card, BOOT_LIMIT_NS).expect("the firmware boots");
    let outcome = harness::run(&mut board);
    let mut collector = Collector::new(Setup {
        rung: Rung::Native,
        timing: Timing::Modelled,
        image_sha256: String::new(),
        started: 0,
        model_peer: false,
    });
    for (frame, counters) in board.frames() {
        collector.frame(decode(&frame).expect("an undamaged frame"), Some(counters));
    }
    assert!(collector.is_finished(), "the run has no last record");
    let report = collector.finish(Finish::default());
    assert_eq!(report.verdict(), outcome.verdict);
    if outcome.verdict != Verdict::Pass {
        println!("{:#?}\n{}", report.scenarios, board.summary());
    }
    Some(report)
}

/// Everything passes, on this board with this variant.
fn assert_passes(model: Board, variant: &str) -> Option<Report> {
    let report = run(model, variant, "harness.iterations=50")?;
    assert_eq!(report.verdict(), Verdict::Pass, "{:#?}", report.scenarios);
    assert_eq!(
        (report.peer.kind, report.peer.variant.as_str()),
        (PeerKind::Firmware, &*format!("start{variant}"))
    );
    assert_eq!(report.peer.build_id.len(), 40, "{}", report.peer.build_id);
    assert_tells_of_itself(&report);
    let handshake = report.scenarios.last().expect("three scenarios");
    for name in ["imports", "released", "handshakes"] {
        assert_eq!(handshake.counts[name], 50, "{name}");
    }
    assert!(handshake.sides.is_some_and(|sides| sides.vpu_instructions > 0));
    assert_eq!(report.notes, Vec::<String>::new());
    Some(report)
}

/// Texts and tags agree on which firmware this is; the run left the relocatable heap as it was.
fn assert_tells_of_itself(report: &Report) {
    let firmware = report.firmware.as_ref().expect("answers to commands");
    let version = &firmware.version_text;
    assert!(version.contains(&report.peer.build_id), "{version}");
    assert!(version.ends_with(&format!("({})", report.peer.variant)), "{version}");
    let heaps = report.memory.and_then(|memory| memory.before.zip(memory.after));
    let (before, after) = heaps.expect("heaps before and after");
    assert!(before.reloc_free_mib.is_some() && before.alloc_failures.is_some(), "{before:?}");
    assert_eq!(
        (before.reloc_free_mib, before.alloc_failures, before.oom_events),
        (after.reloc_free_mib, after.alloc_failures, after.oom_events)
    );
    let throttled = report.throttled.as_ref().expect("a throttle word");
    assert!(!throttled.times_void, "{throttled:?}");
    assert_eq!(report.clocks.settings["arm"].set_hz, Some(report.clocks.arm_hz));
}

#[test]
fn the_firmware_takes_and_gives_back_every_buffer() {
    let Some(report) = assert_passes(Board::PI_3B, "") else { return };
    assert_eq!(report.board.model, "3B");
    assert_eq!(report.clocks.arm_hz, 1_200_000_000);
}

#[test]
fn the_firmware_with_assertions_does_too() {
    assert_passes(Board::PI_3B, "_db");
}

#[test]
fn the_firmware_with_camera_and_codecs_does_too() {
    assert_passes(Board::PI_3B, "_x");
}

#[test]
fn a_zero_2_w_does_too() {
    let Some(report) = assert_passes(Board::ZERO_2_W, "") else { return };
    assert_eq!(report.board.model, "Zero 2 W");
}

#[test]
fn two_runs_with_the_same_seed_give_the_same_report() {
    let report = || run(Board::PI_3B, "", "harness.iterations=20 harness.seed=7");
    assert_eq!(report(), report());
}

/// `docs/emulator.md` says why; what the harness makes of cut-down firmware is tested with a scripted one.
#[test]
fn cut_down_firmware_does_not_start_the_arm_of_an_emulated_board() {
    let Some(folder) = firmware_dir() else { return };
    let firmware = Firmware { folder: &folder, start: "start_cd.elf", fixup: "fixup_cd.dat" };
    let card = firmware.card("");
    let started = NativeBoard::start(Board::PI_3B, card, 5_000_000_000);
    assert!(matches!(started, Err(StartFault::Stopped(Stop::Limit))), "{:?}", started.err());
}
