//! Scenarios, verdicts, histograms and the records they leave: the same code on every rung.
//!
//! ```text
//! banner     the line that says which image runs
//! board      what the harness needs of the machine it runs on
//! plan       what to run, read from the card's command line
//! run        the run: plan in, records out, one outcome
//! black_box  what survives a reset; resume: going on after one
//! scenario/  the catalogue: one file a scenario
//! verdict    pass, fail, absent, skip, hung, and who is to blame
//! timing     brackets around a step, on both clocks
//! histogram  fixed-cost log-linear buckets
//! record     what travels from the image to the PC
//! report/    (PC only) records in, schema-1 report out
//! ```
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
// Without an allocator a failure carries its reason and evidence by value; it happens once in a run.
#![allow(clippy::result_large_err)]

pub mod banner;
mod black_box;
mod block;
pub mod board;
mod damage;
pub mod failure;
pub mod histogram;
mod inquiry;
mod journal;
mod lending;
pub mod pattern;
pub mod plan;
pub mod raw_samples;
pub mod record;
#[cfg(feature = "std")]
pub mod report;
mod resume;
pub mod run;
pub mod scenario;
mod session;
mod stretch;
pub mod timing;
pub mod verdict;

pub use board::{Board, Host, Identity, LastReset, Lendable, Parts};
pub use histogram::Histogram;
pub use plan::Plan;
pub use record::Record;
pub use run::{Next, Outcome, run};
pub use verdict::{Owner, Verdict};
