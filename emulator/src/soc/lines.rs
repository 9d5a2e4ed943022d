//! Interrupt lines: levels that devices drive and interrupt controllers look at.

/// The 64 sources that the VPU's controllers and the ARMC share (VPU fact sheet 5; "GPU interrupts").
pub mod source {
    /// System timer compare 0; the others follow.
    pub const SYSTEM_TIMER_0: u8 = 0;
    /// Video codec engine.
    pub const CODEC_0: u8 = 4;
    /// Cross-core request 0 is 12; the set/clear registers drive 14 and 15.
    pub const MULTICORE_2: u8 = 14;
    /// DMA channel 0; channels up to 10 follow.
    pub const DMA_0: u8 = 16;
    /// DMA channels 11 to 14.
    pub const DMA_11_TO_14: u8 = 27;
    /// Mini-UART and the auxiliary SPIs.
    pub const AUX: u8 = 29;
    /// Doorbells 2 and 3, mailbox 1: the Arm calls the VPU.
    pub const ARM: u8 = 30;
    /// DMA channel 15.
    pub const DMA_15: u8 = 31;
    /// The three I2C masters.
    pub const I2C: u8 = 53;
    /// SDHOST.
    pub const SDHOST: u8 = 56;
    /// PL011.
    pub const UART: u8 = 57;
    /// Random number generator.
    pub const RANDOM: u8 = 61;
}

/// Sources that only the ARMC sees: bits of its basic pending register (hardware fact sheet 4).
pub mod arm_source {
    /// The ARMC's own timer.
    pub const TIMER: u8 = 0;
    /// Mailbox 0 has data and its interrupt is enabled.
    pub const MAILBOX: u8 = 1;
    /// Doorbell 0.
    pub const BELL_0: u8 = 2;
    /// Doorbell 1.
    pub const BELL_1: u8 = 3;
}

/// Level of every line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lines {
    shared: u64,
    /// Which of the devices behind one source assert it.
    parts: [u8; 64],
    arm: u8,
    changed: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self { shared: 0, parts: [0; 64], arm: 0, changed: false }
    }
}

impl Lines {
    /// Drives one of the 64 shared sources.
    pub fn set(&mut self, source: u8, level: bool) {
        self.set_part(source, 0, level);
    }

    /// Drives a source that up to eight devices share: it is asserted while any of them asserts it.
    pub fn set_part(&mut self, source: u8, part: u8, level: bool) {
        let source = source & 63;
        let parts = &mut self.parts[usize::from(source)];
        let bit = 1u8 << (part & 7);
        *parts = if level { *parts | bit } else { *parts & !bit };
        let shared = self.shared & !(1 << source) | u64::from(*parts != 0) << source;
        self.changed |= shared != self.shared;
        self.shared = shared;
    }

    /// Drives one of the ARMC's own sources.
    pub fn set_arm(&mut self, source: u8, level: bool) {
        let bit = 1u8 << (source & 7);
        let arm = if level { self.arm | bit } else { self.arm & !bit };
        self.changed |= arm != self.arm;
        self.arm = arm;
    }

    /// An interrupt controller's own registers changed what reaches a core.
    pub fn touch(&mut self) {
        self.changed = true;
    }

    /// Levels of the shared sources.
    pub fn shared(&self) -> u64 {
        self.shared
    }

    /// Levels of the ARMC's own sources.
    pub fn arm(&self) -> u8 {
        self.arm
    }

    /// True once after something changed.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_source_stays_asserted_until_its_last_device_lets_go() {
        let mut lines = Lines::default();
        lines.set_part(53, 0, true);
        lines.set_part(53, 2, true);
        lines.set_part(53, 0, false);
        assert_eq!(lines.shared(), 1 << 53);
        lines.set_part(53, 2, false);
        assert_eq!(lines.shared(), 0);
    }

    #[test]
    fn tells_once_that_a_level_changed() {
        let mut lines = Lines::default();
        lines.set(3, false);
        assert!(!lines.take_changed());
        lines.set(3, true);
        assert!(lines.take_changed());
        assert!(!lines.take_changed());
    }
}
