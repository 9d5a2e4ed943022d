//! What a soak has done so far, kept in a file after each leg.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use harness::plan::LAST_TRANSACTION;
use harness::report::ScenarioReport;
use harness::scenario::Kind;
use serde::{Deserialize, Serialize};

use crate::report;
use crate::run::{Done, Subject};

/// Number of the layout of [`State`].
const SCHEMA: u32 = 1;

/// What must not change from leg to leg.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// What is booted.
    #[serde(flatten)]
    pub subject: Subject,
    /// Seed of the first leg; each has the next one.
    pub seed: u64,
    /// Bytes of the blocks; none means the scenario's own.
    pub sizes: Vec<u32>,
    /// The first transaction id.
    pub first_transaction: u32,
}

impl Terms {
    /// The first thing in which they differ, in words.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let (was, is) = (&self.subject, &other.subject);
        let pairs = [
            ("image (commit)", was.git.clone(), is.git.clone()),
            ("image (SHA-256)", was.image_sha256.clone(), is.image_sha256.clone()),
            ("firmware release", was.firmware.clone(), is.firmware.clone()),
            ("firmware variant", was.variant.clone(), is.variant.clone()),
            ("firmware file (SHA-256)", was.firmware_sha256.clone(), is.firmware_sha256.clone()),
            ("board", was.board.clone(), is.board.clone()),
            ("seed", self.seed.to_string(), other.seed.to_string()),
            ("sizes", format!("{:?}", self.sizes), format!("{:?}", other.sizes)),
            ("first transaction", self.first_transaction.to_string(), other.first_transaction.to_string()),
        ];
        pairs
            .into_iter()
            .find(|(_, was, is)| was != is)
            .map(|(what, was, is)| format!("{what}: {was}, now {is}"))
    }
}

/// One boot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leg {
    /// Counted from 1.
    pub number: u32,
    /// Its seed.
    pub seed: u64,
    /// Blocks to lend and free in it, beside the one that stays.
    pub transactions: u32,
    /// IMPORTs sent.
    pub imports: u32,
    /// RELEASED that gave a block back.
    pub released: u32,
    /// Messages against the protocol.
    pub violations: u32,
    /// Messages received.
    pub messages: u32,
    /// Its first transaction id.
    pub first_transaction: u32,
    /// The one that its next request would have had.
    pub next_transaction: u32,
    /// Resets of the board.
    #[serde(default)]
    pub resets: u32,
    /// Time in the machine (modelled).
    pub emulated_ms: u64,
    /// Time on the PC.
    pub wall_ms: u64,
    /// Instructions of all Arm cores.
    pub arm_instructions: u64,
    /// Instructions of both VPU cores.
    pub vpu_instructions: u64,
    /// Why it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Leg {
    /// What a boot came to.
    pub fn of(number: u32, seed: u64, transactions: u32, done: &Done) -> Self {
        let scenario = done.report.scenarios.iter().find(|scenario| scenario.name == Kind::Soak.name());
        let count =
            |name: &str| scenario.and_then(|scenario| scenario.counts.get(name)).copied().unwrap_or(0);
        let resets = done.report.resets.len() as u32;
        let failure = match (done.passed(), resets) {
            (true, 0) => None,
            (true, _) => Some("every verdict is pass, but the board was reset".to_owned()),
            (false, _) => Some(describe(scenario, done)),
        };
        let milliseconds = |nanoseconds: u64| nanoseconds / 1_000_000;
        Self {
            number,
            seed,
            transactions,
            imports: count("imports"),
            released: count("released"),
            violations: count("violations"),
            messages: count("messages_received"),
            first_transaction: count("first_transaction"),
            next_transaction: count("next_transaction"),
            resets,
            emulated_ms: milliseconds(done.summary.now_ns),
            wall_ms: done.wall.as_millis() as u64,
            arm_instructions: done.summary.counters.arm_instructions,
            vpu_instructions: done.summary.counters.vpu_instructions,
            failure,
        }
    }

    /// Transaction ids that it used.
    pub fn ids(&self) -> u64 {
        let (first, next) = (u64::from(self.first_transaction), u64::from(self.next_transaction));
        if next >= first { next - first } else { next + u64::from(LAST_TRANSACTION) - first }
    }
}

