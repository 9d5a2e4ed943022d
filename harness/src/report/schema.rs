//! The report, schema 1. Numbers are integers; the unit is in the name or beside it.

use std::{collections::BTreeMap, fmt::Write};

use serde::{Deserialize, Serialize};

use super::firmware::{Firmware, Memory, Temperature, Throttled};
use crate::{
    histogram::{Histogram, lower_bound},
    record::{ResetCause, Start, Wishes},
    verdict::{Owner, Verdict},
};

/// Number of this schema.
pub const SCHEMA: u32 = 1;

/// One run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What ran on the Arm.
    pub image: Image,
    /// Where.
    pub board: Board,
    /// On which rung, as far as it was told.
    pub rung: Rung,
    /// Whether times come from a board or from a cost model, as far as it was told.
    pub timing: Timing,
    /// Clocks before the scenarios.
    pub clocks: Clocks,
    /// What ran on VideoCore.
    pub peer: Peer,
    /// What it says of itself, if it answers commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Firmware>,
    /// Memory, if the firmware said anything about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Throttling, if the firmware said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<Throttled>,
    /// Temperature, if the firmware said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// What was asked for, if the image told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Asked>,
    /// When the run began, UTC, `2026-11-23T17:00:00Z`.
    pub started: String,
    /// How long it took, in seconds of the PC's clock.
    pub wall_s: u64,
    /// Resets of the board in mid-run, in order; the run went on after each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resets: Vec<Reset>,
    /// In the order they ran; one that was asked for and not reached is here as `skip`.
    pub scenarios: Vec<ScenarioReport>,
    /// What a reader should know before trusting the figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Of a run without a last record: the last lines of both logs, where each processor stood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_words: Vec<String>,
}

impl Report {
    /// The gravest verdict; `fail` for a run without scenarios.
    pub fn verdict(&self) -> Verdict {
        self.scenarios.iter().map(|scenario| scenario.verdict).reduce(Verdict::and).unwrap_or(Verdict::Fail)
    }
}

/// What decides, beside image and firmware, what a run does: runs of other wishes cannot be compared.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Asked {
    /// Pings of each size, and handshakes.
    pub iterations: u32,
    /// Patterns, order of sizes, and how emulated processors interleave.
    pub seed: u64,
    /// Milliseconds that no wait is longer than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// Bytes of the blocks to lend, in turn; empty for each scenario's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Vec<u32>>,
    /// Where the transaction ids of the SMEM clients start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_transaction: Option<u32>,
    /// Microseconds before `boot-race` opens anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_us: Option<u32>,
    /// Raw samples that are kept of each step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u32>,
}

impl Asked {
    /// What the first record tells.
    pub(super) fn of(start: &Start) -> Self {
        let Wishes { timeout_ms, sizes, first_transaction, delay_us, samples } = &start.wishes;
        Self {
            iterations: start.iterations,
            seed: start.seed,
            timeout_ms: Some(*timeout_ms),
            sizes: Some(sizes.to_vec()),
            first_transaction: Some(*first_transaction),
            delay_us: Some(*delay_us),
            samples: Some(*samples),
        }
    }
}

/// A reset of the board in mid-run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reset {
    /// The scenario that made it necessary; empty if none was running.
    pub scenario: String,
    /// Who reset the board.
    pub cause: ResetCause,
}

/// What ran on the Arm.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Image {
    /// Git hash it was built from.
    pub git: String,
    /// SHA-256 of `kernel8.img`, hex; empty on the native rung, which has none.
    pub sha256: String,
    /// Cargo profile.
    pub profile: String,
}

/// Where it ran.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Board {
    /// `BCM2837`, `BCM2711`.
    pub soc: String,
    /// `3B`, `Zero 2 W` ….
    pub model: String,
    /// Revision code, hex without prefix as people quote it.
    pub revision: String,
    /// Mask of the DMA channels that the Arm may use, if the firmware said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dma_channels: Option<u32>,
}

/// The four rungs, QEMU as a second opinion on the Arm side, and a line on which none of them was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// Drivers on the PC, VideoCore in the emulator.
    Native,
    /// Both in the emulator.
    Emulated,
    /// A board.
    Board,
    /// The image in QEMU, which has no VideoCore.
    Qemu,
    /// Nobody said, or two things were said.
    Unknown,
}

impl Rung {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Emulated => "emulated",
            Self::Board => "board",
            Self::Qemu => "qemu",
            Self::Unknown => "unknown",
        }
    }
}

/// Where times come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Timing {
    /// A board's counters.
    Measured,
    /// The emulator's cost model.
    Modelled,
    /// One of the two; nobody said which.
    Unknown,
}

impl Timing {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Modelled => "modelled",
            Self::Unknown => "unknown",
        }
    }
}

