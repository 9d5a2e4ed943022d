//! Bulk transfers as the master has them (VCHIQ fact sheet 7), and memory behind an Arm cache.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use super::Memory;
use crate::bulk::BulkMemory;

/// Memory outside the window, at physical address [`SDRAM_BASE`].
pub type SharedSdram = Rc<RefCell<Memory>>;
/// Where it starts.
pub const SDRAM_BASE: u64 = 0x0100_0000;
const WINDOW_BASE: u32 = 0xc00e_f000;
const ALIAS: u32 = 0xc000_0000;
const PAGE: u32 = 4096;

const BULK_RX_DONE: u32 = 8;
const BULK_TX_DONE: u32 = 9;
const ABORTED: u32 = u32::MAX;

struct Asked {
    pagelist: u32,
    size: u32,
}

/// The rings of one service, in both directions.
#[derive(Default)]
pub struct FakeBulks {
    /// What the service sends, each for one BULK_RX.
    pub sends: VecDeque<Vec<u8>>,
    /// The bytes that the service takes, each for one BULK_TX.
    pub takes: VecDeque<u32>,
    /// What it has got.
    pub got: Vec<Vec<u8>>,
    /// Whatever it gets, it sends back.
    pub echoes: bool,
    /// Bytes of its cache lines; 0 stands for 64.
    pub line: u32,
    /// Pagelists have the entries of BCM2711.
    pub wide: bool,
    /// It never ends what is asked for, closing included.
    pub forgets: bool,
    rx: VecDeque<Asked>,
    tx: VecDeque<Asked>,
}

impl FakeBulks {
    pub(super) fn ask(&mut self, rx: bool, pagelist: u32, size: u32) {
        let ring = if rx { &mut self.rx } else { &mut self.tx };
        ring.push_back(Asked { pagelist, size });
        assert!(ring.len() <= 4, "more than four transfers outstanding");
    }

    /// Moves what both sides have asked for; gives the messages that say so.
    pub(super) fn resolve(&mut self, window: &mut Memory, sdram: &mut Memory) -> Vec<(u32, u32)> {
        let mut done = Vec::new();
        if self.forgets {
            return done;
        }
        let line = if self.line == 0 { 64 } else { self.line };
        while let (Some(asked), Some(size)) = (self.tx.front(), self.takes.front()) {
            let actual = if asked.size == *size {
                let list = List::read(window, asked, self.wide);
                assert_eq!(list.kind, 0, "BULK_TX needs a list to be read from");
                self.got.push(list.addresses().map(|at| byte(sdram, at)).collect());
                *size
            } else {
                ABORTED
            };
            if self.echoes && actual != ABORTED {
                self.sends.extend(self.got.last().cloned());
            }
            done.push((BULK_TX_DONE, actual));
            self.tx.pop_front();
            self.takes.pop_front();
        }
        while let (Some(asked), Some(bytes)) = (self.rx.front(), self.sends.front()) {
            let actual = if asked.size as usize == bytes.len() {
                List::read(window, asked, self.wide).write(sdram, window, bytes, line);
                asked.size
            } else {
                ABORTED
            };
            done.push((BULK_RX_DONE, actual));
            self.rx.pop_front();
            self.sends.pop_front();
        }
        done
    }

    /// What is asked for and not done, aborted.
    pub(super) fn abort(&mut self) -> Vec<(u32, u32)> {
        if self.forgets {
            return Vec::new();
        }
        let tx = self.tx.drain(..).map(|_| (BULK_TX_DONE, ABORTED));
        tx.chain(self.rx.drain(..).map(|_| (BULK_RX_DONE, ABORTED))).collect()
    }
}

/// A pagelist, read as VideoCore reads it.
struct List {
    length: u32,
    kind: u16,
    offset: u32,
    pages: Vec<u64>,
}

impl List {
    fn read(window: &Memory, asked: &Asked, wide: bool) -> Self {
        let at = (asked.pagelist - WINDOW_BASE) as usize;
        let (length, second) = (window.load(at), window.load(at + 4));
        assert_eq!(length, asked.size, "the list and the message differ");
        let (kind, offset) = (second as u16, second >> 16);
        let wanted = (offset + length).div_ceil(PAGE) as usize;
        let mut pages = Vec::new();
        let mut entry = at + 8;
        while pages.len() < wanted {
            let word = window.load(entry);
            let (start, count) = if wide {
                (u64::from(word & !0xff) << 4, word & 0xff)
            } else {
                assert_eq!(word & ALIAS, ALIAS, "entry {word:#x} in another alias");
                (u64::from(word & !ALIAS & !0xfff), word & 0xfff)
            };
            pages.extend((0..=u64::from(count)).map(|page| start + page * u64::from(PAGE)));
            entry += 4;
        }
        assert_eq!(pages.len(), wanted, "pages beyond the length");
        Self { length, kind, offset, pages }
    }

    /// Offset in SDRAM of each byte.
    fn addresses(&self) -> impl Iterator<Item = usize> {
        (self.offset..self.offset + self.length)
            .map(|at| (self.pages[(at / PAGE) as usize] + u64::from(at % PAGE) - SDRAM_BASE) as usize)
    }

