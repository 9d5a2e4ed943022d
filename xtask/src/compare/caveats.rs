//! What must be alike before figures of two sides mean anything.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use harness::report::{Report, Rung, Timing};

use super::conditions::{self, clock_differs};
use super::side::Side;

/// What stands in the way of a comparison.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caveats {
    /// Times and instruction counts must not be compared, and why.
    pub void: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Caveats {
    /// Looks at both sides.
    ///
    /// # Errors
    /// If one side is measured and the other modelled, or the reports of one side are not runs of one thing.
    pub fn of(a: &Side, b: &Side) -> Result<Self> {
        for side in [a, b] {
            check_alike(side)?;
        }
        let (first, other) = (a.reference(), b.reference());
        if differ_in_timing(first, other) {
            bail!(
                "{} is {} and {} is {}: a board's times and the emulator's cost model have nothing to do with each \
                 other, and are never compared",
                a.name,
                first.timing.name(),
                b.name,
                other.timing.name()
            );
        }
        let mut caveats = Self::default();
        conditions::differences(first, other, &mut caveats);
        caveats.runs(a, b);
        for side in [a, b] {
            caveats.among_runs(side);
            caveats.one_side(side);
        }
        Ok(caveats)
    }

    /// Figures must not be compared. What was said before is not said again.
    pub fn void(&mut self, why: String) {
        if !self.void.contains(&why) {
            self.void.push(why);
        }
    }

    /// A reader should know, once.
    pub fn note(&mut self, what: String) {
        if !self.notes.contains(&what) {
            self.notes.push(what);
        }
    }

    /// Conditions that changed from one run of a side to another.
    fn among_runs(&mut self, side: &Side) {
        let mut own = Self::default();
        for report in &side.reports {
            conditions::of_board(side.reference(), report, &mut own);
        }
        let told = |text: String| format!("among the runs of {}: {text}", side.name);
        self.void.extend(own.void.into_iter().map(told));
        self.notes.extend(own.notes.into_iter().map(told));
    }

    /// How many runs there are, and of which seeds.
    fn runs(&mut self, a: &Side, b: &Side) {
        let (runs_a, runs_b) = (a.reports.len(), b.reports.len());
        if runs_a != runs_b {
            self.note(format!("numbers of runs differ: {runs_a} and {runs_b}"));
        }
        let (seeds_a, seeds_b) = (a.seeds(), b.seeds());
        if seeds_a != seeds_b && [runs_a, runs_b] == [seeds_a.len(), seeds_b.len()] {
            self.note(format!(
                "seeds differ: {} and {}; patterns, the order of sizes and how processors meet are others",
                listed(&seeds_a),
                listed(&seeds_b)
            ));
        }
        let is = |timing| [a, b].iter().any(|side| side.reference().timing == timing);
        let modelled = is(Timing::Modelled);
        if is(Timing::Measured) && runs_a.min(runs_b) == 1 {
            self.note(
                "one measured run tells that runs differ, not why: a second boot of the same card differs, too; take \
                 several a side"
                    .to_owned(),
            );
        }
        if modelled && are_few(runs_a, runs_b) {
            self.note(format!(
                "of so few runs ({runs_a} and {runs_b}), {:.0} of 100 figures lie apart by chance, and the threshold alone \
                 keeps them from alarming: take more seeds",
                100.0 * apart_by_chance(runs_a, runs_b)
            ));
        }
        if modelled {
            for side in [a, b] {
                let seeds = side.seeds();
                let distinct: BTreeSet<u64> = seeds.iter().copied().collect();
                if distinct.len() < seeds.len() {
                    self.note(format!(
                        "{}: a seed is there twice ({}); such runs are one run again",
                        side.name,
                        listed(&seeds)
                    ));
                }
            }
        }
    }

    fn one_side(&mut self, side: &Side) {
        let any = |what: fn(&Report) -> bool| side.reports.iter().any(what);
        let name = &side.name;
        if any(|report| report.throttled.as_ref().is_some_and(|throttled| throttled.times_void)) {
            self.void(format!("{name}: the board was throttled"));
        }
        if any(|report| report.timing == Timing::Unknown) {
            self.void(format!("{name}: nobody knows whether its times are measured or modelled"));
        }
        if any(|report| report.rung == Rung::Qemu) {
            self.void(format!("{name}: QEMU's times mean nothing"));
        }
        if any(|report| moved(report.clocks.arm_hz, report.clocks.arm_after_hz)) {
            self.void(format!("{name}: the Arm's clock changed during the run"));
        }
        if any(|report| moved(report.clocks.core_hz, report.clocks.core_after_hz)) {
            self.void(format!("{name}: the core's clock changed during the run"));
        }
        let resets: usize = side.reports.iter().map(|report| report.resets.len()).sum();
        if resets > 0 {
            self.note(format!("{name}: the board was reset {resets} times in mid-run"));
        }
        let names: BTreeSet<&str> = side.scenarios().collect();
        for scenario in names {
            let with =
                side.reports.iter().filter(|report| report.scenarios.iter().any(|one| one.name == scenario));
            let with = with.count();
            if with < side.reports.len() {
                self.note(format!("{name}: {scenario} is in {with} of {} runs", side.reports.len()));
            }
        }
        let told: BTreeSet<&String> = side.reports.iter().flat_map(|report| &report.notes).collect();
        self.notes.extend(told.into_iter().map(|note| format!("{name}: {note}")));
    }
}

