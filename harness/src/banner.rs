//! The line of plain text that says which image runs.
//!
//! The log can be decoded with one ELF file only, that of the build which writes it, and the commit does not tell two
//! builds of a changed tree apart. So each life of the image begins with a line that needs no ELF file to be read, and
//! each scenario repeats it: `image: build 0123456789abcdef of fade661af0bd-dirty, check 89abcdef`. Its checksum lets a serial line do damage without
//! making the image another one.

use core::fmt::{self, Write};

use crate::record::frame::crc32;

/// How the line begins.
const PREFIX: &str = "image: build ";
/// Between id and commit.
const OF: &str = " of ";
/// Before the checksum.
const CHECK: &str = ", check ";
/// The longest line without its checksum: a commit has at most 48 bytes (`record::Start`).
const LONGEST: usize = PREFIX.len() + 2 * BuildId::BYTES + OF.len() + 48;

/// The first bytes of the linker's hash of the image's ELF file (`--build-id=sha1`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BuildId([u8; Self::BYTES]);

impl BuildId {
    /// So many bytes of the hash tell builds apart.
    pub const BYTES: usize = 8;

    /// From the hash.
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// As the record tells it.
    pub const fn bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// From what [`Display`](fmt::Display) wrote.
    fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 2 * Self::BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_hex.then(|| u64::from_str_radix(text, 16).ok())??;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What the line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Banner<'a> {
    /// Which build.
    pub build: BuildId,
    /// Commit it was built from.
    pub git: &'a str,
}

impl<'a> Banner<'a> {
    /// Reads the line; `None` for any other line, and for one that arrived damaged.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (content, check) = line.rsplit_once(CHECK)?;
        let check = u32::from_str_radix(check, 16).ok()?;
        let (build, git) = content.strip_prefix(PREFIX)?.split_once(OF)?;
        let banner = Self { build: BuildId::parse(build)?, git };
        (crc32(content.as_bytes()) == check).then_some(banner)
    }
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut content = heapless::String::<LONGEST>::new();
        // A commit that is too long is cut; the checksum is of what is written.
        let _ = write!(content, "{PREFIX}{}{OF}", self.build);
        for character in self.git.chars() {
            if content.push(character).is_err() {
                break;
            }
        }
        write!(f, "{content}{CHECK}{:08x}", crc32(content.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANNER: Banner<'_> = Banner {
        build: BuildId::new([1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]),
        git: "fade661af0bd-dirty",
    };

    #[test]
    fn the_line_comes_back_as_it_was_told() {
        let line = BANNER.to_string();
        assert!(line.starts_with("image: build 0123456789abcdef of fade661af0bd-dirty, check "), "{line}");
        assert_eq!(Banner::parse(&line), Some(BANNER));
        assert_eq!(Banner::parse("boot: commit fade661af0bd, Bcm2837, MIDR 410fd034, entered at EL2"), None);
    }

    #[test]
    fn a_commit_that_is_too_long_is_cut_and_the_line_still_holds() {
        let git = "x".repeat(60);
        let line = Banner { git: &git, ..BANNER }.to_string();
        assert_eq!(Banner::parse(&line).map(|banner| banner.git.len()), Some(48));
    }

    #[test]
    fn a_damaged_line_does_not_make_the_image_another_one() {
        let line = BANNER.to_string();
        for bit in 0..line.len() * 8 {
            let mut damaged = line.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let Ok(damaged) = String::from_utf8(damaged) else { continue };
            let read = Banner::parse(&damaged);
            assert!(read.is_none() || read == Some(BANNER), "bit {bit}: {damaged}");
        }
        for length in 0..line.len() {
            assert_eq!(Banner::parse(&line[..length]), None);
        }
    }
}
