//! What travels from the image to the PC: one record a line of the log.
//!
//! A record is small (its frame stays below [`MAX_FRAME`]) and stands for itself; a histogram is cut into several.
//! [`frame`] says how a record becomes bytes, and how damage is noticed.

pub mod frame;

use heapless::{String, Vec};
use serde::{Deserialize, Serialize};

pub use frame::{Damage, Frame, MAX_FRAME, PREFIX, decode, encode};

use crate::{
    plan::{Plan, Sizes},
    verdict::{Owner, Verdict},
};

/// A name: of a scenario, a step, a count.
pub type Name = String<32>;
/// A sentence.
pub type Sentence = String<120>;

/// Cuts `text` to what fits, at a character boundary. Names in this crate fit; the cut is for text from outside.
pub fn clipped<const N: usize>(text: &str) -> String<N> {
    let mut out = String::new();
    for character in text.chars() {
        if out.push(character).is_err() {
            break;
        }
    }
    out
}

/// Records of one frame hold at most this many buckets.
pub const BUCKETS_PER_RECORD: usize = 64;
/// Records of one frame hold at most this many raw samples.
pub const SAMPLES_PER_RECORD: usize = 64;
/// Facts that a step can carry.
pub const MAX_EVIDENCE: usize = 18;
/// Counts that a scenario can carry.
pub const MAX_COUNTS: usize = 30;
/// Bytes of text that one record carries; a longer text comes in several.
pub const TEXT_BYTES: usize = 512;

/// One record. The order of variants and fields is the wire format: a change raises [`frame::VERSION`].
// One exists at a time, on the stack of whoever emits it, and there is no allocator to put its contents elsewhere.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Record {
    /// First of a run.
    Start(Start),
    /// A scenario that the run is to run; one record each, in order, behind the first.
    Planned {
        /// Which.
        name: Name,
    },
    /// Which machine.
    Board(BoardFacts),
    /// Clocks now; one before and one after the scenarios.
    Clocks(Clocks),
    /// Which image runs on what, and who answers; before the scenarios, before each of them, and behind the last.
    Machine(Machine),
    /// A scenario begins.
    ScenarioStart {
        /// Which.
        name: Name,
    },
    /// A step begins. If it is the last record, this is where the run hung.
    StepStart {
        /// Of which scenario.
        scenario: Name,
        /// Which.
        step: Name,
    },
    /// A long scenario got further.
    Progress {
        /// Which.
        scenario: Name,
        /// Iterations done.
        done: u32,
        /// Iterations to do.
        total: u32,
    },
    /// A rung of the bring-up ladder, or a part of another scenario, is done.
    Step(Step),
    /// Part of a histogram.
    Latency(Latency),
    /// A scenario is done.
    ScenarioEnd(ScenarioEnd),
    /// Last of a run.
    End {
        /// The gravest verdict.
        verdict: Verdict,
        /// Records sent before this one, so that a lost one is noticed.
        records: u16,
    },
    /// What property tags say beyond [`Record::Board`] and [`Record::Clocks`].
    Facts(Facts),
    /// What the firmware answered to a command.
    Text(Text),
    /// In place of [`Record::Start`]: the board was reset, and the run goes on.
    Resumed(Resumed),
    /// A scenario that ended before the reset; one record each, behind [`Record::Planned`].
    Before {
        /// Which.
        name: Name,
        /// How it ended.
        verdict: Verdict,
    },
    /// Raw samples of a step, or a part of them.
    Samples(Samples),
}

/// First record of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Start {
    /// Git hash of the image.
    pub git: String<48>,
    /// Cargo profile of the image.
    pub profile: String<16>,
    /// Iterations asked for.
    pub iterations: u32,
    /// Seed asked for.
    pub seed: u64,
    /// True if nothing was asked for and these are the documented defaults.
    pub defaults: bool,
    /// What else shapes the run.
    pub wishes: Wishes,
}

/// Wishes beside iterations and seed that change what a run does or when: runs of other ones cannot be compared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wishes {
    /// Milliseconds that no wait is longer than.
    pub timeout_ms: u32,
    /// Bytes of the blocks to lend, in turn; empty for each scenario's own.
    pub sizes: Sizes,
    /// Where the transaction ids of the SMEM clients start.
    pub first_transaction: u32,
    /// Microseconds before `boot-race` opens anything.
    pub delay_us: u32,
    /// Raw samples that are kept of each step. Sending them shifts how both processors meet.
    pub samples: u32,
}

impl Wishes {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        Self {
            timeout_ms: plan.timeout_ms,
            sizes: plan.sizes.clone(),
            first_transaction: plan.first_transaction,
            delay_us: plan.delay_us,
            samples: plan.samples,
        }
    }
}

impl Default for Wishes {
    fn default() -> Self {
        Self::of(&Plan::default())
    }
}

/// First record after a reset in the middle of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Resumed {
    /// As the run began.
    pub start: Start,
    /// Resets in this run so far.
    pub resets: u16,
    /// The scenario that made it necessary; empty if none was running.
    pub scenario: Name,
    /// Who reset the board.
    pub cause: ResetCause,
}

/// Who reset the board.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetCause {
    /// The watchdog, because the image made no progress any more.
    Watchdog,
    /// The image, to go on with firmware that answers.
    Image,
}

impl ResetCause {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watchdog => "watchdog",
            Self::Image => "image",
        }
    }
}

