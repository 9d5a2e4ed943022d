//! The one command people type: `cargo xtask VERB`. `docs/commands.md` tells what each verb does.
#![forbid(unsafe_code)]
// A program has no public interface: `pub` here means "used by other modules".
#![allow(unreachable_pub)]

mod build;
mod cli;
mod firmware;
mod outcome;
mod paths;
// `run` prints and writes what is in here.
#[allow(dead_code, unused_imports)]
mod report;
mod shell;
mod toolchain;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::outcome::Outcome;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    shell::set_verbose(cli.verbose);
    let result = match cli.command {
        Command::Build(options) => build::run(&options, cli.json),
        Command::Firmware(verb) => firmware::run(verb, cli.json),
    };
    Outcome::report(result)
}
