//! The core's generic timers (D11 of the architecture manual).

use super::bus::{Bus, TimerLines};
use super::state::{Sleep, State};
use super::sysreg::{Register, Timer};

const ENABLE: u64 = 1 << 0;
const IMASK: u64 = 1 << 1;
const ISTATUS: u64 = 1 << 2;

const ALL: [Timer; 4] = [Timer::Physical, Timer::Virtual, Timer::Hypervisor, Timer::SecurePhysical];

/// What the timers last told the machine.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct GenericTimer {
    lines: TimerLines,
}

impl Timer {
    const fn control(self) -> Register {
        match self {
            Self::Physical => Register::CNTP_CTL_EL0,
            Self::Virtual => Register::CNTV_CTL_EL0,
            Self::Hypervisor => Register::CNTHP_CTL_EL2,
            Self::SecurePhysical => Register::CNTPS_CTL_EL1,
        }
    }

    const fn compare(self) -> Register {
        match self {
            Self::Physical => Register::CNTP_CVAL_EL0,
            Self::Virtual => Register::CNTV_CVAL_EL0,
            Self::Hypervisor => Register::CNTHP_CVAL_EL2,
            Self::SecurePhysical => Register::CNTPS_CVAL_EL1,
        }
    }
}

impl State {
    /// What a timer counts, given CNTPCT.
    fn timer_count(&self, timer: Timer, counter: u64) -> u64 {
        match timer {
            Timer::Virtual => counter.wrapping_sub(self.system(Register::CNTVOFF_EL2)),
            _ => counter,
        }
    }

    /// CNTVCT, given CNTPCT.
    pub(crate) fn virtual_count(&self, counter: u64) -> u64 {
        self.timer_count(Timer::Virtual, counter)
    }

    fn has_passed(&self, timer: Timer, counter: u64) -> bool {
        self.timer_count(timer, counter) >= self.system(timer.compare())
    }

    /// TVAL.
    pub(crate) fn timer_value(&self, timer: Timer, counter: u64) -> u64 {
        let left = self.system(timer.compare()).wrapping_sub(self.timer_count(timer, counter));
        u64::from(left as u32)
    }

    /// Writes TVAL.
    pub(crate) fn set_timer_value(&mut self, timer: Timer, counter: u64, value: u64) {
        let ahead = i64::from(value as i32) as u64;
        let compare = self.timer_count(timer, counter).wrapping_add(ahead);
        self.set_system(timer.compare(), compare);
    }

    /// CTL with ISTATUS.
    pub(crate) fn timer_control(&self, timer: Timer, counter: u64) -> u64 {
        let control = self.system(timer.control());
        let has_fired = control & ENABLE != 0 && self.has_passed(timer, counter);
        control | if has_fired { ISTATUS } else { 0 }
    }

    fn is_asserted(&self, timer: Timer, counter: u64) -> bool {
        let control = self.system(timer.control());
        control & (ENABLE | IMASK) == ENABLE && self.has_passed(timer, counter)
    }

    /// True unless all timers are off and the machine knows it.
    pub(crate) fn timers_matter(&self) -> bool {
        let is_on = |timer: &Timer| self.system(timer.control()) & ENABLE != 0;
        self.timer.lines != TimerLines::default() || ALL.iter().any(is_on)
    }

    /// Tells the bus if an output has changed.
    pub(crate) fn update_timers<B: Bus>(&mut self, bus: &mut B, counter: u64) {
        let lines = TimerLines {
            secure_physical: self.is_asserted(Timer::SecurePhysical, counter),
            physical: self.is_asserted(Timer::Physical, counter),
            hypervisor: self.is_asserted(Timer::Hypervisor, counter),
            virtual_: self.is_asserted(Timer::Virtual, counter),
        };
        if lines != self.timer.lines {
            self.timer.lines = lines;
            bus.set_timer_lines(self.id, lines);
        }
    }

    /// CNTPCT at which the next timer fires or the event stream wakes a WFE.
    pub(crate) fn next_timer(&self) -> Option<u64> {
        let offset = self.system(Register::CNTVOFF_EL2);
        let armed = ALL.iter().filter_map(|&timer| {
            let is_live = self.system(timer.control()) & (ENABLE | IMASK) == ENABLE;
            let has_fired = match timer {
                Timer::Physical => self.timer.lines.physical,
                Timer::Virtual => self.timer.lines.virtual_,
                Timer::Hypervisor => self.timer.lines.hypervisor,
                Timer::SecurePhysical => self.timer.lines.secure_physical,
            };
            let compare = self.system(timer.compare());
            let due = if timer == Timer::Virtual { compare.wrapping_add(offset) } else { compare };
            (is_live && !has_fired).then_some(due)
        });
        let stream = match self.sleep {
            Sleep::Event { stream } => stream,
            _ => None,
        };
        armed.chain(stream).min()
    }

    /// CNTPCT of the next event of the event streams (CNTKCTL, CNTHCTL), after `counter`.
    pub(crate) fn next_stream_event(&self, counter: u64) -> Option<u64> {
        let hypervisor = stream_event(self.system(Register::CNTHCTL_EL2), counter);
        let offset = self.system(Register::CNTVOFF_EL2);
        let kernel = stream_event(self.system(Register::CNTKCTL_EL1), counter.wrapping_sub(offset))
            .map(|count| count.wrapping_add(offset));
        hypervisor.into_iter().chain(kernel).min()
    }
}

/// Next count at which bit EVNTI makes the transition that EVNTDIR names.
fn stream_event(control: u64, count: u64) -> Option<u64> {
    if control & 1 << 2 == 0 {
        return None;
    }
    let bit = control >> 4 & 0xf;
    let period = 2u64 << bit;
    let is_falling = control & 1 << 3 != 0;
    let phase = if is_falling { 0 } else { period / 2 };
    let since = count.wrapping_sub(phase) & (period - 1);
    Some(count.wrapping_add(period - since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_stream_follows_the_chosen_bit_and_edge() {
        let enabled = 1 << 2;
        // Bit 3 rises at 8, 24, 40 …
        assert_eq!(stream_event(enabled | 3 << 4, 0), Some(8));
        assert_eq!(stream_event(enabled | 3 << 4, 8), Some(24));
        // … and falls at 16, 32 …
        assert_eq!(stream_event(enabled | 1 << 3 | 3 << 4, 9), Some(16));
        assert_eq!(stream_event(3 << 4, 0), None);
    }

    #[test]
    fn timer_value_is_signed_and_relative() {
        let mut state = State::new(0);
        state.set_timer_value(Timer::Physical, 1000, 50);
        assert_eq!(state.system(Register::CNTP_CVAL_EL0), 1050);
        assert_eq!(state.timer_value(Timer::Physical, 1060), 0xffff_fff6);
        state.set_timer_value(Timer::Physical, 1000, 0xffff_ffff);
        assert_eq!(state.system(Register::CNTP_CVAL_EL0), 999);
    }

    #[test]
    fn virtual_timer_is_due_at_its_compare_plus_the_offset() {
        let mut state = State::new(0);
        state.set_system(Register::CNTVOFF_EL2, 300);
        state.set_system(Register::CNTV_CVAL_EL0, 1000);
        assert_eq!(state.next_timer(), None);
        state.set_system(Register::CNTV_CTL_EL0, ENABLE);
        assert_eq!(state.next_timer(), Some(1300));
        assert_eq!(state.timer_control(Timer::Virtual, 1299), ENABLE);
        assert_eq!(state.timer_control(Timer::Virtual, 1300), ENABLE | ISTATUS);
    }
}
