//! A machine for tests: RAM, one device, lines and clocks that the test sets.

use crate::arm::bus::{Access, Bus, Lines, NoAnswer, TimerLines, Width};
use crate::arm::{Core, Outcome, Register, Run};
use crate::ram::Ram;

/// Where RAM ends.
pub(super) const RAM_END: u64 = 0x3f00_0000;
/// The one device: a register that holds the last value stored.
pub(super) const DEVICE: u64 = 0x3f00_1000;
/// Nobody answers here.
pub(super) const NOWHERE: u64 = 0x3f80_0000;
/// Where programs go.
pub(super) const CODE: u64 = 0x8_0000;
/// Where data goes.
pub(super) const DATA: u64 = 0x10_0000;
/// Vector tables of EL1, EL2 and EL3.
pub(super) const VECTORS: [u64; 3] = [0x2_0000, 0x3_0000, 0x4_0000];
/// Level 1 translation table of `Machine::map`.
pub(super) const TABLE: u64 = 0x20_0000;

/// A block or page descriptor's flags: valid block, attribute 0, accessed, inner shareable.
pub(super) const BLOCK: u64 = 1 << 10 | 3 << 8 | 1;
/// Attribute 1: device.
pub(super) const DEVICE_BLOCK: u64 = 1 << 10 | 1 << 2 | 1;

pub(super) struct TestBus {
    pub(super) ram: Ram,
    pub(super) lines: Lines,
    pub(super) timer_lines: TimerLines,
    /// CNTPCT at the beginning of the slice; one more an instruction.
    pub(super) counter: u64,
    /// Cycles at the beginning of the slice; one more an instruction.
    pub(super) cycles: u64,
    pub(super) device: u64,
    pub(super) accesses: Vec<(Access, u64, Width)>,
    /// A store to the device asserts IRQ.
    pub(super) device_interrupts: bool,
    /// A store to the device asks the core to give way.
    pub(super) device_yields: bool,
    yield_asked: bool,
    pub(super) events_sent: u32,
    pub(super) cleared: Vec<u64>,
    pub(super) broadcasts: u32,
}

impl Bus for TestBus {
    fn ram(&mut self) -> &mut Ram {
        &mut self.ram
    }
    fn is_ram(&self, address: u64) -> bool {
        address < RAM_END
    }
    fn device_read(&mut self, access: Access, address: u64, width: Width) -> Result<u64, NoAnswer> {
        self.accesses.push((access, address, width));
        if address == DEVICE { Ok(self.device) } else { Err(NoAnswer) }
    }
    fn device_write(
        &mut self,
        access: Access,
        address: u64,
        width: Width,
        value: u64,
    ) -> Result<(), NoAnswer> {
        self.accesses.push((access, address, width));
        if address != DEVICE {
            return Err(NoAnswer);
        }
        self.device = value;
        self.lines.irq |= self.device_interrupts;
        self.yield_asked |= self.device_yields;
        Ok(())
    }
    fn lines(&self, _: u8) -> Lines {
        self.lines
    }
    fn set_timer_lines(&mut self, _: u8, lines: TimerLines) {
        self.timer_lines = lines;
        self.lines.irq = lines != TimerLines::default();
    }
    fn counter(&self, _: u8, elapsed: u32) -> u64 {
        self.counter + u64::from(elapsed)
    }
    fn cycles(&self, _: u8, elapsed: u32) -> u64 {
        self.cycles + u64::from(elapsed)
    }
    fn send_event(&mut self) {
        self.events_sent += 1;
    }
    fn take_attention(&mut self) -> bool {
        true
    }
    fn take_yield(&mut self) -> bool {
        std::mem::take(&mut self.yield_asked)
    }
    fn clear_other_reservations(&mut self, _: u8, address: u64) {
        self.cleared.push(address);
    }
    fn invalidate_other_tlbs(&mut self, _: u8) {
        self.broadcasts += 1;
    }
}

