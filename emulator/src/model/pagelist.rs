//! Pagelists: the Arm's memory as a bulk transfer names it (VCHIQ fact sheet 7.1 and 7.2).

use super::board::Board;

const PAGE: u32 = 4096;
/// Bytes of a cache line, as firmware without a device tree has it.
pub(super) const LINE: u32 = 32;
/// The longest transfer that is taken for one.
const LONGEST: u32 = 16 << 20;
const HEADER: u32 = 8;
/// A kind from here on names an entry of the fragments pool.
const FIRST_FRAGMENT: u32 = 2;

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// To VideoCore.
    Write,
    /// From VideoCore, all of it to the pages.
    Read,
    /// From VideoCore; the bytes beside the whole lines go to this entry of the fragments pool.
    ReadWithFragment(u32),
}

/// Consecutive bytes, by bus address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    address: u32,
    length: u32,
}

/// A checked pagelist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PageList {
    pub(super) kind: Kind,
    /// Of the first byte in its page.
    offset: u32,
    runs: Vec<Run>,
}

/// The fragments pool that the Arm advertises in slot zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pool {
    pub(super) address: u32,
    pub(super) entries: u32,
}

impl Pool {
    /// Bus address of an entry's head buffer; its tail buffer is a line further on.
    pub(super) fn entry(self, number: u32) -> u32 {
        self.address.wrapping_add(number * 2 * LINE)
    }
}

/// The bytes before the first whole line and behind the last, of `actual` bytes from `offset` on.
pub(super) fn edges(offset: u32, actual: u32) -> (u32, u32) {
    let head = ((LINE - offset % LINE) % LINE).min(actual);
    let tail = if head < actual { (offset + actual) % LINE } else { 0 };
    (head, tail)
}

impl PageList {
    /// Reads the list at a bus address, or says what is wrong with it. The message told `size` bytes.
    pub(super) fn load(board: &Board<'_>, address: u32, size: u32, pool: Pool) -> Result<Self, String> {
        let (length, second) = (board.load(address), board.load(address.wrapping_add(4)));
        let (kind, offset) = (second & 0xffff, second >> 16);
        if length != size || length == 0 || length > LONGEST {
            return Err(format!("pagelist of {length} bytes for a transfer of {size}"));
        }
        if offset >= PAGE {
            return Err(format!("pagelist with an offset of {offset:#x}"));
        }
        let kind = match kind {
            0 => Kind::Write,
            1 => Kind::Read,
            kind if kind - FIRST_FRAGMENT < pool.entries => Kind::ReadWithFragment(kind - FIRST_FRAGMENT),
            kind => return Err(format!("pagelist of kind {kind}")),
        };
        let runs = runs(board, address.wrapping_add(HEADER), offset, length)?;
        Ok(Self { kind, offset, runs })
    }

    /// All bytes.
    pub(super) fn read(&self, board: &Board<'_>) -> Vec<u8> {
        let bytes = |run: &Run| board.load_bytes(run.address, run.length as usize);
        self.runs.iter().flat_map(bytes).collect()
    }

    /// Writes whole lines to the pages, and what lies beside them to the head and the tail buffer at `fragment`;
    /// without one, everything to the pages.
    pub(super) fn write(&self, board: &mut Board<'_>, bytes: &[u8], fragment: Option<u32>) {
        let actual = bytes.len() as u32;
        let (head, tail) = if fragment.is_some() { edges(self.offset, actual) } else { (0, 0) };
        let middle = head..actual - tail;
        if let Some(fragment) = fragment {
            board.store_bytes(fragment, &bytes[..head as usize]);
            board.store_bytes(fragment.wrapping_add(LINE), &bytes[middle.end as usize..]);
        }
        let mut at = 0;
        for Run { address, length } in &self.runs {
            let (start, end) = (middle.start.max(at), middle.end.min(at + length));
            if start < end {
                board.store_bytes(address.wrapping_add(start - at), &bytes[start as usize..end as usize]);
            }
            at += length;
        }
    }

    /// Bus address of the byte behind the last.
    pub(super) fn end(&self) -> u32 {
        self.runs.last().map_or(0, |run| run.address.wrapping_add(run.length))
    }
}

/// The runs of classic entries: a bus address, and the pages less one in its low bits.
fn runs(board: &Board<'_>, entries: u32, offset: u32, length: u32) -> Result<Vec<Run>, String> {
    let mut runs = Vec::new();
    let (mut rest, mut entry, mut skip) = (length, entries, offset);
    while rest > 0 {
        let word = board.load(entry);
        let pages = (word & (PAGE - 1)) + 1;
        let here = (pages * PAGE - skip).min(rest);
        if (skip + here).div_ceil(PAGE) != pages {
            return Err(format!("pagelist entry {word:#010x} has pages beyond the length"));
        }
        runs.push(Run { address: (word & !(PAGE - 1)).wrapping_add(skip), length: here });
        (rest, entry, skip) = (rest - here, entry.wrapping_add(4), 0);
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_those_of_the_worked_example() {
        assert_eq!(edges(0x14, 100), (12, 24));
        assert_eq!(edges(0x14, 5), (5, 0));
        assert_eq!(edges(0x40, 5), (0, 5));
        assert_eq!(edges(0x40, 128), (0, 0));
    }

    #[test]
    fn entries_of_the_pool_are_two_lines_apart() {
        let pool = Pool { address: 0xc013_0000, entries: 64 };
        assert_eq!((pool.entry(0), pool.entry(3)), (0xc013_0000, 0xc013_00c0));
    }
}
