//! How often which time: bars over the buckets of the histogram, which are finer than a 32nd of their value.

use harness::histogram::{BUCKETS, bucket_of, lower_bound};
use harness::report::Latency;
use maud::{Markup, html};

use super::{About, WIDTH, round, short, span};

const HEIGHT: f64 = 150.0;
const LEFT: f64 = 46.0;
/// Half of the last label is beyond.
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = HEIGHT - 36.0;
/// Bars in a chart, at most.
const MAX_BARS: usize = 64;
/// Buckets in a chart, at least: a single value is not a wall.
const MIN_BUCKETS: usize = 24;
/// Height of a bar that would be too low to see.
const LOWEST: f64 = 1.5;
/// Places for a value below the bars.
const LABELS: usize = 4;

/// Buckets side by side, several to a bar if there are many.
struct Bars {
    first: usize,
    per_bar: usize,
    counts: Vec<u64>,
}

impl Bars {
    /// `None` without a sample in any bucket.
    fn of(latency: &Latency) -> Option<Self> {
        let buckets =
            || latency.histogram.iter().filter_map(|(lower, count)| Some((bucket_of(*lower)?, *count)));
        let least = buckets().map(|(bucket, _)| bucket).min()?;
        let most = buckets().map(|(bucket, _)| bucket).max()?;
        let room = MIN_BUCKETS.saturating_sub(most - least + 1).div_ceil(2) + 1;
        let first = least.saturating_sub(room);
        let last = (most + room).min(BUCKETS - 1);
        let per_bar = (last - first + 1).div_ceil(MAX_BARS);
        let mut counts = vec![0; (last - first + 1).div_ceil(per_bar)];
        for (bucket, count) in buckets() {
            counts[(bucket - first) / per_bar] += u64::from(count);
        }
        Some(Self { first, per_bar, counts })
    }

    /// Where a bar begins.
    fn place(&self, bar: f64) -> f64 {
        LEFT + bar / self.counts.len() as f64 * (RIGHT - LEFT)
    }

    /// Where a value lies.
    fn place_of(&self, value: u64) -> f64 {
        let bucket = bucket_of(value).unwrap_or(BUCKETS - 1);
        let within = bucket.saturating_sub(self.first) as f64 + 0.5;
        self.place((within / self.per_bar as f64).min(self.counts.len() as f64))
    }
}

/// A chart of one step's times; nothing without a sample in a bucket.
pub fn histogram(step: &str, latency: &Latency, about: &About<'_>) -> Markup {
    let Some(bars) = Bars::of(latency) else { return html! {} };
    let most = bars.counts.iter().copied().max().unwrap_or(1).max(1);
    let width = (bars.place(1.0) - bars.place(0.0)).max(0.5);
    let height = |count: u64| (count as f64 / most as f64 * (BOTTOM - TOP)).max(LOWEST);
    let id = &about.id;
    let marks = [("p50", latency.p50), ("p99", latency.p99)];
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby={ (id) "-t " (id) "-d" } {
            title id={ (id) "-t" } { (about.scenario) ", " (step) ": histogram of " (about.timing) " times" }
            desc id={ (id) "-d" } {
                (latency.n) " samples from " (latency.min) " to " (latency.max) " cycles, half of them up to " (latency.p50) "."
            }
            g.grid { line x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {} }
            g.bars {
                @for (number, count) in bars.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    rect x=(round(bars.place(number as f64))) y=(round(BOTTOM - height(*count)))
                        width=(round(width * 0.9)) height=(round(height(*count))) {}
                }
            }
            g.marks {
                @for (name, value) in marks {
                    line x1=(round(bars.place_of(value))) x2=(round(bars.place_of(value))) y1=(TOP - 4.0) y2=(BOTTOM) {
                        title { (name) " " (value) }
                    }
                }
            }
            g.ticks {
                text.strong x="4" y="14" { (step) }
                text.end x=(WIDTH - 4.0) y="14" { "p50 " (in_both(latency.p50, about.hz)) " · p99 " (in_both(latency.p99, about.hz)) }
                text.end x=(LEFT - 6.0) y=(TOP + 5.0) { (short(most as f64)) }
                text.end x=(LEFT - 6.0) y=(BOTTOM) { "0" }
                @for label in 0..=LABELS {
                    @let bar = bars.counts.len() * label / LABELS;
                    @let value = lower_bound(bars.first + bar * bars.per_bar) as f64;
                    text.middle x=(round(bars.place(bar as f64))) y=(BOTTOM + 16.0) { (short(value)) }
                }
                text.middle x=((LEFT + RIGHT) / 2.0) y=(HEIGHT - 5.0) { "cycles, logarithmic · " (about.timing) }
            }
        }
    }
}

fn in_both(cycles: u64, hz: u32) -> String {
    span(cycles as f64, hz).unwrap_or_else(|| short(cycles as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::tests::latency;

    #[test]
    fn every_sample_is_in_a_bar_however_far_apart_they_are() {
        for values in [vec![585; 7], vec![1, u64::from(u32::MAX)], (0..5000).collect(), vec![0]] {
            let bars = Bars::of(&latency(values.iter().copied())).expect("bars");
            assert_eq!(bars.counts.iter().sum::<u64>(), values.len() as u64);
            assert!(bars.counts.len() <= MAX_BARS && bars.per_bar > 0);
        }
    }

    #[test]
    fn a_histogram_without_a_bucket_is_no_picture() {
        let about = About { id: "x".into(), scenario: "echo", timing: "modelled", hz: 0 };
        assert_eq!(histogram("import", &latency([1 << 40]), &about).into_string(), "");
        let drawn = histogram("import", &latency([585, 600]), &about).into_string();
        assert!(drawn.contains("<rect") && drawn.contains("modelled"), "{drawn}");
    }
}
