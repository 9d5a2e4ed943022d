//! How long the slow ones take: values by percentile, with the axis stretched towards 100 %, as HdrHistogram draws them.

use std::fmt::Write;

use harness::report::Latency;
use maud::{Markup, html};

use super::axis::Axis;
use super::{About, WIDTH, cumulated, round, short, span};

/// Curves that can be told apart in one chart.
pub const MAX_CURVES: usize = 8;

const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = WIDTH - 66.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = HEIGHT - 44.0;

/// A curve.
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
    /// Of which step.
    pub name: &'a str,
    /// Its times.
    pub latency: &'a Latency,
}

/// A chart of up to [`MAX_CURVES`] curves, in the colours `c0` … `c7` of the page.
pub fn percentiles(curves: &[Curve<'_>], about: &About<'_>) -> Markup {
    let least = curves.iter().map(|curve| curve.latency.min).min().unwrap_or(1);
    let most = curves.iter().map(|curve| curve.latency.max).max().unwrap_or(1);
    let values = Axis::new(least as f64, most as f64, BOTTOM, TOP);
    let samples = curves.iter().map(|curve| curve.latency.n).max().unwrap_or(1);
    let across = Across { last: last_place(samples) };
    let id = &about.id;
    let scale = if values.is_logarithmic() { "logarithmic" } else { "linear" };
    let names: Vec<&str> = curves.iter().map(|curve| curve.name).collect();
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby={ (id) "-t " (id) "-d" } {
            title id={ (id) "-t" } { (about.scenario) ": " (about.timing) " times by percentile" }
            desc id={ (id) "-d" } {
                "Curves of " (names.join(", ")) ". Across: percentile, stretched towards 100 %. Upwards: cycles of the Arm \
                 core, " (scale) ". The table has the figures."
            }
            g.grid {
                @for tick in values.ticks() {
                    line x1=(LEFT) x2=(RIGHT) y1=(round(values.place(tick))) y2=(round(values.place(tick))) {}
                }
                @for (place, _) in across.ticks() {
                    line x1=(round(place)) x2=(round(place)) y1=(TOP) y2=(BOTTOM) {}
                }
            }
            g.ticks {
                @for tick in values.ticks() {
                    text.end x=(LEFT - 6.0) y=(round(values.place(tick) + 4.5)) { (short(tick)) }
                    @if let Some(time) = span(tick, about.hz).filter(|_| tick > 0.0) {
                        text x=(RIGHT + 6.0) y=(round(values.place(tick) + 4.5)) { (time) }
                    }
                }
                @for (place, label) in across.ticks() {
                    text.middle x=(round(place)) y=(BOTTOM + 18.0) { (label) }
                }
                text x="4" y="14" { "cycles" }
                @if about.hz != 0 { text.end x=(WIDTH - 4.0) y="14" { "time" } }
                text.middle x=((LEFT + RIGHT) / 2.0) y=(HEIGHT - 6.0) { "percentile · " (about.timing) }
            }
            @for (number, curve) in curves.iter().enumerate() {
                path.curve.{ "c" (number % MAX_CURVES) } d=(path(curve.latency, &values, &across)) {
                    title { (curve.name) ": p50 " (curve.latency.p50) ", p99 " (curve.latency.p99) ", max " (curve.latency.max) }
                }
            }
        }
    }
}

/// The axis of percentiles: equal distances for 90, 99, 99.9 %.
struct Across {
    last: f64,
}

impl Across {
    /// Where the part `below` of all samples ends.
    fn place(&self, below: f64) -> f64 {
        let place = if below >= 1.0 { self.last } else { stretched(below).min(self.last) };
        LEFT + place / self.last * (RIGHT - LEFT)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        let shown = |below: &f64| stretched(*below) <= self.last * 0.98;
        let list = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999_999];
        let label = |below: f64| format!("{}%", (below * 1e7).round() / 1e5);
        list.into_iter().filter(shown).map(|below| (self.place(below), label(below))).collect()
    }
}

fn stretched(below: f64) -> f64 {
    -(1.0 - below).log10()
}

/// Half a sample is beyond the last place: the slowest one has a width of its own.
fn last_place(samples: u32) -> f64 {
    (2.0 * f64::from(samples.max(1))).log10().max(1.0)
}

/// Level from percentile to percentile, as each bucket has one value.
fn path(latency: &Latency, values: &Axis, across: &Across) -> String {
    let n = f64::from(latency.n.max(1));
    let own_end = Across { last: across.last }.place(1.0 - 0.5 / n);
    let mut out = String::new();
    let mut level = None;
    for (so_far, value) in cumulated(latency) {
        let y = round(values.place(value as f64));
        match level {
            None => drop(write!(out, "M{} {y}", round(LEFT))),
            Some(before) if before != y => drop(write!(out, "V{y}")),
            Some(_) => {}
        }
        level = Some(y);
        let _ = write!(out, "H{}", round(across.place(so_far as f64 / n).min(own_end)));
    }
    // Samples too large for any bucket.
    if latency.histogram.iter().map(|(_, count)| u64::from(*count)).sum::<u64>() < u64::from(latency.n) {
        let y = round(values.place(latency.max as f64));
        let start = if level.is_none() { format!("M{} {y}", round(LEFT)) } else { format!("V{y}") };
        let _ = write!(out, "{start}H{}", round(own_end));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::tests::latency;

    fn about() -> About<'static> {
        About { id: "x".into(), scenario: "echo", timing: "modelled", hz: 1_200_000_000 }
    }

    #[test]
    fn a_curve_never_falls_and_ends_at_the_slowest_sample() {
        let latency = latency((1..1000).map(|value| value * 37));
        let values = Axis::new(37.0, latency.max as f64, BOTTOM, TOP);
        let across = Across { last: last_place(latency.n) };
        let path = path(&latency, &values, &across);
        let numbers = |command: char| -> Vec<f64> {
            path.match_indices(command)
                .map(|(at, _)| path[at + 1..].split(['H', 'V']).next().unwrap_or_default())
                .map(|number| number.parse().expect("a number"))
                .collect()
        };
        assert!(numbers('H').is_sorted(), "{path}");
        assert!(numbers('V').iter().rev().is_sorted(), "{path}");
        assert_eq!(numbers('V').last(), Some(&round(values.place(latency.max as f64))));
    }

    #[test]
    fn samples_beyond_every_bucket_are_drawn_at_the_maximum() {
        let latency = latency([1 << 40, 1 << 41]);
        assert!(latency.histogram.is_empty());
        let chart = percentiles(&[Curve { name: "import", latency: &latency }], &about()).into_string();
        assert!(chart.contains("d=\"M52 "), "{chart}");
    }

    #[test]
    fn the_chart_is_labelled_for_those_who_do_not_see_it() {
        let latency = latency([10, 20]);
        let chart = percentiles(&[Curve { name: "<import>", latency: &latency }], &about()).into_string();
        for part in ["role=\"img\"", "<title id=\"x-t\">echo: modelled times", "&lt;import&gt;", "50%"] {
            assert!(chart.contains(part), "{part} is not in {chart}");
        }
    }
}
