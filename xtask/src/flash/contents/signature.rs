//! File systems and other uses of a disk, told by bytes at fixed places. Kinds have the names that blkid gives them.
//!
//! Those that a card or stick is likely to hold; udev knows the others. Places are from the kernel's headers of each file
//! system, from the FAT and exFAT specifications, and from the on-disk formats of LVM, LUKS and md.

use super::view::View;

/// What a disk or partition holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// blkid's name of the kind.
    pub kind: String,
    /// The name that its owner gave it.
    pub label: Option<String>,
}

impl Signature {
    /// Of its parts; a label alone is none.
    pub fn of(kind: Option<String>, label: Option<String>) -> Option<Self> {
        Some(Self { kind: kind?, label })
    }

    /// Kind and label.
    pub fn parts(found: Option<Self>) -> (Option<String>, Option<String>) {
        found.map_or((None, None), |found| (Some(found.kind), found.label))
    }
}

/// A kind that one place tells.
struct Magic {
    kind: &'static str,
    at: u64,
    bytes: &'static [u8],
    /// Place and length of the label.
    label: Option<(u64, usize)>,
}

const fn magic(kind: &'static str, at: u64, bytes: &'static [u8], label: Option<(u64, usize)>) -> Magic {
    Magic { kind, at, bytes, label }
}

const MAGICS: &[Magic] = &[
    magic("crypto_LUKS", 0, b"LUKS\xba\xbe\x00\x02", Some((24, 48))),
    magic("crypto_LUKS", 0, b"LUKS\xba\xbe", None),
    magic("BitLocker", 3, b"-FVE-FS-", None),
    magic("ntfs", 3, b"NTFS    ", None),
    magic("xfs", 0, b"XFSB", Some((108, 12))),
    magic("btrfs", 0x1_0040, b"_BHRfS_M", Some((0x1_012b, 256))),
    magic("apfs", 32, b"NXSB", None),
    magic("hfsplus", 1024, b"H+", None),
    magic("hfsplus", 1024, b"HX", None),
    magic("squashfs", 0, b"hsqs", None),
    magic("swap", 4086, b"SWAPSPACE2", Some((1052, 16))),
    magic("swap", 0x1_0000 - 10, b"SWAPSPACE2", Some((1052, 16))),
    magic("iso9660", 0x8001, b"CD001", Some((0x8028, 32))),
    magic("udf", 0x8001, b"BEA01", None),
];

/// Recognises what is there.
pub fn signature(view: View<'_>) -> Option<Signature> {
    // What takes the whole disk for a part of something larger comes first: what it holds is that one's business.
    raid(view).or_else(|| lvm(view)).or_else(|| by_magic(view)).or_else(|| file_system(view))
}

/// Those whose first sector is one that a boot ROM could start: it may end like a partition table without being one.
pub fn has_boot_sector(kind: &str) -> bool {
    matches!(kind, "vfat" | "exfat" | "ntfs" | "BitLocker")
}

fn found(kind: &str, label: Option<String>) -> Option<Signature> {
    Some(Signature { kind: kind.to_owned(), label })
}

fn by_magic(view: View<'_>) -> Option<Signature> {
    let magic = MAGICS.iter().find(|magic| view.has(magic.at, magic.bytes))?;
    found(magic.kind, magic.label.and_then(|(at, length)| text(view.read(at, length)?)))
}

fn file_system(view: View<'_>) -> Option<Signature> {
    ext(view).or_else(|| f2fs(view)).or_else(|| exfat(view)).or_else(|| fat(view))
}

/// Up to the first NUL, without blanks around it.
fn text(bytes: Vec<u8>) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(&bytes[..end]).trim().to_owned();
    Some(text).filter(|text| !text.is_empty())
}

fn wide_text(bytes: &[u8]) -> Option<String> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    Some(String::from_utf16_lossy(&units[..end])).filter(|text| !text.is_empty())
}

