//! What to run, read from the card's `cmdline.txt`.
//!
//! The firmware of a real board puts its own words before those of the file (`coherent_pool=1M …`), so ours carry
//! the prefix `harness.`: a word without it is somebody else's and ignored, a word with it must be right.
//!
//! | word | values | default |
//! |---|---|---|
//! | `harness.scenario=` | names of scenarios or groups with commas, in the order to run; `all` stands for every one | `basics` |
//! | `harness.iterations=` | 1 … 100000000 | 1000 |
//! | `harness.seed=` | 0 … 2^64-1 | 1 |
//! | `harness.end=` | `halt` (power down) or `wait` (stay, for a debugger) | `halt` |
//! | `harness.limit_s=` | 1 … 86400: the whole run ends after so many seconds | 600 |
//! | `harness.timeout_ms=` | 1 … 10000: no wait for VideoCore is longer | 10000 |
//! | `harness.sizes=` | bytes of the blocks to lend, with commas, in turn: up to 16 multiples of 64 up to 4194304 | the scenario's own |
//! | `harness.first_transaction=` | 1 … 2147483647: where the transaction ids of a scenario's SMEM client start | 1 |
//! | `harness.delay_us=` | 0 … 10000000: how long `boot-race` waits before its first OPEN | 0 |
//! | `harness.samples=` | 0 … 2048: so many raw samples of each timed step are kept and sent after the scenario | 0 |

use core::fmt;

use heapless::Vec;

use crate::{
    board::LARGEST_BLOCK_BYTES,
    raw_samples::MAX_RAW_SAMPLES,
    scenario::{ALL, Group, Kind},
};

/// Prefix of our words.
pub const PREFIX: &str = "harness.";
/// Scenarios one run can hold: each once.
pub const MAX_SCENARIOS: usize = Kind::ALL.len();
/// Sizes of blocks that a plan can name.
pub const MAX_SIZES: usize = 16;
/// The largest transaction id (VCSM fact sheet 4): the top bit marks what firmware sends unasked.
pub const LAST_TRANSACTION: u32 = 0x7fff_ffff;

const MAX_ITERATIONS: u64 = 100_000_000;
const MAX_LIMIT_S: u64 = 86_400;
/// Longer than any wait.
const MAX_TIMEOUT_MS: u64 = 10_000;
const MAX_DELAY_US: u64 = 10_000_000;
/// Blocks are counted in cache lines.
const SIZE_STEP: u64 = 64;

/// Bytes of blocks to lend.
pub type Sizes = Vec<u32, MAX_SIZES>;

/// What the image does after the last record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum AtEnd {
    /// Powers the board down.
    #[default]
    Halt,
    /// Stays in a sleep loop.
    Wait,
}

impl AtEnd {
    /// As the command line spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Halt => "halt",
            Self::Wait => "wait",
        }
    }
}

/// What to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// In the order to run, none twice.
    pub scenarios: Vec<Kind, MAX_SCENARIOS>,
    /// Pings a size, handshakes in all.
    pub iterations: u32,
    /// Of the patterns and of the order of sizes.
    pub seed: u64,
    /// What the image does after the last record.
    pub at_end: AtEnd,
    /// The whole run ends after so many seconds.
    pub limit_s: u32,
    /// No wait for VideoCore is longer than so many milliseconds; each wait has a limit of its own too.
    pub timeout_ms: u32,
    /// Bytes of the blocks to lend, in turn; none means the scenario's own.
    pub sizes: Sizes,
    /// Where the transaction ids of a scenario's SMEM client start.
    pub first_transaction: u32,
    /// Microseconds that `boot-race` waits before its first OPEN.
    pub delay_us: u32,
    /// Raw samples of each timed step to keep: its first ones.
    pub samples: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            scenarios: Kind::named(Group::Basics.name()).collect(),
            iterations: 1000,
            seed: 1,
            at_end: AtEnd::Halt,
            limit_s: 600,
            timeout_ms: MAX_TIMEOUT_MS as u32,
            sizes: Vec::new(),
            first_transaction: 1,
            delay_us: 0,
            samples: 0,
        }
    }
}