/// From this many runs a side on, figures hardly lie apart by chance: of 4 and 4, in 2 of 70.
const ENOUGH_RUNS: usize = 4;

/// How probable it is that runs of one distribution lie apart: 2 of the ways to deal them to two sides.
fn apart_by_chance(runs_a: usize, runs_b: usize) -> f64 {
    let ways: f64 = (1..=runs_a).map(|number| (runs_b + number) as f64 / number as f64).product();
    (2.0 / ways).min(1.0)
}

/// Of so few runs a figure may well lie apart by chance.
pub fn are_few(runs_a: usize, runs_b: usize) -> bool {
    runs_a.min(runs_b) < ENOUGH_RUNS
}

/// One is measured, the other modelled. A report that lost the records that tell it is neither.
fn differ_in_timing(a: &Report, b: &Report) -> bool {
    a.timing != b.timing && ![a, b].iter().any(|report| report.timing == Timing::Unknown)
}

fn listed(seeds: &[u64]) -> String {
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    seeds.join(", ")
}

fn moved(before_hz: u32, after_hz: Option<u32>) -> bool {
    after_hz.is_some_and(|after_hz| clock_differs(before_hz, after_hz))
}

/// Runs of one side must be of one thing, and each there once.
fn check_alike(side: &Side) -> Result<()> {
    let reports = &side.reports;
    ensure!(!reports.is_empty(), "{} has no report", side.name);
    let first = side.reference();
    let place = reports.iter().position(|report| report == first).map_or(1, |place| place + 1);
    for (number, other) in (1..).zip(reports) {
        let differ = unlike(first, other);
        ensure!(
            differ.is_empty(),
            "{}: its reports are not of one thing; number {place} and number {number} differ in {}",
            side.name,
            differ.join(", ")
        );
    }
    // A run of the emulated Pi may repeat another, which is told; a board's never does.
    let twice = |at: usize| reports[at + 1..].contains(&reports[at]);
    let measured = first.timing == Timing::Measured;
    ensure!(
        !measured || !(0..reports.len()).any(twice),
        "{}: the same report is there twice, and would count as twice the samples",
        side.name
    );
    Ok(())
}

/// In what two reports of one side differ that they must not differ in.
fn unlike(a: &Report, b: &Report) -> Vec<String> {
    let plan = |report: &Report| report.plan.clone().map(|plan| harness::report::Asked { seed: 0, ..plan });
    let peer = |report: &Report| format!("{} of {}", report.peer.variant, report.peer.date);
    let iterations = |report: &Report| report.plan.as_ref().map_or(0, |plan| plan.iterations).to_string();
    let same_iterations = iterations(a) == iterations(b);
    let rows = [
        (
            "firmware",
            (&a.peer.build_id, &a.peer.variant) != (&b.peer.build_id, &b.peer.variant),
            peer(a),
            peer(b),
        ),
        ("board", a.board.model != b.board.model, a.board.model.clone(), b.board.model.clone()),
        (
            "rung",
            a.rung != b.rung && ![a.rung, b.rung].contains(&Rung::Unknown),
            a.rung.name().to_owned(),
            b.rung.name().to_owned(),
        ),
        ("timing", differ_in_timing(a, b), a.timing.name().to_owned(), b.timing.name().to_owned()),
        ("image", a.image != b.image, a.image.git.clone(), b.image.git.clone()),
        ("iterations", !same_iterations, iterations(a), iterations(b)),
        (
            "what was asked for beside iterations and seed",
            same_iterations && plan(a) != plan(b),
            wishes(a),
            wishes(b),
        ),
    ];
    let rows = rows.into_iter().filter(|(_, differ, ..)| *differ);
    rows.map(|(what, _, a, b)| format!("{what} ({a}; {b})")).collect()
}

