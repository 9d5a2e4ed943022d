//! The SDRAM that both processors share.
//!
//! Besides the bytes it keeps one flag byte a page, so that a core that has decoded instructions from a page
//! learns of a store into it, whoever stored.

/// Bytes of address space behind the four bus aliases; boards with less RAM leave the top unused.
pub const RAM_SIZE: usize = 1 << 30;
/// log2 of the page size used for code tracking.
pub const PAGE_SHIFT: u32 = 12;

const ADDRESS_MASK: usize = RAM_SIZE - 1;

/// Who has decoded instructions from a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CodeOwner {
    /// VPU core 0.
    VpuCore0 = 1,
    /// Arm core 0. Each core decodes for itself, so each has its own flag: one that decodes a page anew must not
    /// hide the store from the others.
    Arm0 = 2,
    /// Arm core 1.
    Arm1 = 4,
    /// Arm core 2.
    Arm2 = 8,
    /// Arm core 3.
    Arm3 = 16,
    /// VPU core 1.
    VpuCore1 = 32,
}

impl CodeOwner {
    /// The flag of Arm core `core` (0 to 3).
    pub fn arm(core: u8) -> Self {
        match core & 3 {
            0 => Self::Arm0,
            1 => Self::Arm1,
            2 => Self::Arm2,
            _ => Self::Arm3,
        }
    }
}

/// 1 GiB of lazily allocated, zeroed memory. Addresses wrap at 1 GiB (the bus aliases); accesses are aligned
/// down to their size.
pub struct Ram {
    bytes: Box<[u8; RAM_SIZE]>,
    /// `CodeOwner` bits a page.
    code: Box<[u8; RAM_SIZE >> PAGE_SHIFT]>,
    /// Counts the stores that hit decoded code; a core that sees it change drops what it has decoded from pages
    /// whose flag is gone.
    code_generation: u32,
}

impl Ram {
    /// All zero.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let boxed = |len: usize| vec![0u8; len].into_boxed_slice();
        Self {
            bytes: boxed(RAM_SIZE).try_into().expect("length is RAM_SIZE"),
            code: boxed(RAM_SIZE >> PAGE_SHIFT).try_into().expect("length is the number of pages"),
            code_generation: 0,
        }
    }

    #[inline(always)]
    fn load<const N: usize>(&self, address: u32) -> [u8; N] {
        let at = address as usize & ADDRESS_MASK & !(N - 1);
        let mut out = [0; N];
        out.copy_from_slice(&self.bytes[at..at + N]);
        out
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) {
        let at = address as usize & ADDRESS_MASK & !(N - 1);
        if self.code[at >> PAGE_SHIFT] != 0 {
            self.forget_code(at);
        }
        self.bytes[at..at + N].copy_from_slice(&value);
    }

    #[cold]
    fn forget_code(&mut self, at: usize) {
        self.code[at >> PAGE_SHIFT] = 0;
        self.code_generation = self.code_generation.wrapping_add(1);
    }

    /// Loads a byte.
    #[inline(always)]
    pub fn read8(&self, address: u32) -> u8 {
        self.load::<1>(address)[0]
    }
    /// Loads a halfword.
    #[inline(always)]
    pub fn read16(&self, address: u32) -> u16 {
        u16::from_le_bytes(self.load(address))
    }
    /// Loads a word.
    #[inline(always)]
    pub fn read32(&self, address: u32) -> u32 {
        u32::from_le_bytes(self.load(address))
    }
    /// Loads a doubleword.
    #[inline(always)]
    pub fn read64(&self, address: u32) -> u64 {
        u64::from_le_bytes(self.load(address))
    }
    /// Stores a byte.
    #[inline(always)]
    pub fn write8(&mut self, address: u32, value: u8) {
        self.store(address, [value]);
    }
    /// Stores a halfword.
    #[inline(always)]
    pub fn write16(&mut self, address: u32, value: u16) {
        self.store(address, value.to_le_bytes());
    }
    /// Stores a word.
    #[inline(always)]
    pub fn write32(&mut self, address: u32, value: u32) {
        self.store(address, value.to_le_bytes());
    }
    /// Stores a doubleword.
    #[inline(always)]
    pub fn write64(&mut self, address: u32, value: u64) {
        self.store(address, value.to_le_bytes());
    }

    /// Copies bytes out, wrapping at 1 GiB.
    pub fn read_bytes(&self, address: u32, out: &mut [u8]) {
        for (i, byte) in out.iter_mut().enumerate() {
            *byte = self.read8(address.wrapping_add(i as u32));
        }
    }
    /// Copies bytes in, wrapping at 1 GiB.
    pub fn write_bytes(&mut self, address: u32, data: &[u8]) {
        for (i, byte) in data.iter().enumerate() {
            self.write8(address.wrapping_add(i as u32), *byte);
        }
    }

    /// Notes that `owner` has decoded instructions from the page at `address`.
    pub fn mark_code(&mut self, address: u32, owner: CodeOwner) {
        self.code[(address as usize & ADDRESS_MASK) >> PAGE_SHIFT] |= owner as u8;
    }
    /// True while no store has hit the page at `address` since `owner` marked it.
    #[inline(always)]
    pub fn is_code(&self, address: u32, owner: CodeOwner) -> bool {
        self.code[(address as usize & ADDRESS_MASK) >> PAGE_SHIFT] & owner as u8 != 0
    }
    /// Changes with every store into a page that anybody has marked.
    #[inline(always)]
    pub fn code_generation(&self) -> u32 {
        self.code_generation
    }
}
