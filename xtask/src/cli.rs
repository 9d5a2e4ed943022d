//! The command line: one verb a variant, a full sentence of help for each.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use emulator::board::Board;
use harness::plan::{LAST_TRANSACTION, Plan, Sizes};
use harness::raw_samples::MAX_RAW_SAMPLES;
use harness::scenario::{self, Group, Kind};

use crate::firmware::Variant;
use crate::{bisect, build, compare, completions, emulate, flash, monitor, report, sdcard};

/// Exercises the shared-memory handshake between an Arm and the VideoCore firmware.
///
/// Exit codes: 0 all passed; 1 the work was done and a verdict is not `pass`, or a suite failed, or `compare` found a
/// change or could not compare all; 2 the command line or the environment did not let the work be done; 130 Ctrl-C.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
pub struct Cli {
    /// Print each command exactly as it is run.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print the result as one JSON object on standard output, and nothing else there.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Seconds on the PC after which a run is ended.
const DEFAULT_TIMEOUT_S: u64 = 300;

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Builds the image and the SD card, boots the card on the emulated Pi with the real firmware, and reports.
    ///
    /// Shows progress, prints the verdicts and latencies as a table, writes the report, and exits with 0 if every
    /// verdict is `pass`.
    Run(RunOptions),
    /// Writes the SD card that `run` boots with the same options, byte for byte, as an image for a real card.
    ///
    /// With `--folder` the same files go into a folder instead: the mounted boot partition of a card that is in use
    /// already, or the root of a TFTP server. What is there and is not ours is kept.
    Sdcard(sdcard::Options),
    /// Writes the SD card to a card in a reader, after showing what is on it and asking, and reads it back.
    ///
    /// Without a disk it lists those that could be written. A disk that the system runs from, or that is in use, is
    /// refused whatever is typed.
    Flash(flash::Options),
    /// Powers an emulated board on and offers its serial line, raw, at a TCP port or as a pseudo-terminal.
    ///
    /// The card is that of `sdcard` with the same options, or `--card FILE`, which is read each time the power is switched
    /// on. What the board sends while nobody listens is lost, as on a real line. Ends with Ctrl-C.
    Emulate(emulate::Options),
    /// Switches a board of `emulate` on or off.
    Power(emulate::power::Options),
    /// Runs the suites that must pass before anything is accepted, and counts them.
    ///
    /// Installs the programs that a suite needs and does not find, if it may. The last line is `N passed, N failed`.
    Test(TestOptions),
    /// Lends and frees blocks millions of times on the emulated Pi, in legs that can be stopped and gone on with.
    ///
    /// Each leg is a boot of the card with the scenario `soak`; what has been done is kept after each. The same command
    /// goes on where the last one was stopped, and ends with one summary.
    Soak(SoakOptions),
    /// Boots the card many times over, opens its services after different delays, and reports each boot that failed.
    Boots(BootsOptions),
    /// Listens to a board's serial line, shows how its run gets on, and reports like `run`.
    ///
    /// Survives unplugging and resets, takes the ELF file that is the card's own, keeps the line's bytes, and ends with
    /// the run: exit code 0 if every verdict is `pass`, 130 after Ctrl-C.
    Monitor(monitor::Options),
    /// Tells what changed between two reports or two firmware releases: verdicts, counts, instructions, times.
    ///
    /// A release is run on the emulated Pi for it. Exit code 0 if nothing relevant changed; 1 if something did, for better or
    /// worse, or not all could be compared; 2 if the two cannot be compared; 130 after Ctrl-C.
    Compare(compare::Options),
    /// Finds the first release at hand with which a scenario no longer comes to `pass`.
    Bisect(bisect::Options),
    /// Measures the emulator's speed, the size of the image, and what a ping and a handshake cost.
    Bench(BenchOptions),
    /// Lists the scenarios: name, what a pass proves, who asked for it, and where it runs.
    Scenarios,
    /// Shows a report again, or makes a page, JUnit XML or other files from it.
    ///
    /// Without options it prints the tables that `run` printed. The verdict of the run is no matter here: exit code 0
    /// says that the report could be read and everything written.
    Report(report::Options),
    /// Builds the image: target/image/kernel8.img for the card, kernel8.elf beside it for the log decoder.
    Build(build::Options),
    /// Shows, fetches or adds releases of the VideoCore firmware, which are kept in a cache outside the tree.
    #[command(subcommand)]
    Firmware(FirmwareVerb),
    /// Prints a script with which a shell completes `cargo xtask VERB --option` at the Tab key.
    Completions(completions::Options),
}

