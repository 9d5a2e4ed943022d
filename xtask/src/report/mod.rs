//! What a run leaves: a file for machines, tables for people.

mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use harness::report::Report;
use serde::Serialize;

#[cfg(test)]
pub(crate) use table::tests::report as example;
pub use table::{grouped, summary};

/// Finds out before the work is done whether its report can be written. An existing file stays as it is.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn check_writable(path: &Path) -> Result<()> {
    make_folder(path)?;
    let is_new = !path.exists();
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    opened.with_context(|| format!("cannot write {}", path.display()))?;
    if is_new {
        fs::remove_file(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Writes the report as JSON with a final newline, making its folder if need be.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn write(report: &Report, path: &Path) -> Result<()> {
    write_json(report, path)
}

/// Writes anything as JSON with a final newline, making its folder if need be. The file is there as a whole or, if the
/// program is ended meanwhile, as it was.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn write_json(value: &impl Serialize, path: &Path) -> Result<()> {
    make_folder(path)?;
    let mut text = serde_json::to_string_pretty(value).context("cannot turn the report into JSON")?;
    text.push('\n');
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn make_folder(path: &Path) -> Result<()> {
    // A name without a folder has the empty path for its parent.
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Reads a report back.
///
/// # Errors
/// If the file cannot be read, or holds something else than a report of a schema we know.
pub fn read(path: &Path) -> Result<Report> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let report: Report =
        serde_json::from_str(&text).with_context(|| format!("{} is no report", path.display()))?;
    anyhow::ensure!(
        report.schema == harness::report::SCHEMA,
        "{} has schema {}, this tool reads {}",
        path.display(),
        report.schema,
        harness::report::SCHEMA
    );
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_being_written_and_read() {
        let folder = std::env::temp_dir().join(format!("report-{}", std::process::id()));
        let path = folder.join("deep/report.json");
        let report = table::tests::report();
        write(&report, &path).expect("writable");
        assert_eq!(read(&path).expect("readable"), report);
        fs::write(&path, "{}").expect("writable");
        assert!(read(&path).is_err());
        fs::remove_dir_all(&folder).expect("removable");
    }
}
