//! The SD card: one FAT16 partition behind a master boot record, and the files in it.
//!
//! The image that `run` boots is byte for byte the one that `sdcard` writes, so it holds nothing that changes
//! from one build to the next: fixed time stamps, fixed volume id, files in the order they are given.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use mbrman::{BOOT_ACTIVE, CHS, MBR, MBRPartitionEntry};

/// Bytes of a sector.
pub const SECTOR_SIZE: usize = 512;
/// Bytes of an image made by [`Card::build`]: 64 MiB, a power of two because QEMU accepts no other size.
pub const CARD_SIZE: usize = 64 << 20;

/// First sector of the partition: 1 MiB, where partitioning tools put it.
const PARTITION_START: u32 = 2048;
/// Partition type "FAT16, addressed by sector", one of those the boot ROM looks for.
const PARTITION_TYPE_FAT16: u8 = 0x0e;
/// Partition types that hold a FAT file system: FAT12, FAT16 (three kinds) and FAT32 (two).
const FAT_PARTITION_TYPES: [u8; 6] = [0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e];
/// 4 KiB clusters give 16,128 of them, well inside what makes a file system FAT16 (4,085 to 65,524).
const BYTES_PER_CLUSTER: u32 = 4096;
/// The names by which the partition and the volume can be recognised; their value means nothing.
const DISK_SIGNATURE: [u8; 4] = *b"VCIV";
const VOLUME_ID: u32 = 0x5643_4956;
const VOLUME_LABEL: [u8; 11] = *b"BOOT       ";

/// Why a card cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The image ends before the first partition does.
    #[error("the card image has {bytes} bytes, too few for a partition table and a partition")]
    TooSmall {
        /// Length of the image.
        bytes: usize,
    },
    /// Sector 0 has no signature 0x55 0xaa.
    #[error("sector 0 of the card holds no partition table")]
    NoPartitionTable,
    /// None of the four primary partitions has a FAT type and lies within the image.
    #[error("the card has no FAT partition")]
    NoFatPartition,
    /// The partition is marked FAT but holds no usable FAT file system.
    #[error("the card's FAT partition cannot be read: {0}")]
    BadFileSystem(io::Error),
    /// The file is not in the root directory of the partition.
    #[error("the card has no file {name}")]
    NoSuchFile {
        /// The name asked for.
        name: String,
    },
    /// A file could not be read or written, for instance because the card is full.
    #[error("file {name} of the card: {error}")]
    File {
        /// Name of the file.
        name: String,
        /// What the file system said.
        error: io::Error,
    },
}

/// A file for the root directory of the card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardFile {
    /// Name within the root directory.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

impl CardFile {
    /// A file with the given name and content.
    pub fn new(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), content: content.into() }
    }
}

/// An SD card: the bytes of all its sectors.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    image: Vec<u8>,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Card").field("bytes", &self.image.len()).finish()
    }
}

impl Card {
    /// Takes over an image of a whole card, as read from a device or a file. Nothing is checked yet.
    pub fn from_image(image: Vec<u8>) -> Self {
        Self { image }
    }

    /// Makes a card of [`CARD_SIZE`] bytes with these files. The same files give the same bytes.
    ///
    /// # Errors
    /// [`CardError::File`] if a file has no acceptable name or does not fit.
    pub fn build(files: &[CardFile]) -> Result<Self, CardError> {
        let mut image = vec![0; CARD_SIZE];
        write_partition_table(&mut image).map_err(CardError::BadFileSystem)?;
        let partition = &mut image[PARTITION_START as usize * SECTOR_SIZE..];
        format_partition(partition).map_err(CardError::BadFileSystem)?;
        write_files(partition, files)?;
        Ok(Self { image })
    }

    /// All sectors of the card.
    pub fn image(&self) -> &[u8] {
        &self.image
    }

    /// Gives the sectors away.
    pub fn into_image(self) -> Vec<u8> {
        self.image
    }

    /// Reads a file of the root directory of the first FAT partition, ignoring case, as the boot ROM and
    /// `bootcode.bin` do.
    ///
    /// # Errors
    /// Every [`CardError`] but [`CardError::TooSmall`] of a card that lacks a step on the way to the file.
    pub fn read_file(&self, name: &str) -> Result<Vec<u8>, CardError> {
        let partition = ReadOnly::new(self.fat_partition()?);
        let file_system = FileSystem::new(partition, FsOptions::new()).map_err(CardError::BadFileSystem)?;
        let mut file = file_system.root_dir().open_file(name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CardError::NoSuchFile { name: name.into() },
            _ => CardError::File { name: name.into(), error },
        })?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(|error| CardError::File { name: name.into(), error })?;
        Ok(content)
    }

    /// The bytes of the first partition that has a FAT type.
    fn fat_partition(&self) -> Result<&[u8], CardError> {
        let bytes = self.image.len();
        if bytes < 2 * SECTOR_SIZE {
            return Err(CardError::TooSmall { bytes });
        }
        let table = &self.image[446..SECTOR_SIZE];
        if table[64..] != [0x55, 0xaa] {
            return Err(CardError::NoPartitionTable);
        }
        table[..64]
            .chunks_exact(16)
            .filter(|entry| FAT_PARTITION_TYPES.contains(&entry[4]))
            .find_map(|entry| self.sectors(word(&entry[8..]), word(&entry[12..])))
            .ok_or(CardError::NoFatPartition)
    }

    /// `count` sectors from `first` on, if the card has them all.
    fn sectors(&self, first: u32, count: u32) -> Option<&[u8]> {
        let start = (first as usize).checked_mul(SECTOR_SIZE)?;
        let end = start.checked_add((count as usize).checked_mul(SECTOR_SIZE)?)?;
        self.image.get(start..end).filter(|sectors| !sectors.is_empty())
    }
}

