//! What the model says of itself and of its board.

use crate::board::Board;

/// Clock ids (general command fact sheet 4).
mod clock {
    pub(super) const EMMC: u32 = 1;
    pub(super) const UART: u32 = 2;
    pub(super) const ARM: u32 = 3;
    pub(super) const CORE: u32 = 4;
    /// 3D, video codec, image sensor pipeline: at the core's rate.
    pub(super) const V3D: u32 = 5;
    pub(super) const ISP: u32 = 7;
}

/// The identity of the model and what it was told at start.
pub(super) struct Facts {
    pub(super) revision: u32,
    /// Bytes from 0 that are the Arm's.
    pub(super) arm_memory: u32,
    /// Bytes behind those that are ours.
    pub(super) vc_memory: u32,
    /// cmdline.txt with a final NUL.
    pub(super) command_line: Vec<u8>,
    arm_hz: u32,
    core_hz: u32,
    uart_hz: u32,
}

impl Facts {
    /// Build time in Unix seconds; no firmware of the world has this one: 2001-09-09 01:46:40.
    pub(super) const REVISION: u32 = 1_000_000_000;
    /// start.
    pub(super) const VARIANT: u32 = 1;
    /// "the model" again and again, as a hash.
    pub(super) const HASH: [u32; 5] = [0x6d6f_6465, 0x6c00_0000, 0, 0, 1];
    pub(super) const SERIAL: u32 = 0x6d6f_6465;

    pub(super) fn new(board: &Board, split: u32, top: u32, command_line: Vec<u8>) -> Self {
        let rate = |hz: u64| u32::try_from(hz).unwrap_or(u32::MAX);
        Self {
            revision: board.revision,
            arm_memory: split,
            vc_memory: top.saturating_sub(split),
            command_line,
            arm_hz: rate(board.arm_hz),
            core_hz: rate(board.vpu_hz),
            uart_hz: 48_000_000,
        }
    }

    /// Hertz; 0 for a clock that nobody knows.
    pub(super) fn clock_rate(&self, id: u32) -> u32 {
        match id {
            clock::EMMC => 200_000_000,
            clock::UART => self.uart_hz,
            clock::ARM => self.arm_hz,
            clock::CORE | clock::V3D..=clock::ISP => self.core_hz,
            _ => 0,
        }
    }

    /// Sets the serial port's clock; the others are fixed. Gives the rate that holds then.
    pub(super) fn set_clock_rate(&mut self, id: u32, hz: u32) -> u32 {
        if id == clock::UART && hz != 0 {
            self.uart_hz = hz;
        }
        self.clock_rate(id)
    }
}
