//! Why a disk is not written. What cannot be undone is refused, with the words for what to do instead.

use std::fmt;
use std::path::PathBuf;

use super::disks::{Bus, Disk, size};
use super::in_use::{InUse, Use};

/// No card is larger: SDXC ends here.
const LARGEST_CARD: u64 = 2 << 40;
/// The sectors that the card's partition table and file system count in.
const SECTOR: u64 = 512;

/// Lifts [`Refusal::NotACard`], and nothing else.
pub const OVERRIDE: &str = "--dangerously-write-fixed-disk";

/// A reason not to write a disk. The order is that in which they are looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It is no disk of its own.
    MadeOf(Vec<String>),
    /// A kind of device that no board reads.
    Kind(&'static str),
    /// The system runs from it.
    System(InUse),
    /// A reader without a card.
    NoMedium,
    /// Somebody uses it.
    InUse(Vec<InUse>),
    /// It refuses to be written.
    ReadOnly,
    /// Its sectors are of another size.
    Sectors(u64),
    /// The card does not fit.
    TooSmall {
        /// What it has.
        bytes: u64,
        /// What the card needs.
        needed: u64,
    },
    /// It can be written, but it does not look like a card.
    NotACard(Doubt),
}

/// Why a disk may be something else than a card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// What is seen.
    what: &'static str,
    /// What that probably means.
    so: &'static str,
}

/// The first reason not to write `needed` bytes to this disk.
pub fn refusal(disk: &Disk, uses: &[InUse], needed: u64, fixed_disk: bool) -> Option<Refusal> {
    if !disk.made_of.is_empty() {
        return Some(Refusal::MadeOf(disk.made_of.clone()));
    }
    if let Some(kind) = odd_kind(disk) {
        return Some(Refusal::Kind(kind));
    }
    if let Some(system) = uses.iter().find(|used| used.is_system()) {
        return Some(Refusal::System(system.clone()));
    }
    if disk.bytes == 0 {
        return Some(Refusal::NoMedium);
    }
    if !uses.is_empty() {
        return Some(Refusal::InUse(uses.to_vec()));
    }
    if disk.read_only {
        return Some(Refusal::ReadOnly);
    }
    if disk.sector_bytes != SECTOR {
        return Some(Refusal::Sectors(disk.sector_bytes));
    }
    if disk.bytes < needed {
        return Some(Refusal::TooSmall { bytes: disk.bytes, needed });
    }
    not_a_card(disk).filter(|_| !fixed_disk).map(Refusal::NotACard)
}

fn odd_kind(disk: &Disk) -> Option<&'static str> {
    let starts =
        |start| disk.name.strip_prefix(start).is_some_and(|rest: &str| rest.starts_with(char::is_numeric));
    match () {
        () if starts("sr") => Some("an optical drive"),
        () if starts("zram") || starts("ram") => Some("memory of this PC"),
        () if starts("fd") => Some("a floppy drive"),
        () if starts("dm-") || starts("md") => Some("a logical disk"),
        () if disk.name.starts_with("mmcblk")
            && (disk.name.contains("boot") || disk.name.contains("rpmb")) =>
        {
            Some("the boot area of a soldered-in memory")
        }
        () => None,
    }
}

fn not_a_card(disk: &Disk) -> Option<Doubt> {
    let doubt = |what, so| Some(Doubt { what, so });
    match disk.bus {
        Bus::Sd => None,
        Bus::Emmc => doubt("is memory that is soldered in", "It may hold the system of a computer"),
        Bus::Virtual if !disk.removable => doubt(
            "is no hardware",
            "What is written goes to the file, or the other computer, that is behind it",
        ),
        Bus::Usb if !disk.removable => doubt(
            "is not marked as removable",
            "It is probably a hard disk or an SSD and not a card; some card readers are marked so, too",
        ),
        _ if !disk.removable => {
            doubt("is not marked as removable", "It is probably a hard disk or an SSD and not a card")
        }
        _ if disk.bytes > LARGEST_CARD => {
            doubt("is larger than any card", "It is probably a hard disk or an SSD")
        }
        _ => None,
    }
}

/// Where somebody with the wrong disk finds the right one.
pub const LIST: &str = "`cargo xtask flash` lists the cards in this PC";
/// How a sentence on what to do ends.
pub const AGAIN: &str = "and type the same command again";