/// A little-endian word at the start of `bytes`, which are at least four.
fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn write_partition_table(image: &mut [u8]) -> io::Result<()> {
    let sectors = (image.len() / SECTOR_SIZE) as u32 - PARTITION_START;
    let mut disk = Cursor::new(image);
    let mut table = MBR::new_from(&mut disk, SECTOR_SIZE as u32, DISK_SIGNATURE).map_err(io::Error::other)?;
    table[1] = MBRPartitionEntry {
        boot: BOOT_ACTIVE,
        first_chs: CHS::empty(),
        sys: PARTITION_TYPE_FAT16,
        last_chs: CHS::empty(),
        starting_lba: PARTITION_START,
        sectors,
    };
    table.write_into(&mut disk).map_err(io::Error::other)
}

fn format_partition(partition: &mut [u8]) -> io::Result<()> {
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat16)
        .bytes_per_cluster(BYTES_PER_CLUSTER)
        .volume_id(VOLUME_ID)
        .volume_label(VOLUME_LABEL);
    fatfs::format_volume(Cursor::new(partition), options)
}

fn write_files(partition: &mut [u8], files: &[CardFile]) -> Result<(), CardError> {
    let options = FsOptions::new().time_provider(&FIXED_TIME);
    let file_system = FileSystem::new(Cursor::new(partition), options).map_err(CardError::BadFileSystem)?;
    for file in files {
        let failed = |error| CardError::File { name: file.name.clone(), error };
        let mut entry = file_system.root_dir().create_file(&file.name).map_err(failed)?;
        entry.truncate().map_err(failed)?;
        entry.write_all(&file.content).map_err(failed)?;
        entry.flush().map_err(failed)?;
    }
    file_system.unmount().map_err(CardError::BadFileSystem)
}

/// Every file is as old as FAT can tell.
#[derive(Debug)]
struct FixedTime;

static FIXED_TIME: FixedTime = FixedTime;

impl fatfs::TimeProvider for FixedTime {
    fn get_current_date(&self) -> fatfs::Date {
        fatfs::Date { year: 1980, month: 1, day: 1 }
    }

    fn get_current_date_time(&self) -> fatfs::DateTime {
        let time = fatfs::Time { hour: 0, min: 0, sec: 0, millis: 0 };
        fatfs::DateTime { date: self.get_current_date(), time }
    }
}

/// Lets a borrowed, immutable partition be mounted: reading never writes, and a write is refused.
///
/// A damaged FAT can lead in circles. Reading one file takes less than the partition holds, so whoever has read it
/// twice over gets an error.
struct ReadOnly<'a> {
    partition: Cursor<&'a [u8]>,
    bytes_left: usize,
}

impl<'a> ReadOnly<'a> {
    fn new(partition: &'a [u8]) -> Self {
        Self { bytes_left: 2 * partition.len(), partition: Cursor::new(partition) }
    }
}

impl Read for ReadOnly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.partition.read(buffer)?;
        self.bytes_left = self
            .bytes_left
            .checked_sub(read)
            .ok_or_else(|| io::Error::other("the file allocation table leads in circles"))?;
        Ok(read)
    }
}

impl Seek for ReadOnly<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.partition.seek(position)
    }
}

