//! What the runs of one release say of it.

use harness::Verdict;
use harness::report::Report;
use serde::Serialize;

use super::search::Judgement;

/// One release that was run, or could not be.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name.
    pub release: String,
    /// When it was built.
    pub built: String,
    /// What is made of it.
    pub judgement: Judgement,
    /// The verdict with owner and reason, or why the release cannot be judged.
    pub evidence: String,
    /// The command that does the run again that decided.
    pub command: String,
}

/// What the runs of a release come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// Good, bad or neither.
    pub judgement: Judgement,
    /// What the run that decided came to.
    pub evidence: String,
    /// Number of that run, from 0.
    pub run: usize,
}

impl Judged {
    /// This run says nothing of the release, and why.
    pub fn skip(run: usize, evidence: String) -> Self {
        Self { judgement: Judgement::Skip, evidence, run }
    }
}

/// Judges a release by its runs, each with another seed. One run that does not come to `expected` makes it bad, and how
/// many did is told.
pub fn judge(reports: &[Report], expected: Verdict) -> Judged {
    let read: Vec<(Judgement, String)> = reports.iter().map(|report| read(report, expected)).collect();
    let of = |judgement| read.iter().enumerate().filter(move |(_, (one, _))| *one == judgement);
    let decisive = [Judgement::Bad, Judgement::Skip, Judgement::Good].into_iter();
    let first = decisive.filter_map(|judgement| of(judgement).next()).next();
    let Some((run, (judgement, evidence))) = first else {
        return Judged::skip(0, "it was not run".to_owned());
    };
    let count = of(*judgement).count();
    let share = if count == read.len() { String::new() } else { format!("{count} of {} runs: ", read.len()) };
    Judged { judgement: *judgement, evidence: format!("{share}{evidence}"), run }
}

/// What a report says of a release. One whose image never spoke, or whose scenario cannot run there, says nothing.
fn read(report: &Report, expected: Verdict) -> (Judgement, String) {
    let gravest = report.scenarios.iter().max_by_key(|scenario| scenario.verdict);
    let Some(scenario) = gravest else { return (Judgement::Skip, "the run left no scenario".to_owned()) };
    let owner = scenario.owner.map_or(String::new(), |owner| format!(", owner {}", owner.name()));
    let reason = scenario.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    let evidence = format!("{} {}{owner}{reason}", scenario.name, scenario.verdict);
    if report.image.git.is_empty() {
        return (Judgement::Skip, format!("it does not boot; {evidence}"));
    }
    let judgement = match report.verdict() {
        verdict if verdict == expected => Judgement::Good,
        Verdict::Skip => Judgement::Skip,
        _ => Judgement::Bad,
    };
    (judgement, evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn report(verdict: Verdict) -> Report {
        let mut report = example();
        report.scenarios.truncate(1);
        (report.scenarios[0].verdict, report.scenarios[0].owner) = (verdict, None);
        report
    }

    fn judged(verdicts: &[Verdict], expected: Verdict) -> (Judgement, String) {
        let judged = judge(&verdicts.iter().map(|verdict| report(*verdict)).collect::<Vec<_>>(), expected);
        (judged.judgement, judged.evidence)
    }

    #[test]
    fn a_scenario_that_cannot_run_there_does_not_make_a_release_bad() {
        assert_eq!(judged(&[Verdict::Skip], Verdict::Pass).0, Judgement::Skip);
        assert_eq!(judged(&[Verdict::Absent], Verdict::Pass).0, Judgement::Bad);
        assert_eq!(judged(&[Verdict::Absent], Verdict::Absent).0, Judgement::Good);
        let mut silent = report(Verdict::Hung);
        silent.image.git.clear();
        let Judged { judgement, evidence, .. } = judge(&[silent], Verdict::Pass);
        assert!(judgement == Judgement::Skip && evidence.starts_with("it does not boot"), "{evidence}");
        assert_eq!(judge(&[], Verdict::Pass).judgement, Judgement::Skip);
    }

    #[test]
    fn a_release_that_fails_now_and_then_is_bad_and_it_is_told_how_often() {
        let (judgement, evidence) = judged(&[Verdict::Pass, Verdict::Fail, Verdict::Pass], Verdict::Pass);
        assert_eq!(judgement, Judgement::Bad);
        assert!(evidence.starts_with("1 of 3 runs: "), "{evidence}");
        let (judgement, evidence) = judged(&[Verdict::Pass; 3], Verdict::Pass);
        assert!(judgement == Judgement::Good && !evidence.contains("of 3"), "{evidence}");
        assert_eq!(judged(&[Verdict::Pass, Verdict::Skip], Verdict::Pass).0, Judgement::Skip);
    }

    #[test]
    fn the_run_that_decides_is_named() {
        let decisive = |verdicts: &[Verdict]| {
            let reports: Vec<Report> = verdicts.iter().map(|verdict| report(*verdict)).collect();
            judge(&reports, Verdict::Pass).run
        };
        assert_eq!(decisive(&[Verdict::Pass, Verdict::Pass, Verdict::Fail, Verdict::Hung]), 2);
        assert_eq!(decisive(&[Verdict::Pass, Verdict::Skip]), 1);
        assert_eq!(decisive(&[Verdict::Pass, Verdict::Pass]), 0);
    }
}
