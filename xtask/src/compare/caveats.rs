//! What must be alike before figures of two sides mean anything.

use anyhow::{Result, bail};
use harness::report::{PeerKind, Report, Rung};

use super::side::Side;

/// What stands in the way of a comparison.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caveats {
    /// Times and instruction counts must not be compared, and why.
    pub void: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Clocks of two runs may differ by this part of them: more is another setting, or throttling.
const CLOCK_TOLERANCE: f64 = 0.005;

impl Caveats {
    /// Looks at both sides.
    ///
    /// # Errors
    /// If one side is measured and the other modelled, or the reports of one side are of different firmware, board or
    /// timing.
    pub fn of(a: &Side, b: &Side) -> Result<Self> {
        for side in [a, b] {
            check_alike(side)?;
        }
        let (first, other) = (&a.reports[0], &b.reports[0]);
        if first.timing != other.timing {
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
        caveats.differences(first, other);
        for side in [a, b] {
            if side.reports.iter().any(is_throttled) {
                caveats.void.push(format!("{}: the board was throttled", side.name));
            }
            if side.reports.iter().any(|report| report.rung == Rung::Qemu) {
                caveats.void.push(format!("{}: QEMU's times mean nothing", side.name));
            }
            if side.reports.iter().any(clock_moved) {
                caveats.void.push(format!("{}: the Arm's clock changed during the run", side.name));
            }
            let told = side.reports.iter().flat_map(|report| &report.notes);
            caveats.notes.extend(told.map(|note| format!("{}: {note}", side.name)));
        }
        Ok(caveats)
    }

    fn differences(&mut self, a: &Report, b: &Report) {
        if a.rung != b.rung {
            self.void.push(format!("rungs differ: {} and {}", a.rung.name(), b.rung.name()));
        }
        if (&a.board.soc, &a.board.model) != (&b.board.soc, &b.board.model) {
            self.void.push(format!("boards differ: {} and {}", a.board.model, b.board.model));
        }
        for (clock, a_hz, b_hz) in
            [("Arm", a.clocks.arm_hz, b.clocks.arm_hz), ("core", a.clocks.core_hz, b.clocks.core_hz)]
        {
            if differs(a_hz, b_hz) {
                self.void.push(format!("{clock} clocks differ: {a_hz} and {b_hz} Hz"));
            }
        }
        match (a.plan, b.plan) {
            (Some(a), Some(b)) => {
                if a.iterations != b.iterations {
                    self.void.push(format!("iterations differ: {} and {}", a.iterations, b.iterations));
                }
                if a.seed != b.seed {
                    self.notes.push(format!(
                        "first seeds differ: {} and {}: patterns and the order of sizes are others",
                        a.seed, b.seed
                    ));
                }
            }
            _ => self.notes.push(
                "a report does not tell its iterations and seed: that they are equal is taken on trust"
                    .to_owned(),
            ),
        }
        if a.image != b.image {
            self.notes.push(format!(
                "images differ ({} and {}): what changed may be the image's doing",
                a.image.git, b.image.git
            ));
        }
        if a.peer.kind != b.peer.kind && ![a, b].iter().any(|side| side.peer.kind == PeerKind::Absent) {
            self.notes.push(format!("peers differ: {} and {}", a.peer.kind.name(), b.peer.kind.name()));
        }
    }
}

/// A report whose clock is 0 does not know it.
fn differs(a_hz: u32, b_hz: u32) -> bool {
    let difference = (f64::from(a_hz) - f64::from(b_hz)).abs();
    a_hz != 0 && b_hz != 0 && difference > CLOCK_TOLERANCE * f64::from(a_hz)
}

fn clock_moved(report: &Report) -> bool {
    report.clocks.arm_after_hz.is_some_and(|after| differs(report.clocks.arm_hz, after))
}

fn is_throttled(report: &Report) -> bool {
    report.throttled.as_ref().is_some_and(|throttled| throttled.times_void)
}

/// Runs of one side must be of one thing.
fn check_alike(side: &Side) -> Result<()> {
    let Some((first, others)) = side.reports.split_first() else { bail!("{} has no report", side.name) };
    let key = |report: &Report| {
        let Report { peer, board, rung, timing, image, .. } = report;
        (peer.build_id.clone(), peer.variant.clone(), board.model.clone(), *rung, *timing, image.git.clone())
    };
    if let Some(other) = others.iter().find(|other| key(other) != key(first)) {
        bail!(
            "{}: its reports are not of one thing (firmware {} {}, board {}, image {}; and firmware {} {}, board {}, \
             image {})",
            side.name,
            first.peer.variant,
            first.peer.date,
            first.board.model,
            first.image.git,
            other.peer.variant,
            other.peer.date,
            other.board.model,
            other.image.git
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use harness::report::{Asked, Throttled, Timing};

    use super::*;
    use crate::report::example;

    fn side(name: &str, change: impl FnOnce(&mut Report)) -> Side {
        let mut report = example();
        report.plan = Some(Asked { iterations: 1000, seed: 1 });
        report.notes.clear();
        change(&mut report);
        Side { name: name.to_owned(), reports: vec![report] }
    }

    #[test]
    fn measured_and_modelled_are_never_compared() {
        let (a, b) = (side("a", |_| ()), side("b", |report| report.timing = Timing::Measured));
        let error = Caveats::of(&a, &b).unwrap_err().to_string();
        assert!(error.contains("never compared") && error.contains("b is measured"), "{error}");
    }

    #[test]
    fn equal_conditions_have_no_caveat() {
        assert_eq!(Caveats::of(&side("a", |_| ()), &side("b", |_| ())).unwrap(), Caveats::default());
    }

    #[test]
    fn what_makes_figures_incomparable_voids_them_and_what_only_should_be_known_does_not() {
        let void = |change: fn(&mut Report)| {
            let caveats = Caveats::of(&side("a", |_| ()), &side("b", change)).unwrap();
            (caveats.void, caveats.notes)
        };
        let throttled = Throttled { times_void: true, ..Throttled::default() };
        type Change = fn(&mut Report);
        let changes: [(Change, &str); 7] = [
            (|report| report.clocks.arm_after_hz = Some(600_000_000), "clock changed during the run"),
            (|report| report.clocks.arm_after_hz = Some(report.clocks.arm_hz), ""),
            (|report| report.throttled = None, ""),
            (|report| report.board.model = "Zero 2 W".into(), "boards differ"),
            (|report| report.clocks.arm_hz = 600_000_000, "Arm clocks differ"),
            (|report| report.plan = Some(Asked { iterations: 10, seed: 1 }), "iterations differ"),
            (|report| report.rung = Rung::Native, "rungs differ"),
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
        let qemu = |name| side(name, |report| report.rung = Rung::Qemu);
        let caveats = Caveats::of(&qemu("a"), &qemu("b")).unwrap();
        assert_eq!(caveats.void, ["a: QEMU's times mean nothing", "b: QEMU's times mean nothing"]);
    }

    #[test]
    fn reports_of_one_side_must_be_of_one_thing() {
        let mut mixed = side("a,b", |_| ());
        mixed.reports.push(side("b", |report| report.peer.build_id = "other".into()).reports.remove(0));
        assert!(Caveats::of(&mixed, &side("c", |_| ())).is_err());
    }
}
