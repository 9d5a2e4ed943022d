//! Scenarios, verdicts, histograms and the records they leave: the same code on every rung.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
