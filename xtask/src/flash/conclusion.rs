//! What is said at the end.

use std::time::Duration;

use anyhow::Result;

use super::Flashed;
use super::disks::size;
use super::failure::Failure;
use super::medium::Reading;
use crate::outcome::Outcome;
use crate::paths;
use crate::shell::quoted;
use crate::terminal::say;

/// Prints it.
///
/// # Errors
/// If it cannot be put into JSON.
pub fn report(flashed: &Flashed, json: bool) -> Result<Outcome> {
    if json {
        say!("{}", serde_json::to_string_pretty(&object(flashed))?);
    }
    match &flashed.result {
        Ok(_) if json => {}
        Ok(_) => say!("{}", words(flashed)),
        Err(_) => eprintln!("{}", words(flashed)),
    }
    Ok(Outcome::passed(flashed.result.is_ok()))
}

/// For programs.
pub fn object(flashed: &Flashed) -> serde_json::Value {
    let disk = &flashed.disk;
    let (written, difference) = (flashed.result.as_ref().ok(), flashed.result.as_ref().err());
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    serde_json::json!({
        "device": disk.path,
        "model": disk.model,
        "device_bytes": disk.bytes,
        "image_bytes": flashed.image_bytes,
        "image_sha256": flashed.image_sha256,
        "verified": written.is_some(),
        "read_back": flashed.read_back,
        "written_bytes": written.map(|written| written.bytes),
        "write_ms": written.map(|written| milliseconds(written.write)),
        "check_ms": written.map(|written| milliseconds(written.check)),
        "first_difference": difference.map(|difference| difference.offset),
    })
}

/// For people.
pub fn words(flashed: &Flashed) -> String {
    let path = flashed.disk.path.display();
    let written = match &flashed.result {
        Ok(written) => written,
        Err(difference) => {
            let aftermath = Failure::Differs(*difference).aftermath();
            return format!("{path} is not a card that can be used: {difference}.\n{aftermath}");
        }
    };
    let (write, check) = (written.write.as_secs_f64(), written.check.as_secs_f64());
    let bytes = size(written.bytes);
    match flashed.read_back {
        Reading::Direct => format!(
            "{path}: {bytes} written in {write:.1} s, read back past the page cache and compared in {check:.1} s. The card \
             can be taken out."
        ),
        Reading::Cached => format!(
            "{path}: {bytes} written in {write:.1} s, read back through the page cache and compared in {check:.1} s.\n\
             The driver of this disk does not read past the page cache. The kernel was asked to forget what was written, \
             so it should have come from the card, but that is not certain. {}",
            to_be_certain(flashed)
        ),
    }
}

/// How to compare the card with its image without us.
fn to_be_certain(flashed: &Flashed) -> String {
    let made = paths::target().join("sdcard.img");
    let (image, origin) = match &flashed.image_file {
        Some(file) => (file, ""),
        None => (&made, " (`cargo xtask sdcard` with the same options writes it)"),
    };
    format!(
        "To be certain, take the card out and put it in again. If the desktop mounts it, unmount it first: a mounted card \
         is marked as in use. Then compare it with its image{origin}: `sudo cmp --bytes={} {} DEV`, where DEV is the name \
         that the card has now, as `cargo xtask flash` lists it",
        flashed.image_used,
        quoted(image.as_os_str())
    )
}
