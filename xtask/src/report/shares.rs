//! Which part of an exchange is whose: the Arm until the doorbell, VideoCore until its interrupt, the Arm again.

use harness::report::{Latency, ScenarioReport};

use super::chart::{Part, Share};
use super::table::in_order;

/// Parts of a step as `docs/measuring.md` has them, with what they are called here and the class of their colour.
const PARTS: [(&str, &str, &str); 5] = [
    ("submit", "Arm: submit", "arm"),
    ("doorbell_to_irq", "VideoCore: doorbell to interrupt", "vpu"),
    ("parse", "Arm: interrupt to parsed", "arm2"),
    ("lock", "VideoCore: lock by mailbox", "vpu"),
    ("unlock", "VideoCore: unlock by mailbox", "vpu2"),
];

/// What FREE is: nothing but a submit.
const SUBMIT_ONLY: &str = "free";

/// A share for each step that was timed in parts, in the order of the steps, from the medians of the parts.
pub fn of<'r>(scenario: &'r ScenarioReport) -> Vec<Share<'r>> {
    let wholes = in_order(scenario).into_iter().filter(|(name, _)| !name.contains('.'));
    let share = |(name, latency): (&'r str, &Latency)| {
        let median = |part: &str| scenario.latency.get(&format!("{name}.{part}")).map(|figures| figures.p50);
        let parts = PARTS
            .iter()
            .filter_map(|(part, label, class)| Some(Part { name: label, class, cycles: median(part)? }));
        let mut parts: Vec<Part> = parts.collect();
        if parts.is_empty() && name == SUBMIT_ONLY {
            parts.push(Part { name: PARTS[0].1, class: PARTS[0].2, cycles: latency.p50 });
        }
        (name, parts)
    };
    let all: Vec<_> = wholes.map(share).filter(|(_, parts)| !parts.is_empty()).collect();
    // A submit alone is no share of anything.
    if all.iter().all(|(_, parts)| parts.len() < 2) {
        return Vec::new();
    }
    all.into_iter().map(|(name, parts)| Share { name, parts }).collect()
}

/// Names and classes of the parts that occur, once each.
pub fn parts_in(shares: &[Share<'_>]) -> Vec<(&'static str, &'static str)> {
    let occurs = |name: &str| shares.iter().flat_map(|share| &share.parts).any(|part| part.name == name);
    PARTS.iter().filter(|(_, name, _)| occurs(name)).map(|(_, name, class)| (*name, *class)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn a_handshake_is_shared_into_arm_videocore_and_arm() {
        let mut scenario = example().scenarios.swap_remove(1);
        let figures = scenario.latency["import"].clone();
        assert_eq!(of(&scenario), [], "a whole without parts has no share");
        for part in ["import.submit", "import.doorbell_to_irq", "import.parse", "free"] {
            scenario.latency.insert(part.to_owned(), figures.clone());
        }
        let shares = of(&scenario);
        assert_eq!(shares.iter().map(|share| share.name).collect::<Vec<_>>(), ["import", "free"]);
        let classes: Vec<_> = shares[0].parts.iter().map(|part| part.class).collect();
        assert_eq!(classes, ["arm", "vpu", "arm2"]);
        assert_eq!(parts_in(&shares).len(), 3);
    }
}
