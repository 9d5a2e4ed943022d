//! What runs leave: a report each.

use std::path::{Path, PathBuf};

use anyhow::Result;
use harness::Verdict;
use harness::report::Report;

use crate::report::{self, Files};
use crate::terminal::say;

/// The reports of what has been heard, of which only the last is kept here. It has the name that was asked for; those
/// before it have numbers, which no earlier session has used.
pub struct Results {
    path: PathBuf,
    last: Option<Report>,
    files: Option<Files>,
    earlier: Earlier,
    all_passed: bool,
}

/// The reports of runs before the last.
#[derive(Debug, Default)]
struct Earlier {
    runs: usize,
    number: usize,
    first: Option<PathBuf>,
    last: Option<PathBuf>,
}

impl Results {
    /// To this file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn to(path: PathBuf) -> Result<Self> {
        report::check_all_writable(&path)?;
        Ok(Self { path, last: None, files: None, earlier: Earlier::default(), all_passed: true })
    }

    /// Where the last report is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A run is done. Gives where the report of the run before is from now on.
    ///
    /// # Errors
    /// If a report cannot be written.
    pub fn add(&mut self, report: Report) -> Result<Option<PathBuf>> {
        let moved = match self.last.take() {
            Some(before) => Some(self.earlier.keep(&before, &self.path)?),
            None => None,
        };
        self.all_passed &= report.verdict() == Verdict::Pass;
        let report = self.last.insert(report);
        self.files = Some(report::write_all(report, &self.path)?);
        Ok(moved)
    }

    /// Nothing has been reported.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Every run has passed.
    pub fn passed(&self) -> bool {
        !self.is_empty() && self.all_passed
    }

    /// The last report.
    pub fn last(&self) -> Option<&Report> {
        self.last.as_ref()
    }

    /// Says where the reports are.
    pub fn say_where(&self) {
        match &self.earlier {
            Earlier { runs: 1, first: Some(only), .. } => {
                say!("report of the run before: {}", only.display())
            }
            Earlier { runs, first: Some(first), last: Some(last), .. } => {
                say!("reports of the {runs} runs before: {} to {}", first.display(), last.display());
            }
            _ => {}
        }
        if let Some(files) = &self.files {
            say!("report: {files}");
        }
    }
}

impl Earlier {
    /// Writes the report under the next number that is free.
    fn keep(&mut self, report: &Report, path: &Path) -> Result<PathBuf> {
        let path = loop {
            self.number += 1;
            let Files { json, junit, html } = Files::beside(&numbered(path, self.number))?;
            if ![&json, &junit, &html].iter().any(|path| path.exists()) {
                break json;
            }
        };
        report::write_all(report, &path)?;
        self.runs += 1;
        self.first.get_or_insert_with(|| path.clone());
        self.last = Some(path.clone());
        Ok(path)
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
    use crate::scratch::Scratch;

    #[test]
    fn earlier_runs_have_numbers_beside_the_last() {
        assert_eq!(numbered(Path::new("deep/report.json"), 1), Path::new("deep/report-1.json"));
        assert_eq!(numbered(Path::new("night"), 2), Path::new("night-2"));
    }

    /// A report that is told from others by its time.
    fn report(wall_s: u64) -> Report {
        Report { wall_s, ..report::example() }
    }

    #[test]
    fn a_session_overwrites_no_report_of_an_earlier_one_but_the_last() {
        let folder = Scratch::new("results");
        let path = folder.path.join("report.json");
        let read = |name: &str| report::read(&folder.path.join(name)).map(|report| report.wall_s).ok();
        let mut first = Results::to(path.clone()).unwrap();
        (1..=3).for_each(|run| drop(first.add(report(run)).unwrap()));
        let mut second = Results::to(path).unwrap();
        let moved: Vec<_> = (4..=5).map(|run| second.add(report(run)).unwrap()).collect();
        assert_eq!(moved, [None, Some(folder.path.join("report-3.json"))]);
        let found = ["report-1.json", "report-2.json", "report-3.json", "report.json"].map(read);
        assert_eq!(found, [1, 2, 4, 5].map(Some));
    }

    #[test]
    fn one_run_that_did_not_pass_is_not_forgotten() {
        let folder = Scratch::new("results-passed");
        let mut results = Results::to(folder.path.join("report.json")).unwrap();
        assert!(!results.passed(), "nothing has passed yet");
        let mut failed = report(1);
        failed.scenarios[0].verdict = Verdict::Fail;
        let mut passed = report(2);
        passed.scenarios.iter_mut().for_each(|scenario| scenario.verdict = Verdict::Pass);
        results.add(passed.clone()).unwrap();
        assert!(results.passed());
        results.add(failed).unwrap();
        results.add(passed).unwrap();
        assert!(!results.passed());
    }
}
