//! The compiler for the image: one that has the bare-metal target, or one that can build it.
//!
//! ```text
//! rustup        the compiler on PATH with the target's own `core`; rustup is asked to fetch it
//! distribution  the distribution's compiler, which builds `core` from its library source
//! ```
//! `--toolchain` (or the variable `XTASK_TOOLCHAIN`) chooses; `auto` takes the first that works.

mod distribution;
mod rustup;
mod system;

use std::env;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::build::messages;
use crate::paths;
use crate::shell::Tool;
use distribution::Distribution;
use rustup::OnPath;

/// What the image is compiled for: no floating point, no SIMD, so an interrupt has nothing of either to save.
pub const TARGET: &str = "aarch64-unknown-none-softfloat";

/// The target feature that has the compiler put a NOP between a load or store and a 64-bit multiply-accumulate.
pub const FIX_835769: &str = "fix-cortex-a53-835769";

/// Overrides `auto`.
const CHOICE_VARIABLE: &str = "XTASK_TOOLCHAIN";

/// What cargo and rustup leave in the environment of what they run. Inherited, it would turn the next cargo
/// away from the compiler that we choose.
const INHERITED: [&str; 13] = [
    "CARGO",
    "CARGO_BUILD_RUSTC",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "RUST_RECURSION_COUNT",
];

/// Which compiler to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Choice {
    /// The compiler on PATH if it has the target or rustup can fetch it; else the distribution's.
    #[default]
    Auto,
    /// The compiler on PATH, with the target fetched by rustup.
    Rustup,
    /// The distribution's compiler, which builds the core library from source.
    Distribution,
}

/// What to have cargo do with the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Compile and link.
    Build,
    /// Lint, with warnings denied.
    Clippy,
}

/// A compiler that is ready for the image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Toolchain {
    /// Has the target.
    OnPath(OnPath),
    /// Builds `core` itself.
    Distribution(Distribution),
}

impl Toolchain {
    /// Finds a compiler for `task`, installing what is missing and saying so.
    ///
    /// # Errors
    /// If no way works here; the message has the exact commands that would make one work.
    pub fn obtain(choice: Choice, task: Task) -> Result<Self> {
        let choice = match choice {
            Choice::Auto => choice_from(env::var(CHOICE_VARIABLE).ok().as_deref())?,
            chosen => chosen,
        };
        match choice {
            Choice::Rustup => OnPath::obtain().map(Self::OnPath),
            Choice::Distribution => Distribution::obtain(task).map(Self::Distribution),
            Choice::Auto => match OnPath::obtain() {
                Ok(found) => Ok(Self::OnPath(found)),
                Err(no_rustup) => match Distribution::obtain(task) {
                    Ok(found) => Ok(Self::Distribution(found)),
                    Err(no_distribution) => bail!(
                        "no compiler for {TARGET}\n  by rustup: {no_rustup:#}\n  by the distribution: \
                         {no_distribution:#}"
                    ),
                },
            },
        }
    }

    /// The cargo command for `task`, run in the workspace's root. Its standard output is for [`messages::show`].
    pub fn command(&self, task: Task) -> Tool {
        // What the way sets comes after what is cleared.
        let tool = match self {
            Self::OnPath(found) => found.cargo(task),
            Self::Distribution(found) => found.cargo(task),
        };
        let tool = tool.folder(paths::workspace());
        let tool =
            tool.args(["--profile", "image", "--package", "boot", "--target", TARGET, messages::format()]);
        let tool = tool.arg("--config").arg(self.compiler_flags());
        match task {
            Task::Build => tool,
            Task::Clippy => tool.args(["--", "--deny", "warnings"]),
        }
    }