/// What to do with firmware releases.
#[derive(Subcommand, Debug)]
pub enum FirmwareVerb {
    /// Lists the releases at hand with build date, build id, variants and the SHA-256 of each file.
    List,
    /// Fetches the distribution's `raspi-firmware` package from the mirror that apt is set up for.
    ///
    /// Works without root: apt is given a sources list and a state folder of its own. A system without apt
    /// uses `firmware add` instead.
    Fetch {
        /// Take the package of this suite (such as trixie or sid) instead of the installed system's own.
        #[arg(long, value_name = "SUITE")]
        suite: Option<String>,
    },
    /// Copies the firmware of a boot partition, or of a checkout of raspberrypi/firmware, into the cache.
    Add {
        /// A folder that holds start*.elf, or whose boot/ or firmware/ folder does.
        dir: PathBuf,
        /// Name of the release; without it, the build date that the files carry.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
}

/// What is on the card.
#[derive(Args, Clone, Debug)]
pub struct CardOptions {
    /// Use this firmware release (see `firmware list`) instead of the distribution's own.
    #[arg(long, value_name = "RELEASE")]
    pub firmware: Option<String>,
    /// Use this build of the firmware.
    #[arg(long, value_enum, default_value = "start")]
    pub variant: Variant,
    /// Run only these scenarios or groups of scenarios, in this order; `all` runs every one.
    #[arg(long = "scenario", value_name = "NAME", value_delimiter = ',', value_parser = scenario_words(),
          hide_possible_values = true)]
    pub scenarios: Vec<String>,
    /// Repeat pings of each size, and handshakes, this often.
    #[arg(long, value_name = "N", default_value_t = Plan::default().iterations,
          value_parser = value_parser!(u32).range(1..=100_000_000))]
    pub iterations: u32,
    /// Vary patterns, the order of sizes, and how the emulated processors interleave.
    #[arg(long, value_name = "N", default_value_t = Plan::default().seed)]
    pub seed: u64,
    /// Lend blocks of these sizes in turn, in bytes: up to 16 multiples of 64; without it a scenario's own.
    #[arg(long, value_name = "BYTES,…", value_parser = block_sizes)]
    pub sizes: Option<Sizes>,
    /// Let no wait for VideoCore be longer than this.
    #[arg(long = "deadline-ms", value_name = "MILLISECONDS", default_value_t = Plan::default().timeout_ms,
          value_parser = value_parser!(u32).range(1..=10_000))]
    pub deadline_ms: u32,
    /// End the run after this much time on the board; without it 600, or what the card of `--card` says.
    #[arg(long = "limit-s", value_name = "SECONDS", value_parser = value_parser!(u32).range(1..=86_400))]
    pub limit_s: Option<u32>,
    /// Let the transaction ids of a scenario's SMEM client start here.
    #[arg(long, value_name = "ID", default_value_t = Plan::default().first_transaction,
          value_parser = first_transaction())]
    pub first_transaction: u32,
    /// Let `boot-race` wait so many microseconds before its first OPEN.
    #[arg(long, value_name = "MICROSECONDS", default_value_t = Plan::default().delay_us,
          value_parser = value_parser!(u32).range(0..=10_000_000))]
    pub delay_us: u32,
    /// Keep the first so many raw samples of each timed step in the report; `report --csv` makes a table of them.
    #[arg(long, value_name = "N", default_value_t = Plan::default().samples,
          value_parser = value_parser!(u32).range(0..=MAX_RAW_SAMPLES as i64))]
    pub samples: u32,
    #[command(flatten)]
    pub build: build::Options,
}

