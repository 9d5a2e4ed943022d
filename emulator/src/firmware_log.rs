//! The firmware's own message log, read from where it keeps it in RAM.
//!
//! Release and debug builds alike write their log messages to a ring at the top of VideoCore's memory; Linux's
//! `vcdbg log msg` shows the same ring. The layout below was read off the 2022-08 builds (`start`, `start_db`)
//! with the emulator; nothing here is documented by the vendor, so every word is checked and a ring that does
//! not make sense yields no lines rather than wrong ones.
//!
//! | offset | field |
//! |---|---|
//! | 0x00 | magic, the bytes `MESS` |
//! | 0x04 | address of the first byte of the ring (always header + 0x1c) |
//! | 0x08 | address behind the last byte of the ring |
//! | 0x0c | address where the next entry goes |
//! | 0x10 | address of the oldest entry |
//! | 0x14 | time of the newest entry, µs |
//!
//! An entry is: time in µs of the system timer (u32), zero (u16), size of the entry in bytes (u32, this head
//! of 12 bytes included), level (u16), text without a terminator.

use crate::ram::{RAM_SIZE, Ram};

const MAGIC: u32 = u32::from_le_bytes(*b"MESS");
const HEADER_BYTES: u32 = 0x1c;
const ENTRY_HEAD_BYTES: u32 = 12;
/// Longer than any message a firmware prints; guards against a damaged size.
const ENTRY_MAX_BYTES: u32 = 4096;
/// Where the search starts: unless `gpu_mem` says otherwise the ring sits at the top of the lowest 256 MiB.
const LIKELY: core::ops::Range<u32> = 0x0c00_0000..0x1000_0000;

/// One message of the firmware.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When it was logged: µs of the system timer.
    pub time_us: u32,
    /// The firmware's own level word.
    pub level: u16,
    /// The text, with anything that is not printable ASCII replaced by `?`.
    pub text: String,
}

/// The ring's place, found once and then reused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ring {
    header: u32,
    start: u32,
    end: u32,
}

impl Ring {
    /// Looks for the ring; `None` while the firmware has not set it up (or keeps it in another form).
    pub fn find(ram: &Ram) -> Option<Self> {
        let everywhere = (LIKELY.end..RAM_SIZE as u32).chain(0..LIKELY.start);
        LIKELY.chain(everywhere).step_by(4).find_map(|address| Self::at(ram, address))
    }

    fn at(ram: &Ram, header: u32) -> Option<Self> {
        if ram.read32(header) != MAGIC {
            return None;
        }
        let pointer = |offset| ram.read32(header + offset);
        let start = physical(pointer(0x04));
        // The end may be the first byte behind RAM's alias, whose low bits are then zero or the size of RAM.
        let end = match physical(pointer(0x08)) {
            0 => RAM_SIZE as u32,
            end => end,
        };
        let plausible = start == header + HEADER_BYTES && end > start + ENTRY_HEAD_BYTES;
        plausible.then_some(Self { header, start, end })
    }

    /// Every entry now in the ring, oldest first. Stops at the first one that makes no sense.
    pub fn lines(&self, ram: &Ram) -> Vec<Line> {
        let write = physical(ram.read32(self.header + 0x0c));
        let oldest = physical(ram.read32(self.header + 0x10));
        let inside = |address: u32| (self.start..=self.end).contains(&address);
        if !inside(write) || !inside(oldest) {
            return Vec::new();
        }
        let mut lines = Vec::new();
        let mut unread = self.distance(oldest, write);
        let mut at = oldest;
        while unread >= ENTRY_HEAD_BYTES {
            let size = u32::from_le_bytes(self.bytes(ram, self.step(at, 6)));
            if !(ENTRY_HEAD_BYTES..=ENTRY_MAX_BYTES).contains(&size) || size > unread {
                break;
            }
            let text = (ENTRY_HEAD_BYTES..size).map(|offset| ram.read8(self.step(at, offset)));
            lines.push(Line {
                time_us: u32::from_le_bytes(self.bytes(ram, at)),
                level: u16::from_le_bytes(self.bytes(ram, self.step(at, 10))),
                text: text.map(printable).collect::<String>().trim_end().to_owned(),
            });
            at = self.step(at, size);
            unread -= size;
        }
        lines
    }

