//! The SD card, read by programs that are not ours.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::context::Context;
use super::tools::{DOSFSTOOLS, MTOOLS};
use crate::shell::Tool;
use crate::{build, paths};

/// Where the partition begins on the card.
const PARTITION_OFFSET: usize = 1 << 20;

/// `fsck.fat` finds no fault, mtools reads every file back, and the same options give the same bytes.
pub fn readable(context: &Context) -> Result<()> {
    let folder = paths::target().join("test-sdcard");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let (card, again) = (folder.join("card.img"), folder.join("again.img"));
    write_card(context, &card)?;
    write_card(context, &again)?;
    let bytes = fs::read(&card)?;
    ensure!(bytes == fs::read(&again)?, "the same options gave two different cards");

    let partition = folder.join("partition.img");
    fs::write(&partition, &bytes[PARTITION_OFFSET..])?;
    context.must_pass(DOSFSTOOLS.tool().args(["-n", "-v"]).arg(&partition))?;

    let names = MTOOLS.tool().args(["-b", "-i"]).arg(drive(&card)).arg("::");
    let names = context.must_pass(names)?.stdout;
    for name in ["bootcode.bin", "start_db.elf", "fixup_db.dat", "config.txt", "cmdline.txt", "kernel8.img"] {
        ensure!(names.contains(name), "mdir does not list {name}:\n{names}");
    }
    same_content(context, &card, "kernel8.img", &build::image_path())?;
    same_content(context, &card, "start_db.elf", &context.firmware()?.join("start_db.elf"))
}

fn write_card(context: &Context, path: &Path) -> Result<()> {
    let sdcard = context.xtask(["sdcard", "--variant", "start_db", "--iterations", "5", "--out"])?.arg(path);
    context.must_pass(sdcard).map(drop)
}

fn same_content(context: &Context, card: &Path, name: &str, original: &Path) -> Result<()> {
    let copy = card.with_file_name(name);
    let mcopy = Tool::new("mcopy").args(["-n", "-i"]).arg(drive(card)).arg(format!("::{name}")).arg(&copy);
    context.must_pass(mcopy)?;
    ensure!(fs::read(&copy)? == fs::read(original)?, "mcopy reads another {name} than was written");
    Ok(())
}

/// mtools' notation for a partition within an image.
fn drive(card: &Path) -> PathBuf {
    PathBuf::from(format!("{}@@{PARTITION_OFFSET}", card.display()))
}
