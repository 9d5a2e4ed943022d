//! Records in the order they happen.

use heapless::Vec;
use vchiq_mbox::{Window, gencmd::Answer};

use crate::{
    black_box::BlackBox,
    board::{Host, Identity},
    failure::Failure,
    histogram::Histogram,
    record::{
        BUCKETS_PER_RECORD, Fact, Latency, MAX_COUNTS, MAX_FRAME, Machine, Name, Peer, Record,
        SAMPLES_PER_RECORD, Samples, ScenarioEnd, Step, TEXT_BYTES, Text, When, clipped, encode,
    },
    verdict::Verdict,
};

/// Numbers records, frames them and hands them to the host; notes in the black box where the run is.
pub(crate) struct Journal<'a, H: Host, W: Window> {
    host: &'a mut H,
    sequence: u16,
    black_box: Option<BlackBox<'a, W>>,
}

impl<'a, H: Host, W: Window> Journal<'a, H, W> {
    /// Without a black box, the run cannot go on after a reset.
    pub(crate) fn new(host: &'a mut H, black_box: Option<BlackBox<'a, W>>) -> Self {
        Self { host, sequence: 0, black_box }
    }

    /// What survives a reset, on a board that can be reset.
    pub(crate) fn black_box(&mut self) -> Option<&mut BlackBox<'a, W>> {
        self.black_box.as_mut()
    }

    /// So many iterations of the scenario are done: kicks the watchdog and notes it. No record.
    pub(crate) fn iterations(&mut self, done: u32) {
        self.host.progress();
        if let Some(black_box) = &self.black_box {
            black_box.iterations(done);
        }
    }

    pub(crate) fn host(&mut self) -> &mut H {
        self.host
    }

    pub(crate) fn emit(&mut self, record: &Record) {
        let mut buffer = [0; MAX_FRAME];
        if let Some(frame) = encode(record, self.sequence, &mut buffer) {
            self.host.emit(frame);
        }
        // Counted also if it did not fit, so that the PC learns that one is missing.
        self.sequence = self.sequence.wrapping_add(1);
        self.host.progress();
    }

    /// Which image runs on what, and who answers, as far as it is known by now; for whoever joins late or lost a line.
    pub(crate) fn machine(&mut self, identity: &Identity, peer: &Peer) {
        self.host.announce();
        self.emit(&Record::Machine(Machine {
            build: identity.build.bytes(),
            core: identity.core,
            peer: peer.clone(),
        }));
    }

    pub(crate) fn scenario_start(&mut self, scenario: &str) {
        self.emit(&Record::ScenarioStart { name: clipped(scenario) });
    }

    pub(crate) fn step_start(&mut self, scenario: &str, step: &str) {
        if let Some(black_box) = &mut self.black_box {
            black_box.step_start(step);
        }
        self.emit(&Record::StepStart { scenario: clipped(scenario), step: clipped(step) });
    }

    pub(crate) fn step_end(&mut self, scenario: &str, step: &str, failure: Option<&Failure>) {
        self.emit(&Record::Step(Step {
            scenario: clipped(scenario),
            step: clipped(step),
            verdict: failure.map_or(Verdict::Pass, |failure| failure.verdict),
            owner: failure.and_then(|failure| failure.owner),
            reason: failure.map(|failure| failure.reason.clone()),
            evidence: failure.map(|failure| failure.evidence.clone()).unwrap_or_default(),
        }));
    }

    pub(crate) fn progress(&mut self, scenario: &str, done: u32, total: u32) {
        self.emit(&Record::Progress { scenario: clipped(scenario), done, total });
    }

    /// A histogram, in as many records as it takes; none for an empty one.
    pub(crate) fn latency(&mut self, scenario: &str, step: &Name, histogram: &Histogram) {
        let summary = histogram.summary();
        let filled = histogram.buckets().count();
        // Samples that are all out of range leave no bucket, but a record.
        let parts = filled.div_ceil(BUCKETS_PER_RECORD).max(usize::from(summary.n > 0));
        for part in 0..parts {
            let buckets = histogram.buckets().skip(part * BUCKETS_PER_RECORD).take(BUCKETS_PER_RECORD);
            self.emit(&Record::Latency(Latency {
                scenario: clipped(scenario),
                step: step.clone(),
                n: summary.n,
                min: summary.min,
                max: summary.max,
                overflow: summary.overflow,
                part: part as u16,
                parts: parts as u16,
                buckets: buckets.collect(),
            }));
        }
    }

    /// The raw samples of a step, in as many records as it takes; none without samples.
    pub(crate) fn samples(&mut self, scenario: &str, step: &Name, cycles: &[u32]) {
        for (part, chunk) in cycles.chunks(SAMPLES_PER_RECORD).enumerate() {
            self.emit(&Record::Samples(Samples {
                scenario: clipped(scenario),
                step: step.clone(),
                kept: cycles.len() as u16,
                first: (part * SAMPLES_PER_RECORD) as u16,
                cycles: chunk.iter().copied().collect(),
            }));
        }
    }

    /// An answer in text, in as many records as it takes; one for an empty one.
    pub(crate) fn text(&mut self, when: When, command: &str, answer: &Answer<'_>) {
        let parts = answer.bytes.len().div_ceil(TEXT_BYTES).max(1);
        for part in 0..parts {
            let offset = part * TEXT_BYTES;
            self.emit(&Record::Text(Text {
                when,
                command: clipped(command),
                code: answer.code,
                size: answer.bytes.len() as u16,
                offset: offset as u16,
                bytes: answer.bytes.iter().copied().skip(offset).take(TEXT_BYTES).collect(),
            }));
        }
    }

    pub(crate) fn scenario_end(
        &mut self,
        scenario: &str,
        failure: Option<&Failure>,
        counts: Vec<Fact, MAX_COUNTS>,
        took_us: Option<u64>,
    ) {
        self.emit(&Record::ScenarioEnd(ScenarioEnd {
            name: clipped(scenario),
            verdict: failure.map_or(Verdict::Pass, |failure| failure.verdict),
            owner: failure.and_then(|failure| failure.owner),
            reason: failure.map(|failure| failure.reason.clone()),
            counts,
            took_us,
        }));
    }

    pub(crate) fn end(&mut self, verdict: Verdict) {
        self.emit(&Record::End { verdict, records: self.sequence });
        if let Some(black_box) = &mut self.black_box {
            black_box.close();
        }
    }
}
