//! Powers the machine on and runs it until the image has said its last word, or a limit ends the run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use emulator::board::Board;
use emulator::boot_rom::BootError;
use emulator::card::Card;
use emulator::machine::{
    ArmSide, Config, Event, EventLevel, Limit, Machine, Peer, Stop, Summary, UartByte, UartSource,
};
use harness::Record;
use harness::report::{Collector, Counters};

use super::events;
use super::journal::Journal;
use super::pace::Pace;
use super::progress::Progress;
use crate::firmware::Variant;
use crate::interrupt::{Interrupted, Notice};
use crate::line::{Announcement, Around, Entry, Framer, Piece, Recent, Recording, Side, Strings};
use crate::terminal::say;

/// Instructions between two looks at limits and progress: some 30 ms of the PC's time.
pub const SLICE: u64 = 4_000_000;
/// Time in the machine for the image to power down after its last record.
const AFTER_THE_END_NS: u64 = 2_000_000_000;

/// Time in the machine for a reset: 15 s until the watchdog expires, and the firmware's start.
const RESTART_ALLOWANCE: Duration = Duration::from_secs(20);

/// Restarts beyond one for each scenario of the plan: before the first one, and after the last. The image ends the run
/// by itself before it needs them all.
const SPARE_RESTARTS: usize = 3;

/// Lines of the firmware that are shown for a run without a last record.
const FIRMWARE_LINES: usize = 10;

/// When a run is ended from outside.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time in the machine from power-on until the firmware starts the Arm.
    pub boot: Duration,
    /// Time in the machine since power-on.
    pub emulated: Duration,
    /// Time of the PC.
    pub wall: Duration,
}

/// What to run, and what to show of it.
#[derive(Debug)]
pub struct Settings {
    /// Which board.
    pub board: Board,
    /// Who plays VideoCore.
    pub peer: Peer,
    /// Varies the interleaving of the processors.
    pub seed: u64,
    /// When it is ended from outside.
    pub limits: Limits,
    /// Show both logs as they come.
    pub show_log: bool,
    /// Where the logs go: standard error, because standard output is for a program.
    pub log_to_stderr: bool,
    /// Say on standard error how far the run is.
    pub show_progress: bool,
    /// The longer work that the run is a part of, if it is.
    pub pace: Option<Pace>,
    /// Keep the bytes of the image's serial line here.
    pub raw: Option<PathBuf>,
    /// Stop the Arm for good in this step, so that the watchdog has something to do.
    pub halt_arm_in: Option<Step>,
    /// Ends the run when Ctrl-C has come; what has been heard by then is reported.
    pub interrupts: Notice,
}

/// A step of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The scenario's name.
    pub scenario: &'static str,
    /// The step's.
    pub step: &'static str,
}

impl Step {
    /// The record tells that this step begins.
    fn begins_with(self, record: &Record) -> bool {
        matches!(record, Record::StepStart { scenario, step } if scenario == self.scenario && step == self.step)
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// Why the machine stopped, if not because the image was done.
    pub stopped: Option<String>,
    /// More about it: an instruction that could not be executed, the firmware's last words.
    pub evidence: Vec<String>,
    /// What the machine did.
    pub summary: Summary,
    /// How long the run took on the PC.
    pub wall: Duration,
    /// Ctrl-C, if that ended the run.
    pub interrupted: Option<Interrupted>,
}

/// Runs a card to its end and feeds the collector.
///
/// # Errors
/// If the card would not start a board, or the recording cannot be written.
pub fn run(card: Card, settings: &Settings, strings: &Strings, collector: &mut Collector) -> Result<Ended> {
    let started = Instant::now();
    let level = if settings.show_log { EventLevel::Rare } else { EventLevel::Off };
    let config = Config {
        board: settings.board,
        seed: settings.seed,
        card: card.into_image(),
        arm: ArmSide::Emulated,
        peer: settings.peer,
        log: level,
    };
    let mut recording = settings.raw.clone().map(Recording::to).transpose()?;
    if let Some(recording) = &mut recording {
        recording.add(&Announcement.bytes())?;
    }
    let machine = Machine::power_on(config).context("the board does not start")?;
    let mut session = Session {
        machine,
        settings,
        strings,
        framer: Framer::default(),
        collector,
        journal: Journal::default(),
        recent: Recent::default(),
        around: Around::default(),
        recording,
        serial: String::new(),
        progress: Progress::new(settings.show_progress, settings.pace),
        started,
        finished_at: None,
        life: Life::default(),
    };
    let why = session.run_to_the_end();
    session.listen();
    session.flush_rest();
    session.show_rest();
    session.progress.clear();
    Ok(session.ended(why))
}

/// Why we left the loop.
enum Why {
    Machine(Stop),
    /// The card would not start a board any more.
    Boot(BootError),
    EmulatedTime,
    WallTime,
    Interrupted(Interrupted),
}

struct Session<'a> {
    machine: Machine,
    settings: &'a Settings,
    strings: &'a Strings,
    framer: Framer,
    collector: &'a mut Collector,
    journal: Journal,
    /// The image's latest lines, as evidence for a run that ends badly.
    recent: Recent,
    around: Around,
    recording: Option<Recording>,
    /// The firmware's unfinished line on a serial port.
    serial: String,
    progress: Progress,
    started: Instant,
    /// When the last record came, in the machine's time.
    finished_at: Option<u64>,
    life: Life,
}

