//! Tests of a core with small programs of their own.

mod arithmetic;
mod branches;
mod encode;
mod exceptions;
mod faults;
mod float;
mod memory;
mod pages;
mod text;
mod vector;
mod vector_arithmetic;
mod vector_memory;

use std::collections::HashMap;

use super::bus::{Access, Bus, CoreId, Interrupt, Width};
use super::core::{Core, Outcome};
use super::fault::FaultKind;
use super::op::{SP, SR};
use crate::ram::Ram;

/// Where programs lie.
const CODE: u32 = 0x1000;
/// Where the stack begins.
const STACK: u32 = 0x8000;
/// A page for data.
const DATA: u32 = 0x4000;
/// A register that stores what is written to it.
const DEVICE: u32 = 0x7e00_1000;
const CPUID: u32 = 0x0400_0104;

/// A machine with RAM, registers that store, and interrupts raised by hand.
#[derive(Default)]
struct FakeBus {
    ram: Option<Ram>,
    devices: HashMap<u32, u32>,
    device_accesses: Vec<(Access, u32, Width)>,
    pending: Option<u8>,
    /// Becomes pending with the next device access.
    raised_by_device: Option<u8>,
    attention: bool,
    yields: bool,
    vector_base: u32,
    locks: [bool; 32],
}

impl Bus for FakeBus {
    fn ram(&mut self) -> &mut Ram {
        self.ram.get_or_insert_with(Ram::new)
    }
    fn device_read(&mut self, access: Access, address: u32, width: Width) -> u32 {
        self.device_accesses.push((access, address, width));
        self.devices.get(&address).copied().unwrap_or(0)
    }
    fn device_write(&mut self, access: Access, address: u32, width: Width, value: u32) {
        self.device_accesses.push((access, address, width));
        self.devices.insert(address, value);
        if let Some(number) = self.raised_by_device.take() {
            self.pending = Some(number);
            self.attention = true;
        }
    }
    fn acknowledge_interrupt(&mut self, _core: CoreId) -> Option<Interrupt> {
        self.pending.take().map(|number| Interrupt { number })
    }
    fn interrupt_pending(&self, _core: CoreId) -> bool {
        self.pending.is_some()
    }
    fn take_attention(&mut self) -> bool {
        std::mem::take(&mut self.attention)
    }
    fn take_yield(&mut self) -> bool {
        std::mem::take(&mut self.yields)
    }
    fn vector_base(&self, _core: CoreId) -> u32 {
        self.vector_base
    }
    fn lock_read(&mut self, index: u8) -> u32 {
        u32::from(std::mem::replace(&mut self.locks[usize::from(index)], true))
    }
    fn lock_release(&mut self, index: u8) {
        self.locks[usize::from(index)] = false;
    }
}

/// A core with a machine around it.
struct Rig {
    core: Core,
    bus: FakeBus,
}

impl Rig {
    /// A running core, about to execute `code` with an empty stack.
    fn new(code: &[u16]) -> Self {
        let mut rig = Self { core: Core::new(CoreId::Core0, CPUID), bus: FakeBus::default() };
        rig.core.start(CODE);
        rig.write_code(CODE, code);
        rig.set(SP, STACK);
        rig
    }

    fn write_code(&mut self, address: u32, code: &[u16]) {
        for (index, halfword) in code.iter().enumerate() {
            self.bus.ram().write16(address + 2 * index as u32, *halfword);
        }
    }

    fn with(mut self, register: u8, value: u32) -> Self {
        self.set(register, value);
        self
    }

    fn set(&mut self, register: u8, value: u32) {
        self.core.set_register(register, value);
    }

    fn get(&self, register: u8) -> u32 {
        self.core.registers()[usize::from(register)]
    }

    fn flags(&self) -> u32 {
        self.get(SR) & 15
    }

    fn word(&mut self, address: u32) -> u32 {
        self.bus.ram().read32(address)
    }

    fn set_word(&mut self, address: u32, value: u32) {
        self.bus.ram().write32(address, value);
    }

    /// Executes exactly so many instructions.
    fn step(&mut self, count: u32) {
        let run = self.core.run(&mut self.bus, count);
        assert_eq!((run.outcome, run.executed), (Outcome::Budget, count));
    }

    /// Executes one instruction that cannot be executed.
    fn fault(&mut self) -> FaultKind {
        match self.core.run(&mut self.bus, 1).outcome {
            Outcome::Fault(fault) => fault.kind,
            other => panic!("no fault but {other:?}"),
        }
    }

    /// One instruction that works on r0, r1 and r2, from the given values of r1 and r2. Gives r0.
    fn result_of(code: &[u16], a: u32, b: u32) -> u32 {
        let mut rig = Self::new(code).with(1, a).with(2, b);
        rig.step(1);
        rig.get(0)
    }

    /// The same for an instruction that compares. Gives the flags.
    fn flags_of(code: &[u16], a: u32, b: u32) -> u32 {
        let mut rig = Self::new(code).with(1, a).with(2, b).with(SR, 15);
        rig.step(1);
        rig.flags()
    }
}
