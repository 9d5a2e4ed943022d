//! What runs leave: a report each.

use std::path::{Path, PathBuf};

use anyhow::Result;
use harness::Verdict;
use harness::report::Report;

use crate::report::{self, Files};
use crate::terminal::say;

/// The reports of what has been heard. The last one has the name that was asked for, those before it have numbers.
pub struct Results {
    path: PathBuf,
    reports: Vec<Report>,
    files: Option<Files>,
}

impl Results {
    /// To this file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn to(path: PathBuf) -> Result<Self> {
        report::check_all_writable(&path)?;
        Ok(Self { path, reports: Vec::new(), files: None })
    }

    /// Where the last report is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A run is done.
    ///
    /// # Errors
    /// If its report cannot be written.
    pub fn add(&mut self, report: Report) -> Result<()> {
        if let Some(before) = self.reports.last() {
            report::write_all(before, &numbered(&self.path, self.reports.len()))?;
        }
        self.files = Some(report::write_all(&report, &self.path)?);
        self.reports.push(report);
        Ok(())
    }

    /// Nothing has been reported.
    pub fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }

    /// Every run has passed.
    pub fn passed(&self) -> bool {
        !self.is_empty() && self.reports.iter().all(|report| report.verdict() == Verdict::Pass)
    }

    /// The last report.
    pub fn last(&self) -> Option<&Report> {
        self.reports.last()
    }

    /// Says where the reports are.
    pub fn say_where(&self) {
        for number in 1..self.reports.len() {
            say!("report of run {number}: {}", numbered(&self.path, number).display());
        }
        if let Some(files) = &self.files {
            say!("report: {files}");
        }
    }
}

/// `report-1.json` for the first.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = path.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{number}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_runs_have_numbers_beside_the_last() {
        assert_eq!(numbered(Path::new("deep/report.json"), 1), Path::new("deep/report-1.json"));
        assert_eq!(numbered(Path::new("night"), 2), Path::new("night-2"));
    }
}
