//! Commands for a person to type: the search gone on with, and one of its runs once more.

use std::ffi::OsStr;

use clap::{Args as _, ValueEnum};

use super::Options;
use crate::shell::quoted;

/// The same search between two other releases.
pub fn searching(options: &Options, good: &str, bad: &str) -> String {
    let words = [good, bad, &options.scenario].map(|word| quoted(OsStr::new(word)));
    format!("cargo xtask bisect {}{}", words.join(" "), others(options, |_| true))
}

/// The run of a release with this seed.
pub fn repeating(options: &Options, release: &str, seed: u64) -> String {
    format!(
        "cargo xtask run --firmware {} --variant {} --scenario {} --board {} --iterations {} --seed {seed}{}",
        quoted(OsStr::new(release)),
        options.variant.name(),
        options.scenario,
        options.on.board.name,
        options.on.iterations,
        others(options, |name| ["timeout", "toolchain", "log-level"].contains(&name))
    )
}

/// These options as the command line has them, a space before each, unless they are what they are without it.
fn others(options: &Options, wanted: impl Fn(&str) -> bool) -> String {
    let on = &options.on;
    let values = [
        ("expect", Some(name(options.expect))),
        ("variant", Some(name(options.variant))),
        ("seeds", Some(options.seeds.to_string())),
        ("board", Some(on.board.name.to_owned())),
        ("iterations", Some(on.iterations.to_string())),
        ("seed", Some(on.seed.to_string())),
        ("timeout", Some(on.timeout.to_string())),
        ("toolchain", Some(name(on.build.toolchain))),
        ("log-level", on.build.log_level.clone()),
    ];
    let command = Options::augment_args(clap::Command::new("bisect"));
    let is_default = |name: &str, value: &str| {
        let argument = command.get_arguments().find(|argument| argument.get_long() == Some(name));
        argument.is_some_and(|argument| argument.get_default_values().iter().any(|default| *default == value))
    };
    let given = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let given = given.filter(|(name, value)| wanted(name) && !is_default(name, value));
    given.map(|(name, value)| format!(" --{name} {}", quoted(OsStr::new(&value)))).collect()
}

/// A value as the command line has it.
fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
}
