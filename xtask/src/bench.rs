//! `cargo xtask bench`: how fast the emulator is, how large the image, what a message costs. `docs/benchmarks.md`
//! has the method.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use emulator::board::Board;
use emulator::card::{Card, CardFile};
use emulator::machine::{ArmSide, Config, EventLevel, Limit, Machine, Peer, Stop};
use harness::scenario::Kind;
use serde::Serialize;

use crate::card::KERNEL;
use crate::cli::{BenchOptions, CardOptions, RunOptions};
use crate::firmware::{self, Release};
use crate::outcome::Outcome;
use crate::terminal::say;
use crate::{build, run};

/// Instructions between two looks at the clock.
const SLICE: u64 = 1_000_000;
/// Firmware that has not started the Arm after so much time in the machine never will.
const BOOT_LIMIT_NS: u64 = 30_000_000_000;
/// How long the Arm loop is timed.
const LOOP_TIME: Duration = Duration::from_millis(500);

/// What was measured.
#[derive(Debug, Serialize)]
struct Measured {
    /// Bytes of `kernel8.img`.
    image_bytes: usize,
    /// Million VPU instructions a second of processor time, from power-on until the firmware starts the Arm.
    vpu_mips: f64,
    /// Million Arm instructions a second of processor time, in a loop of arithmetic, a store and a load.
    arm_mips: f64,
    /// The default run: seconds of wall time from power-on to the report.
    run_wall_s: f64,
    /// The default run: million instructions of all cores a second of processor time.
    run_mips: f64,
    echo: Cost,
    handshake: Cost,
}

/// What one operation costs.
#[derive(Debug, Serialize)]
struct Cost {
    /// What is counted.
    of: &'static str,
    /// Instructions of all Arm cores.
    arm_instructions: f64,
    /// Instructions of both VPU cores, the firmware's own work meanwhile included.
    vpu_instructions: f64,
}

/// Measures everything and prints it.
///
/// # Errors
/// If there is no firmware or no compiler, or a run that is timed does not pass.
pub fn run(options: &BenchOptions, json: bool) -> Result<Outcome> {
    let release = firmware::at_hand(options.card.firmware.as_deref())?;
    let built = build::image(&options.card.build)?;
    let (run_wall_s, run_mips) = whole_run(options)?;
    let measured = Measured {
        image_bytes: built.bytes,
        vpu_mips: best(options.repeat, || vpu_mips(&release, options))?,
        arm_mips: best(options.repeat, || arm_mips(&release, options))?,
        run_wall_s,
        run_mips,
        echo: cost(options, Kind::Echo, "echo ping, all sizes", "pings")?,
        handshake: cost(options, Kind::Handshake, "handshake, all sizes", "imports")?,
    };
    if json {
        say!("{}", serde_json::to_string_pretty(&measured)?);
    } else {
        print(&measured);
    }
    Ok(Outcome::Pass)
}

fn print(measured: &Measured) {
    say!("image      {} of {} bytes", measured.image_bytes, build::SIZE_LIMIT);
    say!("VPU        {:.0} MIPS", measured.vpu_mips);
    say!("Arm        {:.0} MIPS", measured.arm_mips);
    say!(
        "run        {:.2} s from power-on to the report, {:.0} MIPS",
        measured.run_wall_s,
        measured.run_mips
    );
    for cost in [&measured.echo, &measured.handshake] {
        say!(
            "{}: {:.0} Arm instructions, {:.0} VPU instructions",
            cost.of,
            cost.arm_instructions,
            cost.vpu_instructions
        );
    }
}

/// The largest of some measurements: whatever else the PC does only ever slows us down.
fn best(repeat: u32, measure: impl Fn() -> Result<f64>) -> Result<f64> {
    let mut best = 0.0_f64;
    for _ in 0..repeat {
        best = best.max(measure()?);
    }
    Ok(best)
}

/// From power-on until the Arm starts only the VPU runs.
fn vpu_mips(release: &Release, options: &BenchOptions) -> Result<f64> {
    let mut machine = power_on(release, options)?;
    let time = Stopwatch::start();
    boot(&mut machine)?;
    Ok(mips(machine.counters().vpu_instructions, time.elapsed()))
}

/// The Arm in a loop, while the VPU has nothing to do but its own clock tick.
fn arm_mips(release: &Release, options: &BenchOptions) -> Result<f64> {
    let mut machine = power_on(release, options)?;
    boot(&mut machine)?;
    let before = machine.counters().arm_instructions;
    let time = Stopwatch::start();
    while time.elapsed() < LOOP_TIME {
        step(&mut machine)?;
    }
    Ok(mips(machine.counters().arm_instructions - before, time.elapsed()))
}

