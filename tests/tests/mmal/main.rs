//! The MMAL client on the PC against the real firmware, in process.
//!
//! What is asserted here and is not in MMAL fact sheet is in `docs/findings.md`. Needs `FIRMWARE_DIR`, as
//! `native.rs` does.

mod data;
mod lifetime;
mod service;
mod support;
