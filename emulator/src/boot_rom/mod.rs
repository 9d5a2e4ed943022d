//! What the mask ROM and `bootcode.bin` do before `start*.elf` runs. Neither is executed: their effect, a
//! loaded ELF file and a running VPU core 0, is produced here.

mod config_txt;
mod elf;

pub(crate) use config_txt::KernelSettings;
use thiserror::Error;

use crate::board::Board;
use crate::card::{Card, CardError};
use crate::ram::Ram;

const SECOND_STAGE: &str = "bootcode.bin";
const CONFIG: &str = "config.txt";

/// Why a board would not get as far as its start file.
#[derive(Debug, Error)]
pub enum BootError {
    /// The card cannot be read at all.
    #[error("a board would not start from this card: {0}")]
    Card(CardError),
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

// The message has its cause in it, so the chain has not.
impl From<CardError> for BootError {
    fn from(error: CardError) -> Self {
        Self::Card(error)
    }
}

/// What the boot left behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booted {
    /// Name of the start file.
    pub start_file: String,
    /// Where VPU core 0 begins.
    pub entry: u32,
}

/// Does what the mask ROM and `bootcode.bin` do on a Pi 3: finds the FAT partition, insists on `bootcode.bin`,
/// chooses the start file by `config.txt`, loads it. `fixup*.dat` is not applied: the start file then runs with
/// the memory map it is linked for, 256 MiB of which the Arm gets the lower 128 (VPU fact sheet 4).
///
/// # Errors
/// What would keep a board from starting.
pub fn boot(card: &Card, board: &Board, ram: &mut Ram) -> Result<Booted, BootError> {
    needed(card, SECOND_STAGE, "the boot ROM loads it first")?;
    let (name, why) = config_txt::start_file(&config(card)?, board);
    let file = needed(card, &name, why)?;
    match elf::load(&file, ram, board.ram_bytes) {
        Ok(entry) => Ok(Booted { start_file: name, entry }),
        Err(reason) => Err(BootError::StartFile { name, reason }),
    }
}

/// Which kernel the firmware would start on the Arm.
///
/// # Errors
/// If the card cannot be read.
pub(crate) fn kernel_settings(card: &Card, board: &Board) -> Result<KernelSettings, BootError> {
    Ok(config_txt::kernel(&config(card)?, board))
}

/// The text of `config.txt`; empty without one.
fn config(card: &Card) -> Result<String, BootError> {
    match card.read_file(CONFIG) {
        Err(CardError::NoSuchFile { .. }) => Ok(String::new()),
        read => Ok(String::from_utf8_lossy(&read?).into_owned()),
    }
}

pub(crate) fn needed(card: &Card, name: &str, why: &'static str) -> Result<Vec<u8>, BootError> {
    card.read_file(name).map_err(|error| match error {
        CardError::NoSuchFile { name } => BootError::MissingFile { name, why },
        other => BootError::Card(other),
    })
}

#[cfg(test)]
pub(crate) mod fixture {
    //! Cards that boot code of a test.

    use crate::card::{Card, CardFile};

    /// A card whose start file is this VPU code at this address.
    pub(crate) fn card_running(address: u32, code: &[u8]) -> Vec<u8> {
        let start = super::elf::fixture::elf(address, code, 0);
        let files = [CardFile::new("bootcode.bin", [0; 16]), CardFile::new("start.elf", start)];
        Card::build(&files).expect("fits").into_image()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::CardFile;

    fn boot_with(files: &[(&str, &[u8])]) -> Result<Booted, BootError> {
        let files: Vec<_> = files.iter().map(|(name, content)| CardFile::new(*name, *content)).collect();
        boot(&Card::build(&files).expect("fits"), &Board::PI_3B, &mut Ram::new())
    }

    fn missing(result: Result<Booted, BootError>) -> Option<(String, &'static str)> {
        match result {
            Err(BootError::MissingFile { name, why }) => Some((name, why)),
            _ => None,
        }
    }

    #[test]
    fn a_missing_file_is_named_with_who_wanted_it() {
        let expected = |name: &str, why| Some((name.to_owned(), why));
        assert_eq!(missing(boot_with(&[])), expected("bootcode.bin", "the boot ROM loads it first"));
        let second = ("bootcode.bin", &[0u8; 4][..]);
        assert_eq!(missing(boot_with(&[second])), expected("start.elf", "the default"));
        let debug = ("config.txt", &b"start_debug=1"[..]);
        let wanted = expected("start_db.elf", "config.txt: start_debug=1");
        assert_eq!(missing(boot_with(&[second, debug])), wanted);
    }

    #[test]
    fn a_card_without_a_fat_partition_does_not_start() {
        for image in [Vec::new(), vec![0; 700], vec![0; 1 << 20]] {
            let result = boot(&Card::from_image(image), &Board::PI_3B, &mut Ram::new());
            assert!(matches!(result, Err(BootError::Card(_))), "{result:?}");
        }
    }

    #[test]
    fn a_chain_of_causes_says_each_of_them_once() {
        let mut unformatted =
            Card::build(&[CardFile::new("bootcode.bin", [0; 4])]).expect("fits").into_image();
        let partition = 2048 * 512;
        unformatted[partition..partition + 512].fill(0);
        for image in [vec![0; 700], vec![0; 1 << 20], unformatted] {
            let error = boot(&Card::from_image(image), &Board::PI_3B, &mut Ram::new()).expect_err("no card");
            let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            let said: Vec<String> = chain.map(ToString::to_string).collect();
            for (outer, inner) in said.iter().zip(&said[1..]) {
                assert!(!outer.contains(inner.as_str()), "{said:#?}");
            }
        }
    }

    #[test]
    fn a_truncated_start_file_is_told_as_such() {
        let whole = elf::fixture::elf(0xcec0_0200, &[0; 4096], 0);
        let cut = &whole[..2000];
        let result = boot_with(&[("bootcode.bin", &[0; 4]), ("start.elf", cut)]);
        let Err(BootError::StartFile { name, reason }) = result else { panic!("{result:?}") };
        assert_eq!(name, "start.elf");
        assert!(reason.contains("truncated"), "{reason}");
    }

    #[test]
    fn a_good_card_leaves_the_start_file_in_ram() {
        let start = elf::fixture::elf(0xcec0_0200, &[9; 64], 0);
        let booted = boot_with(&[("bootcode.bin", &[0; 4]), ("start.elf", &start)]);
        let expected = Booted { start_file: "start.elf".into(), entry: 0xcec0_0200 };
        assert!(matches!(booted, Ok(booted) if booted == expected));
    }
}
