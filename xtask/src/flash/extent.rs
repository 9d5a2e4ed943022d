//! How much of a card image has to be written: free clusters at the end of its file system need not be.

use emulator::card::SECTOR_SIZE;

/// Bytes from the start of the image that hold everything that a reader of it looks at. What is not understood counts
/// as used: then it is the whole image.
pub fn used(image: &[u8]) -> usize {
    let end = used_by_fat16(image).unwrap_or(image.len());
    end.min(image.len())
}

/// The end of the last cluster in use, if the image is a table with one FAT16 partition that reaches to its end.
fn used_by_fat16(image: &[u8]) -> Option<usize> {
    const TYPES: [u8; 3] = [0x04, 0x06, 0x0e];
    let table = image.get(446..SECTOR_SIZE)?;
    let (first, others) = table.get(..64)?.split_at(16);
    if table.get(64..)? != [0x55, 0xaa] || others.iter().any(|byte| *byte != 0) || !TYPES.contains(&first[4])
    {
        return None;
    }
    let start = sectors(long(first, 8)?)?;
    let partition = image.get(start..)?;
    if sectors(long(first, 12)?)? != partition.len() {
        return None;
    }
    let file_system = Fat16::parse(partition)?;
    let fat = partition.get(file_system.fat..file_system.fat.checked_add(2 * file_system.entries)?)?;
    let last = fat.chunks_exact(2).rposition(|entry| entry != [0, 0])?;
    // The first two entries stand for no cluster.
    let clusters = last.saturating_sub(1);
    start.checked_add(file_system.data)?.checked_add(clusters.checked_mul(file_system.cluster)?)
}

/// Where things are in a FAT16 partition, in bytes.
struct Fat16 {
    /// The first allocation table.
    fat: usize,
    /// Entries in it.
    entries: usize,
    /// The first cluster.
    data: usize,
    /// A cluster's size.
    cluster: usize,
}

impl Fat16 {
    fn parse(partition: &[u8]) -> Option<Self> {
        /// So many clusters make a FAT16.
        const CLUSTERS: std::ops::RangeInclusive<usize> = 4085..=65_524;
        if usize::from(short(partition, 11)?) != SECTOR_SIZE {
            return None;
        }
        let cluster = sectors(u32::from(*partition.get(13)?)).filter(|bytes| *bytes > 0)?;
        let fat = sectors(u32::from(short(partition, 14)?))?;
        let fat_bytes = sectors(u32::from(short(partition, 22)?)).filter(|bytes| *bytes > 0)?;
        let root = 32 * usize::from(short(partition, 17)?);
        let data =
            fat_bytes.checked_mul(usize::from(*partition.get(16)?))?.checked_add(fat)?.checked_add(root)?;
        let clusters = partition.len().checked_sub(data)? / cluster;
        let entries = clusters + 2;
        let is_fat16 = CLUSTERS.contains(&clusters) && root % SECTOR_SIZE == 0 && 2 * entries <= fat_bytes;
        is_fat16.then_some(Self { fat, entries, data, cluster })
    }
}

fn sectors(count: u32) -> Option<usize> {
    (count as usize).checked_mul(SECTOR_SIZE)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use emulator::card::{Card, CardFile};

    use super::*;

    fn image(files: &[CardFile]) -> Vec<u8> {
        Card::build(files).unwrap().into_image()
    }

    /// What a card gives back whose other parts were full of something else before.
    fn survives(image: &[u8], name: &str) -> bool {
        let mut card = vec![0xa5; image.len()];
        card[..used(image)].copy_from_slice(&image[..used(image)]);
        Card::from_image(card).read_file(name).unwrap()
            == Card::from_image(image.to_vec()).read_file(name).unwrap()
    }

    #[test]
    fn files_that_are_zeros_to_their_end_are_used() {
        let image = image(&[CardFile::new("first", [1; 100]), CardFile::new("zeros", vec![0; 3 << 20])]);
        assert!((4 << 20..6 << 20).contains(&used(&image)), "{}", used(&image));
        assert!(survives(&image, "zeros") && survives(&image, "first"));
    }

    #[test]
    fn the_last_cluster_is_within_what_is_used_and_nothing_behind_it() {
        for bytes in [1, 4096, 4097] {
            let image = image(&[CardFile::new("file", vec![7; bytes])]);
            let end = used(&image);
            assert!(image[end..].iter().all(|byte| *byte == 0));
            assert!(survives(&image, "file"));
            let last = image.iter().rposition(|byte| *byte == 7).unwrap();
            assert!((last + 1..=last + 4096).contains(&end), "{bytes}: {end} behind {last}");
        }
    }

    #[test]
    fn a_card_without_files_keeps_its_tables() {
        let image = image(&[]);
        let end = used(&image);
        assert!(end > 1 << 20 && end < 2 << 20, "{end}");
        assert!(survives(&super::tests::image(&[CardFile::new("a", [])]), "a"));
    }

    #[test]
    fn what_is_not_understood_is_used() {
        let good = image(&[CardFile::new("file", [7; 100])]);
        assert!(used(&good) < good.len());
        for (place, byte) in [(510, 0), (450, 0x0c), (466, 1), (458, 0x7f), (454, 0xff)] {
            let mut other = good.clone();
            other[place] = byte;
            assert_eq!(used(&other), other.len(), "{place}");
        }
        for place in (1 << 20)..(1 << 20) + 40 {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut other = good.clone();
                other[place] = byte;
                assert!(used(&other) <= other.len());
            }
        }
        assert_eq!(used(&[]), 0);
        assert_eq!(used(&[0x55; 600]), 600);
    }
}