/// Sizes, delay and raw samples, as the command line has them.
fn wishes(report: &Report) -> String {
    let Some(plan) = &report.plan else { return "not told".to_owned() };
    let number = |value: Option<u32>| value.map_or("?".to_owned(), |value| value.to_string());
    let sizes: Vec<String> = plan.sizes.iter().flatten().map(u32::to_string).collect();
    format!(
        "samples={} sizes={} delay_us={} first_transaction={} timeout_ms={}",
        number(plan.samples),
        sizes.join(","),
        number(plan.delay_us),
        number(plan.first_transaction),
        number(plan.timeout_ms)
    )
}

#[cfg(test)]
mod tests {
    use harness::record::When;
    use harness::report::{Answer, Asked, Firmware, Memory, PeerKind, Throttled, Timing};

    use super::*;
    use crate::report::example;

    fn side(name: &str, change: impl FnOnce(&mut Report)) -> Side {
        let mut report = example();
        report.plan = Some(Asked {
            iterations: 1000,
            seed: 1,
            samples: Some(0),
            sizes: Some(Vec::new()),
            delay_us: Some(0),
            first_transaction: Some(1),
            timeout_ms: Some(10_000),
        });
        report.notes.clear();
        report.timing = Timing::Measured;
        change(&mut report);
        Side { name: name.to_owned(), reports: vec![report] }
    }

    fn asked(report: &mut Report) -> &mut Asked {
        report.plan.as_mut().expect("a plan")
    }

    /// Of single runs, without the note that they are single.
    fn of_singles(a: &Side, b: &Side) -> Caveats {
        let mut caveats = Caveats::of(a, b).expect("comparable");
        caveats.notes.retain(|note| !note.contains("one measured run"));
        caveats
    }

    #[test]
    fn measured_and_modelled_are_never_compared() {
        let (a, b) = (side("a", |_| ()), side("b", |report| report.timing = Timing::Modelled));
        let error = Caveats::of(&a, &b).unwrap_err().to_string();
        assert!(error.contains("never compared") && error.contains("b is modelled"), "{error}");
    }

    #[test]
    fn equal_conditions_have_no_caveat() {
        assert_eq!(of_singles(&side("a", |_| ()), &side("b", |_| ())), Caveats::default());
    }

    #[test]
    fn what_makes_figures_incomparable_voids_them_and_what_only_should_be_known_does_not() {
        let void = |change: fn(&mut Report)| {
            let caveats = of_singles(&side("a", |_| ()), &side("b", change));
            (caveats.void, caveats.notes)
        };
        let throttled = Throttled { times_void: true, ..Throttled::default() };
        type Change = fn(&mut Report);
        let changes: [(Change, &str); 10] = [
            (|report| report.clocks.arm_after_hz = Some(600_000_000), "clock changed during the run"),
            (|report| report.clocks.arm_after_hz = Some(report.clocks.arm_hz), ""),
            (|report| report.throttled = None, ""),
            (|report| report.board.model = "Zero 2 W".into(), "boards differ"),
            (|report| report.clocks.arm_hz = 600_000_000, "Arm clocks differ"),
            (|report| asked(report).iterations = 10, "iterations differ"),
            (|report| report.rung = Rung::Native, "rungs differ"),
            (|report| report.clocks.core_after_hz = Some(250_000_000), "core's clock changed"),
            (
                |report| asked(report).sizes = Some(vec![64, 4096]),
                "sizes of blocks differ: the scenarios' own and 64,4096",
            ),
            (|report| asked(report).delay_us = Some(100), "delays before the first OPEN differ"),
        ];
        for (change, word) in changes {
            let (void, notes) = void(change);
            assert!(notes.is_empty(), "{notes:?}");
            assert!(
                if word.is_empty() { void.is_empty() } else { void[0].contains(word) },
                "{word}: {void:?}"
            );
        }
        let slow = side("b", |report| report.throttled = Some(throttled));
        assert_eq!(Caveats::of(&side("a", |_| ()), &slow).unwrap().void, ["b: the board was throttled"]);
        let (voided, notes) = void(|report| report.image.git = "other".into());
        assert!(voided.is_empty() && notes[0].contains("images differ"), "{notes:?}");
        let (_, notes) = void(|report| report.plan = None);
        assert!(notes[0].contains("on trust"), "{notes:?}");
        let (_, notes) = void(|report| report.notes = vec!["2 records lost".into()]);
        assert_eq!(notes, ["b: 2 records lost"]);
        let untold = |name| side(name, |report| report.timing = Timing::Unknown);
        let caveats = Caveats::of(&untold("a"), &untold("b")).unwrap();
        assert_eq!(caveats.void.len(), 2, "{:?}", caveats.void);
        let qemu = |name| side(name, |report| report.rung = Rung::Qemu);
        let caveats = Caveats::of(&qemu("a"), &qemu("b")).unwrap();
        assert_eq!(caveats.void, ["a: QEMU's times mean nothing", "b: QEMU's times mean nothing"]);
    }

