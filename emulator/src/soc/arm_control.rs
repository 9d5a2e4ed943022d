//! The ARM control block: how the Arm starts, its address translation, and the bridge to it (VPU fact sheet 5).

use super::block::{Block, register, registers, storage};
use super::device::{Context, Device};

const CONTROL_0: u32 = 0x000;
const ID_SECURE: u32 = 0x00c;
const TRANSLATE: u32 = 0x100;
const TRANSLATE_END: u32 = 0x1fc;
const CONTROL_1: u32 = 0x440;
const STATUS: u32 = 0x444;
const ID: u32 = 0x44c;

/// The cores leave reset in AArch64.
const CONTROL_0_AARCH64: u32 = 1 << 9;
const CONTROL_1_REQUEST_STOP: u32 = 1 << 9;
const STATUS_STOPPED: u32 = 1 << 31;
/// "ARM6"
const ID_VALUE: u32 = 0x364d_5241;

static BLOCK: Block = Block {
    name: "ARM",
    base: 0x7e00_b000,
    size: 0x500,
    registers: &[
        register(CONTROL_0, "CONTROL0"),
        register(ID_SECURE, "ID_SECURE"),
        registers(TRANSLATE, 64, "TRANSLATE"),
        register(CONTROL_1, "CONTROL1"),
        register(STATUS, "STATUS"),
        storage(0x448, 1, "ERRHALT", "errors that this bus does not make"),
        register(ID, "ID"),
    ],
};

/// The block.
pub struct ArmControl {
    control_0: u32,
    control_1: u32,
    /// Bus address of each 16 MiB of the Arm's address space, in units of 2 MiB.
    translate: [u32; 64],
}

impl Default for ArmControl {
    fn default() -> Self {
        Self { control_0: 0, control_1: 0, translate: [0; 64] }
    }
}

impl ArmControl {
    /// The state that the cores take up if they leave reset now.
    pub fn selects_aarch64(&self) -> bool {
        self.control_0 & CONTROL_0_AARCH64 != 0
    }

    /// True while the cores could reach memory: the bridge is not stopped and their addresses are mapped. (Early
    /// in the boot the firmware powers them for a moment with nothing mapped.)
    pub fn bridge_is_open(&self) -> bool {
        let mapped = self.translate.iter().any(|page| *page != 0);
        mapped && self.control_1 & CONTROL_1_REQUEST_STOP == 0
    }
}

impl Device for ArmControl {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            CONTROL_0 => self.control_0,
            TRANSLATE..=TRANSLATE_END => self.translate[((offset - TRANSLATE) / 4) as usize],
            CONTROL_1 => self.control_1,
            STATUS if self.control_1 & CONTROL_1_REQUEST_STOP != 0 => STATUS_STOPPED,
            STATUS => 0,
            ID | ID_SECURE => ID_VALUE,
            _ => return None,
        })
    }

    /// The translation is kept but not used: the firmware maps the Arm's addresses one to one, which is what the
    /// machine does.
    fn write(&mut self, offset: u32, value: u32, _: &mut Context<'_>) -> Option<()> {
        match offset {
            CONTROL_0 => self.control_0 = value,
            TRANSLATE..=TRANSLATE_END => self.translate[((offset - TRANSLATE) / 4) as usize] = value,
            CONTROL_1 => self.control_1 = value,
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn the_bridge_acknowledges_a_request_to_stop() {
        let (mut control, mut bench) = (ArmControl::default(), Bench::default());
        assert_eq!(bench.read(&mut control, STATUS), 0);
        bench.write(&mut control, CONTROL_1, CONTROL_1_REQUEST_STOP);
        assert_eq!(bench.read(&mut control, STATUS), STATUS_STOPPED);
        assert_eq!(bench.read(&mut control, ID), ID_VALUE);
    }

    #[test]
    fn the_bridge_is_open_once_addresses_are_mapped_and_nobody_stops_it() {
        let (mut control, mut bench) = (ArmControl::default(), Bench::default());
        assert!(!control.bridge_is_open());
        bench.write(&mut control, TRANSLATE, 0x600);
        assert!(control.bridge_is_open());
        bench.write(&mut control, CONTROL_1, CONTROL_1_REQUEST_STOP);
        assert!(!control.bridge_is_open());
    }
}
