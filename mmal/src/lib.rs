//! The MMAL service, as far as the firmware needs it to use a lent block: components, ports, buffers.
//!
//! ```text
//! client     open the service, create components, set ports up, submit buffers and get them back
//! ├─ record    one buffer and whether the firmware has it
//! ├─ port      a port of a component, and its settings
//! ├─ payload   what a buffer carries
//! ├─ history   replies already seen, to tell a duplicate from a stranger
//! ├─ ids       handles of the firmware, contexts of ours
//! ├─ status    what the firmware says of a request
//! └─ wire      the messages, byte for byte (MMAL fact sheet 2 to 11)
//! ```
//!
//! [`Mmal::submit`] swallows a payload; the firmware has it until it says BUFFER_TO_HOST with the buffer's context, port
//! and handle, or has destroyed the component, or VideoCore was reset. [`Mmal::flush_port`], [`Mmal::disable_port`] and
//! [`Mmal::destroy`] let the firmware give back what it has, and count what it keeps.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

mod client;
mod error;
mod fmt;
mod history;
mod ids;
mod payload;
mod port;
mod record;
mod status;
#[cfg(test)]
mod tests;
pub mod wire;

pub use client::{
    Answered, BulkFailure, Component, Counters, DestroyFailure, Destroyed, Drained, Event, EventKind, Fill,
    InFlight, MemoryFailure, Mmal, Options, PortSetup, Returned, Stream, SubmitFailure, Version, WaitFailure,
};
pub use error::{BufferWords, Error, Exhausted, Misuse, Place, Violation};
pub use ids::{BufferContext, ComponentHandle, PortHandle, RequestContext};
pub use payload::{HandleNumber, Payload};
pub use port::{Port, PortInfo, PortType, i420_size};
pub use record::{Data, Filled, How, Outstanding};
pub use status::Status;
pub use wire::Flags;