/// What the command line means without options.
impl Default for CardOptions {
    fn default() -> Self {
        let plan = Plan::default();
        Self {
            firmware: None,
            variant: Variant::Start,
            scenarios: Vec::new(),
            iterations: plan.iterations,
            seed: plan.seed,
            sizes: None,
            deadline_ms: plan.timeout_ms,
            limit_s: None,
            first_transaction: plan.first_transaction,
            delay_us: plan.delay_us,
            samples: plan.samples,
            build: build::Options::default(),
        }
    }
}

impl CardOptions {
    /// What the image is told to do.
    pub fn plan(&self) -> Plan {
        let mut plan = Plan {
            iterations: self.iterations,
            seed: self.seed,
            timeout_ms: self.deadline_ms,
            limit_s: self.limit_s.unwrap_or(Plan::default().limit_s),
            sizes: self.sizes.clone().unwrap_or_default(),
            first_transaction: self.first_transaction,
            delay_us: self.delay_us,
            samples: self.samples,
            ..Plan::default()
        };
        if !self.scenarios.is_empty() {
            plan.scenarios.clear();
            for kind in self.scenarios.iter().flat_map(|word| Kind::named(word)) {
                // Full only when one is named twice, and twice it would not run anyway.
                if !plan.scenarios.contains(&kind) {
                    let _ = plan.scenarios.push(kind);
                }
            }
        }
        plan
    }
}

/// Who plays VideoCore.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerOption {
    /// The real firmware, executed.
    Firmware,
    /// The model: no firmware is needed, and it can break one rule on command.
    Model,
}

/// Which board to emulate, and what is in it.
#[derive(Args, Clone, Debug)]
pub struct MachineOptions {
    /// Emulate this board.
    #[arg(long, value_name = "BOARD", default_value = Board::PI_3B.name, value_parser = board())]
    pub board: Board,
    /// Let this play VideoCore.
    #[arg(long, value_enum, default_value = "firmware")]
    pub peer: PeerOption,
    /// Break this one rule in the model; `list` lists the faults, `all` runs each by itself.
    #[arg(long, value_name = "NAME", requires = "peer")]
    pub fault: Option<String>,
    /// Boot this card image as it is, instead of making one.
    ///
    /// What only shapes a made card is refused beside it. `--seed` still varies how the emulated processors interleave,
    /// and `--limit-s` still ends the run.
    #[arg(long = "card", value_name = "FILE",
          conflicts_with_all = ["firmware", "variant", "scenarios", "iterations", "sizes", "deadline_ms",
                                "first_transaction", "delay_us", "samples"])]
    pub card_image: Option<PathBuf>,
}

/// What the command line means without options.
impl Default for MachineOptions {
    fn default() -> Self {
        Self { board: Board::PI_3B, peer: PeerOption::Firmware, fault: None, card_image: None }
    }
}

