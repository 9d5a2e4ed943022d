//! Shows what would be overwritten, and asks.

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::contents::Content;
use super::disks::{Disk, size};
use crate::interrupt::Notice;
use crate::terminal::printable;

/// How often Ctrl-C is looked for while the question stands.
const GLANCE: Duration = Duration::from_millis(50);

/// What the disk is, and what is on it: a line for the disk, and below it one for each thing there.
pub fn describe(disk: &Disk) -> String {
    let kind = if disk.removable { "removable" } else { "fixed" };
    let path = disk.path.display();
    let mut text = format!("{path}: {}, {}, {}, {kind}", disk.model_words(), size(disk.bytes), disk.bus);
    for line in on_it(disk) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    text
}

fn on_it(disk: &Disk) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(table) = disk.table {
        let nothing = if disk.partitions.is_empty() { ", without partitions" } else { "" };
        lines.push(format!("{} partition table{nothing}", table.name()));
    }
    if disk.file_system.is_some() {
        // A stick made of an ISO image has both.
        let whole = if disk.partitions.is_empty() { "on the whole disk" } else { "beside the partitions" };
        lines.push(format!("{} {whole}", held(disk.file_system.as_deref(), disk.label.as_deref())));
    }
    for partition in &disk.partitions {
        let held = held(partition.file_system.as_deref(), partition.label.as_deref());
        lines.push(format!("{}  {}  {held}", partition.name, size(partition.bytes)));
    }
    let nothing = match disk.content {
        Content::Known => return lines,
        Content::Blank => "nothing: its first and its last MiB are zeros",
        Content::Unknown => "no partition table, and no file system that is known here",
        Content::Denied => "no partitions; what else is on it may be seen by root only",
        Content::Unseen => "no partitions",
    };
    lines.push(nothing.to_owned());
    lines
}

/// A file system, or what else it is, and its label.
fn held(kind: Option<&str>, label: Option<&str>) -> String {
    let kind = match kind {
        None => "unknown",
        Some("crypto_LUKS") => "encrypted by LUKS",
        Some("BitLocker") => "encrypted by BitLocker",
        Some("LVM2_member") => "part of LVM",
        Some("linux_raid_member") => "part of a RAID",
        Some("swap") => "swap area",
        Some(kind) => kind,
    };
    // A label is whatever somebody has written there.
    let label =
        label.map_or(String::new(), |label| format!(" \"{}\"", printable(label).replace(['\n', '\t'], " ")));
    format!("{}{label}", printable(kind).replace(['\n', '\t'], " "))
}

/// Asks for the disk's name: unlike a `y` it is not typed by habit, and a mistaken disk is noticed while it is typed.
/// Anything else, or the end of the input, means no.
///
/// # Errors
/// If there is nobody to ask, and at Ctrl-C.
pub fn agrees(
    disk: &Disk,
    answer: impl FnOnce() -> io::Result<String> + Send + 'static,
    output: &mut dyn Write,
    notice: &Notice,
) -> Result<bool> {
    let name = &disk.name;
    write!(
        output,
        "{}\nEverything on it will be lost. Type {name} to overwrite it, anything else to leave it as it is: ",
        describe(disk)
    )?;
    output.flush()?;
    let answer = wait(answer, notice);
    if !matches!(&answer, Ok(answer) if answer.ends_with('\n')) {
        // What is said next begins a line.
        writeln!(output)?;
    }
    let answer = answer.with_context(|| format!("{} was not touched", disk.path.display()))?;
    Ok(answer.trim() == name)
}

/// A line from standard input.
pub fn of_terminal() -> io::Result<String> {
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer)
}

/// Reading a line does not end at Ctrl-C: somebody else does it, and is left behind.
fn wait(answer: impl FnOnce() -> io::Result<String> + Send + 'static, notice: &Notice) -> Result<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send(answer());
    });
    loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(answer) => return Ok(answer?),
            Err(RecvTimeoutError::Timeout) => notice.check()?,
            Err(RecvTimeoutError::Disconnected) => bail!("nobody can be asked"),
        }
    }
}
