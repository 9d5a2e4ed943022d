//! Where the emulator had to stop.

use std::fmt;

use crate::{arm, vpu};

/// All there is to know about an instruction that could not be executed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MachineFault {
    /// "vpu0", "arm2".
    pub core: String,
    /// Virtual time since power-on.
    pub at_ns: u64,
    /// Address of the instruction.
    pub pc: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its disassembly, as far as it could be decoded.
    pub disassembly: String,
    /// What is wrong.
    pub reason: String,
    /// Last taken branches, oldest first, from and to; empty if the core does not keep them.
    pub branches: Vec<(u64, u64)>,
    /// Register names and values.
    pub registers: Vec<(String, u64)>,
}

impl MachineFault {
    /// The firmware lets the Arm start in AArch32, which the emulated cores cannot do.
    pub(super) fn aarch32_start(now_ps: u64) -> Self {
        let reason = "the firmware starts the Arm in AArch32, which is not emulated: config.txt needs arm_64bit=1 \
                      and the card a kernel8.img";
        Self {
            core: "arm0".into(),
            at_ns: now_ps / 1000,
            pc: 0,
            bytes: Vec::new(),
            disassembly: String::new(),
            reason: reason.into(),
            branches: Vec::new(),
            registers: Vec::new(),
        }
    }
}

/// All about a VPU core that stopped.
pub(super) fn vpu_fault(fault: &vpu::Fault, core: &vpu::Core, now_ps: u64) -> Box<MachineFault> {
    let (length, disassembly) = vpu::disassemble(fault.pc, &fault.halfwords);
    let halfwords = fault.halfwords.iter().take(length as usize / 2);
    let name = |index: usize| match index {
        24 => "gp".into(),
        25 => "sp".into(),
        26 => "lr".into(),
        28 => "ssp".into(),
        30 => "sr".into(),
        31 => "pc".into(),
        other => format!("r{other}"),
    };
    let registers = core.registers().iter().enumerate();
    Box::new(MachineFault {
        core: match fault.core {
            vpu::bus::CoreId::Core0 => "vpu0".into(),
            vpu::bus::CoreId::Core1 => "vpu1".into(),
        },
        at_ns: now_ps / 1000,
        pc: u64::from(fault.pc),
        bytes: halfwords.flat_map(|halfword| halfword.to_le_bytes()).collect(),
        disassembly,
        reason: fault.to_string(),
        branches: core.trail().map(|(from, to)| (from.into(), to.into())).collect(),
        registers: registers.map(|(index, value)| (name(index), u64::from(*value))).collect(),
    })
}

/// All about an Arm core that stopped.
pub(super) fn arm_fault(fault: &arm::Fault, core: &arm::Core, now_ps: u64) -> Box<MachineFault> {
    let mut registers: Vec<_> = (0..31).map(|index| (format!("x{index}"), core.register(index))).collect();
    registers.push(("sp".into(), core.register(31)));
    registers.push(("el".into(), u64::from(core.exception_level())));
    Box::new(MachineFault {
        core: format!("arm{}", fault.core),
        at_ns: now_ps / 1000,
        pc: fault.pc,
        bytes: fault.word.to_le_bytes().to_vec(),
        disassembly: format!(".inst {:#010x}", fault.word),
        reason: fault.to_string(),
        branches: Vec::new(),
        registers,
    })
}

impl fmt::Display for MachineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<String> = self.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(
            f,
            "{} stopped at {:#x} ({} ns): {}\n  {}  {}",
            self.core,
            self.pc,
            self.at_ns,
            self.reason,
            bytes.join(" "),
            self.disassembly
        )?;
        for (from, to) in &self.branches {
            writeln!(f, "  branch {from:#x} -> {to:#x}")?;
        }
        for four in self.registers.chunks(4) {
            let line: Vec<String> = four.iter().map(|(name, value)| format!("{name}={value:x}")).collect();
            writeln!(f, "  {}", line.join(" "))?;
        }
        Ok(())
    }
}