/// Clock rates.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Clocks {
    /// Arm clock in Hz as the firmware measured it before the scenarios; 0 if nobody said.
    pub arm_hz: u32,
    /// Core (VPU) clock in Hz, likewise.
    pub core_hz: u32,
    /// Arm clock in Hz after the scenarios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm_after_hz: Option<u32>,
    /// Core clock in Hz after the scenarios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_after_hz: Option<u32>,
    /// Rate of the constant counter in Hz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter_hz: Option<u32>,
    /// Rate of the cycle counter in Hz by our own count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles_hz: Option<u32>,
    /// Cycles an empty bracket takes, subtracted from every sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bracket_cycles: Option<u32>,
    /// Every clock that the firmware knows, by the name in `measure_clock`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, ClockSetting>,
}

/// What a clock is set to, and may be set to, in Hz.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClockSetting {
    /// What it is set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_hz: Option<u32>,
    /// The lowest it may be set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_hz: Option<u32>,
    /// The highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_hz: Option<u32>,
}

/// What answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeerKind {
    /// VideoCore firmware.
    Firmware,
    /// The model that misbehaves on command.
    Model,
    /// Nobody.
    Absent,
}

impl PeerKind {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firmware => "firmware",
            Self::Model => "model",
            Self::Absent => "absent",
        }
    }
}

/// What ran on VideoCore, by its own account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// What kind.
    pub kind: PeerKind,
    /// Firmware revision (property tag 0x00000001): Unix seconds of the build; 0 if not said.
    pub revision: u32,
    /// Hash of the build, hex (tag 0x00000003); empty if not said.
    pub build_id: String,
    /// Day of the build, from the revision; empty if not said.
    pub date: String,
    /// `start`, `start_x`, `start_db`, `start_cd` (tag 0x00000002); `unknown` if not said.
    pub variant: String,
}

/// One scenario.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// Which.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Who is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// In words: the step, what happened, the words that prove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to look at next, unless it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Microseconds from its begin to its verdict, measured or modelled as the report's `timing` says, if the image told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// How often what happened.
    pub counts: BTreeMap<String, u32>,
    /// Times by step.
    pub latency: BTreeMap<String, Latency>,
    /// The first raw samples by step, in cycles, if the plan asked for them; `u32::MAX` stands for that or more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub samples: BTreeMap<String, Vec<u32>>,
    /// What both processors spent on it, where a machine counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<Counters>,
    /// Its steps in the order they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// Of one that failed or hung: the last lines of both logs before its end, as far as the PC has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// A step's end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepReport {
    /// Which.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Who is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The words that prove it, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<(String, u32)>,
}

impl StepReport {
    /// Why, and in brackets the words that prove it, in one line; empty for a step that passed.
    pub fn detail(&self) -> String {
        let mut out = self.reason.clone().unwrap_or_default();
        for (i, (name, value)) in self.evidence.iter().enumerate() {
            let _ = write!(out, "{}{name}={value:#x}", if i == 0 { " [" } else { ", " });
        }
        if !self.evidence.is_empty() {
            out.push(']');
        }
        out.trim_start().to_owned()
    }
}

/// Times of one step. Quantiles are 0 to 3.2 % above the exact ones and never above `max`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// `cycles` of the Arm core.
    pub unit: String,
    /// Number of samples.
    pub n: u32,
    /// Smallest.
    pub min: u64,
    /// Median.
    pub p50: u64,
    /// 90 of 100 are not above.
    pub p90: u64,
    /// 99 of 100 are not above.
    pub p99: u64,
    /// Largest, exact.
    pub max: u64,
    /// Buckets that are not empty: smallest value of the bucket, count. A bucket ends where 1/32 of its octave is
    /// over; samples past the last bucket are in `n` and `max` only.
    pub histogram: Vec<(u64, u32)>,
}

impl Latency {
    /// The figures of a histogram in cycles; `None` without samples.
    pub fn of(histogram: &Histogram) -> Option<Self> {
        let summary = histogram.summary();
        Some(Self {
            unit: "cycles".to_owned(),
            n: summary.n,
            min: summary.min,
            p50: histogram.quantile(500)?,
            p90: histogram.quantile(900)?,
            p99: histogram.quantile(990)?,
            max: summary.max,
            histogram: histogram
                .buckets()
                .map(|(bucket, count)| (lower_bound(usize::from(bucket)), count))
                .collect(),
        })
    }
}

/// What both processors spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Cycles of Arm core 0.
    pub arm_cycles: u64,
    /// Instructions of both VPU cores.
    pub vpu_instructions: u64,
}

impl Counters {
    /// What was spent since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            arm_cycles: self.arm_cycles.saturating_sub(earlier.arm_cycles),
            vpu_instructions: self.vpu_instructions.saturating_sub(earlier.vpu_instructions),
        }
    }
}
