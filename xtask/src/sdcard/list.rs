//! The list beside the files: which are ours, and where that is which had their names before.
//!
//! `sha256sum --check` reads it, and passes over the lines that begin with `#`. Somebody else may have written into it:
//! no more is believed than that files of such checksums are ours, and that such names were given by us.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Name of its file.
pub const NAME: &str = "harness.sha256";
const HEAD: &str = "# Written by cargo xtask sdcard. A file of this list is replaced by the next one.";
/// Before the name under which something is kept that was there before us.
const ORIGINAL: &str = "# kept: ";
/// Before the checksum of a file of ours that was about to be replaced: a run that was stopped may have left it.
const EARLIER: &str = "# earlier: ";
/// Behind the name of what is kept; a number follows from the second on.
pub const KEPT: &str = ".bak";

/// What it says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct List {
    /// Checksum by name.
    pub ours: BTreeMap<String, String>,
    /// More checksums of ours, of any name.
    pub earlier: BTreeSet<String>,
    /// By name, the name under which that is kept which was there before the first run.
    pub originals: BTreeMap<String, String>,
}

impl List {
    /// The list in a file; `None` if that is somebody else's.
    pub fn parse(text: &str) -> Option<Self> {
        let lines = text.strip_prefix(HEAD)?.lines();
        let mut list = Self::default();
        for line in lines {
            if let Some(kept) = line.strip_prefix(ORIGINAL) {
                list.originals.extend(name_before(kept).map(|name| (name.to_owned(), kept.to_owned())));
            } else if let Some(sum) = line.strip_prefix(EARLIER) {
                list.earlier.insert(sum.to_owned());
            } else if let Some((sum, name)) = line.split_once(' ').filter(|(sum, _)| *sum != "#") {
                // Two blanks, or a blank and an asterisk, stand between checksum and name.
                list.ours.insert(name.trim_start_matches([' ', '*']).to_owned(), sum.to_owned());
            }
        }
        Some(list)
    }

    /// What belongs into the file.
    pub fn text(&self) -> String {
        let originals = self.originals.values().map(|kept| format!("{ORIGINAL}{kept}\n"));
        let earlier = self.earlier.iter().map(|sum| format!("{EARLIER}{sum}\n"));
        let ours = self.ours.iter().map(|(name, sum)| format!("{sum}  {name}\n"));
        format!("{HEAD}\n{}", originals.chain(earlier).chain(ours).collect::<String>())
    }

    /// True for a file that we wrote under this name, and that nobody has changed since.
    pub fn is_ours(&self, name: &str, sum: &str) -> bool {
        self.ours.get(name).is_some_and(|ours| ours == sum) || self.earlier.contains(sum)
    }

    /// Forgets the originals that are not kept any more: they have their names again, or were never moved.
    pub fn forget_restored(&mut self, folder: &Path) {
        self.originals.retain(|_, kept| fs::symlink_metadata(folder.join(kept)).is_ok());
    }
}

/// The name that a file had before it was kept under this one; `None` if no file of ours is kept by such a name.
fn name_before(kept: &str) -> Option<&str> {
    let (name, number) = kept.rsplit_once(KEPT)?;
    let is_plain = kept.chars().all(|c| c.is_ascii_graphic() && c != '/') && !name.is_empty();
    (is_plain && number.chars().all(|digit| digit.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let list = List {
            ours: [("config.txt".into(), "0123".into())].into(),
            earlier: ["4567".to_owned()].into(),
            originals: [("config.txt".into(), "config.txt.bak2".into())].into(),
        };
        assert_eq!(List::parse(&list.text()), Some(list));
        assert_eq!(List::parse("0123  config.txt\n"), None);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_not_offered_as_what_was_kept() {
        for name in ["../../etc/passwd.bak", ".bak", "config.txt", "config.txt.bak-1", "a\u{1b}[2J.bak"] {
            let list = List::parse(&format!("{HEAD}\n{ORIGINAL}{name}\n")).unwrap();
            assert_eq!(list, List::default(), "{name}");
        }
    }
}
