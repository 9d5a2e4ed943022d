//! The top of the page: what was tested, and how it went.

use harness::Verdict;
use harness::report::{PeerKind, Report, Rung, ScenarioReport};
use harness::scenario::{Group, Kind};
use maud::{Markup, html};

use super::{anchor, timing_tag, timing_words};
use crate::report::chart::time;
use crate::report::table::grouped;

/// Every verdict, the gravest first.
const VERDICTS: [Verdict; 5] = [Verdict::Hung, Verdict::Fail, Verdict::Absent, Verdict::Skip, Verdict::Pass];

/// Verdict, timing, and who was tested.
pub fn header(report: &Report) -> Markup {
    let verdict = report.verdict();
    let throttled = report.throttled.as_ref().filter(|throttled| throttled.times_void);
    html! {
        header {
            p.eyebrow { "VPU harness" }
            div.headline {
                span.verdict.(verdict.name()) { (verdict.name()) }
                div {
                    h1 { (capitalised(&subject(report))) }
                    p { (in_words(report)) }
                }
            }
            p.banner.(report.timing.name()) {
                strong { "Times are " (report.timing.name()) "." } " " (timing_words(report.timing))
            }
            @if let Some(throttled) = throttled {
                p.banner.void {
                    strong { "Throttled." } " Do not compare these times: " (throttled.flags.join(", ")) "."
                }
            }
        }
    }
}

/// Who was tested, in full.
pub fn tested(report: &Report) -> Markup {
    html! {
        section #tested aria-labelledby="tested-title" {
            h2 #tested-title { "What was tested" }
            dl.facts {
                (fact("Firmware", &firmware(report)))
                @if !report.peer.build_id.is_empty() { (fact("Build id", &report.peer.build_id)) }
                (fact("Image", &image(report)))
                (fact("Board", &format!("{} ({}, revision {})", report.board.model, report.board.soc, report.board.revision)))
                (fact("Rung", report.rung.name()))
                (fact("Started", &report.started))
                (fact("Took", &format!("{} s on the PC", grouped(report.wall_s))))
                @if let Some(took) = took(report) {
                    div { dt { "All scenarios together" } dd { (time(took)) " " (timing_tag(report)) } }
                }
                @if !report.image.sha256.is_empty() { div.wide { dt { "SHA-256 of kernel8.img" } dd { code { (report.image.sha256) } } } }
            }
            @if let Some(text) = report.firmware.as_ref().map(|firmware| firmware.version_text.trim()).filter(|text| !text.is_empty()) {
                figure.version {
                    figcaption { "The firmware says of itself" }
                    pre { (text) }
                }
            }
        }
    }
}

/// What ran where, in a few words: `firmware start of 2022-08-26 on 3B, emulated`.
pub fn subject(report: &Report) -> String {
    let peer = &report.peer;
    let who = match peer.kind {
        PeerKind::Absent if report.image.git.is_empty() => "unknown firmware".to_owned(),
        PeerKind::Absent => "no firmware".to_owned(),
        PeerKind::Model => "the model of VideoCore".to_owned(),
        PeerKind::Firmware => format!("firmware {} of {}", peer.variant, peer.date),
    };
    let board =
        Some(report.board.model.as_str()).filter(|model| !model.is_empty()).unwrap_or("unknown board");
    match report.rung {
        Rung::Board => format!("{who} on {board}"),
        rung => format!("{who} on {board}, {}", rung.name()),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Microseconds of all scenarios, if any has told.
fn took(report: &Report) -> Option<u64> {
    report.scenarios.iter().filter_map(|scenario| scenario.took_us).reduce(u64::saturating_add)
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { @if value.is_empty() { "not known" } @else { (value) } } } }
}

fn firmware(report: &Report) -> String {
    let peer = &report.peer;
    match peer.kind {
        PeerKind::Absent if report.image.git.is_empty() => {
            "not known: the image sent no record of its start".to_owned()
        }
        PeerKind::Absent => "none: there is no VideoCore firmware".to_owned(),
        PeerKind::Model => "the model, which breaks rules on command".to_owned(),
        PeerKind::Firmware => format!("{} of {}", peer.variant, peer.date),
    }
}

fn image(report: &Report) -> String {
    if report.image.git.is_empty() {
        return String::new();
    }
    format!("{} ({})", report.image.git, report.image.profile)
}

/// `3 scenarios: 2 pass, 1 fail.`
pub fn in_words(report: &Report) -> String {
    let count = report.scenarios.len();
    let parts: Vec<String> = VERDICTS
        .iter()
        .rev()
        .map(|verdict| (verdict, of(report, *verdict)))
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    format!("{count} {}: {}", if count == 1 { "scenario" } else { "scenarios" }, parts.join(", "))
}

fn of(report: &Report, verdict: Verdict) -> usize {
    report.scenarios.iter().filter(|scenario| scenario.verdict == verdict).count()
}

/// All scenarios at a glance, by group, each a link to its section.
pub fn verdicts(report: &Report) -> Markup {
    html! {
        section #overview aria-labelledby="overview-title" {
            h2 #overview-title { "Verdicts" }
            div.bar role="img" aria-label=(in_words(report)) {
                @for verdict in VERDICTS {
                    @let count = of(report, verdict);
                    @if count > 0 { span.(verdict.name()) style={ "flex-grow:" (count) } { (count) " " (verdict.name()) } }
                }
            }
            @for (name, about, members) in groups(report) {
                div.group {
                    h3 { (name) @if let Some(about) = about { " " small { (about) } } }
                    ul.chips {
                        @for (number, scenario) in members {
                            li { a.chip.(scenario.verdict.name()) href={ "#" (anchor(number, &scenario.name)) } {
                                span.mark aria-hidden="true" { (mark(scenario.verdict)) }
                                span { (scenario.name) }
                                span.spoken { ": " (scenario.verdict.name()) }
                            } }
                        }
                    }
                }
            }
        }
    }
}

/// Colour alone does not tell.
pub fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Skip => "–",
        Verdict::Absent => "○",
        Verdict::Fail => "✗",
        Verdict::Hung => "!",
    }
}

/// Scenarios with their places, in groups that have any; those of no group last.
type Grouped<'r> = (&'static str, Option<&'static str>, Vec<(usize, &'r ScenarioReport)>);

fn groups(report: &Report) -> Vec<Grouped<'_>> {
    let group_of = |scenario: &ScenarioReport| {
        let kind = Kind::ALL.iter().find(|kind| kind.name() == scenario.name);
        kind.map(|kind| kind.scenario().group)
    };
    let members = |group: Option<Group>| {
        let all = report.scenarios.iter().enumerate();
        all.filter(|(_, scenario)| group_of(scenario) == group).collect::<Vec<_>>()
    };
    let known = Group::ALL.map(|group| (group.name(), Some(group.about()), members(Some(group))));
    let others = ("other", None, members(None));
    known.into_iter().chain([others]).filter(|(_, _, members)| !members.is_empty()).collect()
}
