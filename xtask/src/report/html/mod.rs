//! The report as one HTML file: nothing is loaded, no script runs, and what the firmware said is text.

mod evidence;
mod machine;
mod overview;
mod scenario;
mod times;

use harness::report::{Report, Timing};
use maud::{DOCTYPE, Markup, PreEscaped, html};
pub use overview::in_words;

/// Everything the page looks like; light, dark and on paper.
const STYLE: &str = include_str!("style.css");
/// No address is ever loaded, and no script runs, whatever text got into the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The whole file.
pub fn page(report: &Report) -> String {
    let title = format!("{}: {} {}", report.verdict(), report.rung.name(), report.board.model);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) " · VPU harness" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (overview::header(report))
                main {
                    (overview::verdicts(report))
                    (evidence::what_to_know(report))
                    (machine::section(report))
                    section #scenarios aria-labelledby="scenarios-title" {
                        h2 #scenarios-title { "Scenarios" }
                        @for (number, one) in report.scenarios.iter().enumerate() {
                            (scenario::section(report, number, one))
                        }
                    }
                    (evidence::last_words(report))
                }
                footer {
                    p { "Report of schema " (report.schema) ". docs/report.md says what each field means, docs/measuring.md what each time is." }
                }
            }
        }
    };
    page.into_string()
}

/// The timing, wherever there are figures.
fn timing_tag(report: &Report) -> Markup {
    html! { span.timing.(report.timing.name()) { (report.timing.name()) } }
}

/// What the timing is worth.
fn timing_words(timing: Timing) -> &'static str {
    match timing {
        Timing::Modelled => {
            "Times come from the emulator's cost model: one instruction is one cycle, without caches and bus. Compare them with \
             other modelled times only; they say nothing about a board's microseconds."
        }
        Timing::Measured => "Times were measured by the counters of a board.",
    }
}

/// Where a scenario's section is; its name may be any text.
fn anchor(number: usize, name: &str) -> String {
    let plain = name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').take(40);
    format!("s{number}-{}", plain.collect::<String>())
}

#[cfg(test)]
mod tests {
    use harness::report::{Latency, Rung};

    use super::*;
    use crate::report::example;

    #[test]
    fn the_page_says_what_was_tested_and_labels_its_times() {
        let page = page(&example());
        for part in [
            "modelled",
            "102f1e8400",
            "3B",
            "8805e9a",
            "released: none within 2 s",
            "the cable",
            "tx_pos",
            "0x1000",
            "2 records lost",
            "1 234 567",
        ] {
            assert!(page.contains(part), "{part:?} is not in the page");
        }
    }

    #[test]
    fn no_text_of_a_report_becomes_markup() {
        let evil = "<script>alert(1)</script>\"'><img src=x onerror=y>";
        let mut report = example();
        report.image.git = evil.into();
        report.board.model = evil.into();
        report.peer.build_id = evil.into();
        report.notes = vec![evil.into()];
        report.last_words = vec![evil.into()];
        if let Some(firmware) = &mut report.firmware {
            firmware.version_text = evil.into();
        }
        for scenario in &mut report.scenarios {
            scenario.name = evil.into();
            scenario.reason = Some(evil.into());
            scenario.next = Some(evil.into());
            scenario.counts = [(evil.to_owned(), 1)].into();
            scenario.latency = std::mem::take(&mut scenario.latency)
                .into_values()
                .map(|figures| (evil.to_owned(), figures))
                .collect();
            for step in &mut scenario.steps {
                step.name = evil.into();
                step.reason = Some(evil.into());
                step.evidence = vec![(evil.into(), 1)];
            }
        }
        let page = page(&report);
        assert!(!page.contains("<script") && !page.contains("<img"), "markup got through");
        assert!(page.contains("&lt;script&gt;"));
    }

    #[test]
    fn nothing_is_loaded_from_anywhere() {
        let page = page(&example());
        for part in ["http://", "https://", "url(", "@import", "src=", "<link", "<script"] {
            assert!(!page.contains(part), "{part} is in the page");
        }
    }

    #[test]
    fn a_report_with_nothing_in_it_still_makes_a_page() {
        let mut report = example();
        report.rung = Rung::Board;
        report.timing = Timing::Measured;
        (report.firmware, report.memory, report.throttled, report.temperature) = (None, None, None, None);
        report.clocks = Default::default();
        report.scenarios.clear();
        let page = page(&report);
        assert!(page.contains("fail") && page.contains("measured"));
    }

    #[test]
    fn every_timed_step_has_a_curve_and_a_histogram_however_many_there_are() {
        let mut report = example();
        let figures: Latency = report.scenarios[0].latency["import"].clone();
        report.scenarios[0].latency =
            (0..20).map(|number| (format!("step-{number:02}"), figures.clone())).collect();
        let page = page(&report);
        assert_eq!(page.matches("class=\"curve").count(), 20 + 1);
        assert_eq!(page.matches("class=\"bars\"").count(), 20 + 1);
    }
}
