//! Stage-1 translation at EL1: the three kinds of memory of hardware fact sheet 6, everything else unmapped.
//!
//! Four static tables of our own and no mapping library: the map is fixed when the image is linked, addresses
//! map to themselves, and the tables must be ready before there is anything to allocate from.
//! `docs/memory-map.md` draws the result.

use core::arch::asm;
use core::cell::UnsafeCell;

use cortex_a::registers::{
    MAIR_EL1, PAR_EL1, ReadWriteable, Readable, SCTLR_EL1, TCR_EL1, TTBR0_EL1, Writeable,
};
use tock_registers::fields::FieldValue;
use tock_registers::register_bitfields;

use super::{barrier, cache};
use crate::platform::{self, Region};
use crate::soc::Soc;

const PAGE: usize = 4 << 10;
const BLOCK: usize = 2 << 20;
const GIBIBYTE: usize = 1 << 30;
const ENTRIES: usize = 512;

/// Bytes of main peripherals that are mapped; every register we use lies in them.
const PERIPHERALS_LENGTH: usize = 16 << 20;

register_bitfields! {u64,
    /// VMSAv8-64 stage-1 descriptor, 4 KiB granule (Arm ARM D5.3).
    DESCRIPTOR [
        VALID OFFSET(0) NUMBITS(1) [],
        /// At levels 1 and 2: 0 is a block, 1 a table. At level 3: always 1.
        KIND OFFSET(1) NUMBITS(1) [Block = 0, TableOrPage = 1],
        /// Index into MAIR_EL1.
        ATTRIBUTE OFFSET(2) NUMBITS(3) [Ram = 0, Window = 1, Device = 2],
        ACCESS OFFSET(6) NUMBITS(2) [ReadWrite = 0b00, ReadOnly = 0b10],
        SHARE OFFSET(8) NUMBITS(2) [None = 0b00, Outer = 0b10, Inner = 0b11],
        ACCESSED OFFSET(10) NUMBITS(1) [],
        ADDRESS OFFSET(12) NUMBITS(36) [],
        NO_EXECUTE_PRIVILEGED OFFSET(53) NUMBITS(1) [],
        NO_EXECUTE_USER OFFSET(54) NUMBITS(1) []
    ]
}

/// How a page or block is to be used.
#[derive(Clone, Copy)]
enum Use {
    /// Cached, read-only, executable.
    Code,
    /// Cached, read-only.
    Constants,
    /// Cached.
    Ram,
    /// Normal non-cacheable: what VideoCore reads and writes.
    Window,
    /// Device-nGnRE.
    Device,
}

impl Use {
    fn descriptor(self) -> FieldValue<u64, DESCRIPTOR::Register> {
        let no_execute = DESCRIPTOR::NO_EXECUTE_USER::SET + DESCRIPTOR::NO_EXECUTE_PRIVILEGED::SET;
        let ram = DESCRIPTOR::ATTRIBUTE::Ram + DESCRIPTOR::SHARE::Inner;
        match self {
            Self::Code => ram + DESCRIPTOR::ACCESS::ReadOnly + DESCRIPTOR::NO_EXECUTE_USER::SET,
            Self::Constants => ram + DESCRIPTOR::ACCESS::ReadOnly + no_execute,
            Self::Ram => ram + DESCRIPTOR::ACCESS::ReadWrite + no_execute,
            Self::Window => {
                DESCRIPTOR::ATTRIBUTE::Window
                    + DESCRIPTOR::SHARE::Outer
                    + DESCRIPTOR::ACCESS::ReadWrite
                    + no_execute
            }
            Self::Device => DESCRIPTOR::ATTRIBUTE::Device + DESCRIPTOR::ACCESS::ReadWrite + no_execute,
        }
    }
}

/// One translation table.
#[repr(C, align(4096))]
struct Table(UnsafeCell<[u64; ENTRIES]>);

// SAFETY: written by core 0 alone, before translation is enabled; afterwards only the table walker reads it.
unsafe impl Sync for Table {}

impl Table {
    const fn new() -> Self {
        Self(UnsafeCell::new([0; ENTRIES]))
    }

    fn address(&self) -> usize {
        self.0.get() as usize
    }

    fn set(&self, index: usize, descriptor: FieldValue<u64, DESCRIPTOR::Register>) {
        let entry = self.0.get().cast::<u64>().wrapping_add(index % ENTRIES);
        // SAFETY: the index is below ENTRIES, so the entry lies in this table; nobody else accesses it now
        // (see the `Sync` implementation).
        unsafe { entry.write_volatile(descriptor.value) }
    }

    fn point_at(&self, index: usize, next: &Table) {
        let address = DESCRIPTOR::ADDRESS.val((next.address() / PAGE) as u64);
        self.set(index, DESCRIPTOR::VALID::SET + DESCRIPTOR::KIND::TableOrPage + address);
    }
}

/// 1 GiB an entry; the first four are used.
static LEVEL1: Table = Table::new();
/// The first GiB, 2 MiB an entry: RAM, and the peripherals of BCM2837.
static LEVEL2_LOW: Table = Table::new();
/// The GiB with the local block: the second on BCM2837, the fourth (with the peripherals) on BCM2711.
static LEVEL2_LOCAL: Table = Table::new();
/// The first 2 MiB, 4 KiB an entry: the image.
static LEVEL3_IMAGE: Table = Table::new();

