//! Binary search among things of which some cannot be judged, as `git bisect skip` has it.

use std::ops::RangeInclusive;

use anyhow::Result;
use serde::Serialize;

/// What is known of one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// As expected.
    Good,
    /// Not as expected.
    Bad,
    /// It cannot be judged.
    Skip,
}

impl Judgement {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Skip => "skip",
        }
    }
}

/// Where the change is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// The last that is good.
    pub last_good: usize,
    /// The first that is known to be bad. What lies between the two was skipped.
    pub known_bad: usize,
}

impl Found {
    /// Those that may be the first bad one.
    pub fn candidates(&self) -> RangeInclusive<usize> {
        self.last_good + 1..=self.known_bad
    }
}

/// An end of the range is not what it was said to be: there is nothing to search.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongEnd(String);

/// Judges the first, which must be good, the last, which must be bad, and as few as can be between them.
///
/// # Errors
/// [`WrongEnd`] if the ends are not so; whatever `judge` fails with.
pub fn search(count: usize, mut judge: impl FnMut(usize) -> Result<Judgement>) -> Result<Found> {
    let last = count.saturating_sub(1);
    for (place, end, wanted) in [(0, "GOOD", Judgement::Good), (last, "BAD", Judgement::Bad)] {
        let judgement = judge(place)?;
        if judgement == Judgement::Skip {
            return Err(WrongEnd(format!("{end} cannot be judged")).into());
        }
        if judgement != wanted {
            let but = format!("{end} is not {}, but {}", wanted.name(), judgement.name());
            return Err(WrongEnd(but).into());
        }
    }
    let (mut good, mut bad) = (0, last);
    let mut skipped = vec![false; count];
    while let Some(place) = nearest_to_middle(good, bad, &skipped) {
        match judge(place)? {
            Judgement::Good => good = place,
            Judgement::Bad => bad = place,
            Judgement::Skip => skipped[place] = true,
        }
    }
    Ok(Found { last_good: good, known_bad: bad })
}

/// The one strictly between that halves best and was not skipped.
fn nearest_to_middle(good: usize, bad: usize, skipped: &[bool]) -> Option<usize> {
    let middle = good + (bad - good) / 2;
    let open = (good + 1..bad).filter(|place| !skipped[*place]);
    open.min_by_key(|place| place.abs_diff(middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches among `outcomes`: `g`, `b` or `s` each. Gives what was found and how many were judged.
    fn among(outcomes: &str) -> Result<(Found, usize)> {
        let mut judged = vec![0; outcomes.len()];
        let found = search(outcomes.len(), |place| {
            judged[place] += 1;
            Ok(match outcomes.as_bytes()[place] {
                b'g' => Judgement::Good,
                b'b' => Judgement::Bad,
                _ => Judgement::Skip,
            })
        })?;
        assert!(judged.iter().all(|times| *times <= 1), "{outcomes}: judged twice: {judged:?}");
        Ok((found, judged.iter().sum()))
    }

    #[test]
    fn every_place_of_the_change_is_found_in_few_steps() {
        for count in 2usize..=40 {
            for good in 1..count {
                let outcomes = "g".repeat(good) + &"b".repeat(count - good);
                let (found, judged) = among(&outcomes).unwrap();
                assert_eq!(found, Found { last_good: good - 1, known_bad: good }, "{outcomes}");
                assert!(judged <= 3 + count.ilog2() as usize, "{outcomes}: {judged}");
            }
        }
    }

    #[test]
    fn what_cannot_be_judged_is_passed_over_and_widens_the_answer_only_where_it_must() {
        let (found, _) = among("ggsgsbbsb").unwrap();
        assert_eq!(found.candidates().collect::<Vec<_>>(), [4, 5]);
        let (found, _) = among("gssssb").unwrap();
        assert_eq!(found.candidates(), 1..=5);
        let (found, _) = among("gsgsbsb").unwrap();
        assert_eq!(found.candidates(), 3..=4);
        let (found, _) = among("gsggbbsb").unwrap();
        assert_eq!(found.candidates(), 4..=4);
    }

    #[test]
    fn ends_that_are_not_as_said_are_refused() {
        for (outcomes, said) in [
            ("bb", "GOOD is not good, but bad"),
            ("gg", "BAD is not bad, but good"),
            ("sgb", "GOOD cannot be judged"),
            ("gs", "BAD cannot be judged"),
        ] {
            let error = among(outcomes).unwrap_err().to_string();
            assert!(error.contains(said), "{outcomes}: {error}");
        }
    }
}
