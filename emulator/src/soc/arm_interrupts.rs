//! The ARMC interrupt controller: 64 shared sources and the Arm's own, onto one IRQ and one FIQ line
//! (hardware fact sheet 4).

use super::block::{Block, register, registers};
use super::device::{Context, Device};
use super::lines::Lines;

const PENDING_BASIC: u32 = 0x00;
const PENDING_1: u32 = 0x04;
const PENDING_2: u32 = 0x08;
const FAST: u32 = 0x0c;
const ENABLE_1: u32 = 0x10;
const ENABLE_2: u32 = 0x14;
const ENABLE_BASIC: u32 = 0x18;
const DISABLE_1: u32 = 0x1c;
const DISABLE_2: u32 = 0x20;
const DISABLE_BASIC: u32 = 0x24;

const FAST_ENABLE: u32 = 1 << 7;
const FAST_INDEX: u32 = 0x7f;
const BASIC_LOOK_IN_1: u32 = 1 << 8;
const BASIC_LOOK_IN_2: u32 = 1 << 9;
/// Shared sources that have a bit of their own in the basic register, from bit 10 on; they do not set the
/// "look in bank" bits.
const SHORTCUTS: [u8; 11] = [7, 9, 10, 18, 19, 53, 54, 55, 56, 57, 62];
const FIRST_SHORTCUT: usize = 10;

static BLOCK: Block = Block {
    name: "ARM_IRQ",
    base: 0x7e00_b200,
    size: 0x30,
    registers: &[
        register(PENDING_BASIC, "PEND0"),
        registers(PENDING_1, 2, "PEND"),
        register(FAST, "FAST"),
        registers(ENABLE_1, 3, "ENBL"),
        registers(DISABLE_1, 3, "DIBL"),
    ],
};

/// The controller.
#[derive(Default)]
pub struct ArmInterrupts {
    enabled: u64,
    enabled_arm: u8,
    fast: u32,
}

impl ArmInterrupts {
    /// Level of the IRQ line.
    #[inline]
    pub fn irq(&self, lines: &Lines) -> bool {
        lines.shared() & self.enabled != 0 || lines.arm() & self.enabled_arm != 0
    }

    /// Level of the FIQ line.
    #[inline]
    pub fn fiq(&self, lines: &Lines) -> bool {
        if self.fast & FAST_ENABLE == 0 {
            return false;
        }
        match self.fast & FAST_INDEX {
            shared @ 0..=63 => lines.shared() >> shared & 1 != 0,
            arm @ 64..=71 => lines.arm() >> (arm - 64) & 1 != 0,
            _ => false,
        }
    }

    fn basic(&self, lines: &Lines) -> u32 {
        let shared = lines.shared() & self.enabled;
        let mut basic = u32::from(lines.arm() & self.enabled_arm);
        let mut banked = shared;
        for (index, number) in SHORTCUTS.into_iter().enumerate() {
            banked &= !(1 << number);
            basic |= u32::from(shared >> number & 1 != 0) << (FIRST_SHORTCUT + index);
        }
        if banked as u32 != 0 {
            basic |= BASIC_LOOK_IN_1;
        }
        if banked >> 32 != 0 {
            basic |= BASIC_LOOK_IN_2;
        }
        basic
    }
}

impl Device for ArmInterrupts {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32> {
        let pending = context.lines.shared() & self.enabled;
        Some(match offset {
            PENDING_BASIC => self.basic(context.lines),
            PENDING_1 => pending as u32,
            PENDING_2 => (pending >> 32) as u32,
            FAST => self.fast,
            ENABLE_1 | DISABLE_1 => self.enabled as u32,
            ENABLE_2 | DISABLE_2 => (self.enabled >> 32) as u32,
            ENABLE_BASIC | DISABLE_BASIC => u32::from(self.enabled_arm),
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            PENDING_BASIC | PENDING_1 | PENDING_2 => {}
            FAST => self.fast = value & (FAST_ENABLE | FAST_INDEX),
            ENABLE_1 => self.enabled |= u64::from(value),
            ENABLE_2 => self.enabled |= u64::from(value) << 32,
            ENABLE_BASIC => self.enabled_arm |= value as u8,
            DISABLE_1 => self.enabled &= !u64::from(value),
            DISABLE_2 => self.enabled &= !(u64::from(value) << 32),
            DISABLE_BASIC => self.enabled_arm &= !(value as u8),
            _ => return None,
        }
        context.lines.touch();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::super::lines::arm_source;
    use super::*;

    #[test]
    fn doorbell_0_reaches_the_irq_line_through_its_own_enable() {
        let (mut armc, mut bench) = (ArmInterrupts::default(), Bench::default());
        bench.lines.set_arm(arm_source::BELL_0, true);
        assert!(!armc.irq(&bench.lines));
        bench.write(&mut armc, ENABLE_BASIC, 1 << 2);
        assert!(armc.irq(&bench.lines));
        assert_eq!(bench.read(&mut armc, PENDING_BASIC), 1 << 2);
        bench.write(&mut armc, DISABLE_BASIC, 1 << 2);
        assert!(!armc.irq(&bench.lines));
    }

    #[test]
    fn a_shortcut_source_does_not_send_the_handler_to_its_bank() {
        let (mut armc, mut bench) = (ArmInterrupts::default(), Bench::default());
        bench.write(&mut armc, ENABLE_2, 1 << (57 - 32));
        bench.write(&mut armc, ENABLE_1, 1 << 29);
        bench.lines.set(57, true);
        assert_eq!(bench.read(&mut armc, PENDING_BASIC), 1 << 19);
        bench.lines.set(29, true);
        assert_eq!(bench.read(&mut armc, PENDING_BASIC), 1 << 19 | BASIC_LOOK_IN_1);
    }

    #[test]
    fn one_chosen_source_is_the_fiq() {
        let (mut armc, mut bench) = (ArmInterrupts::default(), Bench::default());
        bench.write(&mut armc, FAST, FAST_ENABLE | 0x42);
        assert!(!armc.fiq(&bench.lines));
        bench.lines.set_arm(arm_source::BELL_0, true);
        assert!(armc.fiq(&bench.lines));
        assert!(!armc.irq(&bench.lines));
    }
}
