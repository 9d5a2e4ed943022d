//! One picture of a run, for a README: verdicts of the groups, percentiles and shares of the handshake.

use harness::Verdict;
use harness::report::{Report, ScenarioReport};
use harness::scenario::{Group, Kind};
use maud::{Markup, PreEscaped, html};

use super::chart::{self, About, Curve, MAX_CURVES};
use super::html::in_words;
use super::shares;
use super::table::in_order;

/// Colours on a light ground and on a dark one.
const STYLE: &str = include_str!("picture.css");
const WIDTH: f64 = 1080.0;
const HEIGHT: f64 = 470.0;
const CHARTS_TOP: f64 = 120.0;
const SECOND: f64 = 550.0;

/// The picture, as an SVG file of its own.
pub fn svg(report: &Report) -> String {
    let handshake = report.scenarios.iter().find(|scenario| scenario.name == Kind::Handshake.name());
    let timing = report.timing.name();
    let words = in_words(report);
    let described = format!(
        "Verdicts of each group; of the handshake percentiles and both sides' shares. Times {timing}."
    );
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) }
            role="img" aria-labelledby="t d" {
            title id="t" { "A run of the VPU harness: " (words) }
            desc id="d" { (described) }
            style { (PreEscaped(STYLE)) }
            rect.ground width=(WIDTH) height=(HEIGHT) rx="12" {}
            text.title x="24" y="36" { (words) }
            text x="24" y="58" { (subject(report)) }
            (groups(report))
            @if let Some(handshake) = handshake { (charts(report, handshake)) }
        }
    };
    picture.into_string()
}

/// What ran where.
fn subject(report: &Report) -> String {
    let peer = &report.peer;
    format!(
        "{}, {}, times {} · firmware {} of {} · image {} · {}",
        report.board.model,
        report.rung.name(),
        report.timing.name(),
        peer.variant,
        peer.date,
        report.image.git,
        report.started
    )
}

/// A line for each group: its name and a mark for each of its scenarios.
fn groups(report: &Report) -> Markup {
    let members = |group: Group| -> Vec<&ScenarioReport> {
        let is_in = |scenario: &&ScenarioReport| {
            Kind::ALL.iter().any(|kind| kind.name() == scenario.name && kind.scenario().group == group)
        };
        report.scenarios.iter().filter(is_in).collect()
    };
    let groups: Vec<_> = Group::ALL.iter().map(|group| (group.name(), members(*group))).collect();
    let groups = groups.into_iter().filter(|(_, members)| !members.is_empty());
    html! {
        @for (number, (name, members)) in groups.enumerate() {
            @let x = 24.0 + number as f64 * 172.0;
            @let passed = members.iter().filter(|scenario| scenario.verdict == Verdict::Pass).count();
            text.strong x=(x) y="84" { (name) " " (passed) "/" (members.len()) }
            @for (place, scenario) in members.iter().enumerate() {
                @let x = x + place as f64 * 10.0;
                rect.(scenario.verdict.name()) x=(x) y="92" width="8" height="14" rx="2" {
                    title { (scenario.name) ": " (scenario.verdict) }
                }
            }
        }
    }
}

fn charts(report: &Report, handshake: &ScenarioReport) -> Markup {
    let about = |id: &str| About {
        id: id.to_owned(),
        scenario: &handshake.name,
        timing: report.timing.name(),
        hz: report.clocks.arm_hz,
    };
    let steps = in_order(handshake);
    let whole = steps.iter().filter(|(name, _)| !name.contains('.'));
    let curves: Vec<_> = whole.map(|(name, latency)| Curve { name, latency }).take(MAX_CURVES).collect();
    let shares = shares::of(handshake);
    html! {
        @if !curves.is_empty() {
            g transform={ "translate(16 " (CHARTS_TOP) ")" } {
                svg width=(chart::WIDTH) height="300" { (chart::percentiles(&curves, &about("p"))) }
            }
            @for (number, curve) in curves.iter().enumerate() {
                @let x = 68.0 + number as f64 * 110.0;
                path.line.{ "c" (number) } d={ "M" (x) " 447h28" } {}
                text x=(x + 34.0) y="451" { (curve.name) }
            }
        }
        @if !shares.is_empty() {
            @let height = shares.len() as f64 * 34.0 + 26.0;
            g transform={ "translate(" (SECOND) " " (CHARTS_TOP + 20.0) ")" } {
                svg width=(chart::WIDTH) height=(height) { (chart::share(&shares, &about("s"))) }
            }
            @for (number, (name, class)) in shares::parts_in(&shares).iter().enumerate() {
                @let y = 340.0 + number as f64 * 22.0;
                rect.part.(class) x=(SECOND + 96.0) y=(y) width="12" height="12" rx="3" {}
                text x=(SECOND + 114.0) y=(y + 11.0) { (name) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn the_picture_stands_alone_is_small_and_labels_its_times() {
        let picture = svg(&example());
        assert!(picture.len() < 60_000 && picture.contains("times modelled"), "{picture}");
        assert_eq!(picture.matches("class=\"curve").count(), 1);
    }
}