    #[test]
    fn each_condition_in_which_the_sides_differ_is_told() {
        type Change = fn(&mut Report);
        let changes: [(Change, &str); 12] = [
            (|report| asked(report).seed = 2, "seeds differ: 1 and 2"),
            (|report| asked(report).samples = Some(500), "--samples): 0 and 500; sending them shifts"),
            (|report| asked(report).first_transaction = Some(9), "first transactions differ: 1 and 9"),
            (|report| asked(report).timeout_ms = Some(50), "deadlines of waits in ms differ: 10000 and 50"),
            (|report| asked(report).samples = None, "does not tell sizes, delay and raw samples"),
            (
                |report| report.peer.variant = "start_db".into(),
                "variants of the firmware differ: start and start_db",
            ),
            (|report| report.peer.kind = PeerKind::Model, "peers differ: firmware and model"),
            (|report| report.board.revision = "a22082".into(), "board revisions differ"),
            (|report| report.image.profile = "dev".into(), "profiles image and dev"),
            (|report| report.image.sha256 = "ff".into(), "changed sources or by another compiler"),
            (
                |report| report.memory = Some(Memory { vc_bytes: 16 << 20, ..Memory::default() }),
                "64 and 16 MiB (gpu_mem)",
            ),
            (|report| config(report, "arm_freq=600\nnew_entry=1"), "arm_freq 1200 and 600"),
        ];
        let base = |report: &mut Report| {
            report.memory = Some(Memory { vc_bytes: 64 << 20, ..Memory::default() });
            config(report, "arm_freq=1200\nold_entry=1");
            report.image.sha256 = "ee".into();
        };
        for (change, word) in changes {
            let b = side("b", |report| {
                base(report);
                change(report);
            });
            let caveats = of_singles(&side("a", base), &b);
            assert!(caveats.void.is_empty(), "{word}: {caveats:?}");
            assert_eq!(caveats.notes.len(), 1, "{word}: {caveats:?}");
            assert!(caveats.notes[0].contains(word), "{word}: {caveats:?}");
        }
    }

    fn config(report: &mut Report, text: &str) {
        let answer = Answer {
            command: "get_config int".into(),
            when: When::Before,
            code: 0,
            text: text.into(),
            cut: false,
        };
        report.firmware = Some(Firmware { version_text: String::new(), answers: vec![answer] });
    }

    fn runs(name: &str, changes: &[fn(&mut Report)]) -> Side {
        let reports = changes.iter().map(|change| side(name, change).reports.remove(0)).collect();
        Side { name: name.to_owned(), reports }
    }

    #[test]
    fn runs_of_unequal_number_or_of_one_seed_twice_are_told() {
        let modelled: fn(&mut Report) = |report| report.timing = Timing::Modelled;
        let second: fn(&mut Report) = |report| {
            report.timing = Timing::Modelled;
            asked(report).seed = 2;
        };
        let told = |a: &[fn(&mut Report)], b: &[fn(&mut Report)]| {
            Caveats::of(&runs("a", a), &runs("b", b)).unwrap().notes.join("; ")
        };
        let third: fn(&mut Report) = |report| {
            report.timing = Timing::Modelled;
            asked(report).seed = 3;
        };
        let fourth: fn(&mut Report) = |report| {
            report.timing = Timing::Modelled;
            asked(report).seed = 4;
        };
        let four = [modelled, second, third, fourth];
        assert_eq!(told(&four, &four), "");
        let two = told(&[modelled, second], &[modelled, second]);
        assert!(two.contains("(2 and 2), 33 of 100 figures"), "{two}");
        assert!(told(&[modelled, second], &[modelled]).contains("numbers of runs differ: 2 and 1"));
        assert!(told(&[modelled], &[modelled]).contains("(1 and 1), 100 of 100"));
        let twice = told(&[modelled, modelled], &[modelled, second]);
        assert!(twice.contains("a seed is there twice (1, 1)"), "{twice}");
        let shorter: fn(&mut Report) = |report| {
            report.timing = Timing::Modelled;
            asked(report).seed = 2;
            report.scenarios.pop();
        };
        let lacking = told(&[modelled, shorter], &[modelled, second]);
        assert!(lacking.contains("a: handshake is in 1 of 2 runs"), "{lacking}");
    }

