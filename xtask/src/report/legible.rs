//! A report whose texts can be shown anywhere.

use anyhow::{Context, Result};
use harness::report::Report;
use serde_json::Value;

use crate::terminal::printable;

/// The report with every text as [`printable`] has it: names, reasons, what the firmware said. Numbers stay.
///
/// # Errors
/// None that a report can cause.
pub fn legible(report: &Report) -> Result<Report> {
    let value = serde_json::to_value(report).context("cannot turn the report into JSON")?;
    serde_json::from_value(texts(value)).context("cannot read the report back")
}

fn texts(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(printable(&text)),
        Value::Array(list) => Value::Array(list.into_iter().map(texts).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(name, value)| (printable(&name), texts(value))).collect())
        }
        other => other,
    }
}

/// A text with everything that commands a terminal, is forbidden in XML, or turns the order of writing.
#[cfg(test)]
pub(crate) fn evil() -> String {
    (0..=31_u8).chain([127]).map(char::from).chain(['\u{9b}', '\u{fffe}', '\u{ffff}', '\u{202e}']).collect()
}

/// The report with such a text wherever it has a text.
#[cfg(test)]
pub(crate) fn full_of_evil(mut report: Report) -> Report {
    let evil = evil();
    let texts = [&mut report.image.git, &mut report.image.profile, &mut report.image.sha256];
    texts.into_iter().for_each(|text| text.clone_from(&evil));
    let texts = [&mut report.board.soc, &mut report.board.model, &mut report.board.revision];
    texts.into_iter().for_each(|text| text.clone_from(&evil));
    let texts = [&mut report.peer.build_id, &mut report.peer.date, &mut report.peer.variant];
    texts.into_iter().for_each(|text| text.clone_from(&evil));
    report.started.clone_from(&evil);
    (report.notes, report.last_words) = (vec![evil.clone()], vec![evil.clone()]);
    if let Some(firmware) = &mut report.firmware {
        firmware.version_text.clone_from(&evil);
    }
    for scenario in &mut report.scenarios {
        scenario.name.clone_from(&evil);
        (scenario.reason, scenario.next) = (Some(evil.clone()), Some(evil.clone()));
        scenario.log = vec![evil.clone()];
        scenario.counts = [(evil.clone(), 1)].into();
        let figures = std::mem::take(&mut scenario.latency).into_values();
        scenario.latency = figures.map(|figures| (evil.clone(), figures)).collect();
        for step in &mut scenario.steps {
            (step.name, step.reason) = (evil.clone(), Some(evil.clone()));
            step.evidence = vec![(evil.clone(), 1)];
        }
    }
    report
}

/// Characters that neither a page nor XML may have.
#[cfg(test)]
pub(crate) fn forbidden(text: &str) -> Vec<char> {
    let is_bad = |letter: &char| {
        (letter.is_control() && !['\n', '\t'].contains(letter))
            || ['\u{fffe}', '\u{ffff}', '\u{202e}'].contains(letter)
    };
    text.chars().filter(is_bad).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn every_text_becomes_legible_and_nothing_else_changes() {
        assert_eq!(legible(&example()).expect("legible"), example());
        let shown = legible(&full_of_evil(example())).expect("legible");
        let json = serde_json::to_string(&shown).expect("plain data");
        assert!(!json.contains("\\u00") && forbidden(&json).is_empty(), "{json}");
        assert_eq!(shown.scenarios[1].steps[0].evidence[0].0, printable(&evil()));
    }
}
