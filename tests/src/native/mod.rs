//! The native rung: our drivers on the PC, the real firmware in the emulator, in one process.

mod board;
mod card;

pub use board::{NativeBoard, StartFault};
pub use card::{Firmware, firmware_dir};
