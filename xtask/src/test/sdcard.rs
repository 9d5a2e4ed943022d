//! The SD card, read by programs that are not ours.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::context::Context;
use super::tools::{DOSFSTOOLS, FDISK, MTOOLS};
use crate::shell::Tool;
use crate::{build, paths};

/// Where the partition begins on the card.
const PARTITION_OFFSET: usize = 1 << 20;
/// All that is on the card.
const NAMES: [&str; 9] = [
    "bootcode.bin",
    "start_db.elf",
    "fixup_db.dat",
    "config.txt",
    "cmdline.txt",
    "kernel8.img",
    "LICENCE.broadcom",
    "start4db.elf",
    "fixup4db.dat",
];

/// `fsck.fat` and `sfdisk` find no fault, mtools reads every file back, the same options give the same bytes, and a
/// folder gets the same files.
pub fn readable(context: &Context) -> Result<()> {
    let folder = paths::target().join("test-sdcard");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let (card, again) = (folder.join("card.img"), folder.join("again.img"));
    write_card(context, "--out", &card)?;
    write_card(context, "--out", &again)?;
    let bytes = fs::read(&card)?;
    ensure!(bytes == fs::read(&again)?, "the same options gave two different cards");

    partition_table(context, &card, bytes.len())?;
    let partition = folder.join("partition.img");
    fs::write(&partition, &bytes[PARTITION_OFFSET..])?;
    context.must_pass(DOSFSTOOLS.tool().args(["-n", "-v"]).arg(&partition))?;

    let listed = MTOOLS.tool().args(["-b", "-i"]).arg(drive(&card)).arg("::");
    let listed = context.must_pass(listed)?.stdout;
    let listed: Vec<&str> = listed.lines().map(|line| line.trim_start_matches("::/")).collect();
    ensure!(listed == NAMES, "mdir lists other files: {listed:?}");
    nothing_of_its_own_time(context, &card)?;
    same_files_in_folder(context, &card, &folder.join("files"))?;
    let read = |name| fs::read(folder.join("files").join(name));
    ensure!(read("kernel8.img")? == fs::read(build::image_path())?, "another image is on the card");
    let start = context.firmware()?.join("start_db.elf");
    ensure!(read("start_db.elf")? == fs::read(start)?, "another start file is on the card");
    let licence = String::from_utf8_lossy(&read("LICENCE.broadcom")?).into_owned();
    ensure!(
        licence.contains("Broadcom") && !licence.contains("GPL"),
        "not the firmware's licence:\n{licence}"
    );
    Ok(())
}

/// Label, serial number and times are the same on every card, whenever it is made.
fn nothing_of_its_own_time(context: &Context, card: &Path) -> Result<()> {
    let listed = context.must_pass(MTOOLS.tool().args(["-a", "-i"]).arg(drive(card)).arg("::"))?.stdout;
    for words in ["is BOOT", "Serial Number is 5643-4956"] {
        ensure!(listed.contains(words), "the volume is another: {words} is missing in\n{listed}");
    }
    let dated = listed.lines().filter(|line| line.contains("1980-01-01   0:00")).count();
    ensure!(dated == NAMES.len(), "not every file has the time at which FAT begins:\n{listed}");
    Ok(())
}

fn write_card(context: &Context, option: &str, path: &Path) -> Result<()> {
    let sdcard = context.xtask(["sdcard", "--variant", "start_db", "--iterations", "5", option])?.arg(path);
    context.must_pass(sdcard).map(drop)
}

/// One partition that can be booted from, of a type that boot ROMs look for, up to the end of the image.
fn partition_table(context: &Context, card: &Path, bytes: usize) -> Result<()> {
    let verified = context.must_pass(FDISK.tool().arg("--verify").arg(card))?;
    ensure!(verified.stdout.contains("No errors"), "sfdisk finds fault:\n{}", verified.stdout);
    let table = context.must_pass(FDISK.tool().arg("--json").arg(card))?.stdout;
    let table: Value = serde_json::from_str(&table)?;
    let partitions = table["partitiontable"]["partitions"].as_array();
    let partitions = partitions.with_context(|| format!("no partitions: {table}"))?;
    ensure!(partitions.len() == 1, "not one partition: {table}");
    let first = &partitions[0];
    ensure!(first["type"] == "e" && first["bootable"] == true, "not a FAT16 partition to boot from: {first}");
    let (start, size) = (PARTITION_OFFSET / 512, (bytes - PARTITION_OFFSET) / 512);
    ensure!(first["start"] == start && first["size"] == size, "not where it should be: {first}");
    Ok(())
}

/// The folder form writes what mtools reads from the image, and nothing else but its list, which `sha256sum` checks.
fn same_files_in_folder(context: &Context, card: &Path, folder: &Path) -> Result<()> {
    const LIST: &str = "harness.sha256";
    fs::create_dir(folder)?;
    write_card(context, "--folder", folder)?;
    for name in NAMES {
        let copy = card.with_file_name("copy");
        let mcopy = Tool::new("mcopy").args(["-n", "-o", "-i"]).arg(drive(card)).arg(format!("::{name}"));
        context.must_pass(mcopy.arg(&copy))?;
        ensure!(
            fs::read(&copy)? == fs::read(folder.join(name))?,
            "the folder has another {name} than the image"
        );
    }
    ensure!(fs::read_dir(folder)?.count() == NAMES.len() + 1, "the folder has other files beside the card's");
    let sums = Tool::new("sha256sum").args(["--check", "--strict", LIST]).folder(folder);
    let sums = context.must_pass(sums)?.stdout;
    ensure!(sums.lines().count() == NAMES.len(), "sha256sum does not check every file:\n{sums}");
    Ok(())
}

/// mtools' notation for a partition within an image.
fn drive(card: &Path) -> PathBuf {
    PathBuf::from(format!("{}@@{PARTITION_OFFSET}", card.display()))
}
