//! `completions`: what a shell needs to complete `cargo xtask VERB --option` with the Tab key.
//!
//! clap writes a script for a program whose name is one word. Ours is two, so each script is for a name of ours, and a few lines
//! behind it hand over what is typed behind `cargo xtask`. What else cargo completes stays as it was.

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::outcome::Outcome;
use crate::terminal::say;

/// The lines behind clap's script, in each shell's own language. That of zsh needs none: cargo's own completion calls it.
const BASH: &str = include_str!("completions/cargo_xtask.bash");
const FISH: &str = include_str!("completions/cargo_xtask.fish");

/// Options of `completions`.
#[derive(Args, Debug)]
pub struct Options {
    /// Write the script for this shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: ShellOption,
}

/// The shells that can complete the words behind `cargo xtask`.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShellOption {
    /// `source <(cargo xtask completions bash)`.
    Bash,
    /// As the file `_cargo-xtask` in a folder of `fpath`; cargo's own completion calls it.
    Zsh,
    /// As the file `cargo-xtask.fish` in `~/.config/fish/conf.d`.
    Fish,
}

impl ShellOption {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

/// Prints the script.
///
/// # Errors
/// If it cannot be written as JSON, which does not happen.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    let script = script(options.shell);
    if json {
        let shell = options.shell.name();
        say!("{}", serde_json::to_string_pretty(&serde_json::json!({ "shell": shell, "script": script }))?);
    } else {
        say!("{}", script.trim_end());
    }
    Ok(Outcome::Pass)
}

/// clap's script, and the hand-over.
fn script(shell: ShellOption) -> String {
    // A hyphen in the name would make clap's script for bash lose the verbs.
    let (generator, name, hand_over) = match shell {
        ShellOption::Bash => (Shell::Bash, "cargo_xtask", BASH),
        ShellOption::Zsh => (Shell::Zsh, "cargo-xtask", ""),
        ShellOption::Fish => (Shell::Fish, "cargo_xtask", FISH),
    };
    let mut script = Vec::new();
    generate(generator, &mut Cli::command().name(name).bin_name(name), name, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    script.push_str(hand_over);
    script
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What bash offers for a command line, the cursor at its end, where `before` was set up before our script.
    fn offered_by_bash(before: &str, line: &[&str]) -> Vec<String> {
        let words = line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let last = line.len() - 1;
        let program = format!(
            "{before}\n{script}\nCOMP_WORDS=({words}); COMP_CWORD={last}\n\
             call=$(complete -p cargo); call=${{call#*-F }}; ${{call%% *}} cargo '{current}' '{previous}'\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script = script(ShellOption::Bash),
            current = line[last],
            previous = line[last - 1],
        );
        let output = Command::new("bash").args(["--norc", "-c", &program]).output().expect("bash runs");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn bash_completes_verbs_options_and_values_behind_cargo_xtask() {
        assert_eq!(offered_by_bash("", &["cargo", "xtask", "scen"]), ["scenarios"]);
        assert_eq!(offered_by_bash("", &["cargo", "xtask", "firmware", "fe"]), ["fetch"]);
        assert!(offered_by_bash("", &["cargo", "xtask", "run", "--it"]).contains(&"--iterations".to_owned()));
        let variants = offered_by_bash("", &["cargo", "xtask", "run", "--variant", ""]);
        assert!(variants.contains(&"start_db".to_owned()), "{variants:?}");
    }

    #[test]
    fn what_bash_completes_behind_cargo_otherwise_stays() {
        let own = "_own() { COMPREPLY=(own \"$2\"); }; complete -F _own cargo";
        assert_eq!(offered_by_bash(own, &["cargo", "bu"]), ["own", "bu"]);
        assert_eq!(offered_by_bash(own, &["cargo", "xtask", "scen"]), ["scenarios"]);
        assert_eq!(offered_by_bash("", &["cargo", "bu"]), [""], "nothing was set up, nothing is offered");
    }
}
