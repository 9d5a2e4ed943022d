//! What can be said of the sources and the image without running either.

use anyhow::{Context as _, Result, bail, ensure};

use super::context::Context;
use crate::build::{self, errata};
use crate::paths;
use crate::shell::Tool;
use crate::toolchain::Choice;

/// Sources are formatted.
pub fn format(context: &Context) -> Result<()> {
    let fmt = Tool::new("cargo").args(["fmt", "--all", "--check"]).folder(paths::workspace());
    context.must_pass(fmt).map(drop)
}

/// No lint in what runs on the PC, tests included.
pub fn clippy_host(context: &Context) -> Result<()> {
    let clippy = ["clippy", "--workspace", "--exclude", "boot", "--all-targets", "--", "--deny", "warnings"];
    context.must_pass(Tool::new("cargo").args(clippy).folder(paths::workspace())).map(drop)
}

/// No lint in the image, for its target.
pub fn clippy_image(_: &Context) -> Result<()> {
    build::lint(&build::Options::default())
}

/// Documentation without warnings: broken links, missing code fences.
pub fn docs(context: &Context) -> Result<()> {
    let doc = ["doc", "--workspace", "--exclude", "boot", "--no-deps", "--document-private-items"];
    let doc = Tool::new("cargo").args(doc).env("RUSTDOCFLAGS", "--deny warnings").folder(paths::workspace());
    context.must_pass(doc).map(drop)
}

/// The image builds, is small, and has no sequence of instructions that a Cortex-A53 gets wrong.
pub fn image(context: &Context) -> Result<()> {
    let image = build::image(&build::Options::default())?;
    context.say(&format!("kernel8.img has {} bytes, built by {}", image.bytes, image.toolchain));
    ensure!(image.bytes < build::SIZE_LIMIT, "kernel8.img has {} bytes, too many", image.bytes);
    no_erratum(&image)
}

fn no_erratum(image: &build::Image) -> Result<()> {
    let elf = std::fs::read(&image.elf).with_context(|| format!("cannot read {}", image.elf.display()))?;
    let found = errata::erratum_835769(&elf)?;
    let first = found.first().copied().unwrap_or_default();
    ensure!(found.is_empty(), "{} sequences of erratum 835769, the first at {first:#x}", found.len());
    Ok(())
}

/// Both ways to a compiler make an image. One that this PC does not have is said and passed over, not both.
pub fn toolchains(context: &Context) -> Result<()> {
    let mut made = 0;
    for toolchain in [Choice::Distribution, Choice::Rustup] {
        match build::image(&build::Options { toolchain, log_level: None }) {
            Ok(image) => {
                context.say(&format!("{toolchain:?}: {} bytes, built by {}", image.bytes, image.toolchain));
                no_erratum(&image)?;
                made += 1;
            }
            Err(error) => context.say(&format!("{toolchain:?}: not possible here: {error:#}")),
        }
    }
    if made == 0 {
        bail!("neither rustup's compiler nor the distribution's makes an image");
    }
    Ok(())
}
