//! What a step or a scenario ends with, and whose fault it is.

use core::fmt;

use serde::{Deserialize, Serialize};

/// How a step, a scenario or a run ended. Ordered by how much it matters: a run has the gravest of its scenarios.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The criterion holds.
    Pass,
    /// This rung cannot run it, or it was not reached.
    Skip,
    /// The firmware lacks the service, or there is no VideoCore firmware at all.
    Absent,
    /// The criterion does not hold.
    Fail,
    /// A peer stopped answering.
    Hung,
}

impl Verdict {
    /// The graver of two.
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }

    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skip => "skip",
            Self::Absent => "absent",
            Self::Fail => "fail",
            Self::Hung => "hung",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whose fault a failure is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Our own code or configuration: a bad plan, a driver that ran out of room.
    Harness,
    /// VideoCore's firmware answered, and the answer is wrong, late or missing.
    Firmware,
    /// What lies between: slots, doorbells, interrupts.
    Link,
}

impl Owner {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Harness => "harness",
            Self::Firmware => "firmware",
            Self::Link => "link",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_verdict_wins() {
        assert_eq!(Verdict::Pass.and(Verdict::Skip), Verdict::Skip);
        assert_eq!(Verdict::Absent.and(Verdict::Skip), Verdict::Absent);
        assert_eq!(Verdict::Absent.and(Verdict::Fail), Verdict::Fail);
        assert_eq!(Verdict::Hung.and(Verdict::Fail), Verdict::Hung);
    }
}
