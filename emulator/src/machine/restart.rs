//! A watchdog reset of the whole SoC, and the start from the card that follows.

use super::{Machine, Stop, arm_cores, vpu_cores};
use crate::boot_rom::BootError;

impl Machine {
    /// Restarts the board after [`Stop::Reset`]: both kinds of core and every device as after power-on, then the
    /// boot ROM's work from the card again. Does nothing if the machine has not stopped for that reason.
    ///
    /// SDRAM keeps what it holds. On a board `bootcode.bin` sets the SDRAM controller up anew, which usually leaves
    /// the contents alone; nothing guarantees it. PM_RSTS tells of the watchdog and keeps the boot partition. Time
    /// goes on, and with it the system timer and the Arm's counter, which on a board begin again at zero.
    ///
    /// # Errors
    /// As [`Machine::power_on`], for a card that has been changed meanwhile.
    pub fn restart(&mut self) -> Result<(), BootError> {
        if self.stopped != Some(Stop::Reset) {
            return Ok(());
        }
        let board = self.config.board;
        self.retired_before = self.retired();
        self.vpu = vpu_cores(&board);
        self.arm = arm_cores();
        self.arm_wakeup = Default::default();
        self.arm_released = false;
        self.arm_running = false;
        self.model = None;
        self.vpu_clock.set_rate(self.now_ps, board.vpu_hz);
        let (config, system) = (&self.config, &mut self.system);
        let ram = &mut system.ram;
        let started = system.soc.reset(&board, config.seed, |card| config.boot(card, ram))?;
        system.reset(self.now_ps, board.arm_hz);
        self.stopped = None;
        self.begin(started);
        Ok(())
    }

    /// Stops the emulated Arm cores where they are, as a debugger would, until the next restart. VideoCore, devices and
    /// time go on.
    pub fn halt_arm(&mut self) {
        self.arm_running = false;
    }
}
