//! `flash` with real disks: loop devices, which the kernel treats as such. They need root.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::context::Context;
use super::tools::FDISK;
use crate::paths;
use crate::shell::{Tool, quoted};

/// Makes a disk that is not removable one that may be written.
const FIXED: &str = "--dangerously-write-fixed-disk";
/// What was on the disk before.
const OLD: u8 = 0xa5;
const MIB: usize = 1 << 20;

/// What is given back at the end, the last one first.
struct Undo(Vec<Tool>);

impl Drop for Undo {
    fn drop(&mut self) {
        while let Some(tool) = self.0.pop() {
            // What has not come about need not be undone.
            let _ = tool.finish();
        }
    }
}

/// Where the suite works.
struct Bench<'a> {
    context: &'a Context,
    folder: PathBuf,
    card: PathBuf,
    undo: Undo,
}

/// Cards are written to loop devices, and each disk that must not be written is left alone.
pub fn real_disks(context: &Context) -> Result<()> {
    if Tool::new("id").arg("-u").read()?.trim() != "0" || !Tool::new("losetup").arg("--find").works() {
        context.say("passed over: loop devices need root and a kernel that has them");
        return Ok(());
    }
    let folder = paths::target().join("test-flash");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let card = folder.join("card.img");
    context.must_pass(context.xtask(["sdcard", "--out"])?.arg(&card))?;
    let mut bench = Bench { context, folder, card, undo: Undo(Vec::new()) };
    bench.written_and_read_back()?;
    bench.shown()?;
    bench.refused()?;
    bench.full()
}

