//! The report as one HTML file: nothing is loaded, no script runs, and what the firmware said is text.

mod evidence;
mod machine;
mod overview;
mod scenario;
mod times;

use crate::terminal::printable;
use harness::report::{Report, Timing};
use maud::{DOCTYPE, Markup, PreEscaped, html};
pub use overview::{in_words, subject};

/// Everything the page looks like; light, dark and on paper.
const STYLE: &str = include_str!("style.css");
/// No address is ever loaded, and no script runs, whatever text got into the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The whole file.
pub fn page(report: &Report) -> String {
    let title = format!("{}: {}", report.verdict(), subject(report));
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
                    (evidence::what_to_know(report))
                    (overview::verdicts(report))
                    (overview::tested(report))
                    section #scenarios aria-labelledby="scenarios-title" {
                        h2 #scenarios-title { "Scenarios" }
                        @for (number, one) in report.scenarios.iter().enumerate() {
                            (scenario::section(report, number, one))
                        }
                    }
                    (evidence::last_words(report))
                    (machine::section(report))
                }
                footer {
                    p { "Report of schema " (report.schema) ". docs/report.md says what each field means, docs/measuring.md what each time is." }
                }
            }
        }
    };
    // The page itself has no such characters, so those that are there come from texts that are not ours.
    printable(&page.into_string())
}

/// The timing, wherever there are figures.
fn timing_tag(report: &Report) -> Markup {
    html! { span.timing.(report.timing.name()) { (report.timing.name()) } }
}

/// What the timing is worth.
fn timing_words(timing: Timing) -> &'static str {
    match timing {
        Timing::Modelled => {
            "One instruction is one cycle, without caches and bus: compare them with other modelled times only, never with a board's."
        }
        Timing::Measured => "By the counters of a board.",
        Timing::Unknown => {
            "Nobody said what the image ran on: an emulator's cost model or a board. Compare these times with no others."
        }
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
    use crate::report::legible::{forbidden, full_of_evil};

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
    fn no_control_character_and_no_mark_that_turns_the_writing_is_in_the_page() {
        let page = page(&full_of_evil(example()));
        assert!(forbidden(&page).is_empty(), "{:?}", forbidden(&page));
        for escape in ["\\x00", "\\x1b", "\\x7f", "\\x9b", "\\u{fffe}", "\\u{202e}"] {
            assert!(page.contains(escape), "{escape} is not in the page");
        }
    }

    #[test]
    fn what_failed_and_whose_fault_it_is_stands_before_everything_else() {
        let page = page(&example());
        let place = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part} is not in the page"));
        assert!(place("firmware start of 2022-08-26 on 3B, emulated") < place("id=\"failures\""));
        assert!(place("id=\"failures\"") < place("released: none within 2 s"));
        assert!(place("released: none within 2 s") < place("id=\"overview\""));
        assert!(
            place("id=\"overview\"") < place("id=\"tested\"")
                && place("id=\"tested\"") < place("id=\"scenarios\"")
        );
    }

    #[test]
    fn a_failure_has_its_log_and_the_command_that_runs_it_again() {
        let mut report = example();
        report.scenarios[1].log = vec!["[   1.234567] vc      assert".to_owned()];
        let page = page(&report);
        assert!(
            page.contains("vc      assert") && page.contains("cargo xtask run --log --scenario handshake")
        );
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
