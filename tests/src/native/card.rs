//! The card that the native rung boots: the firmware's files and a kernel that nobody executes.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use emulator::card::{Card, CardFile};

/// Names the folder with `start.elf` and `bootcode.bin`.
const FOLDER_VARIABLE: &str = "FIRMWARE_DIR";
/// Makes a missing folder a failure: set where the suite must not be passed over.
const REQUIRED_VARIABLE: &str = "REQUIRE_FIRMWARE";
/// What the firmware needs on the card before it releases the Arm: any file of this name.
const KERNEL: &str = "kernel8.img";
/// A device tree of ours.
const TREE: &str = "test.dtb";
/// Asks the release at hand what only another one is known to answer: to learn what differs.
const ANY_VARIABLE: &str = "ANY_FIRMWARE";
/// Build id of the release that `docs/protocol` and `docs/findings.md` describe.
const DESCRIBED: &[u8] = b"102f1e848393c2112206fadffaaf86db04e98326";

/// The folder with the firmware, or `None` with a line that says why the test is passed over.
///
/// # Panics
/// If the folder is missing and `REQUIRE_FIRMWARE` is set.
pub fn firmware_dir() -> Option<PathBuf> {
    let folder = env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    if folder.is_none() {
        let required = env::var_os(REQUIRED_VARIABLE).is_some();
        assert!(!required, "{REQUIRED_VARIABLE} is set, but {FOLDER_VARIABLE} is not");
        println!("skipped: {FOLDER_VARIABLE} names no folder with the VideoCore firmware");
    }
    folder
}

/// The folder, if the release in it is the one whose answers the docs describe: what another release answers is its own
/// affair. `None` with a line that says why otherwise. With `ANY_FIRMWARE` in the environment every release is asked.
///
/// # Panics
/// As [`firmware_dir`], and if there is no `start.elf`.
pub fn described_firmware_dir() -> Option<PathBuf> {
    let folder = firmware_dir()?;
    let start = fs::read(folder.join("start.elf")).expect("start.elf");
    if env::var_os(ANY_VARIABLE).is_some() {
        return Some(folder);
    }
    let described = start.windows(DESCRIBED.len()).any(|bytes| bytes == DESCRIBED);
    if !described {
        println!("skipped: not the release that the docs describe");
    }
    described.then_some(folder)
}

/// The files of one variant of the firmware.
pub struct Firmware<'a> {
    /// Where they are.
    pub folder: &'a Path,
    /// `start.elf`, `start_db.elf` ….
    pub start: &'a str,
    /// `fixup.dat`, `fixup_db.dat` ….
    pub fixup: &'a str,
}

impl Firmware<'_> {
    /// A card with the firmware, the repository's `config.txt` and this command line.
    ///
    /// # Panics
    /// If a file is missing: the folder was named by the caller.
    pub fn card(&self, command_line: &str) -> Vec<u8> {
        self.card_with_kernel(command_line, vec![0; 4096])
    }

    /// The same with a kernel that is meant to run.
    ///
    /// # Panics
    /// As [`Self::card`].
    pub fn card_with_kernel(&self, command_line: &str, kernel: Vec<u8>) -> Vec<u8> {
        self.card_of(command_line, kernel, "", None)
    }

    /// A card with a device tree, for which `config.txt` asks.
    ///
    /// # Panics
    /// As [`Self::card`].
    pub fn card_with_device_tree(&self, tree: Vec<u8>) -> Vec<u8> {
        let file = CardFile::new(TREE, tree);
        self.card_of("", vec![0; 4096], &format!("device_tree={TREE}\n"), Some(file))
    }

    fn card_of(&self, command_line: &str, kernel: Vec<u8>, lines: &str, more: Option<CardFile>) -> Vec<u8> {
        let read = |name: &str| {
            let path = self.folder.join(name);
            fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.txt");
        let mut config = fs::read_to_string(&config).expect("config.txt is in the repository");
        config.push_str(&format!("\nstart_file={}\nfixup_file={}\n{lines}", self.start, self.fixup));
        let mut files = vec![
            CardFile::new("bootcode.bin", read("bootcode.bin")),
            CardFile::new(self.start, read(self.start)),
            CardFile::new(self.fixup, read(self.fixup)),
            CardFile::new("config.txt", config),
            CardFile::new("cmdline.txt", format!("{command_line}\n")),
            CardFile::new(KERNEL, kernel),
        ];
        files.extend(more);
        Card::build(&files).expect("the files fit a card").into_image()
    }
}
