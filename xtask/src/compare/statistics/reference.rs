//! The statistics against other programs: `tests/data/statistics/make.py` says how its values were got.

use std::slice::from_ref;

use harness::histogram::{bucket_of, upper_bound};
use harness::report::Latency;
use serde::Deserialize;

use super::distribution::tests::latency;
use super::tail::fisher;
use super::{Distribution, Random, holm, rank_sum, shift_interval};

const FILE: &str = include_str!("../../../../tests/data/statistics/reference.json");

#[derive(Deserialize)]
struct Reference {
    rank_sum: Vec<RankSum>,
    fisher: Vec<Fisher>,
    holm: Vec<Holm>,
    order_statistic: Vec<OrderStatistic>,
}

#[derive(Deserialize)]
struct RankSum {
    name: String,
    a: Vec<(u64, u32)>,
    b: Vec<(u64, u32)>,
    p: f64,
    superiority: f64,
}

#[derive(Deserialize)]
struct Fisher {
    hits_a: u64,
    n_a: u64,
    hits_b: u64,
    n_b: u64,
    p: f64,
}

#[derive(Deserialize)]
struct Holm {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

/// Where the quantile `q` of `n` samples drawn anew lies among them: in 1.5, 3.5, 96.5 and 98.5 % of the draws below.
#[derive(Deserialize)]
struct OrderStatistic {
    n: u32,
    q: f64,
    at: [f64; 4],
}

fn reference() -> Reference {
    serde_json::from_str(FILE).expect("tests/data/statistics/reference.json")
}

fn distribution(histogram: &[(u64, u32)]) -> Distribution {
    let (min, last) = (histogram[0].0, histogram[histogram.len() - 1].0);
    Distribution::of(&Latency {
        unit: "cycles".to_owned(),
        n: histogram.iter().map(|(_, count)| count).sum(),
        min,
        p50: 0,
        p90: 0,
        p99: 0,
        max: bucket_of(last).map_or(last, upper_bound),
        histogram: histogram.to_vec(),
    })
    .expect("whole")
}

fn assert_near(found: f64, expected: f64, what: &str) {
    assert!((found / expected - 1.0).abs() < 1e-6, "{what}: {found}, not {expected}");
}

#[test]
fn the_rank_sum_test_is_scipys() {
    for case in reference().rank_sum {
        let found = rank_sum(&distribution(&case.a), &distribution(&case.b));
        assert_near(found.p, case.p, &case.name);
        assert_near(found.superiority, case.superiority, &case.name);
    }
}

#[test]
fn fishers_test_is_scipys() {
    for Fisher { hits_a, n_a, hits_b, n_b, p } in reference().fisher {
        assert_near(fisher(hits_a, n_a, hits_b, n_b), p, &format!("{hits_a} of {n_a}, {hits_b} of {n_b}"));
    }
}

#[test]
fn holms_correction_is_that_of_statsmodels() {
    for case in reference().holm {
        let found = holm(&case.p);
        assert_eq!(found.len(), case.adjusted.len());
        for (found, expected) in found.into_iter().zip(case.adjusted) {
            assert_near(found, expected, "Holm");
        }
    }
    assert!(holm(&[]).is_empty());
}

#[test]
fn the_interval_of_a_quantile_has_the_ends_of_its_order_statistic() {
    // All of one value, so that only B moves.
    let a = 9984.0;
    let one = Distribution::of(&latency([a as u64; 1000])).expect("whole");
    for OrderStatistic { n, q, at } in reference().order_statistic {
        // Evenly from 10 240 to 15 360: a bucket's samples lie evenly, so a part is a place.
        let buckets: Vec<(u64, u32)> = (40..60).map(|bucket| (bucket * 256, n / 20)).collect();
        let even = distribution(&buckets);
        let interval = shift_interval(from_ref(&one), from_ref(&even), q, &mut Random::new(4));
        let [low, high] = [interval.low, interval.high].map(|shift| (a * (1.0 + shift) - 10_240.0) / 5120.0);
        // Between two buckets is a cycle where no sample can lie.
        let room = 2.0 / 5120.0;
        assert!(at[0] - room <= low && low <= at[1] + room, "{n} {q}: {low}, not in {at:?}");
        assert!(at[2] - room <= high && high <= at[3] + room, "{n} {q}: {high}, not in {at:?}");
    }
}
