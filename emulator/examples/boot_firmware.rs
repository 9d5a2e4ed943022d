//! Boots real firmware and prints what it does: `cargo run --release -p emulator --example boot_firmware -- DIR
//! [MILLISECONDS] [START_FILE] [KERNEL]`. DIR holds the boot files of a firmware release.

use std::path::PathBuf;
use std::time::Instant;

use emulator::board::Board;
use emulator::card::{Card, CardFile};
use emulator::firmware_log::Ring;
use emulator::machine::{ArmSide, Config, EventLevel, Limit, Machine, Peer};

const CONFIG: &str = "arm_64bit=1\nkernel_address=0x80000\ndisable_commandline_tags=1\ndevice_tree=\n\
    gpu_mem=64\nenable_uart=1\nuart_2ndstage=1\ndisable_splash=1\nboot_delay=0\nforce_turbo=1\ncore_freq=400\navoid_warnings=2\n";
/// `b .`
const LOOP: [u8; 4] = [0x00, 0x00, 0x00, 0x14];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder holds the boot files?")?);
    let milliseconds: u64 = arguments.next().map_or(Ok(2000), |text| text.parse())?;
    let start = arguments.next().unwrap_or("start.elf".into());
    let kernel = match arguments.next() {
        Some(path) => std::fs::read(path)?,
        None => LOOP.repeat(64),
    };
    let config = format!("{CONFIG}start_file={start}\n");
    let mut files = vec![CardFile::new("config.txt", config), CardFile::new("kernel8.img", kernel)];
    for name in ["bootcode.bin", &start] {
        files.push(CardFile::new(name, std::fs::read(folder.join(name))?));
    }
    let config = Config {
        board: Board::PI_3B,
        seed: 0,
        card: Card::build(&files)?.into_image(),
        arm: ArmSide::Emulated,
        peer: Peer::Firmware,
        log: EventLevel::All,
    };
    let started = Instant::now();
    let mut machine = Machine::power_on(config)?;
    let stop = machine.run(Limit { until_ns: Some(milliseconds * 1_000_000), ..Limit::default() });
    let wall = started.elapsed();
    for event in machine.take_events() {
        println!("{:>12} ns {:8} pc {:08x} {:?}", event.at_ns, event.by, event.pc, event.kind);
    }
    let text: Vec<u8> = machine.take_uart().iter().map(|byte| byte.byte).collect();
    println!("--- uart\n{}", String::from_utf8_lossy(&text));
    if let Some(ring) = Ring::find(machine.ram()) {
        println!("--- firmware log");
        for line in ring.lines(machine.ram()) {
            println!("{:>10} us {}", line.time_us, line.text.trim_end());
        }
    }
    let summary = machine.summary();
    for register in &summary.unmodelled {
        let (name, pc) = (&register.register, register.first_pc);
        println!(
            "{name:24} R{} W{} first by {} at {pc:x}",
            register.reads, register.writes, register.first_by
        );
    }
    println!(
        "{stop:?} after {wall:?}, {} ns; VPU {:?}, Arm {:?}",
        summary.now_ns, summary.vpu_instructions, summary.arm_instructions
    );
    Ok(())
}
