//! One scenario.

use harness::Verdict;
use harness::report::{Counters, Report, ScenarioReport};
use harness::scenario::{Kind, Scenario};
use maud::{Markup, html};

use super::overview::mark;
use super::{anchor, evidence, times, timing_tag};
use crate::report::chart::time;
use crate::report::table::grouped;

/// Its verdict, why, its counts and its times.
pub fn section(report: &Report, number: usize, scenario: &ScenarioReport) -> Markup {
    let id = anchor(number, &scenario.name);
    let known = Kind::ALL.iter().map(|kind| kind.scenario()).find(|known| known.name == scenario.name);
    html! {
        article.scenario.(scenario.verdict.name()) id=(id) aria-labelledby={ (id) "-title" } {
            h3 id={ (id) "-title" } {
                span.verdict.(scenario.verdict.name()) { (mark(scenario.verdict)) " " (scenario.verdict.name()) }
                " " (scenario.name)
                @if let Some(known) = known { " " small { (known.group.name()) } }
            }
            @if let Some(known) = known { (purpose(known, scenario.verdict)) }
            (evidence::why(report, scenario))
            (evidence::steps(scenario))
            (counts(scenario))
            (cost(report, scenario))
            (times::section(report, &id, scenario))
        }
    }
}

fn purpose(known: &Scenario, verdict: Verdict) -> Markup {
    html! {
        p.purpose { "A pass proves: " (known.proves) }
        @if verdict != Verdict::Pass { p.purpose { "It passes when: " (known.passes_when) } }
    }
}

fn counts(scenario: &ScenarioReport) -> Markup {
    if scenario.counts.is_empty() {
        return html! {};
    }
    html! {
        dl.counts {
            @for (name, value) in &scenario.counts { div { dt { (name) } dd { (grouped(u64::from(*value))) } } }
        }
    }
}

/// How long it took, and what both processors spent, also per handshake if there were any.
fn cost(report: &Report, scenario: &ScenarioReport) -> Markup {
    let handshakes = scenario.counts.get("handshakes").copied().filter(|count| *count > 0).map(u64::from);
    if scenario.took_us.is_none() && scenario.sides.is_none() {
        return html! {};
    }
    html! {
        p.sides {
            @if let Some(took) = scenario.took_us { "Took " strong { (time(took)) } ". " }
            @if let Some(sides) = scenario.sides { (spent(sides, "over the whole scenario")) ". " }
            @if let Some((sides, count)) = scenario.sides.zip(handshakes) {
                (spent(per(sides, count), "a handshake, patterns filled and checked included")) ". "
            }
            (timing_tag(report))
        }
    }
}

fn per(sides: Counters, count: u64) -> Counters {
    Counters { arm_cycles: sides.arm_cycles / count, vpu_instructions: sides.vpu_instructions / count }
}

/// Where the model plays VideoCore, nothing counts its instructions.
fn spent(sides: Counters, what: &str) -> Markup {
    html! {
        span.arm.key {} " Arm " (grouped(sides.arm_cycles)) " cycles"
        @if sides.vpu_instructions > 0 {
            " · " span.vpu.key {} " VideoCore " (grouped(sides.vpu_instructions)) " instructions"
        }
        ", " (what)
    }
}
