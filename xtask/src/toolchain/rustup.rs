//! The compiler on PATH, when it has the target's library. rustup fetches it where it can.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::{INHERITED, TARGET, Task, sysroot_of};
use crate::paths;
use crate::shell::Tool;

/// rustup without a network does not give up by itself.
const FETCH_LIMIT: Duration = Duration::from_secs(60);
const SECONDS_PER_DAY: u64 = 86_400;

/// The compiler on PATH, with the target's library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnPath {
    sysroot: PathBuf,
}

impl OnPath {
    /// The compiler on PATH; asks rustup for the target once a day if it is missing.
    ///
    /// # Errors
    /// If there is no compiler on PATH, or its target is missing and cannot be fetched.
    pub fn obtain() -> Result<Self> {
        let sysroot = sysroot_of("rustc").context("no rustc on PATH")?;
        if !has_target(&sysroot) {
            fetch()?;
        }
        if !has_target(&sysroot) {
            bail!("rustc on PATH lacks the target; type: rustup target add {TARGET}");
        }
        Ok(Self { sysroot })
    }

    /// Where the compiler's libraries are.
    pub fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    /// `cargo` with its verb. The target names `rust-lld`, which this compiler carries.
    pub fn cargo(&self, task: Task) -> Tool {
        let verb = match task {
            Task::Build => "build",
            Task::Clippy => "clippy",
        };
        Tool::new("cargo").arg(verb).without(INHERITED)
    }

    #[cfg(test)]
    pub fn with_sysroot(sysroot: &str) -> Self {
        Self { sysroot: sysroot.into() }
    }
}

impl fmt::Display for OnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rustc on PATH with {TARGET}")
    }
}

/// True if the compiler has `core` for the target.
fn has_target(sysroot: &Path) -> bool {
    let folder = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn fetch() -> Result<()> {
    let note = paths::target().join("toolchain/rustup-cannot-fetch");
    if failed_today(fs::read_to_string(&note).ok().as_deref(), today()) {
        bail!("rustup could not fetch {TARGET} earlier today (delete {} to ask again)", note.display());
    }
    if !Tool::new("rustup").arg("--version").without(INHERITED).works() {
        bail!("rustc on PATH lacks {TARGET}, and there is no rustup to fetch it");
    }
    eprintln!(
        "rustup: adding the target {TARGET}, which the image is compiled for (at most {} s)",
        FETCH_LIMIT.as_secs()
    );
    let tool = Tool::new("rustup").args(["target", "add", TARGET]).without(INHERITED);
    let fetched = tool.folder(paths::workspace()).limit(FETCH_LIMIT).run();
    if let Err(error) = fetched {
        remember_failure(&note);
        return Err(error.context("rustup cannot fetch the target here"));
    }
    Ok(())
}

/// Without the note the next command only tries again.
fn remember_failure(note: &Path) {
    if let Some(folder) = note.parent() {
        let _ = fs::create_dir_all(folder);
    }
    let _ = fs::write(note, today().to_string());
}

/// Days since 1970.
fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / SECONDS_PER_DAY)
}

/// What the note of the last failure says about today.
fn failed_today(note: Option<&str>, today: u64) -> bool {
    note.and_then(|day| day.trim().parse::<u64>().ok()) == Some(today)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_remembered_for_its_day_only() {
        assert!(failed_today(Some("20780\n"), 20_780));
        assert!(!failed_today(Some("20779"), 20_780));
        assert!(!failed_today(Some("rubbish"), 20_780));
        assert!(!failed_today(None, 20_780));
    }

    #[test]
    fn a_target_counts_only_with_its_core_library() {
        let sysroot = std::env::temp_dir().join(format!("xtask-sysroot-{}", std::process::id()));
        let lib = sysroot.join("lib/rustlib").join(TARGET).join("lib");
        fs::create_dir_all(&lib).unwrap();
        assert!(!has_target(&sysroot));
        fs::write(lib.join("libcore-0123456789abcdef.rlib"), []).unwrap();
        assert!(has_target(&sysroot));
        fs::remove_dir_all(sysroot).unwrap();
    }
}
