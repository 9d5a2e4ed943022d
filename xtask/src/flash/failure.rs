//! Why a card was not finished.

use std::io;

use super::disks::Disk;
use super::plan::HEAD;
use super::refuse::AGAIN;

use crate::interrupt::Interrupted;

const HEAD_END: u64 = HEAD as u64;

/// Why the writing ended before its end. But for the three that say something else, the disk has no partition table
/// then, neither the old one nor the new.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Ctrl-C.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The very first write failed.
    #[error("nothing can be written to it")]
    NotBegun {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A failure after the first sectors were cleared, before it was certain that the disk has taken that in.
    #[error(transparent)]
    OldTable(Box<Failure>),
    /// A failure while the first sectors were written at the end, or read back. A [`Difference`] there is itself.
    #[error(transparent)]
    NewTable(Box<Failure>),
    /// A write failed.
    #[error("writing failed at byte {offset}")]
    Write {
        /// Where.
        offset: u64,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The disk could not take in what was written.
    #[error("the disk did not take in what was written")]
    Settle {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Reading back failed.
    #[error("reading back failed at byte {offset}")]
    Read {
        /// Where.
        offset: u64,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Something else was read back than was written.
    #[error(transparent)]
    Differs(#[from] Difference),
}

/// The first place that reads back as something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("byte {offset} reads back as {read:#04x}, {wrote:#04x} was written: {}", self.likely_cause())]
pub struct Difference {
    /// Where.
    pub offset: u64,
    /// What was written there.
    pub wrote: u8,
    /// What came back.
    pub read: u8,
    /// Whether it is at the end of the disk, which is only cleared.
    pub at_end: bool,
}

impl Difference {
    fn likely_cause(&self) -> &'static str {
        if self.at_end {
            "the end of the card is not there, so it has less room than it claims; use another card"
        } else {
            "the card is worn out or not genuine, or its reader is bad; use another card, or another reader"
        }
    }
}

impl Failure {
    /// What can be said of the disk now, and how to go on.
    pub fn aftermath(&self) -> &'static str {
        match self {
            Self::NotBegun { .. } => "It is probably as it was.",
            Self::OldTable(_) => {
                "The card may or may not have its old partition table. Nothing else on it was overwritten."
            }
            Self::NewTable(_) | Self::Differs(Difference { offset: ..HEAD_END, .. }) => {
                "What was on the card is lost. It may or may not have its new partition table: a board may start from \
                 it, but do not rely on it."
            }
            Self::Interrupted(_) => {
                "The card has no partition table now: what was on it is lost, and no board starts from it. \
                 The same command writes it from the beginning."
            }
            _ => "The card has no partition table now: what was on it is lost, and no board starts from it.",
        }
    }

    /// True for what also comes of a disk that was unplugged.
    pub fn is_of_device(&self) -> bool {
        match self {
            Self::OldTable(inner) | Self::NewTable(inner) => inner.is_of_device(),
            Self::Interrupted(_) | Self::Differs(_) => false,
            _ => true,
        }
    }
}

/// The words for a disk that went away before anything was written.
pub fn gone(disk: &Disk) -> String {
    format!("{} is gone: its card, or its reader, was taken out. Nothing was written", disk.path.display())
}

/// The words for a disk that this user may not write.
pub fn not_permitted(disk: &Disk) -> String {
    let path = disk.path.display();
    format!(
        "you may not write {path}: it is another user's. `sudo chown $USER {path}` makes it yours until the card is taken \
         out; do that, {AGAIN}"
    )
}