    /// What rustc is told, core library included, since the whole image is compiled once more when it is linked.
    ///
    /// Folders of this PC are replaced in panic messages and log locations: two PCs make the same image.
    fn compiler_flags(&self) -> String {
        let library = match self {
            Self::OnPath(found) => found.sysroot(),
            Self::Distribution(found) => found.sysroot(),
        };
        let workspace = paths::workspace();
        let mut flags = vec![
            toml_string(&format!("-Ctarget-feature=+{FIX_835769}")),
            remap(workspace, "."),
            remap(&library.join("lib/rustlib/src/rust"), "rust"),
        ];
        if let Some(home) = cargo_home() {
            flags.push(remap(&home.join("registry/src"), "registry"));
        }
        format!("target.{TARGET}.rustflags=[{}]", flags.join(","))
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnPath(found) => found.fmt(f),
            Self::Distribution(found) => found.fmt(f),
        }
    }
}

/// A rustc flag as a string of TOML.
fn remap(from: &Path, to: &str) -> String {
    toml_string(&format!("--remap-path-prefix={}={to}", from.display()))
}

fn toml_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn cargo_home() -> Option<std::path::PathBuf> {
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    env::var_os("CARGO_HOME").map(Into::into).or_else(home)
}

/// The choice that the variable makes; unset or empty is no choice.
fn choice_from(variable: Option<&str>) -> Result<Choice> {
    match variable {
        None | Some("") => Ok(Choice::Auto),
        Some(word) => Choice::from_str(word, true)
            .ok()
            .with_context(|| format!("{CHOICE_VARIABLE}={word} is none of auto, rustup, distribution")),
    }
}

/// Where a compiler keeps its libraries; `None` if it cannot be started.
fn sysroot_of(compiler: &str) -> Option<std::path::PathBuf> {
    let tool = Tool::new(compiler).args(["--print", "sysroot"]).without(INHERITED).folder(paths::workspace());
    tool.read().ok().map(|path| path.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_chooses_and_a_wrong_word_is_an_error() {
        assert_eq!(choice_from(None).unwrap(), Choice::Auto);
        assert_eq!(choice_from(Some("rustup")).unwrap(), Choice::Rustup);
        assert_eq!(choice_from(Some("Distribution")).unwrap(), Choice::Distribution);
        assert!(choice_from(Some("gcc")).unwrap_err().to_string().contains("gcc"));
    }

    #[test]
    fn a_target_from_rustup_needs_no_library_source_and_no_unstable_option() {
        let toolchain = Toolchain::OnPath(OnPath::with_sysroot("/opt/rust"));
        let command = toolchain.command(Task::Build).to_string();
        assert!(command.contains("cargo build --profile image --package boot --target aarch64-unknown-none"));
        assert!(!command.contains("-Z") && !command.contains("RUSTC_BOOTSTRAP=1"), "{command}");
        assert!(!command.contains("warnings"), "{command}");
        let lint = toolchain.command(Task::Clippy).to_string();
        assert!(
            lint.contains("cargo clippy --profile image") && lint.ends_with("-- --deny warnings"),
            "{lint}"
        );
    }

    #[test]
    fn the_distributions_compiler_builds_core_from_source() {
        let toolchain = Toolchain::Distribution(Distribution::with_sysroot("/usr", "ld.lld"));
        let command = toolchain.command(Task::Build).to_string();
        for part in [
            "RUSTC_BOOTSTRAP=1",
            "RUSTC=/usr/bin/rustc",
            "CARGO_TARGET_AARCH64_UNKNOWN_NONE_SOFTFLOAT_LINKER=ld.lld",
            "/usr/bin/cargo build",
            "build-std=core",
            "remap-path-prefix=/usr/lib/rustlib/src/rust=rust",
        ] {
            assert!(command.contains(part), "{part} is not in: {command}");
        }
        let lint = toolchain.command(Task::Clippy).to_string();
        assert!(lint.contains("/usr/bin/cargo-clippy clippy"), "{lint}");
    }

    #[test]
    fn what_the_outer_cargo_left_does_not_reach_the_inner_one() {
        // Cargo runs this test with CARGO set, so its removal is shown.
        let toolchain = Toolchain::OnPath(OnPath::with_sysroot("/opt/rust"));
        assert!(toolchain.command(Task::Build).to_string().contains("-u CARGO"));
    }
}