/// Which machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BoardFacts {
    /// `BCM2837` or `BCM2711`.
    pub soc: String<16>,
    /// Board revision code from the firmware; 0 if it did not say.
    pub revision: u32,
    /// MIDR_EL1.
    pub midr: u64,
    /// Exception level at entry.
    pub entry_el: u8,
    /// Arm memory in bytes as the firmware reports it; 0 if it did not say.
    pub arm_memory: u32,
    /// VideoCore memory in bytes; 0 if it did not say.
    pub vc_memory: u32,
}

/// Clocks at one time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clocks {
    /// Before or after the scenarios.
    pub when: When,
    /// Arm clock in Hz, measured by the firmware; 0 if it did not say.
    pub arm_hz: u32,
    /// Core (VPU) clock in Hz, measured by the firmware; 0 if it did not say.
    pub core_hz: u32,
    /// Rate of the constant counter (CNTFRQ) in Hz.
    pub counter_hz: u32,
    /// Cycles per second by our own count: the cycle counter against the constant counter.
    pub cycles_hz: u32,
    /// Cycles an empty bracket takes, already subtracted from every sample.
    pub bracket_cycles: u32,
    /// Temperature in millidegrees Celsius, if the firmware said.
    pub millidegrees: Option<u32>,
    /// Throttle word (tag 0x00030046), if the firmware said.
    pub throttled: Option<u32>,
}

/// When the firmware was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Before the scenarios.
    Before,
    /// After them.
    After,
}

/// By what a report is labelled. It is told again and again, so that damage to one line does not cost it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Which build of the image: the bytes of [`crate::banner::BuildId`].
    pub build: [u8; 8],
    /// What the core that runs it says it is.
    pub core: Core,
    /// Who answers on the other side.
    pub peer: Peer,
}

/// What an Arm core says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Core {
    /// A processor; also an emulated one that does not say so, such as QEMU's.
    Silicon,
    /// Emulated: its AIDR_EL1 is [`crate::board::EMULATED_AIDR`].
    Emulated,
}

/// Who answers on the other side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Property tag 0x00000001: a Unix time on real firmware; 0 if it did not say.
    pub revision: u32,
    /// Property tag 0x00000002, if answered.
    pub variant: Option<u32>,
    /// Property tag 0x00000003, the build's hash (20 bytes), if answered.
    pub hash: Option<[u32; 5]>,
}

impl Peer {
    /// Before anybody has asked it.
    pub const UNASKED: Self = Self { revision: 0, variant: None, hash: None };
}

/// A word that supports a verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// What it is: `slave.tx_pos`, `expected`, `found`.
    pub name: Name,
    /// Its value.
    pub value: u32,
}

/// Words of one kind, by name: `clock-rate` of every clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Which kind.
    pub topic: Name,
    /// The words.
    pub facts: Vec<Fact, MAX_EVIDENCE>,
}

/// An answer of the general command service, or a part of it. Bytes, because nothing makes the firmware send text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Text {
    /// Asked before or after the scenarios.
    pub when: When,
    /// The command: `get_mem reloc`.
    pub command: Name,
    /// Error code of the answer: 0 if the command was carried out.
    pub code: i32,
    /// Bytes of the whole text.
    pub size: u16,
    /// Where this part begins in it.
    pub offset: u16,
    /// This part.
    pub bytes: Vec<u8, TEXT_BYTES>,
}

/// A step's end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Of which scenario.
    pub scenario: Name,
    /// Which.
    pub step: Name,
    /// How it ended.
    pub verdict: Verdict,
    /// Who is to blame, unless it passed.
    pub owner: Option<Owner>,
    /// In words, unless it passed.
    pub reason: Option<Sentence>,
    /// Positions of both sides, raw words.
    pub evidence: Vec<Fact, MAX_EVIDENCE>,
}

/// Part of a histogram.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// Of which scenario.
    pub scenario: Name,
    /// Which step: `import`, `import.submit`, `sync-64.doorbell_to_irq` ….
    pub step: Name,
    /// Samples in the whole histogram.
    pub n: u32,
    /// Smallest, in cycles.
    pub min: u64,
    /// Largest, in cycles.
    pub max: u64,
    /// Samples too large for any bucket.
    pub overflow: u32,
    /// This part, counted from 0.
    pub part: u16,
    /// Number of parts.
    pub parts: u16,
    /// Buckets that are not empty: index (see [`crate::histogram`]) and count.
    pub buckets: Vec<(u16, u32), BUCKETS_PER_RECORD>,
}

/// Part of a step's raw samples.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Samples {
    /// Of which scenario.
    pub scenario: Name,
    /// Which step, as in [`Latency`].
    pub step: Name,
    /// Samples of this step that are sent in all.
    pub kept: u16,
    /// How many of them came in earlier parts.
    pub first: u16,
    /// This part, in the order they were taken, in cycles; `u32::MAX` for what does not fit.
    pub cycles: Vec<u32, SAMPLES_PER_RECORD>,
}

/// A scenario's end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScenarioEnd {
    /// Which.
    pub name: Name,
    /// How it ended.
    pub verdict: Verdict,
    /// Who is to blame, unless it passed.
    pub owner: Option<Owner>,
    /// In words, unless it passed.
    pub reason: Option<Sentence>,
    /// How often what happened: `iterations`, `imports`, `released`.
    pub counts: Vec<Fact, MAX_COUNTS>,
    /// Microseconds on the constant counter, from the begin to the verdict. Not known of one that a reset has cut off.
    pub took_us: Option<u64>,
}