/// The superblock is 1024 bytes in. Which of the three it is, its features tell.
fn ext(view: View<'_>) -> Option<Signature> {
    const SUPERBLOCK: u64 = 1024;
    const HAS_JOURNAL: u64 = 0x4;
    /// Extents, 64 bit, flexible block groups.
    const OF_EXT4: u64 = 0x40 | 0x80 | 0x200;
    if !view.has(SUPERBLOCK + 0x38, &[0x53, 0xef]) {
        return None;
    }
    let compatible = view.number(SUPERBLOCK + 0x5c, 4)?;
    let incompatible = view.number(SUPERBLOCK + 0x60, 4)?;
    let kind = match () {
        () if incompatible & OF_EXT4 != 0 => "ext4",
        () if compatible & HAS_JOURNAL != 0 => "ext3",
        () => "ext2",
    };
    found(kind, text(view.read(SUPERBLOCK + 0x78, 16)?))
}

fn f2fs(view: View<'_>) -> Option<Signature> {
    const SUPERBLOCK: u64 = 1024;
    if !view.has(SUPERBLOCK, &[0x10, 0x20, 0xf5, 0xf2]) {
        return None;
    }
    found("f2fs", wide_text(&view.read(SUPERBLOCK + 0x7c, 1024)?))
}

/// The label is an entry of the root directory; it is looked for in its first cluster.
fn exfat(view: View<'_>) -> Option<Signature> {
    const LABEL: u8 = 0x83;
    if !view.has(3, b"EXFAT   ") {
        return None;
    }
    let label = || {
        let (sector, cluster) = (view.number(108, 1)?, view.number(109, 1)?);
        let heap = view.number(88, 4)?.checked_shl(u32::try_from(sector).ok()?)?;
        let index = view.number(96, 4)?.checked_sub(2)?;
        let shift = u32::try_from(sector + cluster).ok().filter(|shift| *shift <= 25)?;
        let root = view.read(heap.checked_add(index << shift)?, 512)?;
        let entry = root.chunks_exact(32).find(|entry| entry[0] == LABEL)?;
        wide_text(entry.get(2..2 + 2 * usize::from(entry[1]))?)
    };
    found("exfat", label())
}

fn fat(view: View<'_>) -> Option<Signature> {
    let sector = view.read(0, 512)?;
    let short = |at: usize| u16::from_le_bytes([sector[at], sector[at + 1]]);
    let is_fat = sector[510..] == [0x55, 0xaa]
        && matches!(sector[0], 0xeb | 0xe9)
        && matches!(short(11), 512 | 1024 | 2048 | 4096)
        && sector[13].is_power_of_two()
        && short(14) != 0
        && matches!(sector[16], 1 | 2)
        && sector[21] >= 0xf0;
    if !is_fat {
        return None;
    }
    // FAT32 has no 16-bit length of its tables, and its label elsewhere. 0x29 says that there is one.
    let extended = if short(22) == 0 { 66 } else { 38 };
    let label = (sector[extended] == 0x29)
        .then(|| text(sector[extended + 5..extended + 16].to_vec()))
        .flatten()
        .filter(|label| label != "NO NAME");
    found("vfat", label)
}

/// A label in one of the first four sectors.
fn lvm(view: View<'_>) -> Option<Signature> {
    let is_label = |at: &u64| view.has(*at, b"LABELONE") && view.has(at + 24, b"LVM2 001");
    [0, 512, 1024, 1536].iter().find(|at| is_label(at)).and_then(|_| found("LVM2_member", None))
}

/// md keeps its superblock at the start, 4 KiB in, or near the end in two ways.
fn raid(view: View<'_>) -> Option<Signature> {
    const MAGIC: [u8; 4] = [0xfc, 0x4e, 0x2b, 0xa9];
    const KIND: &str = "linux_raid_member";
    let near_end = (view.bytes() / 512).saturating_sub(16) / 8 * 8 * 512;
    for at in [0, 4096, near_end] {
        if view.has(at, &MAGIC) && view.number(at + 4, 4) == Some(1) {
            return found(KIND, text(view.read(at + 32, 32)?));
        }
    }
    let of_old = (view.bytes() & !0xffff).saturating_sub(0x1_0000);
    if view.has(of_old, &MAGIC) && view.number(of_old + 4, 4) == Some(0) { found(KIND, None) } else { None }
}
