//! Disks that fail, lie, or are taken away.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::sync::OnceLock;

use emulator::card::{Card, CardFile};

use crate::flash::failure::{Difference, Failure};
use crate::flash::medium::{CHUNK, Medium, Reading};
use crate::flash::write::{self, Phase, Written};
use crate::interrupt::Notice;

/// What was on the disk before.
const OLD: u8 = 0xa5;
/// Its size: more than the card's.
pub const DISK: usize = 80 << 20;

/// A disk of memory.
#[derive(Debug)]
pub struct Memory {
    pub bytes: Vec<u8>,
    /// Writes that touch this place fail in this way.
    pub fails_at: Option<(u64, ErrorKind)>,
    /// This place never takes another value than it has.
    pub stuck_at: Option<usize>,
    /// Room that is really there: what is written behind it comes around to the start.
    pub room: usize,
    /// Offsets of writes, and `None` for each time that all had to be on the disk.
    pub journal: Vec<Option<u64>>,
    /// The settling, from 1 on, that fails.
    pub settle_fails: Option<usize>,
    /// Reads of this place fail while it holds something.
    pub unreadable_at: Option<usize>,
    /// How it says that it is read.
    pub reading: Reading,
}

impl Memory {
    pub fn new() -> Self {
        let bytes = vec![OLD; DISK];
        Self {
            bytes,
            fails_at: None,
            stuck_at: None,
            room: DISK,
            journal: Vec::new(),
            settle_fails: None,
            unreadable_at: None,
            reading: Reading::Direct,
        }
    }

    /// True if each place is what it says it is.
    fn is_good(&self) -> bool {
        self.room == DISK && self.stuck_at.is_none()
    }

    fn places(&self, offset: u64, length: usize) -> impl Iterator<Item = usize> + use<> {
        let room = self.room;
        (offset as usize..offset as usize + length).map(move |place| place % room)
    }

    /// What a board would make of it.
    pub fn starts_a_board(&self) -> bool {
        let card = Card::from_image(self.bytes.clone());
        card.read_file("kernel8.img").is_ok()
    }

    /// No table: not the new one, and nothing of what was there.
    pub fn has_no_table(&self) -> bool {
        self.bytes[..4096].iter().all(|byte| *byte == 0)
    }
}

impl Medium for Memory {
    fn bytes(&self) -> u64 {
        DISK as u64
    }

    fn reading(&self) -> Reading {
        self.reading
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        assert!(bytes.len() <= CHUNK && bytes.len().is_multiple_of(512) && offset.is_multiple_of(512));
        self.journal.push(Some(offset));
        if let Some((place, kind)) = self.fails_at
            && (offset..offset + bytes.len() as u64).contains(&place)
        {
            return Err(kind.into());
        }
        if self.is_good() {
            self.bytes[offset as usize..][..bytes.len()].copy_from_slice(bytes);
            return Ok(());
        }
        for (place, byte) in self.places(offset, bytes.len()).zip(bytes) {
            if self.stuck_at != Some(place) {
                self.bytes[place] = *byte;
            }
        }
        Ok(())
    }

    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let wanted = offset as usize..offset as usize + bytes.len();
        if self.unreadable_at.is_some_and(|place| wanted.contains(&place) && self.bytes[place] != 0) {
            return Err(ErrorKind::Other.into());
        }
        if self.is_good() {
            bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
            return Ok(());
        }
        for (place, byte) in self.places(offset, bytes.len()).zip(bytes) {
            *byte = self.bytes[place];
        }
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        self.journal.push(None);
        let count = self.journal.iter().filter(|entry| entry.is_none()).count();
        if self.settle_fails == Some(count) { Err(ErrorKind::Other.into()) } else { Ok(()) }
    }
}

/// A card whose last file ends in zeros.
pub fn image() -> Vec<u8> {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let kernel = (0..3_000_000u32).map(|number| (number >> 8) as u8 | 1).chain([0; 70_000]);
        Card::build(&[CardFile::new("kernel8.img", kernel.collect::<Vec<u8>>())]).unwrap().into_image()
    };
    IMAGE.get_or_init(make).clone()
}

fn flash(medium: &mut Memory) -> Result<Written, Failure> {
    write::write(medium, &image(), &Notice::default(), &mut |_, _, _| ())
}

#[test]
fn a_written_card_is_the_image_and_nothing_of_the_old_one_is_in_the_way() {
    let mut medium = Memory::new();
    let written = flash(&mut medium).unwrap();
    let read = |bytes: Vec<u8>| Card::from_image(bytes).read_file("kernel8.img").unwrap();
    assert_eq!(read(medium.bytes.clone()), read(image()));
    // Everything but free clusters, and the end of the disk.
    let used = written.bytes as usize - (1 << 20);
    assert!(used < 6 << 20 && medium.bytes[..used] == image()[..used], "{used}");
    assert!(medium.bytes[DISK - (1 << 20)..].iter().all(|byte| *byte == 0));
    assert!(medium.bytes[used..DISK - (1 << 20)].iter().all(|byte| *byte == OLD));
}

#[test]
fn the_old_table_goes_first_and_the_new_one_comes_last_each_by_itself() {
    let mut medium = Memory::new();
    flash(&mut medium).unwrap();
    let journal = &medium.journal;
    assert_eq!(journal[..2], [Some(0), None]);
    assert_eq!(journal[journal.len() - 3..], [None, Some(0), None]);
    let others = &journal[2..journal.len() - 3];
    assert!(others.iter().all(|write| write.is_some_and(|offset| offset >= 4096)), "{others:?}");
}