    fn bytes<const N: usize>(&self, ram: &Ram, at: u32) -> [u8; N] {
        core::array::from_fn(|i| ram.read8(self.step(at, i as u32)))
    }

    /// `by` bytes further along the ring.
    fn step(&self, at: u32, by: u32) -> u32 {
        self.start + (at - self.start + by) % (self.end - self.start)
    }

    fn distance(&self, from: u32, to: u32) -> u32 {
        if to >= from { to - from } else { self.end - from + to - self.start }
    }
}

fn physical(bus_address: u32) -> u32 {
    bus_address & (RAM_SIZE as u32 - 1)
}

fn printable(byte: u8) -> char {
    match byte {
        b' '..=b'~' => byte as char,
        b'\n' | b'\r' | b'\t' | 0 => ' ',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: u32 = 0x0ffa_4150;
    const START: u32 = HEADER + HEADER_BYTES;

    fn ram_with_ring(end: u32, write: u32, oldest: u32) -> Ram {
        let mut ram = Ram::new();
        for (offset, word) in [(0, MAGIC), (4, START), (8, end), (0x0c, write), (0x10, oldest)] {
            let alias = if offset == 0 { 0 } else { 0xc000_0000 };
            ram.write32(HEADER + offset, word.wrapping_add(alias));
        }
        ram
    }

    fn entry(time: u32, text: &str) -> Vec<u8> {
        let mut bytes = time.to_le_bytes().to_vec();
        bytes.extend(0u16.to_le_bytes());
        bytes.extend((ENTRY_HEAD_BYTES + text.len() as u32).to_le_bytes());
        bytes.extend(1u16.to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    fn texts(ram: &Ram) -> Vec<String> {
        Ring::find(ram).expect("a ring").lines(ram).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn entries_come_oldest_first_with_their_time() {
        let both = [entry(2_119_282, "brfs: File read"), entry(2_119_451, "Loaded 'kernel8.img'")].concat();
        let mut ram = ram_with_ring(0x1000_0000, START + both.len() as u32, START);
        ram.write_bytes(START, &both);
        let lines = Ring::find(&ram).expect("a ring").lines(&ram);
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].time_us, lines[0].text.as_str()), (2_119_282, "brfs: File read"));
        assert_eq!((lines[1].time_us, lines[1].level), (2_119_451, 1));
    }

    #[test]
    fn an_entry_that_wraps_at_the_end_of_the_ring_is_whole() {
        let end = START + 64;
        let wrapped = entry(7, "wraps around the end");
        let oldest = end - 10;
        let mut ram = ram_with_ring(end, START + wrapped.len() as u32 - 10, oldest);
        ram.write_bytes(oldest, &wrapped[..10]);
        ram.write_bytes(START, &wrapped[10..]);
        assert_eq!(texts(&ram), ["wraps around the end"]);
    }

    #[test]
    fn a_damaged_size_ends_the_list_instead_of_inventing_lines() {
        for size in [0u32, 5, 0xffff_ffff, 5000] {
            let good = entry(1, "good");
            let mut bad = entry(2, "bad");
            bad[6..10].copy_from_slice(&size.to_le_bytes());
            let mut ram = ram_with_ring(0x1000_0000, START + (good.len() + bad.len()) as u32, START);
            ram.write_bytes(START, &[good, bad].concat());
            assert_eq!(texts(&ram), ["good"], "size {size:#x}");
        }
    }

    #[test]
    fn pointers_outside_the_ring_yield_nothing() {
        let ram = ram_with_ring(0x1000_0000, 0x0100_0000, START);
        assert!(texts(&ram).is_empty());
    }

    #[test]
    fn the_magic_in_a_string_is_not_a_ring() {
        let mut ram = Ram::new();
        ram.write_bytes(0x0ece_8560, b"MESSAGE_AVAILABLE");
        assert_eq!(Ring::find(&ram), None);
    }
}
