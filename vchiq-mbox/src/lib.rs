//! Mailbox, property tags, doorbells and the VCHIQ slots.
#![cfg_attr(target_os = "none", no_std)]

pub mod platform;
