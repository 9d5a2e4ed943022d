//! Where the emulator had to stop.

use std::fmt;

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
