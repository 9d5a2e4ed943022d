//! The times of a scenario: table, percentiles, shares, histograms.

use harness::report::{Latency, Report, ScenarioReport};
use maud::{Markup, html};

use super::timing_tag;
use crate::report::chart::{self, About, Curve, MAX_CURVES};
use crate::report::shares;
use crate::report::table::{grouped, in_order};

/// Everything that was timed; nothing if nothing was.
pub fn section(report: &Report, id: &str, scenario: &ScenarioReport) -> Markup {
    let steps = in_order(scenario);
    if steps.is_empty() {
        return html! {};
    }
    let about =
        |id| About { id, scenario: &scenario.name, timing: report.timing.name(), hz: report.clocks.arm_hz };
    let whole = whole(&steps);
    let shares = shares::of(scenario);
    html! {
        div.charts {
            @for (number, curves) in whole.chunks(MAX_CURVES).enumerate() {
                figure {
                    figcaption { "Percentiles " (timing_tag(report)) }
                    (chart::percentiles(curves, &about(format!("{id}-p{number}"))))
                    ul.legend {
                        @for (place, curve) in curves.iter().enumerate() {
                            li { (stroke(place)) " " (curve.name) }
                        }
                    }
                }
            }
            @if !shares.is_empty() {
                figure {
                    figcaption { "Both sides' share of each exchange " (timing_tag(report)) }
                    (chart::share(&shares, &about(format!("{id}-s"))))
                    ul.legend {
                        @for (name, class) in shares::parts_in(&shares) { li { span.key.(class) {} " " (name) } }
                    }
                    p.small { "Medians of the parts; they need not add up to the median of the whole." }
                }
            }
        }
        (table(report, id, &steps))
        details.histograms open {
            summary { "Histograms" }
            div.charts {
                @for (number, curve) in whole.iter().enumerate() {
                    figure { (chart::histogram(curve.name, curve.latency, &about(format!("{id}-h{number}")))) }
                }
            }
        }
    }
}

/// Whole steps without their parts; the parts if there is nothing else.
fn whole<'a>(steps: &[(&'a str, &'a Latency)]) -> Vec<Curve<'a>> {
    let curve = |(name, latency): &(&'a str, &'a Latency)| Curve { name, latency };
    let whole: Vec<_> = steps.iter().filter(|(name, _)| !name.contains('.')).map(curve).collect();
    if whole.is_empty() { steps.iter().map(curve).collect() } else { whole }
}

/// A line as the curve's: its dashes tell too, not its colour alone.
fn stroke(place: usize) -> Markup {
    html! {
        svg.stroke viewBox="0 0 28 10" aria-hidden="true" { path.line.{ "c" (place) } d="M0 5H28" {} }
    }
}

/// A part below its whole goes without the whole's name.
fn row_name(before: &[(&str, &Latency)], name: &str) -> Markup {
    let below = name.split_once('.').filter(|(whole, _)| before.iter().any(|(known, _)| known == whole));
    html! {
        @match below {
            Some((whole, part)) => { span.spoken { (whole) "." } (part) }
            None => (name)
        }
    }
}

fn table(report: &Report, id: &str, steps: &[(&str, &Latency)]) -> Markup {
    let hz = report.clocks.arm_hz;
    html! {
        p.caption id={ (id) "-times" } {
            "Times in cycles of the Arm core " (timing_tag(report)) " Quantiles are 0 to 3.2 % above the exact ones."
        }
        div.scroll tabindex="0" role="region" aria-labelledby={ (id) "-times" } {
            table.times {
                thead { tr {
                    th scope="col" { "step" }
                    @for name in ["n", "min", "p50", "p90", "p99", "max", "p50, time"] { th.number scope="col" { (name) } }
                } }
                tbody {
                    @for (place, (name, figures)) in steps.iter().enumerate() {
                        tr.part[name.contains('.')] {
                            th scope="row" { (row_name(&steps[..place], name)) }
                            td.number { (grouped(u64::from(figures.n))) }
                            @for value in [figures.min, figures.p50, figures.p90, figures.p99, figures.max] {
                                td.number { (grouped(value)) }
                            }
                            td.number { (chart::span(figures.p50 as f64, hz).unwrap_or_else(|| "–".to_owned())) }
                        }
                    }
                }
            }
        }
    }
}