fn describe(scenario: Option<&ScenarioReport>, done: &Done) -> String {
    let failed = scenario.or(done.report.scenarios.first());
    let Some(ScenarioReport { verdict, owner, reason, .. }) = failed else {
        return "the run has no scenario".to_owned();
    };
    let owner = owner.map_or(String::new(), |owner| format!(" ({})", owner.name()));
    format!("{}{owner}: {}", verdict.name(), reason.as_deref().unwrap_or_default())
}

/// All legs that passed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    schema: u32,
    /// What they have in common.
    pub terms: Terms,
    /// In order.
    pub legs: Vec<Leg>,
}

impl State {
    /// Nothing done yet.
    pub fn new(terms: Terms) -> Self {
        Self { schema: SCHEMA, terms, legs: Vec::new() }
    }

    /// The state that a folder holds, if it does.
    ///
    /// # Errors
    /// If the file is no state.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let path = path(folder);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let wrong = || format!("{} is no state of a soak; --fresh begins anew", path.display());
        let state: Self = serde_json::from_str(&text).with_context(wrong)?;
        ensure!(state.schema == SCHEMA, "{}: schema {}", wrong(), state.schema);
        Ok(Some(state))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        report::write_json(self, &path(folder))
    }

    /// Blocks lent and freed, the ones that stay left out.
    pub fn done(&self) -> u64 {
        self.legs.iter().map(|leg| u64::from(leg.transactions)).sum()
    }

    /// The transaction id with which the next leg goes on.
    pub fn next_transaction(&self) -> u32 {
        self.legs.last().map_or(self.terms.first_transaction, |leg| leg.next_transaction)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn terms() -> Terms {
        let subject = Subject {
            git: "aa".into(),
            image_sha256: "bb".into(),
            firmware: "1.2022".into(),
            variant: "start".into(),
            firmware_sha256: "cc".into(),
            board: "3b".into(),
        };
        Terms { subject, seed: 1, sizes: vec![], first_transaction: 1 }
    }

    pub fn leg(number: u32, first_transaction: u32, next_transaction: u32) -> Leg {
        Leg {
            number,
            seed: u64::from(number),
            transactions: 1000,
            imports: 1001,
            released: 1001,
            violations: 0,
            messages: 2003,
            first_transaction,
            next_transaction,
            resets: 0,
            emulated_ms: 1500,
            wall_ms: 2500,
            arm_instructions: 30,
            vpu_instructions: 7,
            failure: None,
        }
    }

    #[test]
    fn a_state_survives_being_kept_and_the_next_leg_goes_on_with_its_ids() {
        let folder = std::env::temp_dir().join(format!("soak-{}", std::process::id()));
        assert_eq!(State::load(&folder).expect("no state is no error"), None);
        let mut state = State::new(Terms { first_transaction: 5, ..terms() });
        assert_eq!((state.done(), state.next_transaction()), (0, 5));
        state.legs = vec![leg(1, 5, 2008), leg(2, 2008, 4011)];
        state.save(&folder).expect("writable");
        assert_eq!(State::load(&folder).expect("readable"), Some(state.clone()));
        assert_eq!((state.done(), state.next_transaction()), (2000, 4011));
        fs::write(path(&folder), "{}").expect("writable");
        assert!(format!("{:#}", State::load(&folder).unwrap_err()).contains("--fresh"));
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn ids_are_counted_over_their_end() {
        assert_eq!(leg(1, 1, 2004).ids(), 2003);
        // The last id, then 1.
        assert_eq!(leg(1, LAST_TRANSACTION, 2).ids(), 2);
    }

    #[test]
    fn other_terms_are_told_by_what_differs() {
        assert_eq!(terms().difference(&terms()), None);
        let mut other = terms();
        other.subject.firmware_sha256 = "dd".into();
        assert_eq!(terms().difference(&other).unwrap(), "firmware file (SHA-256): cc, now dd");
        let other = Terms { sizes: vec![64], ..terms() };
        assert_eq!(terms().difference(&other).unwrap(), "sizes: [], now [64]");
    }
}
