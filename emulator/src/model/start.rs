//! The state in which the firmware leaves the board when it starts the Arm: kernel and stub in place.

use super::facts::Facts;
use super::{Fault, VideoCore, stub};
use crate::board::Board;
use crate::boot_rom::{self, BootError, KernelSettings};
use crate::card::{Card, CardError};
use crate::ram::Ram;

/// The peripherals hide the RAM from here on.
const PERIPHERALS: u32 = 0x3f00_0000;

/// Loads what the Arm needs and gives the model that serves it. No file of the firmware is needed.
pub(crate) fn start(
    card: &Card,
    board: &Board,
    fault: Option<Fault>,
    seed: u64,
    ram: &mut Ram,
) -> Result<VideoCore, BootError> {
    let settings = boot_rom::kernel_settings(card, board)?;
    let KernelSettings { name, address, gpu_mem_mib } = settings;
    let kernel = boot_rom::needed(card, &name, "the model starts it on the Arm")?;
    ram.write_bytes(address, &kernel);
    let counter_hz = u32::try_from(board.counter_hz).unwrap_or(u32::MAX);
    for (index, word) in stub::code(counter_hz, address).into_iter().enumerate() {
        ram.write32(4 * index as u32, word);
    }
    let top = board.ram_bytes.min(PERIPHERALS);
    let split = top.saturating_sub(gpu_mem_mib << 20);
    let facts = Facts::new(board, split, top, command_line(card)?);
    Ok(VideoCore::new(fault, seed, facts))
}

/// cmdline.txt up to the end of its line, with a final NUL.
fn command_line(card: &Card) -> Result<Vec<u8>, BootError> {
    let mut text = match card.read_file("cmdline.txt") {
        Err(CardError::NoSuchFile { .. }) => Vec::new(),
        read => read?,
    };
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    text.truncate(end);
    text.push(0);
    Ok(text)
}
