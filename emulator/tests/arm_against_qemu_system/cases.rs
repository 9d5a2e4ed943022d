//! Random cases, and the memory that the program runs in.
//!
//! ```text
//! 0x000000  program, vectors   read-only at EL1
//! 0x200000  parameters, cases, tables
//! 0x400000  the instructions tried: read-only, EL0 and EL1 execute
//! 0x600000  the page that the cases access, by a descriptor of theirs, and one after it that all may use
//! ```

use crate::program::{CODE, HANDLER, PROGRAM, SVC, SVC_IN_PAGE, TRIED, VECTORS};
use crate::random::Random;

/// Bytes that the program sends for each case.
pub(crate) const RESULT: usize = 48;
/// Data register of the PL011.
pub(crate) const UART: u64 = 0x3f20_1000;

const PARAMETERS: u32 = 0x20_0000;
const CASES: u32 = 0x20_1000;
const TRIES: u32 = 0x40_0000;
const PAGE: u32 = 0x60_0000;
const LEVEL_1: u32 = 0x3e_0000;
const LEVEL_2: u32 = 0x3e_1000;
const LEVEL_3: u32 = 0x3e_2000;
/// End of the image.
const END: u32 = 0x60_2000;

const BLOCK: u64 = 1 << 10 | 3 << 8 | 1;
const READ_ONLY: u64 = 1 << 7;
const USER: u64 = 1 << 6;
const PXN: u64 = 1 << 53;
const UXN: u64 = 1 << 54;
const DEVICE: u64 = 1 << 2;

/// Attributes: write-back, Device-nGnRnE, non-cacheable.
const MAIR: u64 = 0x44_00ff;
/// 39 bits of address in both ranges, 4 KiB granules, 36 bits of physical address, the lower range ignores the
/// top byte.
const TCR: u64 = 25 | 25 << 16 | 2 << 30 | 1 << 32 | 1 << 37;
/// RES1 bits, MMU, caches.
const SCTLR: u64 = 0x30d0_0800 | 1 << 12 | 1 << 2 | 1;

/// One case, as the program reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    page: u64,
    table: u64,
    sctlr: u64,
    pub(crate) tried: usize,
    level: u8,
    address: u64,
}

impl Case {
    pub(crate) fn random(random: &mut Random) -> Self {
        let tried = random.below(TRIED.len() as u32) as usize;
        let page = page_descriptor(random);
        let name = TRIED[tried].1;
        // What QEMU 7.2 does not do as the architecture has it is not tried: an unaligned access or DC ZVA to
        // Device memory faults, a misaligned SP faults, a misaligned PC is reported before a translation fault.
        let page = if name.starts_with("dc zva") { page & !(7 << 2) } else { page };
        let is_device = page >> 2 & 7 == 1;
        let address = address(random, is_device || name.contains("[sp]") || name.starts_with("br "));
        let checks_alignment = if address & 15 == 0 { random.bits(1) } else { 0 };
        let optional = [1, 3, 4, 9, 14, 15, 19, 26].map(|bit| u64::from(random.bits(1)) << bit);
        let sctlr = SCTLR | optional.iter().sum::<u64>() & !2 | u64::from(checks_alignment) << 1;
        // QEMU 7.2 swaps op1 and op2 in the syndrome of a trapped MSR DAIFSet: it is not trapped here.
        let sctlr = if name.starts_with("msr DAIF") { sctlr | 1 << 9 } else { sctlr };
        let level = u8::from(random.flip());
        Self { page, table: table_descriptor(random), sctlr, tried, level, address }
    }

    fn words(&self) -> [u64; 6] {
        let pstate = 0x3c0 | u64::from(self.level) << 2 | u64::from(self.level);
        let pc = u64::from(TRIES) + self.tried as u64 * 8;
        [self.page, self.table, self.sctlr, pc, pstate, self.address]
    }
}

fn sometimes(random: &mut Random, bit: u32, one_in: u32) -> u64 {
    u64::from(random.below(one_in) == 0) << bit
}

