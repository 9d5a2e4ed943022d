//! The command line: one verb a variant, a full sentence of help for each.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::build;

/// Exercises the shared-memory handshake between an Arm and the VideoCore firmware.
///
/// Exit codes: 0 all passed; 1 the work was done and a verdict is not `pass`, or a suite failed; 2 the command
/// line or the environment did not let the work be done.
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

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Builds the image: target/image/kernel8.img for the card, kernel8.elf beside it for the log decoder.
    Build(build::Options),
    /// Shows, fetches or adds releases of the VideoCore firmware, which are kept in a cache outside the tree.
    #[command(subcommand)]
    Firmware(FirmwareVerb),
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