/// The board since it was started last.
#[derive(Debug, Default)]
struct Life {
    /// When that was, in the machine's time.
    since_ns: u64,
    /// How often it has been restarted.
    restarts: u32,
    /// The image has sent a record.
    has_spoken: bool,
}

impl Life {
    /// An image that was reset before its first record would be reset again; one that was reset more often than it has
    /// scenarios does not come to an end.
    fn may_restart(&self, scenarios: usize) -> bool {
        let most = scenarios.saturating_add(SPARE_RESTARTS);
        self.has_spoken && usize::try_from(self.restarts).is_ok_and(|restarts| restarts < most)
    }
}

impl Session<'_> {
    fn run_to_the_end(&mut self) -> Why {
        loop {
            let until_ns = self.until_ns();
            let limit = Limit { until_ns: Some(until_ns), instructions: Some(SLICE), stop_on_uart: false };
            let stop = self.machine.run(limit);
            self.listen();
            match stop {
                Stop::Limit | Stop::Uart => {}
                Stop::Reset if self.may_restart() => {
                    if let Err(why) = self.restart() {
                        return why;
                    }
                }
                stop => return Why::Machine(stop),
            }
            if self.machine.now_ns() >= self.until_ns() {
                return Why::EmulatedTime;
            }
            if self.started.elapsed() >= self.settings.limits.wall {
                return Why::WallTime;
            }
            if let Err(interrupted) = self.settings.interrupts.check() {
                return Why::Interrupted(interrupted);
            }
        }
    }

    /// An image that has said its last has nothing left to do.
    fn may_restart(&self) -> bool {
        !self.collector.is_finished() && self.life.may_restart(self.collector.planned())
    }

    /// The board starts again, as a real one does; the image then tells whether the run goes on.
    fn restart(&mut self) -> Result<(), Why> {
        self.flush_rest();
        self.show_rest();
        let firmware = self.journal.last_firmware_lines(&self.machine, FIRMWARE_LINES);
        self.around.reset(&self.recent, &firmware);
        self.journal.forget_firmware();
        self.framer.restart();
        self.machine.restart().map_err(Why::Boot)?;
        let restarts = self.life.restarts + 1;
        self.life = Life { since_ns: self.machine.now_ns(), restarts, has_spoken: false };
        Ok(())
    }

    /// When, in the machine's time, it is enough.
    fn until_ns(&self) -> u64 {
        if let Some(at) = self.finished_at {
            return at.saturating_add(AFTER_THE_END_NS);
        }
        let Limits { boot, emulated, .. } = self.settings.limits;
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if !self.machine.arm_released() {
            return self.life.since_ns.saturating_add(nanoseconds(boot));
        }
        // Each restart costs the watchdog's time and a boot, which the plan knows nothing of.
        nanoseconds(emulated.saturating_add(RESTART_ALLOWANCE.saturating_mul(self.life.restarts)))
    }

    /// Takes what came out of the machine.
    fn listen(&mut self) {
        let bytes = self.machine.take_uart();
        self.record(&bytes);
        for byte in bytes {
            match byte.source {
                UartSource::Arm => self.arm_byte(byte),
                UartSource::Vpu => self.firmware_byte(byte),
            }
        }
        for event in self.machine.take_events() {
            self.event(&event);
        }
        if self.settings.show_log {
            for entry in self.journal.take(&self.machine) {
                self.show(&entry);
            }
        }
        let counters = self.machine.counters();
        let instructions = counters.arm_instructions + counters.vpu_instructions;
        self.progress.tick(self.machine.now_ns(), instructions, self.started.elapsed());
    }

    /// A disk that is full ends the recording, not the run.
    fn record(&mut self, bytes: &[UartByte]) {
        let Some(recording) = &mut self.recording else { return };
        let of_arm = bytes.iter().filter(|byte| byte.source == UartSource::Arm);
        if let Err(error) = recording.add(&of_arm.map(|byte| byte.byte).collect::<Vec<u8>>()) {
            eprintln!("{error:#}");
        }
    }

    fn arm_byte(&mut self, byte: UartByte) {
        let Some(piece) = self.framer.byte(byte.byte) else { return };
        let counters = Counters {
            arm_cycles: byte.counters.arm_cycles,
            vpu_instructions: byte.counters.vpu_instructions,
        };
        self.arm_piece(piece, byte.at_ns, Some(counters));
    }

    fn arm_piece(&mut self, piece: Piece, at_ns: u64, counters: Option<Counters>) {
        let line = self.strings.line(piece);
        if let Some(record) = self.collector.log_line(&line.message, counters) {
            self.life.has_spoken = true;
            self.progress.record(&record);
            let firmware = || self.journal.last_firmware_lines(&self.machine, FIRMWARE_LINES);
            if let Some((scenario, lines)) = self.around.record(&record, at_ns / 1000, &self.recent, firmware)
            {
                self.collector.keep_log(&scenario, lines);
            }
            if self.settings.halt_arm_in.is_some_and(|step| step.begins_with(&record)) {
                self.machine.halt_arm();
            }
            if self.collector.is_finished() && self.finished_at.is_none() {
                self.finished_at = Some(at_ns);
            }
        } else {
            let text = format!("{:5} {}", line.level, line.message);
            let entry = Entry { at_us: at_ns / 1000, side: Side::Arm, text };
            self.recent.keep(entry.clone());
            self.journal.note(entry);
        }
    }

    fn firmware_byte(&mut self, byte: UartByte) {
        match byte.byte {
            b'\n' => {
                let line = std::mem::take(&mut self.serial);
                let text = line.trim_end().to_owned();
                self.journal.note(Entry { at_us: byte.at_ns / 1000, side: Side::VideoCoreSerial, text });
            }
            byte @ (b' '..=b'~') => self.serial.push(byte as char),
            _ => {}
        }
    }

    fn event(&mut self, event: &Event) {
        let text = events::describe(event);
        self.journal.note(Entry { at_us: event.at_ns / 1000, side: Side::Machine, text });
    }

    fn flush_rest(&mut self) {
        if let Some(piece) = self.framer.cut() {
            self.arm_piece(piece, self.machine.now_ns(), None);
            self.listen();
        }
    }

    /// What the log has kept back if the firmware never started the Arm.
    fn show_rest(&mut self) {
        if self.settings.show_log {
            for entry in self.journal.take_all(&self.machine) {
                self.show(&entry);
            }
        }
    }

    fn show(&self, entry: &Entry) {
        if self.settings.log_to_stderr {
            eprintln!("{entry}");
        } else {
            say!("{entry}");
        }
    }

    fn ended(mut self, why: Why) -> Ended {
        let done = self.collector.is_finished();
        let interrupted = if let Why::Interrupted(by) = why { Some(by) } else { None };
        let (stopped, mut evidence) = match why {
            Why::Machine(Stop::Fault(fault)) => {
                let first = format!("{} could not go on at {:#x}: {}", fault.core, fault.pc, fault.reason);
                (Some(first), vec![fault.to_string()])
            }
            _ if done => (None, Vec::new()),
            why => (Some(self.explain(&why)), Vec::new()),
        };
        if !done {
            let mut lines = self.journal.last_firmware_lines(&self.machine, FIRMWARE_LINES);
            if let Some((scenario, log)) = self.around.rest(&self.recent, &lines) {
                self.collector.keep_log(&scenario, log);
            }
            lines.extend(self.recent.into_entries());
            lines.sort_by_key(|entry| entry.at_us);
            evidence.extend(lines.iter().map(ToString::to_string));
            evidence.push(positions(&self.machine));
        }
        let (summary, wall) = (self.machine.summary(), self.started.elapsed());
        Ended { stopped, evidence, summary, wall, interrupted }
    }

    /// What a reader of the report should know of a run without a last record.
    fn explain(&self, why: &Why) -> String {
        let what = match why {
            Why::Machine(Stop::PowerOff) => "the board was powered down".to_owned(),
            Why::Machine(Stop::Reset) if self.life.has_spoken => {
                let (resets, scenarios) = (self.life.restarts + 1, self.collector.planned());
                format!(
                    "the board was reset {resets} times, for {scenarios} scenarios: the run does not end by itself"
                )
            }
            Why::Machine(Stop::Reset) => "the watchdog restarted the board".to_owned(),
            Why::Machine(Stop::AllAsleepForever) => {
                "every processor sleeps and nothing can wake one".to_owned()
            }
            Why::Machine(stop) => format!("the machine stopped: {stop:?}"),
            Why::Boot(error) => format!("the board does not start again: {error}"),
            Why::EmulatedTime => {
                format!("the limit of {} s in the machine was reached", self.until_ns() / 1_000_000_000)
            }
            Why::WallTime => {
                format!("the limit of {} s of wall time was reached", self.settings.limits.wall.as_secs())
            }
            Why::Interrupted(_) => "the run was stopped by hand".to_owned(),
        };
        if self.machine.arm_released() {
            what
        } else {
            format!("{what}; {}", never_started(self.machine.start_file()))
        }
    }
}