fn power_on(release: &Release, options: &BenchOptions) -> Result<Machine> {
    let variant = options.card.variant;
    let mut files = vec![CardFile::new("bootcode.bin", release.read("bootcode.bin")?)];
    for name in [variant.start_file(), variant.fixup_file()] {
        files.push(CardFile::new(name, release.read(name)?));
    }
    let (start, fixup) = (variant.start_file(), variant.fixup_file());
    let config = format!("arm_64bit=1\nkernel_address=0x80000\nstart_file={start}\nfixup_file={fixup}\n");
    files.push(CardFile::new("config.txt", config));
    files.push(CardFile::new(KERNEL, arm_loop()));
    let card = Card::build(&files)?.into_image();
    let config = Config {
        board: Board::PI_3B,
        seed: 0,
        card,
        arm: ArmSide::Emulated,
        peer: Peer::Firmware,
        log: EventLevel::Off,
    };
    Machine::power_on(config).context("the board does not start")
}

/// A loop without end: arithmetic that depends on itself, a store, a load of what was stored, a branch.
fn arm_loop() -> Vec<u8> {
    const WORDS: [u32; 9] = [
        0xd2a0_0400, // mov x0, #0x200000
        0x9100_0421, // add x1, x1, #1
        0xca01_0042, // eor x2, x2, x1
        0xf900_0002, // str x2, [x0]
        0xf940_0003, // ldr x3, [x0]
        0x8b03_0084, // add x4, x4, x3
        0xd343_fc85, // lsr x5, x4, #3
        0xf100_003f, // cmp x1, #0
        0x54ff_ff21, // b.ne to the add
    ];
    WORDS.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn boot(machine: &mut Machine) -> Result<()> {
    while !machine.arm_released() {
        step(machine)?;
        ensure!(machine.now_ns() < BOOT_LIMIT_NS, "the firmware does not start the Arm");
    }
    Ok(())
}

fn step(machine: &mut Machine) -> Result<()> {
    let stop = machine.run(Limit { instructions: Some(SLICE), ..Limit::default() });
    ensure!(stop == Stop::Limit, "the machine stopped: {stop:?}");
    Ok(())
}

/// Time that this thread spent on a processor. Where the system does not tell, time of the wall clock, which also
/// counts what other programs took.
struct Stopwatch {
    wall: Instant,
    on_processor: Option<Duration>,
}

impl Stopwatch {
    fn start() -> Self {
        Self { wall: Instant::now(), on_processor: on_processor() }
    }

    fn elapsed(&self) -> Duration {
        match (self.on_processor, on_processor()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.wall.elapsed(),
        }
    }
}

/// The first number of Linux's `schedstat`: nanoseconds on a processor, right to a timer tick.
fn on_processor() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

fn mips(instructions: u64, time: Duration) -> f64 {
    instructions as f64 / time.as_secs_f64().max(1e-3) / 1e6
}

/// The run that a newcomer types first.
fn whole_run(options: &BenchOptions) -> Result<(f64, f64)> {
    let time = Stopwatch::start();
    let done = execute(options, &[], options.card.iterations)?;
    let on_processor = time.elapsed();
    let counters = done.summary.counters;
    let instructions = counters.arm_instructions + counters.vpu_instructions;
    Ok((done.wall.as_secs_f64(), mips(instructions, on_processor)))
}

/// What one operation costs: the difference of two runs, one with twice the iterations of the other, so that what
/// a run costs once falls out.
fn cost(options: &BenchOptions, kind: Kind, of: &'static str, counted: &str) -> Result<Cost> {
    let iterations = options.card.iterations;
    let (few, many) =
        (execute(options, &[kind], iterations)?, execute(options, &[kind], iterations.saturating_mul(2))?);
    let operations = |done: &run::Done| {
        let scenario = done.report.scenarios.iter().find(|scenario| scenario.name == kind.name());
        scenario.and_then(|scenario| scenario.counts.get(counted).copied())
    };
    let count = |done| operations(done).with_context(|| format!("{} does not count {counted}", kind.name()));
    let more = f64::from(count(&many)?) - f64::from(count(&few)?);
    ensure!(more > 0.0, "{}: twice the iterations are no more {counted}", kind.name());
    let (few, many) = (few.summary.counters, many.summary.counters);
    Ok(Cost {
        of,
        arm_instructions: (many.arm_instructions as f64 - few.arm_instructions as f64) / more,
        vpu_instructions: (many.vpu_instructions as f64 - few.vpu_instructions as f64) / more,
    })
}

fn execute(options: &BenchOptions, scenarios: &[Kind], iterations: u32) -> Result<run::Done> {
    let scenarios = scenarios.iter().map(|kind| kind.name().to_owned()).collect();
    let card = CardOptions { scenarios, iterations, ..options.card.clone() };
    let done = run::execute(&RunOptions::of(card), true)?;
    ensure!(done.passed(), "the run that is timed does not pass: {}", done.report.verdict());
    Ok(done)
}
