//! The native rung: our drivers on the PC, the real firmware in the emulator, in one process.

mod bench;
mod board;
mod card;
mod memory;

pub use bench::{Bench, on_firmware};
pub use board::{
    NativeBoard, NativeClock, NativeLendable, NativePlatform, NativeWindow, Parts, StartFault, Witness,
};
pub use card::{Firmware, firmware_dir};
pub use memory::Piece;
