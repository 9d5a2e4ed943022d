//! Our core with RAM and a UART that collects what is sent.

use emulator::arm::bus::{Access, Bus, Lines, NoAnswer, TimerLines, Width};
use emulator::arm::{Core, Outcome, Register};
use emulator::ram::Ram;

use crate::cases::UART;
use crate::program::CODE;

/// Holds one instruction at EL3.
const BRIDGE: u32 = 0x1000;
const ERET: u32 = 0xd69f_03e0;
const RAM_END: u64 = 0x3f00_0000;
/// Instructions a byte sent, at most.
const PATIENCE: usize = 100;

/// Runs the program; the first `length` bytes that it sends.
pub(crate) fn run(memory: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut bus = UartBus { ram: Ram::new(), sent: Vec::new() };
    bus.ram.write_bytes(0, memory);
    bus.ram.write32(BRIDGE, ERET);
    let mut core = Core::new(0);
    core.reset(u64::from(BRIDGE));
    for (register, value) in [
        (Register::SCR_EL3, 1 << 10 | 1 << 8 | 1),
        (Register::SPSR_EL3, 0x3c9),
        (Register::ELR_EL3, u64::from(CODE)),
    ] {
        core.set_system_register(register, value);
    }
    let run = core.run(&mut bus, (length * PATIENCE) as u32);
    if run.outcome != Outcome::WaitForInterrupt || bus.sent.len() != length {
        let (pc, sent) = (core.pc(), bus.sent.len());
        return Err(format!("our core: {:?} at {pc:#x} after {sent} of {length} bytes", run.outcome));
    }
    Ok(bus.sent)
}

struct UartBus {
    ram: Ram,
    sent: Vec<u8>,
}

impl Bus for UartBus {
    fn ram(&mut self) -> &mut Ram {
        &mut self.ram
    }
    fn is_ram(&self, address: u64) -> bool {
        address < RAM_END
    }
    fn device_read(&mut self, _: Access, _: u64, _: Width) -> Result<u64, NoAnswer> {
        Err(NoAnswer)
    }
    fn device_write(&mut self, _: Access, address: u64, _: Width, value: u64) -> Result<(), NoAnswer> {
        if address != UART {
            return Err(NoAnswer);
        }
        self.sent.push(value as u8);
        Ok(())
    }
    fn lines(&self, _: u8) -> Lines {
        Lines::default()
    }
    fn set_timer_lines(&mut self, _: u8, _: TimerLines) {}
    fn counter(&self, _: u8, elapsed: u32) -> u64 {
        u64::from(elapsed)
    }
    fn cycles(&self, _: u8, elapsed: u32) -> u64 {
        u64::from(elapsed)
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
