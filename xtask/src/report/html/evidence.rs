//! What a reader needs who wants to know why.

use std::borrow::Cow;

use harness::report::{Report, Reset, ScenarioReport, StepReport};
use harness::{Owner, Verdict};
use maud::{Markup, html};

use super::anchor;
use super::overview::mark;
use crate::report::again;
use crate::report::reason::in_short;
use crate::report::table::{grouped, reset_words};

/// What did not pass, notes and resets; nothing if there is nothing to know.
pub fn what_to_know(report: &Report) -> Markup {
    let failed = || report.scenarios.iter().enumerate().filter(|(_, one)| is_failure(one.verdict));
    if failed().next().is_none() && report.notes.is_empty() && report.resets.is_empty() {
        return html! {};
    }
    html! {
        section #failures aria-labelledby="failures-title" {
            h2 #failures-title { @if failed().next().is_some() { "What failed, and whose fault it is" } @else { "What to know" } }
            @if failed().next().is_some() {
                ul.failures {
                    @for (number, one) in failed() {
                        li {
                            a.chip.(one.verdict.name()) href={ "#" (anchor(number, &one.name)) } {
                                span.mark aria-hidden="true" { (mark(one.verdict)) }
                                span { (one.name) ": " (one.verdict.name()) }
                            }
                            " " (owner(one.owner)) " " (reason(one))
                            @if let Some(next) = &one.next { p.small { "Look at: " (next) } }
                        }
                    }
                }
            }
            @for reset in &report.resets { p.note { (reset_line(reset)) } }
            @for note in &report.notes { p.note { (note) } }
        }
    }
}

fn is_failure(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Hung)
}

/// Whose fault, as a tag.
fn owner(owner: Option<Owner>) -> Markup {
    html! { @if let Some(owner) = owner { span.owner { "owner: " (owner.name()) } } }
}

/// Why, without the words that the steps have below.
fn reason(scenario: &ScenarioReport) -> Cow<'_, str> {
    let reason = in_short(scenario);
    if reason.is_empty() { "no reason was told".into() } else { reason }
}

fn reset_line(reset: &Reset) -> String {
    let (when, why) = reset_words(reset);
    format!("Reset {when}: {why}.")
}

/// Why a scenario did not pass, and what to look at next.
pub fn why(report: &Report, scenario: &ScenarioReport) -> Markup {
    if scenario.verdict == Verdict::Pass {
        return html! {};
    }
    html! {
        dl.why.(scenario.verdict.name()) {
            @if let Some(owner) = scenario.owner { div { dt { "Owner" } dd { (owner.name()) } } }
            div { dt { "Reason" } dd { (reason(scenario)) } }
            @if let Some(next) = &scenario.next { div { dt { "Look at" } dd { (next) } } }
            @if is_failure(scenario.verdict) {
                @if let Some(command) = again::command(report, scenario) {
                    div {
                        dt { "Again" }
                        dd { code { (command) } @if let Some(with) = again::with(report) { ", " (with) } }
                    }
                }
            }
        }
    }
}

/// Steps: one line if all passed, else a list with the words that prove it.
pub fn steps(scenario: &ScenarioReport) -> Markup {
    let steps = &scenario.steps;
    if steps.is_empty() {
        return html! {};
    }
    let passed = steps.iter().filter(|step| step.verdict == Verdict::Pass).count();
    html! {
        p.steps {
            (passed) " of " (steps.len()) " steps passed: "
            @for (number, step) in steps.iter().enumerate() {
                @if number > 0 { ", " }
                span.step.(step.verdict.name()) { (mark(step.verdict)) " " (step.name) }
            }
        }
        @for step in steps.iter().filter(|step| step.verdict != Verdict::Pass) { (proof(step)) }
        @if !scenario.log.is_empty() {
            figure.proof {
                figcaption { "Log before it ended" }
                pre.log tabindex="0" { (scenario.log.join("\n")) }
            }
        }
    }
}

/// A step that did not pass, and its words.
fn proof(step: &StepReport) -> Markup {
    html! {
        div.proof {
            p {
                strong { (step.name) ": " (step.verdict.name()) } " " (owner(step.owner)) " "
                (step.reason.as_deref().unwrap_or_default())
            }
            @if !step.evidence.is_empty() {
                dl.words {
                    @for (name, value) in &step.evidence {
                        div { dt { (name) } dd { code { (format!("{value:#x}")) } " " small { (grouped(u64::from(*value))) } } }
                    }
                }
            }
        }
    }
}

/// The last lines of a run that did not come to its end.
pub fn last_words(report: &Report) -> Markup {
    if report.last_words.is_empty() {
        return html! {};
    }
    html! {
        section #last-words aria-labelledby="last-words-title" {
            h2 #last-words-title { "Last words" }
            p { "The run has no last record. This is what both sides said before it stopped, and where the processors stood." }
            pre.log tabindex="0" { (report.last_words.join("\n")) }
        }
    }
}