impl Refusal {
    /// In a few words, for a list.
    pub fn short(&self) -> String {
        match self {
            Self::MadeOf(disks) => format!("a logical disk, made of {}", disks.join(", ")),
            Self::Kind(kind) => (*kind).to_owned(),
            Self::System(used) => format!("this system runs from it: {}", Shown(used)),
            Self::NoMedium => "a reader without a card".into(),
            Self::InUse(uses) => format!("in use: {}", joined(uses)),
            Self::ReadOnly => "write-protected".into(),
            Self::Sectors(bytes) => format!("no card: it has sectors of {bytes} bytes"),
            Self::TooSmall { bytes, needed } => {
                format!("too small: it has {}, and the card needs {}", size(*bytes), size(*needed))
            }
            Self::NotACard(doubt) => format!("probably no card: it {}", doubt.what),
        }
    }

    /// What is the matter with the disk at this path, why that matters, and what to do.
    pub fn explain(&self, disk: &Disk) -> String {
        let path = disk.path.display();
        match self {
            Self::MadeOf(disks) => format!(
                "{path} is a logical disk, made of {} (LVM, encryption or RAID), and no board can read that: {LIST}",
                disks.join(", ")
            ),
            Self::Kind(kind) => format!("{path} is {kind}, and no board starts from that: {LIST}"),
            Self::System(used) => format!(
                "{path} is a disk that this system runs from ({}). Overwriting it would destroy the system, so it is \
                 never written, whatever is typed. {}",
                Shown(used),
                if used.by == Use::Swap {
                    "Should it be a card after all, `sudo swapoff` of its swap area comes first"
                } else {
                    LIST
                }
            ),
            Self::NoMedium if disk.bus == Bus::Virtual => {
                format!("{path} is a disk without anything behind it: {LIST}")
            }
            Self::NoMedium => {
                format!("there is no card in {path}, which is a reader: put one in, {AGAIN}")
            }
            Self::InUse(uses) => format!(
                "{path} is in use: {}. Whoever uses it would go on writing into the new card. {}, {AGAIN}",
                joined(uses),
                release(uses)
            ),
            Self::ReadOnly => format!(
                "{path} is write-protected, so nothing can be written to it. Move the switch at the side of the card, \
                 or of its adapter, away from LOCK, put it in anew, {AGAIN}; if there is no switch, or it does not \
                 help, take another reader or another card"
            ),
            Self::Sectors(bytes) => format!(
                "{path} has sectors of {bytes} bytes. A card has {SECTOR}, and a board would look for the image in the \
                 wrong places: {LIST}"
            ),
            Self::TooSmall { bytes, needed } => format!(
                "{path} is too small: it has {} ({bytes} bytes), and the card needs {} ({needed} bytes). Take a \
                 larger one",
                size(*bytes),
                size(*needed)
            ),
            Self::NotACard(Doubt { what, so }) => format!(
                "{path} ({}, {}) {what}. {so}: what is overwritten cannot be brought back. {LIST}. If this is the one that you \
                 want to overwrite, add {OVERRIDE}",
                disk.model_words(),
                size(disk.bytes)
            ),
        }
    }
}

/// How a use is told.
struct Shown<'a>(&'a InUse);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InUse { name, through, by } = self.0;
        let through = match through.as_slice() {
            [] => String::new(),
            through => format!(", through {}", through.join(" and ")),
        };
        match by {
            Use::Mounted(point) => write!(f, "{name} is mounted at {}{through}", point.display()),
            Use::Swap => write!(f, "{name} is a swap area{through}"),
            Use::Held(by) => write!(f, "{name} is part of {by}{through}"),
        }
    }
}

fn joined(uses: &[InUse]) -> String {
    uses.iter().map(|used| Shown(used).to_string()).collect::<Vec<_>>().join(", ")
}

/// The commands that end the uses; what stands on top goes first.
fn release(uses: &[InUse]) -> String {
    let points: Vec<&PathBuf> = uses
        .iter()
        .filter_map(|used| match &used.by {
            Use::Mounted(point) => Some(point),
            _ => None,
        })
        .collect();
    let mut words = Vec::new();
    if !points.is_empty() {
        // A mount point may lie within another one.
        let mut points: Vec<String> = points.iter().map(|point| format!("'{}'", point.display())).collect();
        points.sort_by_key(|point| std::cmp::Reverse(point.len()));
        words.push(format!("Unmount it with `sudo umount {}`", points.join(" ")));
    }
    let holders: Vec<&str> = uses
        .iter()
        .filter_map(|used| match &used.by {
            Use::Held(by) => Some(by.as_str()),
            _ => None,
        })
        .collect();
    if !holders.is_empty() {
        let start = if words.is_empty() { "Close" } else { "then close" };
        words.push(format!(
            "{start} {} (`cryptsetup close`, `vgchange -an`, `mdadm --stop`, `losetup -d`)",
            holders.join(", ")
        ));
    }
    words.join(", ")
}