impl Write for ReadOnly<'_> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<CardFile> {
        let large: Vec<u8> = (0..3_000_001u32).map(|i| ((i * 7) >> 3) as u8).collect();
        vec![
            CardFile::new("config.txt", *b"arm_64bit=1\n"),
            CardFile::new("start_db.elf", large),
            CardFile::new("empty", []),
        ]
    }

    #[test]
    fn a_built_card_gives_its_files_back_whatever_the_case_of_the_name() {
        let card = Card::build(&sample()).unwrap();
        for file in sample() {
            assert_eq!(card.read_file(&file.name).unwrap(), file.content, "{}", file.name);
        }
        assert_eq!(card.read_file("CONFIG.TXT").unwrap(), b"arm_64bit=1\n");
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        assert!(Card::build(&sample()).unwrap().image() == Card::build(&sample()).unwrap().image());
    }

    /// The time of day, a random volume id, the host's clock: nothing of that may get into an image.
    #[test]
    fn volume_and_files_carry_fixed_marks_and_no_time_of_their_making() {
        let image = Card::build(&sample()).unwrap().into_image();
        let partition = &image[PARTITION_START as usize * SECTOR_SIZE..];
        assert_eq!(image[440..444], DISK_SIGNATURE);
        assert_eq!(
            (&partition[39..43], &partition[43..54]),
            (&VOLUME_ID.to_le_bytes()[..], &VOLUME_LABEL[..])
        );
        let short = |at: usize| usize::from(u16::from_le_bytes([partition[at], partition[at + 1]]));
        let directory = (short(14) + usize::from(partition[16]) * short(22)) * SECTOR_SIZE;
        let entries: Vec<&[u8]> =
            partition[directory..].chunks_exact(32).take_while(|entry| entry[0] != 0).collect();
        let files = entries.iter().filter(|entry| entry[11] & 0x18 == 0);
        // 1 January 1980 is year 0, month 1, day 1; tenths and time of day are 0.
        let (date, midnight) = ([0x21, 0], [0; 2]);
        let mut count = 0;
        for file in files {
            assert_eq!((file[13], &file[14..16], &file[16..18]), (0, &midnight[..], &date[..]), "made");
            assert_eq!(file[18..20], date, "read");
            assert_eq!((&file[22..24], &file[24..26]), (&midnight[..], &date[..]), "changed");
            count += 1;
        }
        assert_eq!(count, sample().len());
    }

    #[test]
    fn an_eight_three_name_is_found_by_a_reader_without_long_names() {
        let card =
            Card::build(&[CardFile::new("start.elf", *b"x"), CardFile::new("kernel8.img", *b"y")]).unwrap();
        let image = card.image();
        for short in [b"START   ELF", b"KERNEL8 IMG"] {
            assert!(image.windows(11).take(4 << 20).any(|window| window == short), "{short:?}");
        }
    }

    #[test]
    fn a_card_that_is_full_is_an_error() {
        let too_large = CardFile::new("large", vec![1; CARD_SIZE]);
        assert!(matches!(Card::build(&[too_large]), Err(CardError::File { .. })));
    }

    #[test]
    fn each_missing_step_towards_a_file_has_its_own_error() {
        let read = |image: Vec<u8>| Card::from_image(image).read_file("start.elf");
        assert!(matches!(read(vec![]), Err(CardError::TooSmall { bytes: 0 })));
        assert!(matches!(read(vec![0; 1 << 20]), Err(CardError::NoPartitionTable)));

        let good = Card::build(&sample()).unwrap().into_image();
        assert!(matches!(read(good.clone()), Err(CardError::NoSuchFile { .. })));

        let mut no_fat = good.clone();
        no_fat[446 + 4] = 0x83;
        assert!(matches!(read(no_fat), Err(CardError::NoFatPartition)));

        let mut beyond_the_end = good.clone();
        beyond_the_end.truncate(CARD_SIZE / 2);
        assert!(matches!(read(beyond_the_end), Err(CardError::NoFatPartition)));

        let mut not_formatted = good;
        not_formatted[PARTITION_START as usize * SECTOR_SIZE..].fill(0);
        assert!(matches!(read(not_formatted), Err(CardError::BadFileSystem(_))));
    }

    /// A card with one file of two clusters, the second of which is followed by the first, and a size to match.
    #[test]
    fn a_file_that_leads_in_circles_is_an_error() {
        let content = [7; 2 * BYTES_PER_CLUSTER as usize];
        let mut image = Card::build(&[CardFile::new("LOOP.BIN", content)]).unwrap().into_image();
        let fat = image.windows(4).position(|bytes| bytes == [0xf8, 0xff, 0xff, 0xff]).unwrap();
        let entry = image.windows(11).position(|bytes| bytes == b"LOOP    BIN").unwrap();
        let first = u16::from_le_bytes([image[entry + 26], image[entry + 27]]);
        let second = fat + 2 * usize::from(first) + 2;
        image[second..second + 2].copy_from_slice(&first.to_le_bytes());
        image[entry + 28..entry + 32].copy_from_slice(&0x4000_0000u32.to_le_bytes());
        let read = Card::from_image(image).read_file("LOOP.BIN");
        assert!(matches!(read, Err(CardError::File { .. })));
    }

    #[test]
    fn a_damaged_card_is_an_error_or_another_file_but_never_a_panic() {
        let mut card = Card::build(&[CardFile::new("config.txt", *b"arm_64bit=1\n")]).unwrap();
        let partition = PARTITION_START as usize * SECTOR_SIZE;
        let directory = card.image.windows(11).position(|bytes| bytes == b"CONFIG  TXT").unwrap();
        // The boot sector's fields, the start of the FAT, the directory's entries.
        let places = (partition..partition + 64)
            .chain(partition + SECTOR_SIZE..partition + SECTOR_SIZE + 16)
            .chain(directory - 64..directory + 32);
        let mut errors = 0;
        for at in places {
            let good = card.image[at];
            for bad in [0, 1, 2, 3, 0x7f, 0x80, 0xff, !good] {
                card.image[at] = bad;
                errors += u32::from(card.read_file("config.txt").is_err());
            }
            card.image[at] = good;
        }
        assert!(errors > 0);
        assert!(card.read_file("config.txt").is_ok());
        assert!(card.read_file("").is_err());
    }
}
