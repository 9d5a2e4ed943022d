//! Why a scenario did not pass, in one sentence.

use std::borrow::Cow;

use harness::report::ScenarioReport;

/// The reason without the words that prove it, where a step has them as well. Empty if there is none.
pub fn in_short(scenario: &ScenarioReport) -> Cow<'_, str> {
    let Some(reason) = scenario.reason.as_deref() else { return Cow::Borrowed("") };
    let proven = scenario.steps.iter().filter(|step| !step.evidence.is_empty());
    let step = proven.into_iter().find(|step| reason == format!("{}: {}", step.name, step.detail()));
    match step.and_then(|step| Some((step, step.reason.as_deref()?))) {
        Some((step, why)) => Cow::Owned(format!("{}: {why}", step.name)),
        None => Cow::Borrowed(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn the_words_that_a_step_has_are_left_out_and_nothing_else() {
        let mut scenario = example().scenarios.remove(1);
        let step = &scenario.steps[0];
        scenario.reason = Some(format!("{}: {}", step.name, step.detail()));
        assert!(scenario.reason.as_ref().is_some_and(|reason| reason.ends_with("[tx_pos=0x1000]")));
        assert_eq!(in_short(&scenario), "open: released: none within 2 s");
        scenario.reason = Some("another [tx_pos=0x1000]".to_owned());
        assert_eq!(in_short(&scenario), "another [tx_pos=0x1000]");
        scenario.reason = None;
        assert_eq!(in_short(&scenario), "");
    }
}
