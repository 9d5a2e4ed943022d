//! Shows what would be overwritten, and asks.

use std::io::{BufRead, Write};

use anyhow::Result;

use super::disks::{Disk, size};

/// What the disk is, and what is on it: a line for the disk, one for each partition.
pub fn describe(disk: &Disk) -> String {
    let model = disk.model.as_deref().unwrap_or("no model known");
    let kind = if disk.removable { "removable" } else { "fixed" };
    let mut text = format!("{}: {model}, {}, {}, {kind}", disk.path.display(), size(disk.bytes), disk.bus);
    if disk.partitions.is_empty() {
        text.push_str("\n  no partitions");
    }
    for partition in &disk.partitions {
        let label = partition.label.as_deref().map_or(String::new(), |label| format!("  \"{label}\""));
        let file_system = partition.file_system.as_deref().unwrap_or("unknown");
        text.push_str(&format!("\n  {}  {}  {file_system}{label}", partition.name, size(partition.bytes)));
    }
    text
}

/// Asks for the disk's name: unlike a `y` it is not typed by habit, and a mistaken disk is noticed while it is typed.
/// Anything else, or the end of the input, means no.
///
/// # Errors
/// If there is nobody to ask.
pub fn agrees(disk: &Disk, input: &mut dyn BufRead, output: &mut dyn Write) -> Result<bool> {
    let name = &disk.name;
    write!(
        output,
        "{}\nEverything on it will be lost. Type {name} to overwrite it, anything else to leave it as it is: ",
        describe(disk)
    )?;
    output.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(answer.trim() == name)
}
