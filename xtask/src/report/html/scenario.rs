//! One scenario.

use harness::Verdict;
use harness::report::{Counters, Report, ScenarioReport};
use harness::scenario::{Kind, Scenario};
use maud::{Markup, html};

use super::overview::mark;
use super::{anchor, evidence, times, timing_tag};
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
            (evidence::why(scenario))
            (evidence::steps(scenario))
            (counts(scenario))
            @if let Some(sides) = scenario.sides { (both_sides(report, scenario, sides)) }
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

/// What both processors spent, and per handshake if there were any.
fn both_sides(report: &Report, scenario: &ScenarioReport, sides: Counters) -> Markup {
    let handshakes = scenario.counts.get("handshakes").copied().filter(|count| *count > 0).map(u64::from);
    html! {
        p.sides {
            span.arm.key {} " Arm " (grouped(sides.arm_cycles)) " cycles · "
            span.vpu.key {} " VideoCore " (grouped(sides.vpu_instructions)) " instructions, over the whole scenario"
            @if let Some(count) = handshakes {
                "; a handshake " (grouped(sides.arm_cycles / count)) " cycles (patterns filled and checked included) and "
                (grouped(sides.vpu_instructions / count)) " instructions"
            }
            ". " (timing_tag(report))
        }
    }
}
