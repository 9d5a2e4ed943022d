//! The processor: entry, exception levels, MMU, caches, counters, exceptions and locks.
//!
//! Together with [`crate::platform`] the only place of this crate where `unsafe` stands.

pub(crate) mod barrier;
pub(crate) mod cache;
pub(crate) mod counters;
mod critical_section;
mod entry;
pub(crate) mod exceptions;
pub(crate) mod identity;
mod level;
pub(crate) mod mmu;
