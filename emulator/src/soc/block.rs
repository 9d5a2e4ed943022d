//! Names of registers, and which of them are known to be nothing but storage.

/// A run of equal registers inside a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Register {
    /// Byte offset of the first.
    pub offset: u32,
    /// How many words in a row.
    pub count: u32,
    /// Name as in the public headers of the chip; runs get an index behind it.
    pub name: &'static str,
    /// If what was written is all that is ever read: why that is good enough.
    pub storage: Option<&'static str>,
}

/// A register with behaviour.
pub const fn register(offset: u32, name: &'static str) -> Register {
    Register { offset, count: 1, name, storage: None }
}

/// A run of registers with behaviour.
pub const fn registers(offset: u32, count: u32, name: &'static str) -> Register {
    Register { offset, count, name, storage: None }
}

/// A run of registers that are storage, and why.
pub const fn storage(offset: u32, count: u32, name: &'static str, reason: &'static str) -> Register {
    Register { offset, count, name, storage: Some(reason) }
}

/// A block of registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Prefix of its registers' names.
    pub name: &'static str,
    /// Bus address.
    pub base: u32,
    /// Bytes.
    pub size: u32,
    /// What is in it, as far as anybody asked.
    pub registers: &'static [Register],
}

impl Block {
    /// True if `address` lies inside.
    pub const fn contains(&self, address: u32) -> bool {
        address >= self.base && address - self.base < self.size
    }

    fn find(&self, offset: u32) -> Option<&'static Register> {
        self.registers.iter().find(|r| offset >= r.offset && offset - r.offset < 4 * r.count)
    }

    /// True if the table says that the register is storage.
    pub fn is_storage(&self, offset: u32) -> bool {
        self.find(offset).is_some_and(|r| r.storage.is_some())
    }

    /// `BLOCK_REGISTER`, `BLOCK_REGISTER[n]` inside a run, or `BLOCK+0xoffset`.
    pub fn register_name(&self, offset: u32) -> String {
        match self.find(offset) {
            Some(r) if r.count == 1 => format!("{}_{}", self.name, r.name),
            Some(r) => format!("{}_{}[{}]", self.name, r.name, (offset - r.offset) / 4),
            None => format!("{}+{offset:#x}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Block = Block {
        name: "XY",
        base: 0x7e00_1000,
        size: 0x100,
        registers: &[register(0, "CS"), storage(0x10, 4, "TABLE", "only the hardware reads it")],
    };

    #[test]
    fn names_single_registers_runs_and_unknown_offsets() {
        assert_eq!(BLOCK.register_name(0), "XY_CS");
        assert_eq!(BLOCK.register_name(0x18), "XY_TABLE[2]");
        assert_eq!(BLOCK.register_name(0x20), "XY+0x20");
    }

    #[test]
    fn only_declared_registers_are_storage() {
        assert!(BLOCK.is_storage(0x1c));
        assert!(!BLOCK.is_storage(0));
        assert!(!BLOCK.is_storage(0x20));
    }
}
