//! The distribution's compiler, which builds `core` from its own library source.
//!
//! `-Z build-std` is an option of nightly compilers; `RUSTC_BOOTSTRAP=1` lets a stable one take it. The
//! library source comes from the same package as the compiler, so the two always fit.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::system::System;
use super::{INHERITED, TARGET, Task, sysroot_of};
use crate::shell::Tool;

const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const CARGO_CLIPPY: &str = "/usr/bin/cargo-clippy";
/// Linkers that know AArch64, in the order of preference. A name may be there and lead nowhere.
const LINKERS: [&str; 2] = ["rust-lld", "ld.lld"];
const INSTALL_LIMIT: Duration = Duration::from_secs(900);

/// The distribution's compiler with its library source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Distribution {
    sysroot: PathBuf,
    linker: &'static str,
}

impl Distribution {
    /// The distribution's compiler; installs the packages that `task` needs where it may.
    ///
    /// # Errors
    /// If something is missing and cannot be installed here; the message has the command to type.
    pub fn obtain(task: Task) -> Result<Self> {
        let missing = match Self::find(task) {
            Ok(found) => return Ok(found),
            Err(missing) => missing,
        };
        install(task, &missing)?;
        Self::find(task).context("still not usable after the installation")
    }

    fn find(task: Task) -> Result<Self> {
        let sysroot = sysroot_of(RUSTC).with_context(|| format!("{RUSTC} is missing"))?;
        if !Path::new(CARGO).exists() {
            bail!("{CARGO} is missing");
        }
        check_version(&Tool::new(RUSTC).arg("--version").without(INHERITED).read()?)?;
        let library = sysroot.join("lib/rustlib/src/rust/library");
        if !library.join("core/src/lib.rs").exists() {
            bail!("the library source is missing ({})", library.display());
        }
        if task == Task::Clippy && !Path::new(CARGO_CLIPPY).exists() {
            bail!("{CARGO_CLIPPY} is missing");
        }
        let works = |linker: &&str| Tool::new(linker).args(["-flavor", "gnu", "--version"]).works();
        let works_by_name = |linker: &&str| Tool::new(linker).arg("--version").works();
        let linker = LINKERS.iter().find(|linker| works(linker) || works_by_name(linker));
        let linker = linker.context("no linker for AArch64 (ld.lld) is installed")?;
        Ok(Self { sysroot, linker })
    }

    /// Where the compiler's libraries are.
    pub fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    /// The distribution's cargo with its verb, never a proxy that happens to be first on PATH.
    pub fn cargo(&self, task: Task) -> Tool {
        let tool = match task {
            Task::Build => Tool::new(CARGO).arg("build"),
            // Through `cargo clippy` PATH would decide, and may lead to another compiler's clippy.
            Task::Clippy => Tool::new(CARGO_CLIPPY).arg("clippy"),
        };
        let linker = format!("CARGO_TARGET_{}_LINKER", TARGET.to_uppercase().replace('-', "_"));
        let tool = tool.without(INHERITED).env(linker, self.linker);
        let tool = tool.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", RUSTC).env("CARGO", CARGO);
        let tool = tool.args(["-Z", "build-std=core,compiler_builtins"]);
        tool.args(["-Z", "build-std-features=compiler-builtins-mem"])
    }

    #[cfg(test)]
    pub fn with_sysroot(sysroot: &str, linker: &'static str) -> Self {
        Self { sysroot: sysroot.into(), linker }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RUSTC} with core from source")
    }
}

/// An old compiler fails deep inside the build with messages that help nobody.
fn check_version(answer: &str) -> Result<()> {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let version = answer.split_whitespace().nth(1).unwrap_or_default();
    match (minor(version), minor(needed)) {
        (Some(found), Some(least)) if found >= least => Ok(()),
        _ => bail!("{RUSTC} is version {version}, the image needs {needed}"),
    }
}

/// The 95 of 1.95.0.
fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.split('.').next()?.parse().ok()
}

/// Installs packages where we may, or says what to type.
fn install(task: Task, missing: &anyhow::Error) -> Result<()> {
    let system = System::this()?;
    let Some(packages) = system.packages(task == Task::Clippy) else {
        bail!("{missing:#}; {}", system.advice());
    };
    let offer = check_offer(packages[0]);
    let command = format!("apt-get install -y {}", packages.join(" "));
    if !system.is_root {
        offer.with_context(|| format!("{missing:#} (as of the last `sudo apt-get update`)"))?;
        bail!("{missing:#}; type: sudo {command}");
    }
    let apt = || Tool::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").limit(INSTALL_LIMIT);
    let install = || {
        eprintln!("{command}: {missing:#}, and the image needs a compiler that can build core for {TARGET}");
        apt().args(["install", "-y", "--no-install-recommends"]).args(&packages).run()
    };
    // The package lists of a fresh container are empty; old ones may not know the compiler that there is by now.
    if offer.and_then(|()| install()).is_err() {
        apt().arg("update").run().with_context(|| format!("cannot install; type: {command}"))?;
        check_offer(packages[0]).with_context(|| format!("{missing:#}"))?;
        install().with_context(|| format!("cannot install; type: {command}"))?;
    }
    Ok(())
}

/// Hundreds of megabytes are not fetched for a compiler that would be too old. What apt does not know is let pass.
fn check_offer(package: &str) -> Result<()> {
    let answer =
        Tool::new("apt-cache").args(["policy", package]).env("LC_ALL", "C").read().unwrap_or_default();
    judge_offer(package, &answer)
}

fn judge_offer(package: &str, answer: &str) -> Result<()> {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let candidate = answer.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
    match candidate.and_then(minor).zip(minor(needed)) {
        Some((offered, least)) if offered < least => bail!(
            "apt offers {package} {}, the image needs {needed}; install rustup (https://rustup.rs)",
            candidate.unwrap_or_default()
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_that_would_be_too_old_is_not_fetched() {
        let old = "rustc-web:\n  Installed: (none)\n  Candidate: 1.85.0+dfsg3-1~deb12u3\n";
        let error = judge_offer("rustc-web", old).unwrap_err().to_string();
        assert!(error.contains("1.85.0") && error.contains("1.95") && error.contains("rustup"), "{error}");
        assert!(judge_offer("rustc-web", "rustc-web:\n  Candidate: 1.96.1+dfsg1-1\n").is_ok());
        // Before the first `apt-get update`.
        assert!(judge_offer("rustc-web", "rustc-web:\n  Candidate: (none)\n").is_ok());
        assert!(judge_offer("rustc-web", "").is_ok());
    }

    #[test]
    fn a_compiler_older_than_the_workspace_asks_for_is_refused_by_version() {
        assert!(check_version("rustc 1.96.0 (ac68faa20 2026-05-25)").is_ok());
        assert!(check_version("rustc 1.95.0").is_ok());
        let error = check_version("rustc 1.63.0 (4b91a6ea7 2022-08-08)").unwrap_err().to_string();
        assert!(error.contains("1.63.0") && error.contains("1.95"), "{error}");
        assert!(check_version("not a compiler").is_err());
    }
}
