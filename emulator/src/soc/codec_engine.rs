//! The video codec's control processor (VCE). Its microcode is not executed: a start ends at once with reason 0.
//! The firmware starts it at boot for its licence check, and when `video_decode` is created (VPU fact sheet 5).

use super::block::{Block, register, registers, storage};
use super::device::{Context, Device};
use super::lines::source;

// Offsets from 0x7f00_0000.
const PROGRAM: u32 = 0x10_0000;
const DATA: u32 = 0x11_0000;
const REGISTERS: u32 = 0x12_0000;
const STATUS: u32 = 0x14_0000;
const CONTROL: u32 = 0x14_0024;
const RUN_STATUS: u32 = 0x44_08b4;

const STATUS_ENDED: u32 = 1 << 31;
const CONTROL_ACKNOWLEDGE: u32 = 1 << 31;
const CONTROL_START: u32 = 0xff;
const RUN_STATUS_ENDED: u32 = 1 << 26;

const NOT_EXECUTED: &str = "its microcode is not executed";

static BLOCK: Block = Block {
    name: "VCODEC",
    base: 0x7f00_0000,
    size: 0x100_0000,
    registers: &[
        storage(PROGRAM, 0x4000, "VCE_PROGRAM", NOT_EXECUTED),
        storage(DATA, 0x4000, "VCE_DATA", NOT_EXECUTED),
        storage(REGISTERS, 0x40, "VCE_REGISTERS", NOT_EXECUTED),
        register(STATUS, "VCE_STATUS"),
        storage(0x14_0004, 8, "VCE_CONTROL", NOT_EXECUTED),
        register(CONTROL, "VCE_SEMAPHORE"),
        storage(0x14_0028, 0x30, "VCE_CONTROL_2", NOT_EXECUTED),
        registers(RUN_STATUS, 1, "RUN_STATUS"),
        storage(0x44_08b8, 1, "RUN_ACKNOWLEDGE", NOT_EXECUTED),
        storage(0x50_0e80, 2, "CLOCK_GATES", NOT_EXECUTED),
    ],
};

/// The engine.
#[derive(Default)]
pub struct CodecEngine {
    ended: bool,
    control: u32,
}

impl Device for CodecEngine {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            STATUS if self.ended => STATUS_ENDED,
            STATUS => 0,
            CONTROL => self.control,
            RUN_STATUS if self.ended => RUN_STATUS_ENDED,
            RUN_STATUS => 0,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            CONTROL => {
                self.control = value;
                if value & CONTROL_ACKNOWLEDGE != 0 {
                    self.ended = false;
                } else if value == CONTROL_START {
                    self.ended = true;
                }
                context.lines.set(source::CODEC_0, self.ended);
            }
            STATUS | RUN_STATUS => {}
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
    fn a_start_ends_at_once_and_interrupts_until_acknowledged() {
        let (mut engine, mut bench) = (CodecEngine::default(), Bench::default());
        bench.write(&mut engine, CONTROL, CONTROL_START);
        assert_eq!(bench.read(&mut engine, STATUS), STATUS_ENDED);
        assert_eq!(bench.read(&mut engine, RUN_STATUS), RUN_STATUS_ENDED);
        assert_eq!(bench.lines.shared(), 1 << source::CODEC_0);
        bench.write(&mut engine, CONTROL, CONTROL_ACKNOWLEDGE);
        assert_eq!(bench.read(&mut engine, STATUS), 0);
        assert_eq!(bench.lines.shared(), 0);
    }
}