/// Why the firmware did not start the Arm, where that is known (`docs/emulator.md`, "Devices").
fn never_started(start_file: &str) -> String {
    if start_file.eq_ignore_ascii_case(Variant::StartCd.start_file()) {
        "start_cd.elf never started the Arm: it checks OTP rows that the factory programs and the emulated board \
         does not have. This cut-down build has no shared-memory service anyway: use start, start_db or start_x"
            .to_owned()
    } else {
        format!("{start_file} never started the Arm")
    }
}

/// Where each processor is.
fn positions(machine: &Machine) -> String {
    let asleep = |is_asleep: bool| if is_asleep { " (asleep)" } else { "" };
    let vpu = (0..2).filter_map(|index| machine.vpu_core(index).map(|core| (index, core)));
    let vpu = vpu.map(|(index, core)| format!("vpu{index} at {:#x}{}", core.pc(), asleep(core.is_asleep())));
    let arm = (0..4).filter_map(|index| machine.arm_core(index));
    let arm = arm.map(|core| {
        format!(
            "arm{} at {:#x}, EL{}{}",
            core.id(),
            core.pc(),
            core.exception_level(),
            asleep(core.is_asleep())
        )
    });
    vpu.chain(arm).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_is_reset_for_ever_is_not_started_for_ever() {
        let may_restart = |restarts, has_spoken, scenarios| {
            Life { since_ns: 0, restarts, has_spoken }.may_restart(scenarios)
        };
        assert!((0..5).all(|restarts| may_restart(restarts, true, 2)), "one for each scenario, and some");
        assert!(!may_restart(5, true, 2));
        assert!(!may_restart(3, true, 0), "it has never told a plan");
        assert!(!may_restart(0, false, 2), "it would be reset again before its first record");
    }

    #[test]
    fn cut_down_firmware_that_does_not_start_the_arm_is_told_with_the_way_out() {
        let reason = never_started("START_CD.ELF");
        assert!(reason.contains("OTP") && reason.contains("use start, start_db or start_x"), "{reason}");
        assert_eq!(never_started("start_db.elf"), "start_db.elf never started the Arm");
    }
}
