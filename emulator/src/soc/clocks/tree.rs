//! The clock tree of CPRMAN: from the crystal through five PLLs and their dividers to the clocks
//! (Linux `drivers/clk/bcm/clk-bcm2835.c`).

/// The crystal.
pub(super) const CRYSTAL_HZ: u64 = 19_200_000;

/// Looks up what was last written to a register.
pub(super) type Written<'a> = &'a dyn Fn(u32) -> u32;

/// Registers of a PLL.
struct Pll {
    control: u32,
    fraction: u32,
    analogue_1: u32,
    /// Bit of `analogue_1` that doubles the multiplier.
    prescale: u32,
}

const PLL_A: Pll = Pll { control: 0x1100, fraction: 0x1200, analogue_1: 0x1014, prescale: 1 << 14 };
const PLL_B: Pll = Pll { control: 0x11e0, fraction: 0x12e0, analogue_1: 0x10f4, prescale: 1 << 14 };
const PLL_C: Pll = Pll { control: 0x1120, fraction: 0x1220, analogue_1: 0x1034, prescale: 1 << 14 };
const PLL_D: Pll = Pll { control: 0x1140, fraction: 0x1240, analogue_1: 0x1054, prescale: 1 << 14 };
const PLL_H: Pll = Pll { control: 0x1160, fraction: 0x1260, analogue_1: 0x1074, prescale: 1 << 11 };

const CONTROL_MULTIPLIER: u32 = 0x3ff;
const CONTROL_DIVIDER_SHIFT: u32 = 12;
const CONTROL_DIVIDER: u32 = 0x7;
const FRACTION_BITS: u32 = 20;
const CHANNEL_OFF: u32 = 1 << 8;
const CHANNEL_DIVIDER: u32 = 0xff;

const DIVIDER_FRACTION_BITS: u32 = 12;

/// Which inputs a clock can choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Inputs {
    Crystal,
    Peripheral,
    Core,
}

/// One clock generator: its control and divider registers, and its number at the measuring multiplexer.
pub(super) struct Clock {
    pub(super) control: u32,
    pub(super) divider: u32,
    pub(super) inputs: Inputs,
    pub(super) measured_as: u32,
}

const fn clock(control: u32, inputs: Inputs, measured_as: u32) -> Clock {
    Clock { control, divider: control + 4, inputs, measured_as }
}

/// The clocks that can be measured.
pub(super) static CLOCKS: &[Clock] = &[
    clock(0x028, Inputs::Core, 1),        // H264
    clock(0x030, Inputs::Core, 2),        // ISP
    clock(0x1a8, Inputs::Core, 3),        // SDRAM
    clock(0x038, Inputs::Core, 4),        // V3D
    clock(0x008, Inputs::Core, 5),        // VPU
    clock(0x090, Inputs::Crystal, 6),     // OTP
    clock(0x040, Inputs::Peripheral, 14), // camera 0
    clock(0x048, Inputs::Peripheral, 15), // camera 1
    clock(0x068, Inputs::Peripheral, 17), // DPI
    clock(0x058, Inputs::Peripheral, 18), // DSI 0 escape
    clock(0x158, Inputs::Peripheral, 19), // DSI 1 escape
    clock(0x070, Inputs::Peripheral, 20), // general purpose 0
    clock(0x078, Inputs::Peripheral, 21), // general purpose 1
    clock(0x088, Inputs::Peripheral, 22), // HDMI state machine
    clock(0x098, Inputs::Peripheral, 23), // PCM
    clock(0x0a0, Inputs::Peripheral, 24), // PWM
    clock(0x0a8, Inputs::Peripheral, 25), // SLIMbus
    clock(0x0b0, Inputs::Peripheral, 27), // SMI
    clock(0x0f0, Inputs::Peripheral, 28), // UART
    clock(0x0f8, Inputs::Peripheral, 29), // VEC
    clock(0x1b8, Inputs::Peripheral, 38), // AVEO
    clock(0x1c0, Inputs::Peripheral, 39), // EMMC
];

impl Clock {
    /// The rate, 0 if nothing runs it.
    pub(super) fn rate(&self, written: Written<'_>) -> u64 {
        let input = input_rate(self.inputs, written(self.control) & 0xf, written);
        let divider = u64::from(written(self.divider) & 0xff_ffff);
        (input << DIVIDER_FRACTION_BITS).checked_div(divider).unwrap_or(0)
    }
}

/// Rate of the Arm's clock: PLLB through its own divider.
pub(super) fn arm_rate(written: Written<'_>) -> u64 {
    channel_rate(&PLL_B, 0x13e0, written)
}

fn input_rate(inputs: Inputs, selected: u32, written: Written<'_>) -> u64 {
    match (inputs, selected) {
        (_, 1) => CRYSTAL_HZ,
        (Inputs::Peripheral, 4) => channel_rate(&PLL_A, 0x1500, written),
        (Inputs::Peripheral, 5) => channel_rate(&PLL_C, 0x1520, written),
        (Inputs::Peripheral, 6) => channel_rate(&PLL_D, 0x1540, written),
        (Inputs::Core, 4) => channel_rate(&PLL_A, 0x1400, written),
        (Inputs::Core, 5) => channel_rate(&PLL_C, 0x1620, written),
        (Inputs::Core, 6) => channel_rate(&PLL_D, 0x1440, written),
        (Inputs::Peripheral | Inputs::Core, 7) => channel_rate(&PLL_H, 0x1360, written),
        (Inputs::Core, 8) => channel_rate(&PLL_C, 0x1420, written),
        (Inputs::Core, 9) => channel_rate(&PLL_C, 0x1320, written),
        _ => 0,
    }
}

fn channel_rate(pll: &Pll, register: u32, written: Written<'_>) -> u64 {
    let channel = written(register);
    if channel & CHANNEL_OFF != 0 {
        return 0;
    }
    match u64::from(channel & CHANNEL_DIVIDER) {
        0 => 0,
        divider => pll_rate(pll, written) / divider,
    }
}

fn pll_rate(pll: &Pll, written: Written<'_>) -> u64 {
    let control = written(pll.control);
    let multiplier = u64::from(control & CONTROL_MULTIPLIER) << FRACTION_BITS
        | u64::from(written(pll.fraction) & ((1 << FRACTION_BITS) - 1));
    let doubled = u64::from(written(pll.analogue_1) & pll.prescale != 0);
    match u64::from(control >> CONTROL_DIVIDER_SHIFT & CONTROL_DIVIDER) {
        0 => 0,
        divider => (CRYSTAL_HZ * (multiplier << doubled) / divider) >> FRACTION_BITS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the firmware was seen to write for 2 GHz, 500 MHz and 48 MHz.
    fn firmware(register: u32) -> u32 {
        match register {
            0x1140 => 0x02_1034,
            0x1240 => 0x01_5556,
            0x1054 => 0x14_4000,
            0x1540 => 4,
            0x0f0 => 0x56,
            0x0f4 => 0xa6ab,
            _ => 0,
        }
    }

    #[test]
    fn the_uart_clock_comes_out_at_48_mhz() {
        let uart = CLOCKS.iter().find(|clock| clock.measured_as == 28).expect("in the table");
        let rate = uart.rate(&firmware);
        assert!((47_990_000..48_010_000).contains(&rate), "{rate}");
    }

    #[test]
    fn a_clock_without_a_running_input_stands_still() {
        let vpu = CLOCKS.iter().find(|clock| clock.measured_as == 5).expect("in the table");
        assert_eq!(vpu.rate(&firmware), 0);
    }
}