impl Bench<'_> {
    /// A disk on this file.
    fn attach(&mut self, file: &Path, options: &[&str]) -> Result<String> {
        let losetup = Tool::new("losetup").args(options).args(["--find", "--show"]).arg(file);
        let device = self.context.must_pass(losetup)?.stdout.trim().to_owned();
        self.undo.0.push(Tool::new("losetup").args(["--detach", &device]));
        Ok(device)
    }

    /// A file of this many MiB, full of what was there before.
    fn old_file(&self, name: &str, mib: usize) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, vec![OLD; mib * MIB])?;
        Ok(path)
    }

    fn flash(&self, device: &str, options: &[&str]) -> Result<Tool> {
        let flash = self.context.xtask(["--json", "flash", "--card"])?.arg(&self.card);
        Ok(flash.arg(device).args(options))
    }

    /// Flash that asks, as one word for a shell.
    fn asking(&self, device: &str) -> Result<String> {
        let flash = self.context.xtask(["flash", "--card"])?.arg(&self.card).args([device, FIXED]);
        Ok(quoted(OsStr::new(&flash.to_string())))
    }

    /// Flash, and somebody at a terminal who answers this.
    fn answered(&self, device: &str, answer: &str) -> Result<Tool> {
        let command =
            format!("echo {answer} | script --quiet --return --command {} /dev/null", self.asking(device)?);
        Ok(Tool::new("sh").args(["-c", &command]))
    }

    /// Flash, and somebody who presses Ctrl-C at the question.
    fn interrupted(&self, device: &str) -> Result<Tool> {
        let seen = self.folder.join("seen");
        let command = format!(
            "{{ until grep -q 'as it is' \"$0\" 2>/dev/null; do sleep 0.1; done; printf '\\003'; sleep 1; }} | \
             script --quiet --return --flush --command {} \"$0\"",
            self.asking(device)?
        );
        Ok(Tool::new("sh").args(["-c", &command]).arg(seen))
    }

    /// What `--confirm` wants for this disk: as the list has it.
    fn identity(&self, device: &str) -> Result<String> {
        let list = self.context.must_pass(self.context.xtask(["--json", "flash"])?)?.stdout;
        let list: serde_json::Value = serde_json::from_str(&list)?;
        let disks = list["disks"].as_array().context("no list of disks")?;
        let disk = disks.iter().find(|disk| disk["path"] == device).context("the disk is not listed")?;
        Ok(format!("{}, {} bytes", disk["model"].as_str().unwrap_or_default(), disk["bytes"]))
    }

    fn must_refuse(&self, device: &str, options: &[&str], why: &str) -> Result<()> {
        let refused = self.context.must_end_with(2, self.flash(device, options)?)?;
        ensure!(refused.stderr.contains(why), "{device} is refused, but not for {why}:\n{}", refused.stderr);
        Ok(())
    }

    fn written_and_read_back(&mut self) -> Result<()> {
        let disk = self.old_file("disk", 96)?;
        let device = self.attach(&disk, &[])?;
        let identity = self.identity(&device)?;
        self.must_refuse(&device, &["--yes"], FIXED)?;
        self.must_refuse(&device, &["--yes", FIXED], "--confirm")?;
        self.must_refuse(&device, &[FIXED], &identity)?;
        self.must_refuse(&device, &[FIXED, "--confirm", "another, 1 bytes"], "not touched")?;
        self.context.must_end_with(2, self.answered(&device, "y")?)?;
        let stopped = self.context.must_end_with(130, self.interrupted(&device)?)?.stdout;
        ensure!(stopped.contains("was not touched"), "Ctrl-C at the question is not answered:\n{stopped}");
        ensure!(fs::read(&disk)?.iter().all(|byte| *byte == OLD), "a disk that was refused has been written");
        let name = device.trim_start_matches("/dev/");
        self.context.must_pass(self.answered(&device, name)?)?;

        let confirmed = self.flash(&device, &[FIXED, "--confirm", &identity])?;
        let done = self.context.must_pass(confirmed)?.stdout;
        let done: serde_json::Value = serde_json::from_str(&done)?;
        ensure!(done["verified"] == true, "not verified: {done}");
        ensure!(done["read_back"] == "direct", "a loop device is read past the page cache: {done}");
        let (bytes, card) = (fs::read(&disk)?, fs::read(&self.card)?);
        let used = done["written_bytes"].as_u64().context("no written_bytes")? as usize - MIB;
        ensure!(used > 4 * MIB && bytes[..used] == card[..used], "the disk does not have the card's bytes");
        ensure!(card[used..].iter().all(|byte| *byte == 0), "a part of the card was left out");
        ensure!(bytes[95 * MIB..].iter().all(|byte| *byte == 0), "the end of the disk is as it was");
        let verified = self.context.must_pass(FDISK.tool().args(["--verify", &device]))?;
        ensure!(verified.stdout.contains("No errors"), "sfdisk finds fault:\n{}", verified.stdout);
        self.context
            .say(&format!("{device}: {used} bytes written, read back, and found in the file behind it"));
        Ok(())
    }

    /// What is on a disk is shown before it is lost, also without a partition table, or with one that the kernel has not read.
    fn shown(&mut self) -> Result<()> {
        let disk = self.old_file("shown", 64)?;
        let device = self.attach(&disk, &[])?;
        let gpt = "printf 'label: gpt\\nsize=8MiB\\n' | /usr/sbin/sfdisk --quiet \"$0\"";
        let cases = [
            ("true", "no partition table, and no file system"),
            ("/usr/sbin/mkfs.ext4 -q -F -L backup \"$0\"", "ext4 \"backup\" on the whole disk"),
            ("/usr/sbin/mkswap -L spare \"$0\"", "swap area \"spare\" on the whole disk"),
            ("/usr/sbin/mkfs.vfat -I -n CAMERA \"$0\"", "vfat \"CAMERA\" on the whole disk"),
            (gpt, "GPT partition table"),
            ("dd if=/dev/zero of=\"$0\" bs=1M count=64 status=none", "zeros"),
        ];
        for (command, words) in cases {
            self.context.must_pass(Tool::new("sh").args(["-ec", command, &device]))?;
            let shown = self.context.must_end_with(2, self.answered(&device, "no")?)?.stdout;
            ensure!(shown.contains(words), "after {command} not shown: {words}\n{shown}");
        }
        Ok(())
    }

    fn refused(&mut self) -> Result<()> {
        let disk = self.old_file("other", 64)?;
        let device = self.attach(&disk, &["--read-only"])?;
        self.must_refuse(&device, &[FIXED], "write-protected")?;
        let small = self.old_file("small", 32)?;
        let device = self.attach(&small, &[])?;
        self.must_refuse(&device, &[FIXED], "too small")?;

        let device = self.attach(&self.old_file("mounted", 64)?, &[])?;
        let point = self.folder.join("mounted-here");
        fs::create_dir(&point)?;
        self.context.must_pass(Tool::new("/usr/sbin/mkfs.ext4").args(["-q", "-F", &device]))?;
        let mounted = Tool::new("mount").arg(&device).arg(&point);
        self.undo.0.push(Tool::new("umount").arg(&point));
        self.context.must_pass(mounted)?;
        self.must_refuse(&device, &[FIXED], "umount")?;

        let device = self.attach(&self.old_file("swap", 64)?, &[])?;
        self.context.must_pass(Tool::new("/usr/sbin/mkswap").arg(&device))?;
        if Tool::new("/usr/sbin/swapon").arg(&device).works() {
            self.undo.0.push(Tool::new("/usr/sbin/swapoff").arg(&device));
            self.must_refuse(&device, &[FIXED], "swap area")?;
        } else {
            self.context.say("no swap can be used here: that it is refused is shown by unit tests only");
        }
        Ok(())
    }

    /// A disk that breaks off in the middle: the file behind it has no room.
    fn full(&mut self) -> Result<()> {
        let point = self.folder.join("full");
        fs::create_dir(&point)?;
        let mount = Tool::new("mount").args(["-t", "tmpfs", "-o", "size=3M", "none"]).arg(&point);
        self.undo.0.push(Tool::new("umount").arg(&point));
        self.context.must_pass(mount)?;

        let out = self.context.xtask(["sdcard", "--out"])?.arg(point.join("card.img"));
        let failed = self.context.must_end_with(2, out)?.stderr;
        ensure!(failed.contains("No space left"), "the full disk is not told:\n{failed}");
        let into_folder = self.context.xtask(["sdcard", "--folder"])?.arg(&point);
        let failed = self.context.must_end_with(2, into_folder)?.stderr;
        ensure!(failed.contains("No space left") && failed.contains("nothing in"), "not clear:\n{failed}");
        ensure!(fs::read_dir(&point)?.count() == 0, "something was left on a full disk");

        let disk = point.join("disk");
        fs::File::create(&disk)?.set_len(96 * MIB as u64)?;
        let device = self.attach(&disk, &[])?;
        let identity = self.identity(&device)?;
        self.must_refuse(&device, &[FIXED, "--confirm", &identity], "no partition table now")?;
        let bytes = fs::read(&disk)?;
        ensure!(bytes[..4096].iter().all(|byte| *byte == 0), "a half-written card has a partition table");
        self.context.say("a disk that breaks off in the middle has no partition table");
        Ok(())
    }
}
