//! What the image says on a Pi 4: that there is nothing to run yet. Of that board there is as much here as the image
//! asks for: a Cortex-A72 by its number, RAM, the serial line where BCM2711 has it, and other registers as plain storage.
//!
//! Needs `target/image/` from `cargo xtask build`, as `ending` does.

use std::collections::BTreeMap;
use std::env;

use emulator::arm::bus::{Access, Bus, Lines, NoAnswer, TimerLines, Width};
use emulator::arm::{Core, Register};
use emulator::ram::{RAM_SIZE, Ram};
use tests::image::{BuiltImage, LAST_LINE, plain_text};

/// MIDR_EL1 of the Cortex-A72 of a Pi 4 (r0p3).
const CORTEX_A72: u64 = 0x410f_d083;
const LOAD_ADDRESS: u32 = 0x8_0000;
/// Main peripherals of BCM2711 (hardware fact sheet 1), and the PL011 in them.
const PERIPHERALS: std::ops::Range<u64> = 0xfe00_0000..0xff80_0000;
const PL011: u64 = 0xfe20_1000;
/// FR: transmitter and receiver are empty, nothing is being sent.
const IDLE: u64 = 0x90;
/// The crystal; the firmware's armstub tells the core.
const COUNTER_HZ: u64 = 54_000_000;
/// Cycles of the core, at 1.5 GHz, for a tick of the counter.
const CYCLES_PER_TICK: u64 = 28;
const SLICE: u32 = 100_000;
/// A tenth of a second: the image says all it has to say in less.
const SLICES: usize = 1500;

struct Board {
    ram: Ram,
    /// Instructions before this slice.
    now: u64,
    sent: Vec<u8>,
    registers: BTreeMap<u64, u64>,
}

impl Bus for Board {
    fn ram(&mut self) -> &mut Ram {
        &mut self.ram
    }

    fn is_ram(&self, address: u64) -> bool {
        address < RAM_SIZE as u64
    }

    fn device_read(&mut self, _: Access, address: u64, _: Width) -> Result<u64, NoAnswer> {
        match address {
            _ if address == PL011 + 0x18 => Ok(IDLE),
            _ if PERIPHERALS.contains(&address) => Ok(self.registers.get(&address).copied().unwrap_or(0)),
            _ => Err(NoAnswer),
        }
    }

    fn device_write(&mut self, _: Access, address: u64, _: Width, value: u64) -> Result<(), NoAnswer> {
        if !PERIPHERALS.contains(&address) {
            return Err(NoAnswer);
        }
        if address == PL011 {
            self.sent.push(value as u8);
        }
        self.registers.insert(address, value);
        Ok(())
    }

    fn lines(&self, _: u8) -> Lines {
        Lines::default()
    }

    fn set_timer_lines(&mut self, _: u8, _: TimerLines) {}

    fn counter(&self, core: u8, elapsed: u32) -> u64 {
        self.cycles(core, elapsed) / CYCLES_PER_TICK
    }

    fn cycles(&self, _: u8, elapsed: u32) -> u64 {
        self.now + u64::from(elapsed)
    }

    fn send_event(&mut self) {}

    fn take_attention(&mut self) -> bool {
        false
    }

    fn take_yield(&mut self) -> bool {
        false
    }

    fn clear_other_reservations(&mut self, _: u8, _: u64) {}

    fn invalidate_other_tlbs(&mut self, _: u8) {}
}

/// All that a Pi 4 says on its serial line, until the core sleeps.
fn boot(kernel: &[u8]) -> Vec<String> {
    let mut board = Board { ram: Ram::new(), now: 0, sent: Vec::new(), registers: BTreeMap::new() };
    board.ram.write_bytes(LOAD_ADDRESS, kernel);
    let mut core = Core::new(0);
    core.reset(u64::from(LOAD_ADDRESS));
    for register in [Register::MIDR_EL1, Register::VPIDR_EL2] {
        core.set_system_register(register, CORTEX_A72);
    }
    core.set_system_register(Register::CNTFRQ_EL0, COUNTER_HZ);
    for _ in 0..SLICES {
        core.run(&mut board, SLICE);
        // Time passes also where the core gave the rest of the slice away.
        board.now += u64::from(SLICE);
        if core.is_asleep() || core.fault().is_some() {
            break;
        }
    }
    plain_text(&board.sent)
}

#[test]
fn a_pi_4_is_told_that_there_is_nothing_to_run_on_it_yet() {
    let Some(image) = BuiltImage::at_hand() else {
        assert!(env::var_os("REQUIRE_FIRMWARE").is_none(), "REQUIRE_FIRMWARE is set, but there is no image");
        println!("skipped: no target/image/kernel8.img (cargo xtask build)");
        return;
    };
    let said = boot(image.kernel());
    assert!(said.iter().any(|line| line.contains("Bcm2711") && line.contains("MIDR 410fd083")), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("not driven yet")), "{said:#?}");
    assert_eq!(said.last(), Some(&format!("{LAST_LINE}skip")), "{said:#?}");
}
