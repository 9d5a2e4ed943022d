//! How fast is the VPU core? Runs the beginning of a real `start*.elf` on core 0, with devices that only store.
//!
//! ```text
//! cargo run --release -p emulator --example vpu_mips -- START.ELF [INSTRUCTIONS [TRACE_FROM TRACE_COUNT]]
//! ```
//!
//! The first 2.6 million instructions of a boot (clearing .bss, initialising the operating system) need no device that
//! answers. The figure is the best of five runs, because whatever else a PC does only ever slows one down. With a trace,
//! there is one run, and each instruction is printed before it is executed, with the registers it finds.

use std::collections::HashMap;
use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;

use emulator::ram::Ram;
use emulator::vpu::bus::{Access, Bus, CoreId, Interrupt, Width};
use emulator::vpu::{Core, Outcome, disassemble};
use object::read::elf::{FileHeader, ProgramHeader};

/// `p_vaddr` and `e_entry` name memory through one of the bus aliases.
const ALIAS_MASK: u32 = 0x3fff_ffff;
const CPUID: u32 = 0x0400_0104;
/// What a machine would hand out between two looks at its other parts.
const SLICE: u32 = 10_000;
const RUNS: u32 = 5;

struct StorageOnly {
    ram: Ram,
    registers: HashMap<u32, u32>,
    locks: [bool; 32],
}

impl Bus for StorageOnly {
    fn ram(&mut self) -> &mut Ram {
        &mut self.ram
    }
    fn device_read(&mut self, _access: Access, address: u32, _width: Width) -> u32 {
        self.registers.get(&(address & !3)).copied().unwrap_or(0)
    }
    fn device_write(&mut self, _access: Access, address: u32, _width: Width, value: u32) {
        self.registers.insert(address & !3, value);
    }
    fn acknowledge_interrupt(&mut self, _core: CoreId) -> Option<Interrupt> {
        None
    }
    fn interrupt_pending(&self, _core: CoreId) -> bool {
        false
    }
    fn take_attention(&mut self) -> bool {
        false
    }
    fn take_yield(&mut self) -> bool {
        false
    }
    fn vector_base(&self, _core: CoreId) -> u32 {
        self.registers.get(&0x7e00_2030).copied().unwrap_or(0)
    }
    fn lock_read(&mut self, index: u8) -> u32 {
        let lock = &mut self.locks[usize::from(index)];
        u32::from(std::mem::replace(lock, true))
    }
    fn lock_release(&mut self, index: u8) {
        self.locks[usize::from(index)] = false;
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let path =
        arguments.first().ok_or("usage: vpu_mips START.ELF [INSTRUCTIONS [TRACE_FROM TRACE_COUNT]]")?;
    let number = |index: usize, default: u64| match arguments.get(index) {
        Some(text) => text.parse().map_err(|error| format!("{text}: {error}")),
        None => Ok(default),
    };
    let instructions = number(1, 2_600_000)?;
    let trace_from = number(2, u64::MAX)?;
    let trace_count = number(3, 0)?;

    let file = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let runs = if trace_count == 0 { RUNS } else { 1 };
    let mut best = 0.0_f64;
    for _ in 0..runs {
        let mut bus = StorageOnly { ram: Ram::new(), registers: HashMap::new(), locks: [false; 32] };
        let entry = load(&file, &mut bus.ram).map_err(|error| format!("{path}: {error}"))?;
        let mut core = Core::new(CoreId::Core0, CPUID);
        core.start(entry);
        let start = Instant::now();
        execute(&mut core, &mut bus, instructions, trace_from..trace_from.saturating_add(trace_count))?;
        best = best.max(core.retired() as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
    println!("{instructions} instructions, best of {runs}: {best:.0} MIPS");
    Ok(())
}

/// Executes until so many instructions have been retired, printing those in `traced`.
fn execute(
    core: &mut Core,
    bus: &mut StorageOnly,
    instructions: u64,
    traced: Range<u64>,
) -> Result<(), String> {
    while core.retired() < instructions {
        let is_traced = traced.contains(&core.retired());
        if is_traced {
            trace(core, &mut bus.ram);
        }
        let until_trace = traced.start.saturating_sub(core.retired()).max(1);
        let until_end = instructions - core.retired();
        let slice = if is_traced { 1 } else { u64::from(SLICE).min(until_end).min(until_trace) };
        match core.run(bus, slice as u32).outcome {
            Outcome::Budget | Outcome::Yielded => {}
            Outcome::Asleep => return Err("the core went to sleep and nothing will wake it".to_string()),
            Outcome::Fault(fault) => return Err(fault.to_string()),
        }
    }
    Ok(())
}

/// Copies the segments into RAM. Gives the entry point.
fn load(file: &[u8], ram: &mut Ram) -> Result<u32, object::Error> {
    let header = object::elf::FileHeader32::<object::LittleEndian>::parse(file)?;
    let endian = header.endian()?;
    for segment in header.program_headers(endian, file)? {
        let address = segment.p_vaddr(endian) & ALIAS_MASK;
        let data = segment.data(endian, file).unwrap_or_default();
        if segment.p_type(endian) == object::elf::PT_LOAD {
            ram.write_bytes(address, data);
        }
    }
    Ok(header.e_entry(endian))
}

fn trace(core: &Core, ram: &mut Ram) {
    let pc = core.pc();
    let halfwords: Vec<u16> = (0..5).map(|index| ram.read16(pc.wrapping_add(2 * index))).collect();
    let registers = core.registers();
    print!("{pc:08x} {:32}", disassemble(pc, &halfwords).1);
    for (name, value) in (0..8).map(|index| (format!("r{index}"), registers[index])) {
        print!(" {name}={value:x}");
    }
    println!(" sp={:x} lr={:x} sr={:x}", registers[25], registers[26], registers[30]);
}
