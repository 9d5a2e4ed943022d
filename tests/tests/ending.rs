//! How the image ends, on the emulated Pi with the real firmware: by its plan, by a fault, by the watchdog.
//!
//! Needs a folder with the firmware in `FIRMWARE_DIR` and `target/image/` from `cargo xtask build`. Without them
//! the tests are passed over with a line that says so, unless `REQUIRE_FIRMWARE` is set.

use std::env;

use emulator::board::Board;
use emulator::machine::{ArmSide, Config, EventLevel, Limit, Machine, Peer, Stop, UartSource};
use tests::image::{BuiltImage, LAST_LINE, Victim, plain_text, register};
use tests::native::{Firmware, firmware_dir};

const SECOND_NS: u64 = 1_000_000_000;
/// The firmware starts the image within one.
const BOOT_NS: u64 = 3 * SECOND_NS;
/// Longest stretch without progress, as `boot::watchdog` has it.
const WATCHDOG_NS: u64 = 15 * SECOND_NS;

/// A run: why the machine stopped, when, and what the image said in plain text.
struct Ended {
    stop: Stop,
    at_ns: u64,
    text: Vec<String>,
}

fn image_at_hand() -> Option<BuiltImage> {
    let image = BuiltImage::at_hand();
    if image.is_none() {
        assert!(env::var_os("REQUIRE_FIRMWARE").is_none(), "REQUIRE_FIRMWARE is set, but there is no image");
        println!("skipped: no target/image/kernel8.img (cargo xtask build)");
    }
    image
}

/// Boots a card with this kernel, and lets `limit_ns` of virtual time pass.
fn run(kernel: &[u8], command_line: &str, limit_ns: u64) -> Option<Ended> {
    let folder = firmware_dir()?;
    let firmware = Firmware { folder: &folder, start: "start.elf", fixup: "fixup.dat" };
    let card = firmware.card_with_kernel(command_line, kernel.to_vec());
    let config = Config {
        board: Board::PI_3B,
        seed: 0,
        card,
        arm: ArmSide::Emulated,
        peer: Peer::Firmware,
        log: EventLevel::Off,
    };
    let mut machine = Machine::power_on(config).expect("the card boots");
    let stop = machine.run(Limit { until_ns: Some(limit_ns), ..Limit::default() });
    let serial = machine.take_uart().into_iter().filter(|sent| sent.source == UartSource::Arm);
    let serial: Vec<u8> = serial.map(|sent| sent.byte).collect();
    Some(Ended { stop, at_ns: machine.now_ns(), text: plain_text(&serial) })
}

#[test]
fn a_plan_that_halts_powers_the_board_down_after_the_last_line() {
    let Some(image) = image_at_hand() else { return };
    let plan = "harness.scenario=bring-up harness.end=halt";
    let Some(ended) = run(image.kernel(), plan, BOOT_NS + WATCHDOG_NS) else { return };
    assert_eq!(ended.stop, Stop::PowerOff, "{:#?}", ended.text);
    assert!(ended.text.last().is_some_and(|line| line.starts_with(LAST_LINE)), "{:#?}", ended.text);
}

#[test]
fn a_plan_that_waits_leaves_the_board_up_and_the_watchdog_off() {
    let Some(image) = image_at_hand() else { return };
    let plan = "harness.scenario=bring-up harness.end=wait";
    let Some(ended) = run(image.kernel(), plan, BOOT_NS + 2 * WATCHDOG_NS) else { return };
    assert_eq!(ended.stop, Stop::Limit, "{:#?}", ended.text);
    assert!(ended.text.last().is_some_and(|line| line.starts_with(LAST_LINE)), "{:#?}", ended.text);
}

#[test]
fn an_image_that_stops_making_progress_is_reset_by_the_watchdog() {
    let Some(image) = image_at_hand() else { return };
    // again: wfi; b again. It sleeps, so that fifteen seconds pass quickly here.
    let stuck = image.with_fault(Victim::Harness, &[0xd503_207f, 0x17ff_ffff]);
    let Some(ended) = run(&stuck, "", BOOT_NS + 2 * WATCHDOG_NS) else { return };
    assert_eq!(ended.stop, Stop::Reset, "{:#?}", ended.text);
    assert!(ended.at_ns > WATCHDOG_NS && ended.at_ns < BOOT_NS + WATCHDOG_NS, "at {} ns", ended.at_ns);
    assert!(!ended.text.iter().any(|line| line.starts_with(LAST_LINE)), "{:#?}", ended.text);
}

#[test]
fn a_fault_in_mid_run_leaves_a_register_dump_and_the_board_up() {
    let Some(image) = image_at_hand() else { return };
    // mov x1, #0; str x0, [x1, #16]
    let broken = image.with_fault(Victim::Harness, &[0xd280_0001, 0xf900_0820]);
    let Some(ended) = run(&broken, "", BOOT_NS + 2 * WATCHDOG_NS) else { return };
    assert_eq!(ended.stop, Stop::Limit, "{:#?}", ended.text);
    assert_eq!(register(&ended.text, "FAR"), 16);
    assert_eq!(register(&ended.text, "ELR"), image.address_of(Victim::Harness) + 4);
    assert_eq!(ended.text.last().map(String::as_str), Some("harness: end, verdict fail"));
}
