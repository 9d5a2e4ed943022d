//! Tests that cargo runs.

use anyhow::{Result, bail};

use super::context::Context;
use crate::build;
use crate::paths;
use crate::shell::Tool;

/// Each crate's own tests, those of this program's command line aside.
pub fn unit(context: &Context) -> Result<()> {
    let others = ["boot", "tests", "xtask", "loom-models", "fuzz-entries"];
    let mut crates = context.cargo(["test", "--workspace"])?;
    for other in others {
        crates = crates.args(["--exclude", other]);
    }
    tests_pass(context, crates)?;
    tests_pass(context, context.cargo(["test", "--package", "xtask", "--bins"])?)
}

/// The models of concurrency, which another flag brings to life: with a target folder of their own, so that it does
/// not cost the other suites their builds.
pub fn loom(context: &Context) -> Result<()> {
    let cargo = Tool::new("cargo")
        .args(["test", "--package", "loom-models", "--tests", "--target-dir", "target/loom"])
        .env("RUSTFLAGS", "--cfg loom")
        .folder(paths::workspace());
    tests_pass(context, cargo)
}

/// What the fuzzer has collected, as ordinary tests: without the fuzzer and the compiler it needs.
pub fn fuzz_corpus(context: &Context) -> Result<()> {
    let cargo =
        Tool::new("cargo").args(["test", "--package", "fuzz-entries", "--tests"]).folder(paths::workspace());
    tests_pass(context, cargo)
}

/// The suites that cross crates. Some boot the image in QEMU.
pub fn native(context: &Context) -> Result<()> {
    build::image(&build::Options::default())?;
    tests_pass(context, context.cargo(["test", "--package", "tests"])?)
}

/// The command line as a person or a program meets it.
pub fn command_line(context: &Context) -> Result<()> {
    tests_pass(context, context.cargo(["test", "--package", "xtask", "--tests"])?)
}

/// All pass, and there is at least one: a filter that matches nothing must not look like success.
fn tests_pass(context: &Context, cargo: Tool) -> Result<()> {
    let finished = context.must_pass(cargo)?;
    let passed: u32 = finished.stdout.lines().filter_map(passed_in).sum();
    if passed == 0 {
        bail!("cargo ran no test:\n{}", finished.stdout);
    }
    context.say(&format!("{passed} tests passed in {:.1} s", finished.took.as_secs_f64()));
    Ok(())
}

/// `test result: ok. 12 passed; …`
fn passed_in(line: &str) -> Option<u32> {
    line.strip_prefix("test result: ok. ")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted_from_cargos_own_lines() {
        assert_eq!(passed_in("test result: ok. 12 passed; 0 failed; 1 ignored"), Some(12));
        assert_eq!(passed_in("test a::b ... ok"), None);
    }
}
