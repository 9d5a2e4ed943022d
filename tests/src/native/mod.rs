//! The native rung: our drivers on the PC, the real firmware in the emulator, in one process.

mod bench;
mod board;
mod card;
mod device_tree;
mod memory;

pub use bench::{Bench, on_firmware};
pub use board::{
    NativeBoard, NativeClock, NativeHost, NativeLendable, NativeMailbox, NativePlatform, NativeWindow, Parts,
    StartFault, Witness,
};
pub use card::{Firmware, described_firmware_dir, firmware_dir};
pub use device_tree::vchiq_tree;
pub use memory::Piece;
