//! The machine with real firmware, its Arm played from here. `FIRMWARE_DIR` names a folder with the boot files of a
//! release; without it these tests say that they are skipped, or fail if `REQUIRE_FIRMWARE=1`.

use std::path::PathBuf;

use emulator::board::Board;
use emulator::card::{Card, CardFile};
use emulator::machine::{ArmSide, Config, EventLevel, Limit, Machine, Peer, Stop};

const CONFIG: &str = "arm_64bit=1\nkernel=kernel8.img\nkernel_address=0x80000\ndisable_commandline_tags=1\n\
    device_tree=\ngpu_mem=64\nenable_uart=1\ninit_uart_clock=48000000\nforce_turbo=1\ndisable_splash=1\n\
    boot_delay=0\navoid_warnings=1\ncore_freq=400\n";
/// `b .`
const STAY: u32 = 0x1400_0000;
/// Asks for properties without end, and keeps a hash of how often it looked for each answer: so the order in which the
/// processors run can be seen. Firmware since 2024 leaves its second core off until VCHIQ is started, and an Arm that
/// stays where it is would meet nobody.
const ASK: [u32; 12] = [
    0x52a7_e000, // movz w0, #0x3f00, lsl #16
    0x7297_1000, // movk w0, #0xb880: the mailboxes
    0x52a0_0201, // movz w1, #0x10, lsl #16: the buffer, zeroes
    0x1100_2021, // add  w1, w1, #8: the channel
    0xb900_2001, // str  w1, [x0, #0x20]
    0xb940_1802, // ldr  w2, [x0, #0x18]
    0x1100_0463, // add  w3, w3, #1
    0x37f7_ffc2, // tbnz w2, #30, the load: no answer yet
    0xb940_0002, // ldr  w2, [x0]
    0x4ac4_1c64, // eor  w4, w3, w4, ror #7
    0xb910_0024, // str  w4, [x1, #0x1000]
    0x17ff_fff9, // b    the first store
];
const MILLISECOND: u64 = 1_000_000;
/// Generous: the slowest variant needs half a second.
const BOOT_LIMIT_NS: u64 = 3_000 * MILLISECOND;
const RUNNING: Stop = Stop::Limit;

const MAILBOX: u32 = 0x3f00_b880;
const STATUS_FULL: u32 = 1 << 31;
const STATUS_EMPTY: u32 = 1 << 30;
const PROPERTY_CHANNEL: u32 = 8;
const PROPERTY_BUFFER: u32 = 0x0010_0000;

fn firmware_dir() -> Option<PathBuf> {
    let folder = std::env::var_os("FIRMWARE_DIR").map(PathBuf::from);
    if folder.is_none() {
        assert_ne!(
            std::env::var("REQUIRE_FIRMWARE").as_deref(),
            Ok("1"),
            "REQUIRE_FIRMWARE=1, but FIRMWARE_DIR is not set"
        );
        eprintln!("skipped: FIRMWARE_DIR does not name a folder with firmware");
    }
    folder
}

fn card(folder: &std::path::Path, start: &str, kernel: &[u8]) -> Vec<u8> {
    let config = format!("{CONFIG}start_file={start}\n");
    let mut files = vec![CardFile::new("config.txt", config), CardFile::new("kernel8.img", kernel)];
    for name in ["bootcode.bin", start] {
        let content = std::fs::read(folder.join(name)).expect("a boot file of the release");
        files.push(CardFile::new(name, content));
    }
    Card::build(&files).expect("fits").into_image()
}

fn machine(folder: &std::path::Path, board: Board, start: &str, seed: u64, arm: ArmSide) -> Machine {
    machine_with(folder, board, start, seed, arm, &[])
}

/// The same with a program for the Arm, which stays where that ends.
fn machine_with(
    folder: &std::path::Path,
    board: Board,
    start: &str,
    seed: u64,
    arm: ArmSide,
    program: &[u32],
) -> Machine {
    let mut words = program.to_vec();
    words.resize(64, STAY);
    let kernel: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let card = card(folder, start, &kernel);
    let config = Config { board, seed, card, arm, peer: Peer::Firmware, log: EventLevel::Rare };
    Machine::power_on(config).expect("a complete card")
}

/// Runs until the firmware lets the Arm go.
fn boot(machine: &mut Machine) {
    while !machine.arm_released() {
        assert_eq!(machine.run_for(MILLISECOND), RUNNING);
        let (board, file) = (machine.board().name, machine.start_file());
        assert!(machine.now_ns() < BOOT_LIMIT_NS, "{file} does not release the Arm of {board}");
    }
}

