//! What the firmware says of the board, its clocks, its memory and itself: asked before anything is tested, and what
//! may have changed once more afterwards.
//!
//! All of it goes by mailbox, which works without VCHIQ. What is not answered leaves its field empty; the bring-up
//! ladder judges. Every question costs time at boot: on firmware of 2022 a tag takes some 10 µs and a command 20 µs,
//! but measuring a clock other than the Arm's takes 1 ms, so that is done for the core's alone.

use vchiq_mbox::{
    mailbox::MailboxError,
    property::{
        ArmMemory, BoardRevision, ClockId, ClockRate, DmaChannels, FirmwareHash, FirmwareRevision,
        FirmwareVariant, MaxClockRate, MaxTemperature, MeasuredClockRate, MinClockRate, Tag, Temperature,
        Throttled, Variant, VideoCoreMemory,
    },
};

use crate::{
    board::Board,
    record::{BoardFacts, Clocks, Fact, Facts, Peer, Record, When, clipped},
    session::{ANSWER_BYTES, Session},
};

/// Commands before the scenarios.
const BEFORE: [&str; 17] = [
    "version",
    "get_mem arm",
    "get_mem gpu",
    "get_mem reloc",
    "get_mem reloc_total",
    "get_mem malloc",
    "get_mem malloc_total",
    "mem_reloc_stats",
    "mem_oom",
    "measure_clock arm",
    "measure_clock core",
    "measure_temp",
    "get_throttled",
    "measure_volts core",
    "get_rsts",
    "codec_enabled H264",
    "get_config int",
];

/// What may have changed after them.
const AFTER: [&str; 8] = [
    "get_mem reloc",
    "get_mem malloc",
    "mem_reloc_stats",
    "mem_oom",
    "measure_clock arm",
    "measure_clock core",
    "measure_temp",
    "get_throttled",
];

/// Asks all there is to ask before the scenarios; emits it.
pub(crate) fn before<B: Board>(session: &mut Session<'_, B>) {
    let mut inquiry = Inquiry { session, silent: false };
    inquiry.board_and_peer();
    inquiry.clocks(When::Before);
    inquiry.rates();
    inquiry.limits();
    inquiry.commands(When::Before, &BEFORE);
}

/// Asks what may have changed; emits it.
pub(crate) fn after<B: Board>(session: &mut Session<'_, B>) {
    let mut inquiry = Inquiry { session, silent: false };
    inquiry.clocks(When::After);
    inquiry.commands(When::After, &AFTER);
}

/// Asks until the mailbox stays silent once: a dead one would cost its time-out for each question.
struct Inquiry<'s, 'a, B: Board> {
    session: &'s mut Session<'a, B>,
    silent: bool,
}

impl<B: Board> Inquiry<'_, '_, B> {
    fn ask<T: Tag>(&mut self, request: T::Request) -> Option<T::Response> {
        if self.silent {
            return None;
        }
        let answer = self.session.ask::<T>(request);
        self.silent = answer.as_ref().is_err_and(is_silence);
        answer.ok()
    }

    /// Who answers, and on which board.
    fn board_and_peer(&mut self) {
        let revision = self.ask::<FirmwareRevision>(()).unwrap_or(0);
        let variant = self.ask::<FirmwareVariant>(()).map(number_of);
        let hash = self.ask::<FirmwareHash>(()).map(|hash| hash.0);
        let board_revision = self.ask::<BoardRevision>(()).unwrap_or(0);
        let arm_memory = self.ask::<ArmMemory>(()).map_or(0, |region| region.size);
        let vc_memory = self.ask::<VideoCoreMemory>(()).map_or(0, |region| region.size);
        let session = &mut *self.session;
        session.peer = Peer { revision, variant, hash };
        session.vc_memory = vc_memory;
        session.journal.emit(&Record::Board(BoardFacts {
            soc: clipped(session.identity.soc),
            revision: board_revision,
            midr: session.identity.midr,
            entry_el: session.identity.entry_el,
            arm_memory,
            vc_memory,
        }));
        session.journal.machine(&session.identity, &session.peer);
    }

    /// The clocks that times depend on, and what may have slowed them down.
    fn clocks(&mut self, when: When) {
        let arm_hz = self.ask::<MeasuredClockRate>(ClockId::Arm).unwrap_or(0);
        let core_hz = self.ask::<MeasuredClockRate>(ClockId::Core).unwrap_or(0);
        let millidegrees = self.ask::<Temperature>(());
        let throttled = self.ask::<Throttled>(()).map(|flags| flags.bits());
        let calibration = self.session.calibration;
        self.session.journal.emit(&Record::Clocks(Clocks {
            when,
            arm_hz,
            core_hz,
            counter_hz: calibration.map_or(0, |calibration| calibration.tick_hz),
            cycles_hz: calibration.map_or(0, |calibration| calibration.cycles_hz),
            bracket_cycles: calibration.map_or(0, |calibration| calibration.bracket_cycles),
            millidegrees,
            throttled,
        }));
    }

    /// What every clock is set to, and may be set to. A clock that the firmware does not have answers 0.
    fn rates(&mut self) {
        let set = ClockId::ALL.map(|clock| (clock.name(), self.ask::<ClockRate>(clock)));
        self.facts("clock-rate", &set);
        let min = ClockId::ALL.map(|clock| (clock.name(), self.ask::<MinClockRate>(clock)));
        self.facts("clock-min", &min);
        let max = ClockId::ALL.map(|clock| (clock.name(), self.ask::<MaxClockRate>(clock)));
        self.facts("clock-max", &max);
    }

    fn limits(&mut self) {
        let dma_channels = self.ask::<DmaChannels>(());
        let millidegrees = self.ask::<MaxTemperature>(());
        self.facts("board", &[("dma_channels", dma_channels), ("max_millidegrees", millidegrees)]);
    }

    /// Emits those that were answered, by anything but 0.
    fn facts(&mut self, topic: &str, answers: &[(&str, Option<u32>)]) {
        let mut record = Facts { topic: clipped(topic), facts: heapless::Vec::new() };
        for (name, value) in answers {
            if let Some(value @ 1..) = *value {
                // There is room for every clock.
                let _ = record.facts.push(Fact { name: clipped(name), value });
            }
        }
        if !record.facts.is_empty() {
            self.session.journal.emit(&Record::Facts(record));
        }
    }

    /// Asks by text. Firmware that does not know the tag is asked once.
    fn commands(&mut self, when: When, commands: &[&str]) {
        let mut buffer = [0; ANSWER_BYTES];
        for command in commands {
            if self.silent {
                return;
            }
            match self.session.ask_text(command, &mut buffer) {
                Ok(answer) => self.session.journal.text(when, command, &answer),
                Err(MailboxError::NotAnswered { .. }) => return,
                Err(error) => self.silent = is_silence(&error),
            }
        }
    }
}

fn is_silence(error: &MailboxError) -> bool {
    matches!(error, MailboxError::NoReply { .. } | MailboxError::Full)
}

/// The number of the tag's answer.
fn number_of(variant: Variant) -> u32 {
    match variant {
        Variant::Unknown => 0,
        Variant::Start => 1,
        Variant::StartX => 2,
        Variant::StartDb => 3,
        Variant::StartCd => 4,
        Variant::Other(number) => number,
    }
}
