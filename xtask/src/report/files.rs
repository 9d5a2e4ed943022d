//! The files of a report: JSON at the path asked for, what is made from it beside it.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use harness::report::Report;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::{html, junit};
use crate::paths::make_folder_of;
use crate::replace::Replacement;

/// Where the parts of a report are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// The report itself, which the others are made from.
    pub json: PathBuf,
    /// JUnit XML, for CI.
    pub junit: PathBuf,
    /// A page for people.
    pub html: PathBuf,
}

impl Files {
    /// The names for a report at `json`: the same with other endings.
    ///
    /// # Errors
    /// If the name has one of those endings itself.
    pub fn beside(json: &Path) -> Result<Self> {
        let taken = ["xml", "html"].iter().find(|ending| json.extension() == Some(OsStr::new(ending)));
        if let Some(ending) = taken {
            bail!(
                "{} names the JSON file of the report, and a file .{ending} is written beside it: \
                 let it end in .json",
                json.display()
            );
        }
        Ok(Self {
            json: json.to_owned(),
            junit: json.with_extension("xml"),
            html: json.with_extension("html"),
        })
    }
}

/// All of them in one line.
impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (page: {}, JUnit: {})", self.json.display(), self.html.display(), self.junit.display())
    }
}

/// Writes a report and what is made from it.
///
/// # Errors
/// If the folder or a file cannot be written, or the name leaves no room for the others.
pub fn write_all(report: &Report, path: &Path) -> Result<Files> {
    let files = Files::beside(path)?;
    write_json(report, &files.json)?;
    write_text(&junit::xml(report)?, &files.junit)?;
    write_text(&html::page(report), &files.html)?;
    Ok(files)
}

/// Finds out before the work is done whether its report can be written. Existing files stay as they are.
///
/// # Errors
/// If the folder or a file cannot be written, or the name leaves no room for the others.
pub fn check_all_writable(path: &Path) -> Result<()> {
    let files = Files::beside(path)?;
    [files.json, files.junit, files.html].iter().try_for_each(|path| check_writable(path))
}

/// The same for one file.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn check_writable(path: &Path) -> Result<()> {
    make_folder_of(path)?;
    let is_new = !path.exists();
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    opened.with_context(|| format!("cannot write {}", path.display()))?;
    if is_new {
        fs::remove_file(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Writes anything as JSON with a final newline, making its folder if need be. The file is there as a whole or, if the
/// program is ended meanwhile, as it was.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn write_json(value: &impl Serialize, path: &Path) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).context("cannot turn the report into JSON")?;
    text.push('\n');
    write_text(&text, path)
}

/// The same for a text.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn write_text(text: &str, path: &Path) -> Result<()> {
    make_folder_of(path)?;
    Replacement::write(path, |file| Ok(file.write_all(text.as_bytes())?))?.finish()
}

/// No report is larger: one with all the raw samples that there can be has some 20 MB.
const LARGEST: u64 = 256 << 20;

/// What every report has, of whichever schema.
#[derive(Deserialize)]
struct Head {
    schema: u32,
}

/// Reads a report back; `-` is standard input.
///
/// # Errors
/// If the file cannot be read, or holds something else than a report of a schema we know.
pub fn read(path: &Path) -> Result<Report> {
    let from_stdin = path == Path::new("-");
    let name = if from_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let bytes = if from_stdin { all_of(io::stdin().lock()) } else { File::open(path).and_then(all_of) };
    let bytes = bytes.with_context(|| format!("cannot read {name}"))?;
    ensure!(bytes.len() as u64 <= LARGEST, "{name} is no report: it has more than {} MiB", LARGEST >> 20);
    ensure!(!bytes.is_empty(), "{name} is empty: the run that was to write it may have been ended");
    if bytes.trim_ascii_start().starts_with(b"<") {
        bail!("{name} is no report, but a file made from one: name the .json beside it");
    }
    // Another schema may have another shape, so its number comes first.
    let head: Head = serde_json::from_slice(&bytes).map_err(|error| no_report(&name, &error))?;
    let known = harness::report::SCHEMA;
    let schema = head.schema;
    ensure!(
        schema == known,
        "{name} is a report of schema {schema}, and this tool reads schema {known}: use the commit that wrote it"
    );
    serde_json::from_slice(&bytes).map_err(|error| no_report(&name, &error))
}

/// All of it, up to one byte more than a report may have.
fn all_of(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.by_ref().take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn no_report(name: &str, error: &serde_json::Error) -> anyhow::Error {
    match error.classify() {
        Category::Eof => anyhow!("{name} is cut off: {error}"),
        Category::Syntax => anyhow!("{name} is no report, for it is no JSON: {error}"),
        Category::Data | Category::Io => anyhow!("{name} is no report: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn a_report_survives_being_written_and_read() {
        let folder = std::env::temp_dir().join(format!("report-{}", std::process::id()));
        let path = folder.join("deep/report.json");
        let report = example();
        let files = write_all(&report, &path).expect("writable");
        assert_eq!(read(&path).expect("readable"), report);
        assert_eq!(files.junit, folder.join("deep/report.xml"));
        assert!(fs::read_to_string(&files.junit).expect("readable").contains("<testsuites"));
        assert!(fs::read_to_string(&files.html).expect("readable").starts_with("<!DOCTYPE html>"));
        fs::write(&path, "{}").expect("writable");
        assert!(read(&path).is_err());
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn what_is_no_report_is_told_from_what_is_one_of_another_kind() {
        let folder = std::env::temp_dir().join(format!("no-report-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("writable");
        let path = folder.join("report.json");
        let whole = serde_json::to_string(&example()).expect("plain data");
        let lone = whole.replacen("released: none", "\\ud800", 1);
        let cases = [
            ("", "is empty"),
            ("hello", "is no JSON"),
            ("{}", "missing field `schema`"),
            ("{\"schema\": 2}", "schema 2, and this tool reads schema 1"),
            ("{\"schema\": 1}", "is no report: missing field"),
            (&whole[..whole.len() / 2], "is cut off"),
            ("<!DOCTYPE html>", "name the .json"),
            (&lone, "is no JSON"),
        ];
        for (text, words) in cases {
            fs::write(&path, text).expect("writable");
            let error = format!("{:#}", read(&path).unwrap_err());
            assert!(error.contains(words) && error.contains("report.json"), "{error}");
        }
        let error = format!("{:#}", read(&folder).unwrap_err());
        assert!(error.contains("cannot read") && error.contains("directory"), "{error}");
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        if Path::new("/dev/zero").exists() {
            let error = format!("{:#}", read(Path::new("/dev/zero")).unwrap_err());
            assert!(error.contains("more than 256 MiB"), "{error}");
        }
    }

    #[test]
    fn a_name_that_would_be_overwritten_by_the_files_beside_it_is_refused() {
        for name in ["report.xml", "deep/report.html"] {
            let error = Files::beside(Path::new(name)).unwrap_err().to_string();
            assert!(error.contains(".json"), "{error}");
        }
        assert!(Files::beside(Path::new("report")).is_ok());
    }
}