    #[test]
    fn a_board_s_report_does_not_count_twice_and_other_wishes_are_not_one_side() {
        let same: fn(&mut Report) = |_| ();
        let refused = |changes: &[fn(&mut Report)]| {
            Caveats::of(&runs("a", changes), &side("b", |_| ())).unwrap_err().to_string()
        };
        assert!(refused(&[same, same]).contains("the same report is there twice"));
        let fewer = refused(&[same, |report| asked(report).iterations = 10]);
        assert!(fewer.contains("number 1 and number 2 differ in iterations (1000; 10)"), "{fewer}");
        let sampled = refused(&[same, |report| asked(report).samples = Some(10)]);
        assert!(sampled.contains("samples=0") && sampled.contains("samples=10"), "{sampled}");
        assert!(refused(&[same, |report| report.image.profile = "dev".into()]).contains("image"));
    }

    #[test]
    fn reports_of_one_side_must_be_of_one_thing() {
        let mut mixed = side("a,b", |_| ());
        mixed.reports.push(side("b", |report| report.peer.build_id = "other".into()).reports.remove(0));
        assert!(Caveats::of(&mixed, &side("c", |_| ())).is_err());
    }

    #[test]
    fn the_clocks_of_every_run_are_looked_at() {
        let same: fn(&mut Report) = |_| ();
        let second: fn(&mut Report) = |report| asked(report).seed = 2;
        let slow: fn(&mut Report) = |report| report.clocks.arm_hz = 600_000_000;
        let slow_too: fn(&mut Report) = |report| {
            asked(report).seed = 3;
            report.clocks.arm_hz = 600_000_000;
        };
        for (a, b) in [
            (&[same, slow, slow_too][..], &[same, second][..]),
            (&[same, second], &[same, slow, slow_too]),
            (&[slow, slow_too], &[slow, same]),
        ] {
            let void = Caveats::of(&runs("a", a), &runs("b", b)).unwrap().void;
            assert!(void.len() == 1 && void[0].contains("Arm clocks differ"), "{void:?}");
        }
        // A run that does not tell its clocks hides no other.
        let untold: fn(&mut Report) = |report| report.clocks.arm_hz = 0;
        let void = Caveats::of(&runs("a", &[untold, same]), &runs("b", &[slow, slow_too])).unwrap().void;
        assert!(void.len() == 1 && void[0].contains("Arm clocks differ"), "{void:?}");
    }

    #[test]
    fn times_of_which_nobody_knows_what_they_are_void_figures_and_refuse_nothing() {
        let untold: fn(&mut Report) =
            |report| (report.rung, report.timing) = (Rung::Unknown, Timing::Unknown);
        let same: fn(&mut Report) = |_| ();
        let second: fn(&mut Report) = |report| asked(report).seed = 2;
        let modelled: fn(&mut Report) = |report| report.timing = Timing::Modelled;
        for (a, b) in [
            (&[same][..], &[untold][..]),
            (&[untold], &[same]),
            (&[modelled], &[untold]),
            (&[same, second, untold], &[same, second]),
            (&[untold, second], &[same]),
        ] {
            let caveats = Caveats::of(&runs("a", a), &runs("b", b)).expect("comparable");
            assert!(caveats.void.iter().any(|why| why.contains("nobody knows")), "{caveats:?}");
        }
        for (a, b) in [(&[untold, same][..], &[modelled][..]), (&[same], &[untold, modelled])] {
            let refused = Caveats::of(&runs("a", a), &runs("b", b)).unwrap_err().to_string();
            assert!(refused.contains("never compared"), "{refused}");
        }
        let mixed = Caveats::of(&runs("a", &[untold, same, modelled]), &side("b", same)).unwrap_err();
        assert!(mixed.to_string().contains("differ in timing"), "{mixed}");
    }

    #[test]
    fn less_than_four_runs_on_either_side_are_few() {
        for (a, b) in [(1, 1), (3, 3), (3, 5), (1, 40), (40, 1)] {
            assert!(are_few(a, b), "{a} and {b}");
        }
        assert!(!are_few(4, 4) && !are_few(5, 4));
    }

    #[test]
    fn one_measured_run_a_side_is_told() {
        let same: fn(&mut Report) = |_| ();
        let second: fn(&mut Report) = |report| asked(report).seed = 2;
        let told = |b: &[fn(&mut Report)]| {
            let notes = Caveats::of(&runs("a", &[same, second]), &runs("b", b)).unwrap().notes;
            notes.iter().any(|note| note.contains("one measured run"))
        };
        assert!(told(&[same]) && !told(&[same, second]));
    }
}
