//! The one command people type: `cargo xtask VERB`. `docs/commands.md` tells what each verb does.
#![forbid(unsafe_code)]
// A program has no public interface: `pub` here means "used by other modules".
#![allow(unreachable_pub)]

// First: its macros hold for all that follow.
#[macro_use]
mod standard_error;

mod bench;
mod bisect;
mod boots;
mod build;
mod card;
mod cli;
mod compare;
mod completions;
mod digest;
#[cfg(test)]
mod docs;
mod emulate;
#[cfg(test)]
mod error_chains;
mod firmware;
mod flash;
mod image;
mod image_store;
mod interrupt;
mod line;
mod monitor;
mod outcome;
mod paths;
mod replace;
mod report;
mod run;
mod scenarios;
#[cfg(test)]
mod scratch;
mod sdcard;
mod shell;
mod soak;
mod terminal;
mod test;
mod toolchain;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::outcome::Outcome;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    shell::set_verbose(cli.verbose);
    let result = match cli.command {
        Command::Run(options) => run::run(&options, cli.json),
        Command::Sdcard(options) => sdcard::run(&options, cli.json),
        Command::Flash(options) => flash::run(&options, cli.json),
        Command::Emulate(options) => emulate::run(&options, cli.json),
        Command::Power(options) => emulate::power::run(&options, cli.json),
        Command::Test(options) => test::run(&options, cli.json),
        Command::Soak(options) => soak::run(&options, cli.json),
        Command::Boots(options) => boots::run(&options, cli.json),
        Command::Compare(options) => compare::run(&options, cli.json),
        Command::Bisect(options) => bisect::run(&options, cli.json),
        Command::Monitor(options) => monitor::run(&options, cli.json),
        Command::Bench(options) => bench::run(&options, cli.json),
        Command::Scenarios => scenarios::list(cli.json),
        Command::Report(options) => report::run(&options, cli.json),
        Command::Build(options) => build::run(&options, cli.json),
        Command::Firmware(verb) => firmware::run(verb, cli.json),
        Command::Completions(options) => completions::run(&options, cli.json),
    };
    Outcome::report(result)
}