fn map_pages(region: Region, kind: Use) {
    for address in (region.start..region.end).step_by(PAGE) {
        let page = DESCRIPTOR::ADDRESS.val((address / PAGE) as u64);
        LEVEL3_IMAGE.set(
            address / PAGE,
            DESCRIPTOR::VALID::SET
                + DESCRIPTOR::KIND::TableOrPage
                + DESCRIPTOR::ACCESSED::SET
                + page
                + kind.descriptor(),
        );
    }
}

fn map_blocks(region: Region, kind: Use) {
    for address in (region.start..region.end).step_by(BLOCK) {
        let table = if address < GIBIBYTE { &LEVEL2_LOW } else { &LEVEL2_LOCAL };
        let page = DESCRIPTOR::ADDRESS.val((address / PAGE) as u64);
        table.set(
            address % GIBIBYTE / BLOCK,
            DESCRIPTOR::VALID::SET
                + DESCRIPTOR::KIND::Block
                + DESCRIPTOR::ACCESSED::SET
                + page
                + kind.descriptor(),
        );
    }
}

fn fill_tables(soc: Soc) {
    LEVEL1.point_at(0, &LEVEL2_LOW);
    LEVEL1.point_at(soc.local_block() / GIBIBYTE, &LEVEL2_LOCAL);
    LEVEL2_LOW.point_at(0, &LEVEL3_IMAGE);

    map_pages(platform::code(), Use::Code);
    map_pages(platform::constants(), Use::Constants);
    map_pages(platform::data(), Use::Ram);
    map_pages(platform::exception_stack(), Use::Ram);
    map_pages(platform::stack(), Use::Ram);
    map_blocks(platform::window(), Use::Window);
    map_blocks(platform::lendable(), Use::Ram);

    let peripherals = soc.peripherals();
    map_blocks(Region { start: peripherals, end: peripherals + PERIPHERALS_LENGTH }, Use::Device);
    let local = soc.local_block();
    map_blocks(Region { start: local, end: local + BLOCK }, Use::Device);
}

/// Fills the tables and turns on translation, data cache and instruction cache.
///
/// Called once, on core 0, with all three off.
pub(super) fn enable(soc: Soc) {
    fill_tables(soc);

    // A loader may have left lines of ours in the data cache. Everything we wrote so far went past it, so what
    // it holds is stale: drop it. The same for the window and the lendable RAM, before anybody shares them.
    let image = platform::image();
    cache::invalidate(image.start, image.end - image.start);
    for region in [platform::window(), platform::lendable()] {
        cache::clean_and_invalidate(region.start, region.end - region.start);
    }

    MAIR_EL1.write(
        MAIR_EL1::Attr0_Normal_Outer::WriteBack_NonTransient_ReadWriteAlloc
            + MAIR_EL1::Attr0_Normal_Inner::WriteBack_NonTransient_ReadWriteAlloc
            + MAIR_EL1::Attr1_Normal_Outer::NonCacheable
            + MAIR_EL1::Attr1_Normal_Inner::NonCacheable
            + MAIR_EL1::Attr2_Device::nonGathering_nonReordering_EarlyWriteAck,
    );
    // 4 GiB of addresses (T0SZ 32: the walk starts at level 1), table walks through the caches, no TTBR1.
    TCR_EL1.write(
        TCR_EL1::T0SZ.val(32)
            + TCR_EL1::TG0::KiB_4
            + TCR_EL1::SH0::Inner
            + TCR_EL1::ORGN0::WriteBack_ReadAlloc_WriteAlloc_Cacheable
            + TCR_EL1::IRGN0::WriteBack_ReadAlloc_WriteAlloc_Cacheable
            + TCR_EL1::EPD1::DisableTTBR1Walks
            + TCR_EL1::IPS::Bits_32,
    );
    TTBR0_EL1.set(LEVEL1.address() as u64);
    drop_stale_translations();
    SCTLR_EL1.modify(
        SCTLR_EL1::M::Enable + SCTLR_EL1::C::Cacheable + SCTLR_EL1::I::Cacheable + SCTLR_EL1::SA::Enable,
    );
    barrier::instruction_synchronise();
}

fn drop_stale_translations() {
    barrier::complete_all();
    // SAFETY: translation is off, so no entry is in use.
    unsafe { asm!("tlbi vmalle1", options(nostack, preserves_flags)) }
    // SAFETY: refetching instructions has no effect but time.
    unsafe { asm!("ic iallu", options(nostack, preserves_flags)) }
    barrier::complete_all();
    barrier::instruction_synchronise();
}

/// What the processor makes of an address: its MAIR byte, or `None` where a load would fault.
pub(crate) fn memory_attribute(address: usize) -> Option<u8> {
    // SAFETY: asks the translation hardware; accesses nothing at the address.
    unsafe { asm!("at s1e1r, {}", in(reg) address, options(nostack, preserves_flags)) }
    barrier::instruction_synchronise();
    let faulted = PAR_EL1.is_set(PAR_EL1::F);
    (!faulted).then_some((PAR_EL1.get() >> 56) as u8)
}