#[test]
fn every_piece_is_told_first_of_writing_then_of_checking() {
    let mut medium = Memory::new();
    let mut heard = Vec::new();
    let written = write::write(&mut medium, &image(), &Notice::default(), &mut |phase, done, total| {
        heard.push((phase, done, total))
    })
    .unwrap();
    let total = written.bytes - 4096;
    let checks = heard.iter().position(|(phase, ..)| *phase == Phase::Check).unwrap();
    assert!(heard[..checks].iter().all(|(phase, ..)| *phase == Phase::Write));
    assert_eq!(
        (heard[checks - 1], heard[heard.len() - 1]),
        ((Phase::Write, total, total), (Phase::Check, total, total))
    );
}

#[test]
fn a_write_that_fails_leaves_no_table_and_names_the_place() {
    for place in [4096, 1 << 20, (3 << 20) + 17, DISK as u64 - 1] {
        let mut medium = Memory::new();
        medium.fails_at = Some((place, ErrorKind::Other));
        let failure = flash(&mut medium).unwrap_err();
        let Failure::Write { offset, .. } = failure else { panic!("{failure}") };
        assert!(offset <= place && place < offset + CHUNK as u64, "{offset} for {place}");
        assert!(medium.has_no_table() && !medium.starts_a_board());
        assert!(failure.aftermath().contains("no partition table"));
    }
}

#[test]
fn a_disk_that_takes_nothing_at_all_is_told_apart() {
    let mut medium = Memory::new();
    medium.fails_at = Some((0, ErrorKind::PermissionDenied));
    let failure = flash(&mut medium).unwrap_err();
    assert!(matches!(failure, Failure::NotBegun { .. }), "{failure}");
    assert!(failure.aftermath().contains("as it was"));
    assert!(medium.bytes.iter().all(|byte| *byte == OLD));
}

#[test]
fn a_place_that_does_not_keep_what_is_written_is_named_and_the_card_gets_no_table() {
    let place = (2 << 20) + 12_345;
    let mut medium = Memory::new();
    medium.stuck_at = Some(place);
    let failure = flash(&mut medium).unwrap_err();
    let Failure::Differs(difference) = failure else { panic!("{failure}") };
    let expected = Difference { offset: place as u64, wrote: image()[place], read: OLD, at_end: false };
    assert_eq!(difference, expected);
    assert!(difference.to_string().contains("worn out"), "{difference}");
    assert!(medium.has_no_table());
}

#[test]
fn a_table_that_is_not_kept_is_found_too() {
    let mut medium = Memory::new();
    medium.stuck_at = Some(511);
    let failure = flash(&mut medium).unwrap_err();
    assert!(matches!(failure, Failure::Differs(Difference { offset: 511, .. })), "{failure}");
    assert!(!medium.starts_a_board());
}

#[test]
fn what_is_not_certain_of_the_first_sectors_is_not_claimed() {
    let after = |medium: &mut Memory| flash(medium).unwrap_err().aftermath();
    let settle = |count| after(&mut Memory { settle_fails: Some(count), ..Memory::new() });
    let (clearing, body, head) = (settle(1), settle(2), settle(3));
    assert!(clearing.contains("may or may not") && !clearing.contains("is lost"), "{clearing}");
    assert!(body.contains("no partition table now"), "{body}");
    let unreadable = after(&mut Memory { unreadable_at: Some(511), ..Memory::new() });
    let differs = after(&mut Memory { stuck_at: Some(511), ..Memory::new() });
    for head in [head, unreadable, differs] {
        assert!(head.contains("may or may not") && !head.contains("no partition table now"), "{head}");
    }
}

/// The end of such a disk is another name for a place that the card uses.
#[test]
fn a_disk_with_less_room_than_it_claims_is_found_out_at_its_end() {
    let mut medium = Memory::new();
    medium.room = DISK - (2 << 20);
    let failure = flash(&mut medium).unwrap_err();
    let Failure::Differs(difference) = failure else { panic!("{failure}") };
    assert!(difference.at_end && difference.to_string().contains("less room than it claims"), "{difference}");
    assert!(medium.has_no_table());
}

#[test]
fn an_interrupt_at_any_piece_ends_without_a_table() {
    let pieces = {
        let count = Rc::new(Cell::new(0));
        let heard = Rc::clone(&count);
        let mut medium = Memory::new();
        write::write(&mut medium, &image(), &Notice::default(), &mut move |_, _, _| {
            heard.set(heard.get() + 1)
        })
        .unwrap();
        count.get()
    };
    for stop in 1..=pieces {
        let notice = Notice::default();
        let (mut medium, mut count) = (Memory::new(), 0);
        let failure = write::write(&mut medium, &image(), &notice, &mut |_, _, _| {
            count += 1;
            if count == stop {
                notice.interrupt();
            }
        });
        let failure = failure.unwrap_err();
        assert!(matches!(failure, Failure::Interrupted(_)), "piece {stop} of {pieces}: {failure}");
        assert!(medium.has_no_table(), "piece {stop} of {pieces}");
        assert!(failure.aftermath().contains("The same command"));
    }
}
