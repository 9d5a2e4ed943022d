//! From values to places.

/// Values that lie further apart than this are drawn on a logarithmic scale.
const LOGARITHMIC_FROM: f64 = 8.0;
/// Ticks that a linear axis has, about.
const TICKS: f64 = 5.0;
/// Decades up to which a logarithmic axis has ticks within a decade.
const FINE_DECADES: i32 = 2;

/// An axis of values.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    low: f64,
    high: f64,
    is_logarithmic: bool,
    from: f64,
    to: f64,
}

impl Axis {
    /// For values from `least` to `most`, drawn from place `from` to place `to`.
    pub fn new(least: f64, most: f64, from: f64, to: f64) -> Self {
        let least = least.max(1.0);
        let most = most.max(least);
        let is_logarithmic = most / least > LOGARITHMIC_FROM;
        let (low, high) = if is_logarithmic {
            (round_down(least), round_up(most))
        } else {
            (0.0, (most / step(most)).ceil() * step(most))
        };
        Self { low, high, is_logarithmic, from, to }
    }

    /// True if equal distances are equal ratios.
    pub fn is_logarithmic(&self) -> bool {
        self.is_logarithmic
    }

    /// Where a value is; one outside is at the end.
    pub fn place(&self, value: f64) -> f64 {
        let part = if self.is_logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            value / self.high
        };
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Values worth a line across.
    pub fn ticks(&self) -> Vec<f64> {
        if !self.is_logarithmic {
            let step = step(self.high);
            return (0..)
                .map(|i| f64::from(i) * step)
                .take_while(|tick| *tick <= self.high * 1.001)
                .collect();
        }
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let within: &[f64] = if last - first <= FINE_DECADES { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let all = (first..=last).flat_map(|decade| within.iter().map(move |part| part * 10_f64.powi(decade)));
        all.filter(|tick| (self.low * 0.999..=self.high * 1.001).contains(tick)).collect()
    }
}

/// 1, 2 or 5 times a power of ten, not above `value`.
fn round_down(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let part = [5.0, 2.0].into_iter().find(|part| part * decade <= value * 1.000_001);
    part.unwrap_or(1.0) * decade
}

/// The same, not below it.
fn round_up(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let part = [1.0, 2.0, 5.0].into_iter().find(|part| part * decade >= value * 0.999_999);
    part.unwrap_or(10.0) * decade
}

/// The distance of ticks on a linear axis that ends at `high`.
fn step(high: f64) -> f64 {
    round_up(high.max(1.0) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_close_together_begin_at_zero_and_values_far_apart_are_logarithmic() {
        let near = Axis::new(9000.0, 11_000.0, 0.0, 100.0);
        assert!(!near.is_logarithmic() && near.place(0.0) == 0.0 && near.place(1e9) == 100.0);
        assert_eq!(near.ticks(), [0.0, 5000.0, 10_000.0, 15_000.0]);
        let far = Axis::new(585.0, 476_244.0, 100.0, 0.0);
        assert!(far.is_logarithmic());
        assert_eq!(far.ticks(), [1000.0, 10_000.0, 100_000.0]);
        assert!(far.place(1000.0) > far.place(10_000.0));
    }

    #[test]
    fn values_that_are_all_zero_still_have_an_axis() {
        let none = Axis::new(0.0, 0.0, 0.0, 100.0);
        assert!(none.place(0.0).is_finite() && !none.ticks().is_empty());
    }
}