/// A word of ours that is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadWord {
    /// Byte offset in the command line, counted from 0, of the part that is wrong.
    pub position: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Problem {
    /// No such key under `harness.`.
    UnknownKey,
    /// The key has no `=`.
    NoValue,
    /// The key was given before.
    GivenTwice,
    /// No such scenario.
    UnknownScenario,
    /// A scenario is named twice.
    ScenarioTwice,
    /// Not a decimal number in the key's range.
    NotInRange {
        /// Smallest allowed.
        least: u64,
        /// Largest allowed.
        most: u64,
    },
    /// Neither `halt` nor `wait`.
    NeitherHaltNorWait,
    /// Not a number of bytes that a block can have.
    NotASize,
    /// More than [`MAX_SIZES`].
    TooManySizes,
}

impl fmt::Display for BadWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cmdline.txt, byte {}: {}", self.position, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey => f.write_str("unknown key under harness."),
            Self::NoValue => f.write_str("key without =value"),
            Self::GivenTwice => f.write_str("key given twice"),
            Self::UnknownScenario => f.write_str("unknown scenario"),
            Self::ScenarioTwice => f.write_str("scenario named twice"),
            Self::NotInRange { least, most } => write!(f, "want a number from {least} to {most}"),
            Self::NeitherHaltNorWait => f.write_str("want halt or wait"),
            Self::NotASize => {
                write!(f, "want bytes of a block: a multiple of {SIZE_STEP} up to {LARGEST_BLOCK_BYTES}")
            }
            Self::TooManySizes => write!(f, "at most {MAX_SIZES} sizes"),
        }
    }
}

impl core::error::Error for BadWord {}

/// A parsed command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// What to run.
    pub plan: Plan,
    /// No word was ours, so the plan is the default one.
    pub defaults: bool,
}

/// Which keys were seen.
#[derive(Default)]
struct Seen {
    scenario: bool,
    iterations: bool,
    seed: bool,
    end: bool,
    limit: bool,
    timeout: bool,
    sizes: bool,
    first_transaction: bool,
    delay: bool,
    samples: bool,
}

impl Plan {
    /// Reads a command line; it ends at the first NUL.
    ///
    /// # Errors
    /// [`BadWord`] with the place of the first word of ours that is wrong; nothing is guessed.
    pub fn parse(command_line: &[u8]) -> Result<Parsed, BadWord> {
        let end = command_line.iter().position(|byte| *byte == 0).unwrap_or(command_line.len());
        let mut plan = Self::default();
        let mut seen = Seen::default();
        let mut defaults = true;
        for (position, word) in words(&command_line[..end]) {
            let Some(ours) = word.strip_prefix(PREFIX.as_bytes()) else { continue };
            defaults = false;
            plan.apply(position + PREFIX.len(), ours, &mut seen)?;
        }
        Ok(Parsed { plan, defaults })
    }

    fn apply(&mut self, position: usize, word: &[u8], seen: &mut Seen) -> Result<(), BadWord> {
        let wrong = |problem| BadWord { position, problem };
        let equals = word.iter().position(|byte| *byte == b'=').ok_or(wrong(Problem::NoValue))?;
        let (key, value) = (&word[..equals], &word[equals + 1..]);
        let at = position + equals + 1;
        let flag = match key {
            b"scenario" => &mut seen.scenario,
            b"iterations" => &mut seen.iterations,
            b"seed" => &mut seen.seed,
            b"end" => &mut seen.end,
            b"limit_s" => &mut seen.limit,
            b"timeout_ms" => &mut seen.timeout,
            b"sizes" => &mut seen.sizes,
            b"first_transaction" => &mut seen.first_transaction,
            b"delay_us" => &mut seen.delay,
            b"samples" => &mut seen.samples,
            _ => return Err(wrong(Problem::UnknownKey)),
        };
        if core::mem::replace(flag, true) {
            return Err(wrong(Problem::GivenTwice));
        }
        match key {
            b"scenario" => self.scenarios = scenarios(at, value)?,
            b"iterations" => self.iterations = number(at, value, 1, MAX_ITERATIONS)? as u32,
            b"seed" => self.seed = number(at, value, 0, u64::MAX)?,
            b"limit_s" => self.limit_s = number(at, value, 1, MAX_LIMIT_S)? as u32,
            b"timeout_ms" => self.timeout_ms = number(at, value, 1, MAX_TIMEOUT_MS)? as u32,
            b"sizes" => self.sizes = sizes(at, value)?,
            b"first_transaction" => {
                self.first_transaction = number(at, value, 1, u64::from(LAST_TRANSACTION))? as u32;
            }
            b"delay_us" => self.delay_us = number(at, value, 0, MAX_DELAY_US)? as u32,
            b"samples" => self.samples = number(at, value, 0, MAX_RAW_SAMPLES as u64)? as u32,
            _ => self.at_end = at_end(at, value)?,
        }
        Ok(())
    }

