//! The SMEM service: buffers lent to the VideoCore, and given back only by RELEASED.
//!
//! ```text
//! client     open the service, import, free, and wait for RELEASED
//! ├─ record    one lent buffer and where it is in its life
//! ├─ request   one request for a block of VideoCore's heap, and its answer
//! ├─ history   replies already seen, to tell a duplicate from a stranger
//! ├─ ids       transaction and kernel ids
//! └─ wire      the messages, byte for byte (VCSM fact sheet 2 to 5)
//! ```
//!
//! [`Smem::import`] swallows a buffer; [`Smem::free`] turns it into something that can be neither read nor reused;
//! only a RELEASED that matches its kernel id, address, size and handle gives it back. A buffer whose IMPORT timed
//! out stays reserved: nobody knows whether the firmware uses it.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

mod client;
mod error;
mod fmt;
mod history;
mod ids;
mod lend;
mod record;
mod request;
#[cfg(test)]
mod tests;
pub mod wire;

pub use client::{
    Block, BlockFailure, BlockSize, Counters, FreeFailure, Freed, ImportFailure, Imported, Importing, Locked,
    Options, ProtocolVersion, Recovered, ReleaseFailure, Returned, Smem,
};
pub use error::{Error, Exhausted, Misuse, Place, Violation};
pub use ids::{Handle, KernelId, TransactionId};
pub use lend::{Lend, Lendable};
pub use record::Outstanding;