/// A core and its machine.
pub(super) struct Machine {
    pub(super) core: Core,
    pub(super) bus: TestBus,
}

impl Machine {
    /// At EL3, MMU off, with `program` at `CODE`. Every vector sleeps: `WFI`, then a branch to itself.
    pub(super) fn new(program: &[u32]) -> Self {
        let mut bus = TestBus {
            ram: Ram::new(),
            lines: Lines::default(),
            timer_lines: TimerLines::default(),
            counter: 1000,
            cycles: 5000,
            device: 0,
            accesses: Vec::new(),
            device_interrupts: false,
            device_yields: false,
            yield_asked: false,
            events_sent: 0,
            cleared: Vec::new(),
            broadcasts: 0,
        };
        for base in VECTORS {
            for entry in 0..16 {
                let at = base as u32 + entry * 0x80;
                bus.ram.write32(at, super::assembler::WFI);
                bus.ram.write32(at + 4, super::assembler::SPIN);
            }
        }
        let mut core = Core::new(0);
        core.reset(CODE);
        core.set_system_register(Register::VBAR_EL1, VECTORS[0]);
        core.set_system_register(Register::VBAR_EL2, VECTORS[1]);
        core.set_system_register(Register::VBAR_EL3, VECTORS[2]);
        let mut machine = Self { core, bus };
        machine.load(CODE, program);
        machine
    }

    /// The same, entered at a lower level (non-secure), by an exception return.
    pub(super) fn at_level(level: u8, program: &[u32]) -> Self {
        const BRIDGE: u64 = 0x1_0000;
        let mut machine = Self::new(program);
        // RW and HCE and NS; EL1 is AArch64.
        machine.set(Register::SCR_EL3, 1 << 10 | 1 << 8 | 1);
        machine.set(Register::HCR_EL2, 1 << 31);
        // DAIF masked, own stack but for EL0.
        machine.set(Register::SPSR_EL3, 0x3c0 | u64::from(level) << 2 | u64::from(level > 0));
        machine.set(Register::ELR_EL3, CODE);
        machine.load(BRIDGE, &[super::assembler::ERET]);
        machine.core.set_pc(BRIDGE);
        machine.run(1);
        assert_eq!((machine.core.exception_level(), machine.core.pc()), (level, CODE));
        machine
    }

    /// Turns the EL1 MMU on: the first GiB by `block` flags, 39 bits of address, MAIR 0 normal, 1 device.
    pub(super) fn map(&mut self, block: u64) {
        self.bus.ram.write64(TABLE as u32, block);
        self.set(Register::MAIR_EL1, 0x00ff);
        self.set(Register::TTBR0_EL1, TABLE);
        self.set(Register::TCR_EL1, 25 | 1 << 23);
        let control = self.get(Register::SCTLR_EL1);
        self.set(Register::SCTLR_EL1, control | 1);
    }

    pub(super) fn load(&mut self, address: u64, program: &[u32]) {
        for (index, word) in program.iter().enumerate() {
            self.bus.ram.write32(address as u32 + index as u32 * 4, *word);
        }
    }

    pub(super) fn run(&mut self, budget: u32) -> Run {
        self.core.run(&mut self.bus, budget)
    }

    /// Runs until the core sleeps in a vector; the offset of that vector from its table and the level.
    pub(super) fn run_to_vector(&mut self) -> (u64, u8) {
        let run = self.run(1000);
        assert_eq!(run.outcome, Outcome::WaitForInterrupt, "at {:#x}", self.core.pc());
        let level = self.core.exception_level();
        let table = VECTORS[usize::from(level) - 1];
        (self.core.pc() - 4 - table, level)
    }

    pub(super) fn get(&self, register: Register) -> u64 {
        self.core.system_register(register)
    }

    pub(super) fn set(&mut self, register: Register, value: u64) {
        self.core.set_system_register(register, value);
    }

    pub(super) fn x(&self, index: u8) -> u64 {
        self.core.register(index)
    }
}