/// Options of `run`.
#[derive(Args, Debug)]
pub struct RunOptions {
    #[command(flatten)]
    pub card: CardOptions,
    #[command(flatten)]
    pub machine: MachineOptions,
    /// Write the report to this file instead of target/report/report.json.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Keep the bytes of the image's serial line in this file; `monitor --file` reads them.
    #[arg(long, value_name = "FILE")]
    pub raw: Option<PathBuf>,
    /// Show the image's log and the firmware's own log in time order.
    #[arg(long)]
    pub log: bool,
    /// End the run after this much time on the PC.
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_S,
          value_parser = value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

impl RunOptions {
    /// The defaults, with this card.
    pub fn of(card: CardOptions) -> Self {
        let timeout = DEFAULT_TIMEOUT_S;
        Self { card, machine: MachineOptions::default(), report: None, raw: None, log: false, timeout }
    }
}

/// A board, and the firmware on it, for verbs that boot it many times.
#[derive(Args, Clone, Debug)]
pub struct BoardOptions {
    /// Use this firmware release (see `firmware list`) instead of the distribution's own.
    #[arg(long, value_name = "RELEASE")]
    pub firmware: Option<String>,
    /// Use this build of the firmware.
    #[arg(long, value_enum, default_value = "start")]
    pub variant: Variant,
    /// Emulate this board.
    #[arg(long, value_name = "BOARD", default_value = Board::PI_3B.name, value_parser = board())]
    pub board: Board,
    /// Seed of the first boot; each further boot has the next one.
    #[arg(long, value_name = "N", default_value_t = Plan::default().seed)]
    pub seed: u64,
    #[command(flatten)]
    pub build: build::Options,
}

/// Options of `soak`.
#[derive(Args, Debug)]
pub struct SoakOptions {
    #[command(flatten)]
    pub board: BoardOptions,
    /// Lend and free this many blocks in all; each takes two transaction ids.
    #[arg(long, value_name = "N", default_value_t = 10_000_000, value_parser = value_parser!(u64).range(1..))]
    pub transactions: u64,
    /// Boot anew after this many; what a stop loses is at most the running leg.
    #[arg(long, value_name = "N", default_value_t = 500_000, value_parser = value_parser!(u32).range(1..=100_000_000))]
    pub leg: u32,
    /// Lend blocks of these sizes in turn, in bytes: up to 16 multiples of 64; without it 32 KiB.
    #[arg(long, value_name = "BYTES,…", value_parser = block_sizes)]
    pub sizes: Option<Sizes>,
    /// Let the transaction ids start here.
    #[arg(long, value_name = "ID", default_value_t = Plan::default().first_transaction,
          value_parser = first_transaction())]
    pub first_transaction: u32,
    /// Forget what has been done, and begin anew.
    #[arg(long)]
    pub fresh: bool,
    /// Keep state and reports in this folder instead of target/soak.
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Options of `boots`.
#[derive(Args, Debug)]
pub struct BootsOptions {
    #[command(flatten)]
    pub board: BoardOptions,
    /// Boot this often.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    pub count: u32,
    /// Write the report to this file instead of target/report/boots.json.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Options of `bench`.
#[derive(Args, Debug)]
pub struct BenchOptions {
    #[command(flatten)]
    pub card: CardOptions,
    /// Repeat each measurement of speed this often, and take the best.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
}

/// Options of `test`.
#[derive(Args, Debug)]
pub struct TestOptions {
    /// Run only these suites.
    #[arg(value_name = "SUITE")]
    pub suites: Vec<String>,
    /// List the suites instead of running them.
    #[arg(long)]
    pub list: bool,
    /// Run the suites on this release instead of the distribution's own.
    #[arg(long, value_name = "RELEASE")]
    pub firmware: Option<String>,
}

/// Names of scenarios and groups.
pub fn scenario_words() -> PossibleValuesParser {
    let scenarios = Kind::ALL.iter().map(|kind| kind.name());
    PossibleValuesParser::new(scenarios.chain(Group::ALL.map(Group::name)).chain([scenario::ALL]))
}

/// Sizes of blocks, by the rules of `harness.sizes=`.
fn block_sizes(text: &str) -> Result<Sizes, String> {
    harness::plan::block_sizes(text).map_err(|problem| problem.to_string())
}

/// A transaction id to start at.
fn first_transaction() -> impl TypedValueParser<Value = u32> {
    value_parser!(u32).range(1..=i64::from(LAST_TRANSACTION))
}

/// A board by its name.
pub fn board() -> impl TypedValueParser<Value = Board> {
    let named = |name: String| Board::by_name(&name).ok_or("no such board");
    PossibleValuesParser::new(Board::ALL.map(|board| board.name)).try_map(named)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn scenarios_can_be_listed_with_commas() {
        let cli =
            Cli::try_parse_from(["xtask", "run", "--scenario", "echo,bring-up", "--seed", "7"]).unwrap();
        let Command::Run(options) = cli.command else { panic!("not run") };
        let plan = options.card.plan();
        assert_eq!(plan.scenarios, [Kind::Echo, Kind::BringUp]);
        assert_eq!((plan.seed, plan.iterations), (7, Plan::default().iterations));
    }

    #[test]
    fn no_options_mean_the_default_plan() {
        let cli = Cli::try_parse_from(["xtask", "run"]).unwrap();
        let Command::Run(options) = cli.command else { panic!("not run") };
        assert_eq!(options.card.plan(), Plan::default());
        assert_eq!(CardOptions::default().plan(), Plan::default());
    }

    #[test]
    fn sizes_and_limits_go_into_the_plan() {
        let cli = Cli::try_parse_from([
            "xtask",
            "sdcard",
            "--sizes",
            "4096,64",
            "--deadline-ms",
            "50",
            "--limit-s",
            "7200",
        ])
        .unwrap();
        let Command::Sdcard(options) = cli.command else { panic!("not sdcard") };
        let plan = options.card.plan();
        assert_eq!((plan.sizes.as_slice(), plan.timeout_ms, plan.limit_s), (&[4096, 64][..], 50, 7200));
    }

    #[test]
    fn a_group_can_be_named_and_a_scenario_in_it_runs_once() {
        let cli = Cli::try_parse_from(["xtask", "run", "--scenario", "pause,transport"]).unwrap();
        let Command::Run(options) = cli.command else { panic!("not run") };
        let scenarios = options.card.plan().scenarios;
        let transport = Kind::named("transport").filter(|kind| *kind != Kind::Pause);
        assert!(scenarios.iter().copied().eq([Kind::Pause].into_iter().chain(transport)), "{scenarios:?}");
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for words in [
            &["xtask"][..],
            &["xtask", "fly"],
            &["xtask", "run", "--board", "5"],
            &["xtask", "run", "--scenario", "nap"],
            &["xtask", "run", "--variant", "start4"],
            &["xtask", "run", "--iterations", "0"],
            &["xtask", "run", "--frobnicate"],
            &["xtask", "run", "--sizes", "100"],
            &["xtask", "run", "--sizes", "64,"],
            &["xtask", "sdcard", "--deadline-ms", "0"],
            &["xtask", "run", "--samples", "2049"],
            &["xtask", "soak", "--transactions", "0"],
            &["xtask", "soak", "--first-transaction", "2147483648"],
            &["xtask", "boots", "--count", "0"],
            &["xtask", "compare", "--power", "1", "--markdown", "a.md"],
            &["xtask", "compare", "--power", "1", "--seeds", "3"],
        ] {
            let error = Cli::try_parse_from(words).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{words:?}");
        }
    }

    #[test]
    fn what_only_shapes_a_made_card_is_refused_beside_a_card() {
        for [option, value] in [
            ["--firmware", "any"],
            ["--variant", "start_db"],
            ["--scenario", "echo"],
            ["--iterations", "5"],
            ["--sizes", "64"],
            ["--deadline-ms", "50"],
            ["--first-transaction", "7"],
            ["--delay-us", "7"],
            ["--samples", "7"],
        ] {
            let error = Cli::try_parse_from(["xtask", "run", "--card", "a.img", option, value]).unwrap_err();
            assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict, "{option}");
            assert!(Cli::try_parse_from(["xtask", "run", option, value]).is_ok(), "{option}");
        }
        for [option, value] in [["--limit-s", "7"], ["--seed", "7"], ["--board", "zero2w"]] {
            let cli = Cli::try_parse_from(["xtask", "run", "--card", "a.img", option, value]);
            assert!(cli.is_ok(), "{option}");
        }
    }
}
