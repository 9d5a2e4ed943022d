//! Charts as SVG, by hand: they are few, stay small, and take their colours from the page around them.

mod axis;
mod histogram;
mod percentiles;
mod share;

use harness::report::Latency;

pub use histogram::histogram;
pub use percentiles::{Curve, MAX_CURVES, percentiles};
pub use share::{Part, Share, share};

/// Width of every chart in its own units; a page scales it.
pub const WIDTH: f64 = 520.0;

/// What a chart says beside its picture.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// Unlike that of any other chart on the page.
    pub id: String,
    /// Of which scenario.
    pub scenario: &'a str,
    /// `measured` or `modelled`.
    pub timing: &'a str,
    /// Rate of the unit of time; 0 if nobody knows.
    pub hz: u32,
}

/// A bucket of a histogram with its largest value.
fn upper_end(lower: u64) -> u64 {
    use harness::histogram::{bucket_of, upper_bound};
    bucket_of(lower).map_or(lower, upper_bound)
}

/// Samples up to and including each bucket, and the bucket's largest value, which is never above the maximum.
fn cumulated(latency: &Latency) -> impl Iterator<Item = (u64, u64)> + '_ {
    let mut so_far = 0_u64;
    latency.histogram.iter().map(move |(lower, count)| {
        so_far = so_far.saturating_add(u64::from(*count));
        (so_far, upper_end(*lower).min(latency.max))
    })
}

/// A count or a number of cycles on an axis: `12`, `9.2k`, `476k`, `1.5M`.
pub fn short(value: f64) -> String {
    let (scaled, unit) = match value {
        value if value >= 1e9 => (value / 1e9, "G"),
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e3 => (value / 1e3, "k"),
        value => (value, ""),
    };
    let text = if scaled >= 100.0 || scaled.fract() < 0.05 {
        format!("{scaled:.0}")
    } else {
        format!("{scaled:.1}")
    };
    format!("{text}{unit}")
}

/// Cycles as a time: `430 ns`, `8.5 µs`, `1.2 ms`; `None` without a clock.
pub fn span(cycles: f64, hz: u32) -> Option<String> {
    if hz == 0 {
        return None;
    }
    let nanoseconds = cycles * 1e9 / f64::from(hz);
    let (value, unit) = match nanoseconds {
        value if value >= 1e9 => (value / 1e9, "s"),
        value if value >= 1e6 => (value / 1e6, "ms"),
        value if value >= 1e3 => (value / 1e3, "µs"),
        value => (value, "ns"),
    };
    let digits = usize::from(value < 99.95 && unit != "ns");
    Some(format!("{value:.digits$} {unit}"))
}

/// Microseconds in the unit that suits them: `23.5 ms`.
pub fn time(microseconds: u64) -> String {
    const HZ: u32 = 1_000_000;
    span(microseconds as f64, HZ).unwrap_or_default()
}

/// A place in a chart's units: a tenth of one is finer than anybody sees.
fn round(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use harness::histogram::Histogram;

    use super::*;

    pub(super) fn latency(values: impl IntoIterator<Item = u64>) -> Latency {
        let mut histogram = Histogram::new();
        values.into_iter().for_each(|value| histogram.record(value));
        Latency::of(&histogram).expect("samples")
    }

    #[test]
    fn numbers_on_an_axis_are_short() {
        let shorts = [12.0, 1000.0, 9226.0, 476_244.0, 1_500_000.0].map(short);
        assert_eq!(shorts, ["12", "1k", "9.2k", "476k", "1.5M"]);
    }

    #[test]
    fn cycles_become_a_time_only_with_a_clock() {
        assert_eq!(span(10_239.0, 1_200_000_000).as_deref(), Some("8.5 µs"));
        assert_eq!(span(585.0, 1_200_000_000).as_deref(), Some("488 ns"));
        assert_eq!(span(1_800_000.0, 1_200_000_000).as_deref(), Some("1.5 ms"));
        assert_eq!(span(1.0, 0), None);
    }
}
