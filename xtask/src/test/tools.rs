//! Programs that suites need, and the packages that have them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::shell::Tool;

/// A program, the package that has it, and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct Needed {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

/// Runs single AArch64 programs on the PC.
pub const QEMU_USER: Needed = Needed {
    program: "qemu-aarch64",
    package: "qemu-user",
    purpose: "to compare the emulated Arm with another implementation",
};
/// Emulates whole machines.
pub const QEMU_SYSTEM: Needed = Needed {
    program: "qemu-system-aarch64",
    package: "qemu-system-arm",
    purpose: "to boot the image on an emulator that is not ours",
};
/// Reads FAT images.
pub const MTOOLS: Needed =
    Needed { program: "mdir", package: "mtools", purpose: "to read the SD card as other systems do" };
/// Checks FAT images.
pub const DOSFSTOOLS: Needed =
    Needed { program: "fsck.fat", package: "dosfstools", purpose: "to check the SD card's file system" };
/// Reads partition tables.
pub const FDISK: Needed =
    Needed { program: "sfdisk", package: "fdisk", purpose: "to read the SD card's partition table" };

/// Makes virtual environments. Debian packages that part of Python by itself.
const PYTHON_VENV: Needed = Needed {
    program: "python3",
    package: "python3-venv",
    purpose: "to install what drives boards of a farm",
};

/// Shows pages.
pub const CHROMIUM: Needed =
    Needed { program: "chromium", package: "chromium", purpose: "to look at the page of a report" };
/// Drives it.
pub const CHROMEDRIVER: Needed = Needed {
    program: "chromedriver",
    package: "chromium-driver",
    purpose: "to ask the browser what it made of the page",
};

/// Time for the package lists, and for an installation.
const APT_LIMIT: Duration = Duration::from_secs(300);

impl Needed {
    /// Where the program is: `PATH`, or a folder for administrators that is not in everybody's.
    fn is_there(self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
        folders.into_iter().any(|folder| Path::new(&folder).join(self.program).is_file())
    }

    /// The program as a tool.
    pub fn tool(self) -> Tool {
        let administrators = Path::new("/usr/sbin").join(self.program);
        if administrators.is_file() { Tool::new(administrators) } else { Tool::new(self.program) }
    }
}

/// Installs what is missing, saying what and why.
///
/// # Errors
/// If that is not possible; the message has the command to type.
pub fn provide(needed: &[Needed]) -> Result<()> {
    let missing: Vec<&Needed> = needed.iter().filter(|tool| !tool.is_there()).collect();
    install_saying(&missing)
}

/// The same for Python's virtual environments, which Python may lack though it is there.
///
/// # Errors
/// As [`provide`].
pub fn provide_python_venv() -> Result<()> {
    if Tool::new("python3").args(["-c", "import ensurepip, venv"]).works() {
        return Ok(());
    }
    install_saying(&[&PYTHON_VENV])
}

fn install_saying(missing: &[&Needed]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    for tool in missing {
        eprintln!("{} is missing: installing {}, {}.", tool.program, tool.package, tool.purpose);
    }
    let command = format!("sudo apt-get install --no-install-recommends {}", packages.join(" "));
    if !Tool::new("apt-get").arg("--version").works() {
        let programs: Vec<&str> = missing.iter().map(|tool| tool.program).collect();
        bail!("this system has no apt: install {} with its own package manager", programs.join(", "));
    }
    let is_root = Tool::new("id").arg("-u").read()?.trim() == "0";
    if !is_root {
        bail!("installing needs root: type `{command}`");
    }
    install(&packages).with_context(|| format!("installing failed: type `{command}`"))
}

/// With the package lists at hand first; they are only fetched if that does not do.
fn install(packages: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        Tool::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments).limit(APT_LIMIT)
    };
    let arguments = [&["-q", "install", "-y", "--no-install-recommends"], packages].concat();
    if apt(&arguments).finish()?.succeeded() {
        return Ok(());
    }
    apt(&["-q", "update"]).read()?;
    apt(&arguments).read().map(drop)
}
