//! A board in memory, with a VideoCore that answers by the book or misbehaves as told.
//!
//! Written from the VCHIQ and VCSM fact sheets, not from our drivers, so that an error of theirs is not repeated
//! here.

mod behaviour;
mod board;
mod memory;
mod property;
mod services;
mod videocore;

pub use behaviour::{Behaviour, Echo, Import, Lock, Released};
pub use board::{ARM_HZ, FakeBoard, TICK_HZ};