/// One property tag by mailbox; the values that came back.
fn property(machine: &mut Machine, tag: u32, values: &[u32]) -> Vec<u32> {
    let bytes = 4 * values.len() as u32;
    let request = [24 + bytes, 0, tag, bytes, 0];
    for (index, word) in request.iter().chain(values).chain(&[0]).enumerate() {
        machine.ram_mut().write32(PROPERTY_BUFFER + 4 * index as u32, *word);
    }
    assert_eq!(machine.arm_read32(MAILBOX + 0x38).map(|status| status & STATUS_FULL), Some(0));
    machine
        .arm_write32(MAILBOX + 0x20, 0xc000_0000 | PROPERTY_BUFFER | PROPERTY_CHANNEL)
        .expect("a register");
    for _ in 0..1000 {
        assert_eq!(machine.run_for(MILLISECOND / 10), RUNNING);
        if machine.arm_read32(MAILBOX + 0x18).expect("a register") & STATUS_EMPTY == 0 {
            assert_eq!(machine.arm_read32(MAILBOX), Some(0xc000_0000 | PROPERTY_BUFFER | PROPERTY_CHANNEL));
            assert_eq!(machine.ram().read32(PROPERTY_BUFFER + 4), 0x8000_0000, "tag {tag:#x}");
            let value = |index| machine.ram().read32(PROPERTY_BUFFER + 20 + 4 * index);
            return (0..values.len() as u32).map(value).collect();
        }
    }
    panic!("tag {tag:#x} is not answered");
}

#[test]
fn every_variant_boots_on_every_board_without_an_unmodelled_register() {
    let Some(folder) = firmware_dir() else { return };
    for board in Board::ALL {
        for start in ["start.elf", "start_db.elf", "start_x.elf"] {
            let mut machine = machine(&folder, board, start, 0, ArmSide::External);
            boot(&mut machine);
            assert_eq!(property(&mut machine, 0x0001_0002, &[0]), [board.revision], "{start}");
            let unmodelled = machine.summary().unmodelled;
            assert!(unmodelled.is_empty(), "{} {start}: {unmodelled:#x?}", board.name);
        }
    }
}

#[test]
fn measured_clocks_are_what_the_firmware_set() {
    let Some(folder) = firmware_dir() else { return };
    for board in Board::ALL {
        let mut machine = machine(&folder, board, "start.elf", 0, ArmSide::External);
        boot(&mut machine);
        for (clock, hz) in [(2, 48_000_000), (3, board.arm_hz as u32), (4, 400_000_000)] {
            let measured = property(&mut machine, 0x0003_0047, &[clock, 0])[1];
            let near = hz - hz / 100..=hz + hz / 100;
            assert!(near.contains(&measured), "{}: clock {clock} measures {measured}", board.name);
        }
    }
}

#[test]
fn equal_seeds_give_equal_runs_and_other_seeds_do_not() {
    let Some(folder) = firmware_dir() else { return };
    let run = |seed| {
        let mut machine = machine_with(&folder, Board::PI_3B, "start.elf", seed, ArmSide::Emulated, &ASK);
        let limit = Limit { until_ns: Some(600 * MILLISECOND), ..Limit::default() };
        assert_eq!(machine.run(limit), RUNNING);
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for address in (0..0x1000_0000).step_by(8) {
            hash = (hash ^ machine.ram().read64(address)).wrapping_mul(0x100_0000_01b3);
        }
        let summary = machine.summary();
        assert!(summary.arm_instructions[0] > 1_000_000, "the Arm runs");
        (hash, summary)
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
}

#[test]
fn a_truncated_start_file_is_a_boot_error() {
    let Some(folder) = firmware_dir() else { return };
    let whole = std::fs::read(folder.join("start.elf")).expect("a boot file of the release");
    let files =
        [CardFile::new("bootcode.bin", [0; 4]), CardFile::new("start.elf", &whole[..whole.len() / 2])];
    let card = Card::build(&files).expect("fits").into_image();
    let (board, arm, log) = (Board::PI_3B, ArmSide::External, EventLevel::Off);
    let error = Machine::power_on(Config { board, seed: 0, card, arm, peer: Peer::Firmware, log }).err();
    assert!(error.is_some_and(|error| error.to_string().contains("truncated")));
}