    /// Writes whole lines to memory and the edges to the fragment, if there is one.
    fn write(&self, sdram: &mut Memory, window: &mut Memory, bytes: &[u8], line: u32) {
        assert_ne!(self.kind, 0, "BULK_RX needs a list to be written to");
        let actual = bytes.len() as u32;
        let head = ((line - self.offset % line) % line).min(actual);
        let tail = if head < actual { (self.offset + actual) % line } else { 0 };
        let Some(entry) = self.kind.checked_sub(2) else {
            assert_eq!((head, tail), (0, 0), "edges without a fragment");
            return self.addresses().zip(bytes).for_each(|(at, byte)| sdram.store_bytes(at, &[*byte]));
        };
        let pool = window.load(0x18) - WINDOW_BASE;
        let entry = (pool + u32::from(entry) * 2 * line) as usize;
        window.store_bytes(entry, &bytes[..head as usize]);
        window.store_bytes(entry + line as usize, &bytes[(actual - tail) as usize..]);
        let middle = head as usize..(actual - tail) as usize;
        for (at, byte) in self.addresses().zip(bytes).skip(middle.start).take(middle.len()) {
            sdram.store_bytes(at, &[*byte]);
        }
    }
}

fn byte(memory: &Memory, at: usize) -> u8 {
    memory.load(at & !3).to_le_bytes()[at % 4]
}

/// Bytes of an Arm cache line.
const LINE: usize = 64;

/// The Arm's cache over [`SharedSdram`]: lines as last seen, and whether they are dirty.
#[derive(Default)]
pub struct FakeCache {
    lines: BTreeMap<usize, ([u8; LINE], bool)>,
}

impl FakeCache {
    fn line(&mut self, sdram: &Memory, at: usize) -> &mut ([u8; LINE], bool) {
        let start = at & !(LINE - 1);
        self.lines.entry(start).or_insert_with(|| (core::array::from_fn(|i| byte(sdram, start + i)), false))
    }

    /// Writes every dirty line back and forgets all: what any cache may do at any time.
    pub fn evict_all(&mut self, sdram: &mut Memory) {
        for (start, (bytes, dirty)) in core::mem::take(&mut self.lines) {
            if dirty {
                sdram.store_bytes(start, &bytes);
            }
        }
    }
}

/// Bulk memory on scattered pages, seen through a cache.
pub struct FakeBuffer {
    /// The memory itself.
    pub sdram: SharedSdram,
    /// What the Arm sees of it.
    pub cache: Rc<RefCell<FakeCache>>,
    /// Offsets of its pages in SDRAM, after that of the page which the guard before it may lie in.
    pub pages: Vec<usize>,
    /// Where it starts in its first page.
    pub offset: u16,
    /// Its bytes.
    pub size: u32,
}

impl core::fmt::Debug for FakeBuffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} bytes at {:#x} of {:x?}", self.size, self.offset, self.pages)
    }
}

impl FakeBuffer {
    fn place(&self, at: i64) -> usize {
        let at = (i64::from(PAGE) + i64::from(self.offset) + at) as usize;
        self.pages[at / PAGE as usize] + at % PAGE as usize
    }

    /// Byte `at`, as the Arm sees it; negative and past the size for guards.
    pub fn load(&self, at: i64) -> u8 {
        let place = self.place(at);
        self.cache.borrow_mut().line(&self.sdram.borrow(), place).0[place % LINE]
    }

    /// Stores a byte, as the Arm does.
    pub fn store_byte(&self, at: i64, byte: u8) {
        let place = self.place(at);
        let mut cache = self.cache.borrow_mut();
        let line = cache.line(&self.sdram.borrow(), place);
        line.0[place % LINE] = byte;
        line.1 = true;
    }

    /// All its bytes, as the Arm sees them.
    pub fn bytes(&self) -> Vec<u8> {
        (0..i64::from(self.size)).map(|at| self.load(at)).collect()
    }
}

impl BulkMemory for FakeBuffer {
    fn size(&self) -> u32 {
        self.size
    }

    fn offset(&self) -> u16 {
        self.offset
    }

    fn page(&self, number: u32) -> u64 {
        SDRAM_BASE + self.pages[1 + number as usize] as u64
    }

    fn clean(&mut self) {
        for at in 0..i64::from(self.size) {
            let place = self.place(at);
            let mut cache = self.cache.borrow_mut();
            let line = cache.line(&self.sdram.borrow(), place);
            if core::mem::take(&mut line.1) {
                let bytes = line.0;
                self.sdram.borrow_mut().store_bytes(place & !(LINE - 1), &bytes);
            }
        }
    }

    fn invalidate(&mut self, start: u32, end: u32) {
        for at in start..end {
            let place = self.place(i64::from(at));
            let line = self.cache.borrow_mut().lines.remove(&(place & !(LINE - 1)));
            assert!(line.is_none_or(|(_, dirty)| !dirty), "a dirty line is dropped");
        }
    }

    fn store(&mut self, at: u32, bytes: &[u8]) {
        for (at, byte) in (i64::from(at)..).zip(bytes) {
            self.store_byte(at, *byte);
        }
    }
}