    /// Bytes of the block of a round, if the plan names any: each size in turn, from the place that the seed chooses.
    pub fn size_in_turn(&self, round: u32) -> Option<usize> {
        let count = self.sizes.len() as u64;
        let place = (self.seed % count.max(1) + u64::from(round)).checked_rem(count)?;
        self.sizes.get(place as usize).map(|size| *size as usize)
    }
}

/// The words that [`Plan::parse`] reads back as the same plan.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}scenario=")?;
        if self.scenarios == Kind::ALL {
            f.write_str(ALL)?;
        } else {
            for (i, kind) in self.scenarios.iter().enumerate() {
                let comma = if i == 0 { "" } else { "," };
                write!(f, "{comma}{}", kind.name())?;
            }
        }
        write!(f, " {PREFIX}iterations={} {PREFIX}seed={}", self.iterations, self.seed)?;
        write!(f, " {PREFIX}end={} {PREFIX}limit_s={}", self.at_end.name(), self.limit_s)?;
        if u64::from(self.timeout_ms) != MAX_TIMEOUT_MS {
            write!(f, " {PREFIX}timeout_ms={}", self.timeout_ms)?;
        }
        for (i, size) in self.sizes.iter().enumerate() {
            if i == 0 {
                write!(f, " {PREFIX}sizes={size}")?;
            } else {
                write!(f, ",{size}")?;
            }
        }
        if self.first_transaction != 1 {
            write!(f, " {PREFIX}first_transaction={}", self.first_transaction)?;
        }
        if self.delay_us != 0 {
            write!(f, " {PREFIX}delay_us={}", self.delay_us)?;
        }
        if self.samples != 0 {
            write!(f, " {PREFIX}samples={}", self.samples)?;
        }
        Ok(())
    }
}

/// Words between spaces, with their offsets.
fn words(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut offset = 0;
    text.split(u8::is_ascii_whitespace).filter_map(move |word| {
        let position = offset;
        offset += word.len() + 1;
        (!word.is_empty()).then_some((position, word))
    })
}

fn scenarios(position: usize, value: &[u8]) -> Result<Vec<Kind, MAX_SCENARIOS>, BadWord> {
    let mut out = Vec::new();
    let mut at = position;
    for name in value.split(|byte| *byte == b',') {
        let wrong = |problem| BadWord { position: at, problem };
        let name = core::str::from_utf8(name).map_err(|_| wrong(Problem::UnknownScenario))?;
        let mut named = Kind::named(name).peekable();
        named.peek().ok_or(wrong(Problem::UnknownScenario))?;
        for kind in named {
            // Full only when one is named twice: there are as many places as scenarios.
            if out.contains(&kind) || out.push(kind).is_err() {
                return Err(wrong(Problem::ScenarioTwice));
            }
        }
        at += name.len() + 1;
    }
    Ok(out)
}

/// Sizes as `harness.sizes=` takes them, with commas.
///
/// # Errors
/// [`Problem::NotASize`], [`Problem::TooManySizes`].
pub fn block_sizes(text: &str) -> Result<Sizes, Problem> {
    sizes(0, text.as_bytes()).map_err(|bad| bad.problem)
}

