//! `cargo xtask report`: the tables, and the files that are made from a report, again.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;
use harness::report::Report;

use super::files::{check_writable, write_text};
use super::{csv, html, junit, picture, read, summary};
use crate::outcome::Outcome;
use crate::terminal::{printable, say};

/// Options of `report`.
#[derive(Args, Debug)]
pub struct Options {
    /// The report, as `run` and `monitor` write it.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write the page for people to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write one picture of the run to this SVG file: verdicts, and the handshake's times.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Write the raw samples as CSV to this file, if the run has kept any (`--samples`).
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

/// Something to make of a report, and where to.
type Wish<'o> = (&'o Option<PathBuf>, fn(&Report) -> Result<String>);

/// Reads the report and makes what is asked for; without a wish it prints the tables.
///
/// # Errors
/// If the file is no report, or a file cannot be written.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    let report = read(&options.file)?;
    let wishes: [Wish<'_>; 4] = [
        (&options.html, |report| Ok(html::page(report))),
        (&options.junit, junit::xml),
        (&options.picture, |report| Ok(picture::svg(report))),
        (&options.csv, csv::text),
    ];
    let wishes: Vec<_> =
        wishes.into_iter().filter_map(|(path, make)| Some((path.as_deref()?, make))).collect();
    for (path, _) in &wishes {
        ensure!(!is_same(path, &options.file), "{} is the report itself", path.display());
        check_writable(path)?;
    }
    for (path, make) in &wishes {
        write_text(&make(&report)?, path)?;
        eprintln!("wrote {}", path.display());
    }
    if json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else if wishes.is_empty() {
        say!("{}", summary(&report).trim_end());
        report.last_words.iter().for_each(|line| say!("  {}", printable(line)));
    }
    Ok(Outcome::Pass)
}

/// The same file, by whichever name.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}