fn page_descriptor(random: &mut Random) -> u64 {
    let attribute = u64::from(random.pick(&[0u8, 0, 1, 2])) << 2;
    let access = u64::from(random.bits(2)) << 6 | u64::from(random.bits(2)) << 8;
    let execute = sometimes(random, 53, 3) | sometimes(random, 54, 3);
    let kind = u64::from(random.pick(&[3u8, 3, 3, 3, 3, 3, 1, 0, 2]));
    let accessed = 1 << 10 & !sometimes(random, 10, 6);
    // Beyond the 36 bits of TCR.
    let too_far = sometimes(random, 36, 16);
    u64::from(PAGE) | attribute | access | execute | kind | accessed | sometimes(random, 11, 2) | too_far
}

fn table_descriptor(random: &mut Random) -> u64 {
    let limits = (59..=62).map(|bit| sometimes(random, bit, 6)).sum::<u64>();
    let kind = if random.below(12) == 0 { 0 } else { 3 };
    u64::from(LEVEL_3) | limits | kind
}

fn address(random: &mut Random, is_aligned: bool) -> u64 {
    let page = u64::from(PAGE);
    match random.below(if is_aligned { 8 } else { 12 }) {
        0..=3 => page + u64::from(random.bits(8)) * 16,
        // Top byte ignored; the upper range; between the ranges; just beyond the lower one.
        4 => page | 0x5a << 56,
        5 => 0xffff_ff80_0000_0000 + page,
        6 => 0x00ff_0000_0000_0000 | page,
        7 => 1 << 39,
        8 => page + 0xffc,
        9 => page + u64::from(random.bits(12)),
        _ => page + u64::from(random.bits(9)) * 8,
    }
}

/// Everything from address 0 on.
pub(crate) fn memory(cases: &[Case]) -> Vec<u8> {
    let mut memory = Memory(vec![0; END as usize]);
    for (index, word) in PROGRAM.iter().enumerate() {
        memory.word(CODE + index as u32 * 4, *word);
    }
    for vector in 0..16 {
        let from = VECTORS + vector * 0x80;
        let distance = (HANDLER * 4).wrapping_sub(from) >> 2;
        memory.word(CODE + from, 0x1400_0000 | distance & 0x03ff_ffff);
    }
    let (page_slot, table_slot) = (LEVEL_3, LEVEL_2 + 3 * 8);
    let parameters = [
        MAIR,
        TCR,
        u64::from(LEVEL_1),
        u64::from(LEVEL_1),
        cases.len() as u64,
        UART,
        u64::from(page_slot),
        u64::from(table_slot),
        SCTLR,
    ];
    for (index, value) in parameters.into_iter().enumerate() {
        memory.double(PARAMETERS + index as u32 * 8, value);
    }
    for (index, value) in cases.iter().flat_map(Case::words).enumerate() {
        memory.double(CASES + index as u32 * 8, value);
    }
    for (index, (word, _)) in TRIED.iter().enumerate() {
        memory.word(TRIES + index as u32 * 8, *word);
        memory.word(TRIES + index as u32 * 8 + 4, SVC);
    }
    for offset in (0..0x2000).step_by(4) {
        memory.word(PAGE + offset, SVC_IN_PAGE);
    }
    memory.double(LEVEL_1, u64::from(LEVEL_2) | 3);
    memory.double(LEVEL_2, BLOCK | READ_ONLY | UXN);
    memory.double(LEVEL_2 + 8, 1 << 21 | BLOCK | PXN | UXN);
    memory.double(LEVEL_2 + 16, 2 << 21 | BLOCK | READ_ONLY | USER);
    memory.double(LEVEL_2 + 505 * 8, 505 << 21 | BLOCK & !(3 << 8) | DEVICE | PXN | UXN);
    memory.double(LEVEL_3 + 8, u64::from(PAGE + 0x1000) | BLOCK | 2 | USER);
    memory.0
}

struct Memory(Vec<u8>);

impl Memory {
    fn word(&mut self, address: u32, value: u32) {
        self.0[address as usize..address as usize + 4].copy_from_slice(&value.to_le_bytes());
    }
    fn double(&mut self, address: u32, value: u64) {
        self.0[address as usize..address as usize + 8].copy_from_slice(&value.to_le_bytes());
    }
}

/// The part of memory that a loader puts at `CODE`.
pub(crate) fn image(memory: &[u8]) -> &[u8] {
    &memory[CODE as usize..]
}
