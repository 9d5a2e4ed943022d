//! The tests behind `compare`, on histograms. `docs/compare.md` says which and why.

mod bootstrap;
mod distribution;
mod random;
mod rank;
#[cfg(test)]
mod reference;
mod tail;

pub use bootstrap::shift_interval;
pub use distribution::Distribution;
pub use random::Random;
pub use rank::rank_sum;
pub use tail::tail_test;

/// Holm's correction: p-values that hold for the whole family of tests, in the order given.
///
/// The smallest of m is multiplied by m, the next by m − 1 and so on; none becomes smaller than one before it.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|left, right| p[*left].total_cmp(&p[*right]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 0.0f64;
    for (rank, &test) in order.iter().enumerate() {
        least = least.max((p[test] * (p.len() - rank) as f64).min(1.0));
        adjusted[test] = least;
    }
    adjusted
}

#[cfg(test)]
pub(super) mod tests {
    pub(in crate::compare) use super::distribution::tests::latency;
}
