//! The Arm-local block at 0x4000_0000: which interrupt reaches which core, and the core mailboxes
//! (hardware fact sheet 4).

use super::block::{Block, register, registers, storage};
use super::device::{Context, Device};
use crate::arm::bus::{Lines as CoreLines, TimerLines};

const GPU_ROUTING: u32 = 0x0c;
const COUNTER_LOW: u32 = 0x1c;
const COUNTER_HIGH: u32 = 0x20;
const TIMER_CONTROL: u32 = 0x40;
const MAILBOX_CONTROL: u32 = 0x50;
const IRQ_SOURCE: u32 = 0x60;
const FIQ_SOURCE: u32 = 0x70;
const FIQ_SOURCE_END: u32 = 0x7c;
const MAILBOX_SET: u32 = 0x80;
const MAILBOX_SET_END: u32 = 0xbc;
const MAILBOX_CLEAR: u32 = 0xc0;
const MAILBOX_CLEAR_END: u32 = 0xfc;

const FIRST_MAILBOX_SOURCE: u32 = 4;
const GPU_SOURCE: u32 = 1 << 8;
/// Control registers: four IRQ enables, then four FIQ enables, which win.
const FIQ_SHIFT: u32 = 4;

static BLOCK: Block = Block {
    name: "LOCAL",
    base: 0x4000_0000,
    size: 0x100,
    registers: &[
        storage(0x00, 1, "CONTROL", "counts at the crystal's rate here, whatever is selected"),
        storage(0x08, 1, "PRESCALER", "the armstub sets 1:1; the counter always runs at 1:1 here"),
        register(GPU_ROUTING, "GPU_ROUTING"),
        storage(0x10, 2, "PMU_ROUTING", "the PMU's overflow interrupt is not modelled"),
        register(COUNTER_LOW, "COUNTER_LS"),
        register(COUNTER_HIGH, "COUNTER_MS"),
        registers(TIMER_CONTROL, 4, "TIMER_CNTL"),
        registers(MAILBOX_CONTROL, 4, "MAILBOX_CNTL"),
        registers(IRQ_SOURCE, 4, "IRQ_SOURCE"),
        registers(FIQ_SOURCE, 4, "FIQ_SOURCE"),
        registers(MAILBOX_SET, 16, "MAILBOX_SET"),
        registers(MAILBOX_CLEAR, 16, "MAILBOX_CLR"),
    ],
};

/// The block.
pub struct LocalInterrupts {
    counter_hz: u64,
    gpu_routing: u32,
    timer_control: [u32; 4],
    mailbox_control: [u32; 4],
    mailbox: [[u32; 4]; 4],
    timers: [TimerLines; 4],
    gpu_irq: bool,
    gpu_fiq: bool,
    /// The lines into each core: asked far more often than they change.
    lines: [CoreLines; 4],
}

impl LocalInterrupts {
    /// Nothing enabled, ARMC interrupts to core 0.
    pub fn new(counter_hz: u64) -> Self {
        Self {
            counter_hz,
            gpu_routing: 0,
            timer_control: [0; 4],
            mailbox_control: [0; 4],
            mailbox: [[0; 4]; 4],
            timers: [TimerLines::default(); 4],
            gpu_irq: false,
            gpu_fiq: false,
            lines: [CoreLines::default(); 4],
        }
    }

    /// Outputs of a core's generic timers.
    pub fn set_timers(&mut self, core: u8, timers: TimerLines) {
        self.timers[usize::from(core & 3)] = timers;
        self.drive_lines();
    }

    /// What the ARMC asks for now.
    pub fn set_gpu(&mut self, irq: bool, fiq: bool) {
        if (irq, fiq) != (self.gpu_irq, self.gpu_fiq) {
            (self.gpu_irq, self.gpu_fiq) = (irq, fiq);
            self.drive_lines();
        }
    }

    /// The two lines into a core.
    #[inline]
    pub fn core_lines(&self, core: u8) -> CoreLines {
        self.lines[usize::from(core & 3)]
    }

    fn drive_lines(&mut self) {
        self.lines = [0, 1, 2, 3]
            .map(|core| CoreLines { irq: self.irq_source(core) != 0, fiq: self.fiq_source(core) != 0 });
    }

    fn asserted_timers(&self, core: usize) -> u32 {
        let timers = self.timers[core];
        u32::from(timers.secure_physical)
            | u32::from(timers.physical) << 1
            | u32::from(timers.hypervisor) << 2
            | u32::from(timers.virtual_) << 3
    }

    fn asserted_mailboxes(&self, core: usize) -> u32 {
        (0..4).filter(|n| self.mailbox[core][*n] != 0).fold(0, |bits, n| bits | 1 << n)
    }

