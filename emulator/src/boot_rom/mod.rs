//! What the mask ROM and `bootcode.bin` do before `start*.elf` runs. Neither is executed: their effect, a
//! loaded ELF file and a running VPU core 0, is produced here.

use thiserror::Error;

/// Why a board would not get as far as its start file.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BootError {
    /// The image is too small or odd-sized for a card.
    #[error("card image of {bytes} bytes: not a whole number of 512-byte sectors, or none at all")]
    CardSize {
        /// Length of the image.
        bytes: usize,
    },
    /// No partition table, or none of its partitions is FAT.
    #[error("no FAT partition on the card: {reason}")]
    NoFatPartition {
        /// What was looked for and what was found.
        reason: String,
    },
    /// The FAT file system could not be read.
    #[error("reading {path} from the card's FAT partition: {reason}")]
    Fat {
        /// File or folder.
        path: String,
        /// What the file system said.
        reason: String,
    },
    /// A file that a board needs before it shows any sign of life.
    #[error("{name} is not on the card: a board would not start ({why})")]
    MissingFile {
        /// Its name.
        name: String,
        /// Who wanted it.
        why: &'static str,
    },
    /// The start file is no VideoCore ELF file that can be loaded.
    #[error("{name} is not a VideoCore firmware image that can be loaded: {reason}")]
    StartFile {
        /// Its name.
        name: String,
        /// What is wrong with it, with the raw values.
        reason: String,
    },
}
