//! The built image, and copies of it in which a function begins with a fault.
//!
//! The copies test what the image says of its own faults without a line of test code in the image.

use std::path::{Path, PathBuf};
use std::{env, fs};

use object::{Object, ObjectSymbol};

/// Where the image is linked and loaded.
const LOAD_ADDRESS: u64 = 0x8_0000;
/// The image's last line, whatever the verdict.
pub const LAST_LINE: &str = "harness: end, verdict ";

/// A function of the image whose first instructions can be replaced.
#[derive(Clone, Copy, Debug)]
pub enum Victim {
    /// `boot::startup::machine`: translation and vectors are there, the watchdog is not armed.
    Startup,
    /// `harness::run`: everything is there.
    Harness,
    /// `_defmt_write`: a log frame is half written.
    LogWrite,
}

impl Victim {
    /// The function's name, or its path as both of rustc's mangling schemes spell it within a symbol.
    const fn mangled(self) -> &'static str {
        match self {
            Self::Startup => "4boot7startup7machine",
            Self::Harness => "7harness3run3run",
            Self::LogWrite => "_defmt_write",
        }
    }
}

/// `kernel8.img` and its ELF file.
pub struct BuiltImage {
    kernel: Vec<u8>,
    elf: Vec<u8>,
}

impl BuiltImage {
    /// What `cargo xtask build` left in `target/image`, if it did.
    pub fn at_hand() -> Option<Self> {
        let folder = folder();
        let kernel = fs::read(folder.join("kernel8.img")).ok()?;
        let elf = fs::read(folder.join("kernel8.elf")).ok()?;
        Some(Self { kernel, elf })
    }

    /// The image as it is.
    pub fn kernel(&self) -> &[u8] {
        &self.kernel
    }

    /// Address of a function.
    ///
    /// # Panics
    /// If the image lacks it: the compiler has merged it into its caller, and the suite needs another one.
    pub fn address_of(&self, victim: Victim) -> u64 {
        let file = object::File::parse(&*self.elf).expect("kernel8.elf is an ELF file");
        let is_victim = |name: &str| name.contains(victim.mangled());
        let symbol = file.symbols().find(|symbol| symbol.name().is_ok_and(is_victim));
        symbol.unwrap_or_else(|| panic!("the image has no function {victim:?}")).address()
    }

    /// A copy with these instructions in place of the function's first.
    pub fn with_fault(&self, victim: Victim, instructions: &[u32]) -> Vec<u8> {
        let mut kernel = self.kernel.clone();
        let start = (self.address_of(victim) - LOAD_ADDRESS) as usize;
        for (place, instruction) in kernel[start..].chunks_exact_mut(4).zip(instructions) {
            place.copy_from_slice(&instruction.to_le_bytes());
        }
        kernel
    }
}

/// Where `cargo xtask build` puts the image.
pub fn folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from).join("image")
}

/// The lines that stand in plain text between the log frames.
pub fn plain_text(serial: &[u8]) -> Vec<String> {
    let pieces = serial.split(|byte| *byte == 0);
    let texts =
        pieces.filter_map(|piece| std::str::from_utf8(piece).ok()).filter(|text| text.ends_with("\r\n"));
    texts.flat_map(str::lines).map(str::to_owned).collect()
}

/// The number behind `label` in a register dump.
///
/// # Panics
/// If the dump has no such register, or no number there.
pub fn register(dump: &[String], label: &str) -> u64 {
    let text = dump.join(" ");
    let mut words = text.split_whitespace().skip_while(|word| *word != label);
    let value = words.nth(1).unwrap_or_else(|| panic!("no {label} in {dump:#?}"));
    u64::from_str_radix(value, 16).unwrap_or_else(|_| panic!("{label} is {value}"))
}
