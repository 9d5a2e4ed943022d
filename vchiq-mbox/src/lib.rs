//! Mailbox, property tags, doorbells and the VCHIQ slots.
//!
//! ```text
//! link       the VCHIQ peer: prepare slot zero, connect, open, send, receive, close
//! ├─ bulk      memory that VideoCore copies to or from by itself
//! ├─ service   the table of services opened or offered by this side, and their states
//! ├─ quota     how much of the transmit slots a service may use
//! ├─ slot      who owns which slot: transmit, receive, recycle
//! └─ wire      layouts and numbers both sides agree on
//! mailbox    one property buffer, one call at a time
//! └─ property  one typed request and response per tag
//! gencmd     asking the firmware by text
//! regs       register blocks of the mailbox and the doorbells
//! platform   what a board gives
//! ```
//!
//! Everything read from memory that VideoCore can write is an allegation: it is loaded once, checked, and only
//! then used. A peer that breaks the protocol ends the link with a typed [`error::Violation`]; nothing here panics
//! on what it sent, and no wait is without a [`Deadline`].
#![cfg_attr(target_os = "none", no_std)]
#![deny(unsafe_code)]

mod fmt;

pub mod bulk;
pub mod deadline;
pub mod error;
pub mod gencmd;
pub mod link;
pub mod mailbox;
pub mod platform;
pub mod property;
mod quota;
pub mod regs;
mod service;
pub mod slot;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod wire;

pub use deadline::Deadline;
pub use error::{Error, Owner};
pub use link::{Exchange, HeldMessage, Message, MessageInfo, Positions, Submitted, Vchiq};
pub use mailbox::Mailbox;
pub use platform::{BusAddress, Clock, MailboxRegisters, Platform, Window};
pub use service::{MAX_SERVICES, ServiceHandle};
pub use wire::FourCc;