fn sizes(position: usize, value: &[u8]) -> Result<Sizes, BadWord> {
    let mut out = Vec::new();
    let mut at = position;
    for text in value.split(|byte| *byte == b',') {
        let wrong = |problem| BadWord { position: at, problem };
        let size = number(at, text, SIZE_STEP, LARGEST_BLOCK_BYTES as u64);
        let size = size.ok().filter(|size| size.is_multiple_of(SIZE_STEP)).ok_or(wrong(Problem::NotASize))?;
        out.push(size as u32).map_err(|_| wrong(Problem::TooManySizes))?;
        at += text.len() + 1;
    }
    Ok(out)
}

fn number(position: usize, value: &[u8], least: u64, most: u64) -> Result<u64, BadWord> {
    let wrong = BadWord { position, problem: Problem::NotInRange { least, most } };
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(wrong);
    }
    let number =
        value.iter().try_fold(0u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    number.filter(|number| (least..=most).contains(number)).ok_or(wrong)
}

fn at_end(position: usize, value: &[u8]) -> Result<AtEnd, BadWord> {
    match value {
        b"halt" => Ok(AtEnd::Halt),
        b"wait" => Ok(AtEnd::Wait),
        _ => Err(BadWord { position, problem: Problem::NeitherHaltNorWait }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        Plan::parse(text.as_bytes()).expect("a good command line").plan
    }

    fn problem(text: &str) -> (usize, Problem) {
        let bad = Plan::parse(text.as_bytes()).expect_err("a bad command line");
        (bad.position, bad.problem)
    }

    #[test]
    fn no_word_of_ours_means_the_defaults() {
        for text in ["", "  \n", "coherent_pool=1M console=ttyAMA0,115200 root=/dev/mmcblk0p2\n"] {
            let parsed = Plan::parse(text.as_bytes()).expect("good");
            assert_eq!(parsed, Parsed { plan: Plan::default(), defaults: true });
        }
    }

    #[test]
    fn words_of_ours_are_found_among_the_firmware_s() {
        let plan = plan(
            "coherent_pool=1M harness.scenario=handshake,bring-up vc_mem.mem_base=0x3ec00000 harness.iterations=20 harness.seed=18446744073709551615 harness.end=wait harness.limit_s=5\n",
        );
        assert_eq!(plan.scenarios, [Kind::Handshake, Kind::BringUp]);
        assert_eq!((plan.iterations, plan.seed), (20, u64::MAX));
        assert_eq!((plan.at_end, plan.limit_s), (AtEnd::Wait, 5));
    }

    #[test]
    fn a_plan_survives_being_written_and_read() {
        let mut plan =
            Plan { iterations: 7, seed: 99, at_end: AtEnd::Wait, timeout_ms: 50, ..Plan::default() };
        plan.scenarios.truncate(2);
        plan.sizes = [64, 4_194_304].into_iter().collect();
        (plan.first_transaction, plan.delay_us) = (LAST_TRANSACTION, 10_000_000);
        plan.samples = MAX_RAW_SAMPLES as u32;
        for scenarios in [plan.scenarios.clone(), Kind::ALL.iter().copied().collect()] {
            plan.scenarios = scenarios;
            let parsed = Parsed { plan: plan.clone(), defaults: false };
            assert_eq!(Plan::parse(plan.to_string().as_bytes()), Ok(parsed));
        }
    }

    #[test]
    fn the_text_ends_at_the_first_nul() {
        assert_eq!(plan("harness.seed=4\0harness.nonsense"), Plan { seed: 4, ..Plan::default() });
    }

    #[test]
    fn a_group_stands_for_its_scenarios_and_all_for_every_one() {
        assert_eq!(plan("harness.scenario=basics").scenarios, Plan::default().scenarios);
        assert_eq!(
            plan("harness.scenario=transport,echo").scenarios,
            Kind::named("transport").chain([Kind::Echo]).collect::<Vec<_, MAX_SCENARIOS>>()
        );
        assert_eq!(plan("harness.scenario=all").scenarios, Kind::ALL);
    }

    #[test]
    fn blocks_have_the_sizes_of_the_plan_in_turn() {
        let plan = plan("harness.sizes=4096,64,4194304 harness.seed=1");
        let sizes: Vec<usize, 4> = (0..4).filter_map(|round| plan.size_in_turn(round)).collect();
        assert_eq!(sizes, [64, 4_194_304, 4096, 64]);
        assert_eq!(Plan::default().size_in_turn(0), None);
        let last = Plan { seed: u64::MAX, ..plan };
        assert!(last.size_in_turn(u32::MAX).is_some());
    }

    #[test]
    fn a_bad_size_is_reported_where_it_is() {
        let sixteen = "64,".repeat(MAX_SIZES - 1) + "64";
        assert_eq!(plan(&format!("harness.sizes={sixteen}")).sizes.len(), MAX_SIZES);
        assert_eq!(problem(&format!("harness.sizes={sixteen},64")), (14 + 48, Problem::TooManySizes));
        for (text, at) in [
            ("harness.sizes=", 14),
            ("harness.sizes=0", 14),
            ("harness.sizes=4096,100", 19),
            ("harness.sizes=4096,,64", 19),
            ("quiet harness.sizes=64,4194368", 23),
            ("harness.sizes=64,", 17),
            ("harness.sizes=4k", 14),
        ] {
            assert_eq!(problem(text), (at, Problem::NotASize), "{text}");
        }
        assert_eq!(problem("harness.sizes=64 harness.sizes=64"), (25, Problem::GivenTwice));
    }

    #[test]
    fn a_bad_word_is_reported_where_it_is() {
        let iterations = Problem::NotInRange { least: 1, most: MAX_ITERATIONS };
        assert_eq!(problem("harness.iterations=0"), (19, iterations));
        assert_eq!(problem("quiet harness.iterations=many"), (25, iterations));
        assert_eq!(problem("harness.iterations="), (19, iterations));
        assert_eq!(problem("harness.iterations=99999999999999999999999"), (19, iterations));
        assert_eq!(problem("harness.iteration=5"), (8, Problem::UnknownKey));
        assert_eq!(problem("harness.seed"), (8, Problem::NoValue));
        assert_eq!(problem("harness.seed=1 harness.seed=1"), (23, Problem::GivenTwice));
        assert_eq!(problem("harness.scenario=bring-up,ehco"), (26, Problem::UnknownScenario));
        assert_eq!(problem("harness.scenario=echo,echo"), (22, Problem::ScenarioTwice));
        assert_eq!(problem("harness.scenario=echo,basics"), (22, Problem::ScenarioTwice));
        assert_eq!(problem("harness.scenario="), (17, Problem::UnknownScenario));
        let timeout = Problem::NotInRange { least: 1, most: MAX_TIMEOUT_MS };
        assert_eq!(problem("harness.timeout_ms=0"), (19, timeout));
        let first = Problem::NotInRange { least: 1, most: LAST_TRANSACTION.into() };
        assert_eq!(problem("harness.first_transaction=0"), (26, first));
        assert_eq!(problem("harness.first_transaction=2147483648"), (26, first));
        let delay = Problem::NotInRange { least: 0, most: MAX_DELAY_US };
        assert_eq!(problem("harness.delay_us=10000001"), (17, delay));
        assert_eq!(problem("harness.delay_us=1ms"), (17, delay));
        let samples = Problem::NotInRange { least: 0, most: MAX_RAW_SAMPLES as u64 };
        assert_eq!(problem("harness.samples=2049"), (16, samples));
        assert_eq!(problem("harness.samples=-1"), (16, samples));
        assert_eq!(problem("harness.samples=1 harness.samples=1"), (26, Problem::GivenTwice));
        assert_eq!(problem("harness.end=reboot"), (12, Problem::NeitherHaltNorWait));
    }
}