    fn irq_source(&self, core: usize) -> u32 {
        let irq_enables = |control: u32| control & !(control >> FIQ_SHIFT) & 0xf;
        let gpu = self.gpu_irq && (self.gpu_routing & 3) as usize == core;
        self.asserted_timers(core) & irq_enables(self.timer_control[core])
            | (self.asserted_mailboxes(core) & irq_enables(self.mailbox_control[core]))
                << FIRST_MAILBOX_SOURCE
            | if gpu { GPU_SOURCE } else { 0 }
    }

    fn fiq_source(&self, core: usize) -> u32 {
        let fiq_enables = |control: u32| control >> FIQ_SHIFT & 0xf;
        let gpu = self.gpu_fiq && (self.gpu_routing >> 2 & 3) as usize == core;
        self.asserted_timers(core) & fiq_enables(self.timer_control[core])
            | (self.asserted_mailboxes(core) & fiq_enables(self.mailbox_control[core]))
                << FIRST_MAILBOX_SOURCE
            | if gpu { GPU_SOURCE } else { 0 }
    }

    fn counter(&self, now_ps: u64) -> u64 {
        (u128::from(now_ps) * u128::from(self.counter_hz) / 1_000_000_000_000) as u64
    }
}

/// Core and mailbox of a set or clear register.
fn core_mailbox(offset: u32) -> (usize, usize) {
    ((offset >> 4 & 3) as usize, (offset >> 2 & 3) as usize)
}

impl Device for LocalInterrupts {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32> {
        let core = (offset >> 2 & 3) as usize;
        Some(match offset {
            GPU_ROUTING => self.gpu_routing,
            COUNTER_LOW => self.counter(context.now_ps) as u32,
            COUNTER_HIGH => (self.counter(context.now_ps) >> 32) as u32,
            TIMER_CONTROL..MAILBOX_CONTROL => self.timer_control[core],
            MAILBOX_CONTROL..IRQ_SOURCE => self.mailbox_control[core],
            IRQ_SOURCE..FIQ_SOURCE => self.irq_source(core),
            FIQ_SOURCE..=FIQ_SOURCE_END => self.fiq_source(core),
            MAILBOX_CLEAR..=MAILBOX_CLEAR_END => {
                let (core, number) = core_mailbox(offset);
                self.mailbox[core][number]
            }
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        let core = (offset >> 2 & 3) as usize;
        match offset {
            GPU_ROUTING => self.gpu_routing = value,
            TIMER_CONTROL..MAILBOX_CONTROL => self.timer_control[core] = value,
            MAILBOX_CONTROL..IRQ_SOURCE => self.mailbox_control[core] = value,
            MAILBOX_SET..=MAILBOX_SET_END => {
                let (core, number) = core_mailbox(offset);
                self.mailbox[core][number] |= value;
                context.effects.end_slice = true;
            }
            MAILBOX_CLEAR..=MAILBOX_CLEAR_END => {
                let (core, number) = core_mailbox(offset);
                self.mailbox[core][number] &= !value;
            }
            _ => return None,
        }
        self.drive_lines();
        context.lines.touch();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    fn block() -> LocalInterrupts {
        LocalInterrupts::new(19_200_000)
    }

    #[test]
    fn the_armc_interrupts_one_core_only() {
        let (mut local, mut bench) = (block(), Bench::default());
        local.set_gpu(true, false);
        assert!(local.core_lines(0).irq);
        assert_eq!(bench.read(&mut local, IRQ_SOURCE), GPU_SOURCE);
        bench.write(&mut local, GPU_ROUTING, 2);
        assert!(!local.core_lines(0).irq);
        assert!(local.core_lines(2).irq);
    }

    #[test]
    fn a_timer_needs_its_enable_and_fiq_wins_over_irq() {
        let (mut local, mut bench) = (block(), Bench::default());
        local.set_timers(1, TimerLines { physical: true, ..TimerLines::default() });
        assert_eq!(local.core_lines(1), CoreLines::default());
        bench.write(&mut local, TIMER_CONTROL + 4, 1 << 1);
        assert_eq!(local.core_lines(1), CoreLines { irq: true, fiq: false });
        bench.write(&mut local, TIMER_CONTROL + 4, 1 << 1 | 1 << 5);
        assert_eq!(local.core_lines(1), CoreLines { irq: false, fiq: true });
    }

    #[test]
    fn a_core_mailbox_interrupts_until_its_bits_are_cleared() {
        let (mut local, mut bench) = (block(), Bench::default());
        bench.write(&mut local, MAILBOX_CONTROL + 12, 1);
        bench.write(&mut local, MAILBOX_SET + 0x30, 0x5);
        assert!(local.core_lines(3).irq);
        assert_eq!(bench.read(&mut local, IRQ_SOURCE + 12), 1 << FIRST_MAILBOX_SOURCE);
        bench.write(&mut local, MAILBOX_CLEAR + 0x30, 0x1);
        assert_eq!(bench.read(&mut local, MAILBOX_CLEAR + 0x30), 0x4);
        bench.write(&mut local, MAILBOX_CLEAR + 0x30, 0x4);
        assert!(!local.core_lines(3).irq);
    }
}
