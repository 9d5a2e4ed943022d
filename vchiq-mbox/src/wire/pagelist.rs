//! Pagelists: the memory that a bulk transfer moves (VCHIQ fact sheet 7.1).

use core::mem::offset_of;

use heapless::Vec;
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout,
    little_endian::{U16, U32},
};

/// Bytes of a page.
pub const PAGE_SIZE: u32 = 4096;
/// Bytes of the longest pagelist this side writes.
pub const PAGELIST_BYTES: usize = 256;
/// Entries it holds.
pub const PAGELIST_ENTRIES: usize = (PAGELIST_BYTES - size_of::<PageListHeader>()) / 4;

/// What comes before the entries.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PageListHeader {
    /// 0: bytes to move.
    pub length: U32,
    /// 4: [`PageListKind`].
    pub kind: U16,
    /// 6: where the first byte lies in the first page.
    pub offset: U16,
}
const _: () = assert!(size_of::<PageListHeader>() == 8); // VCHIQ fact sheet 7.1
const _: () = assert!(offset_of!(PageListHeader, kind) == 4);
const _: () = assert!(offset_of!(PageListHeader, offset) == 6);

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PageListKind {
    /// From the Arm to VideoCore.
    Write,
    /// From VideoCore to the Arm; both ends of the memory lie on cache lines.
    Read,
    /// From VideoCore to the Arm; the bytes beside the outer cache lines go to this entry of the fragments pool.
    ReadWithFragment(u8),
}

impl PageListKind {
    const fn raw(self) -> u16 {
        match self {
            Self::Write => 0,
            Self::Read => 1,
            Self::ReadWithFragment(entry) => 2 + entry as u16,
        }
    }
}

/// How an entry names a run of pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PageListFormat {
    /// BCM2835 to BCM2837: bus address in the uncached alias, and up to 4096 pages less one in the low 12 bits.
    #[default]
    Classic,
    /// BCM2711: 24 bits of page number, and up to 256 pages less one in the low 8 bits.
    Wide,
}

impl PageListFormat {
    const fn longest_run(self) -> u32 {
        match self {
            Self::Classic => 4096,
            Self::Wide => 256,
        }
    }

    /// One past the last address that an entry can name.
    const fn limit(self) -> u64 {
        match self {
            Self::Classic => 1 << 30,
            Self::Wide => 1 << 36,
        }
    }

    /// `run` has at least one page, and lies below the limit.
    const fn entry(self, run: Run) -> u32 {
        match self {
            Self::Classic => run.start as u32 | UNCACHED_ALIAS | (run.pages - 1),
            Self::Wide => (run.start >> 4) as u32 | (run.pages - 1),
        }
    }
}

const UNCACHED_ALIAS: u32 = 0xc000_0000;

/// Consecutive pages.
#[derive(Clone, Copy)]
struct Run {
    start: u64,
    pages: u32,
}

/// Memory that no pagelist can describe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PageListError {
    /// Nothing to move, or more than 2^31 - 1 bytes.
    #[error("{0} bytes cannot be moved")]
    Length(u32),
    /// The first byte lies outside the first page.
    #[error("offset {0:#x} is outside the first page")]
    Offset(u16),
    /// A page that VideoCore cannot reach, or that is none.
    #[error("no page at {0:#x} for VideoCore")]
    Address(u64),
    /// The pages are too many pieces.
    #[error("memory in more than {PAGELIST_ENTRIES} pieces")]
    Scattered,
}

/// A pagelist as it lies in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageList {
    words: Vec<u32, { PAGELIST_BYTES / 4 }>,
}

impl PageList {
    /// Describes `length` bytes that start at `offset` of the first page. `page` gives the physical address of each
    /// page by its number.
    ///
    /// # Errors
    /// [`PageListError`], with what cannot be described.
    pub fn new(
        kind: PageListKind,
        format: PageListFormat,
        offset: u16,
        length: u32,
        page: impl Fn(u32) -> u64,
    ) -> Result<Self, PageListError> {
        if length == 0 || length > i32::MAX as u32 {
            return Err(PageListError::Length(length));
        }
        if u32::from(offset) >= PAGE_SIZE {
            return Err(PageListError::Offset(offset));
        }
        let header = PageListHeader { length: length.into(), kind: kind.raw().into(), offset: offset.into() };
        let (words, _) = header.as_bytes().as_chunks::<4>();
        let mut list = Self { words: words.iter().map(|word| u32::from_le_bytes(*word)).collect() };
        let mut run: Option<Run> = None;
        for number in 0..(u32::from(offset) + length).div_ceil(PAGE_SIZE) {
            let address = page(number);
            if !address.is_multiple_of(u64::from(PAGE_SIZE)) || address >= format.limit() {
                return Err(PageListError::Address(address));
            }
            run = Some(match run {
                Some(Run { start, pages })
                    if address == start + u64::from(pages) * u64::from(PAGE_SIZE)
                        && pages < format.longest_run() =>
                {
                    Run { start, pages: pages + 1 }
                }
                previous => {
                    list.push(format, previous)?;
                    Run { start: address, pages: 1 }
                }
            });
        }
        list.push(format, run)?;
        Ok(list)
    }

    fn push(&mut self, format: PageListFormat, run: Option<Run>) -> Result<(), PageListError> {
        let Some(run) = run else { return Ok(()) };
        self.words.push(format.entry(run)).map_err(|_| PageListError::Scattered)
    }

    /// Its words, in order.
    pub fn words(&self) -> &[u32] {
        &self.words
    }
}
