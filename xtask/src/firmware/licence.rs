//! The firmware's licence: the note shown when its first files enter the cache, and the text that goes along on a card.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const NOTE: &str = "\
Licence: the firmware is Broadcom's and Raspberry Pi's, not part of this project. It may only be used for the
purposes of developing for, running or using a Raspberry Pi device, and be passed on only unmodified and with its
notice. The licence text that came with the files stands beside them in the cache:";

/// Names of the text in a release, in any case of letters: as on a boot partition, and as in the distribution's package.
pub const ON_BOOT_PARTITION: &str = "licence.broadcom";
pub const IN_PACKAGE: &str = "copyright";

/// The files that the text of the package is about: what a boot partition holds.
const BOOT_FILES: &str = "boot/*";

/// Shows the note once a cache.
///
/// # Errors
/// If the mark that it was shown cannot be written.
pub fn show_once(cache: &Path) -> Result<()> {
    let mark = cache.join("licence-note-shown");
    if mark.exists() {
        return Ok(());
    }
    eprintln!("{NOTE}\n{}", cache.display());
    fs::write(&mark, NOTE).with_context(|| format!("writing {}", mark.display()))
}

/// The paragraph of the package's copyright file (Debian's format 1.0) that is about the boot files: notice and text
/// as their owner gave them. The file has more, on files that never reach a card. One that is written otherwise is
/// taken whole.
pub fn of_boot_files(copyright: &str) -> String {
    let paragraphs = copyright.split("\n\n");
    let mut about_boot = paragraphs.filter(|paragraph| {
        let files = paragraph.lines().find_map(|line| line.strip_prefix("Files:"));
        files.is_some_and(|files| files.split_whitespace().any(|pattern| pattern == BOOT_FILES))
    });
    match about_boot.next().map(plain) {
        Some(text) if text.contains("Redistribution") => text,
        _ => copyright.to_owned(),
    }
}

/// A paragraph without the format around it: each continued line is set in by a blank, and an empty one is a dot.
fn plain(paragraph: &str) -> String {
    let mut text = String::new();
    for line in paragraph.trim_start_matches('\n').lines() {
        let line = match line.strip_prefix(' ') {
            Some(".") => "",
            Some(continued) => continued,
            // The owners keep their word; the names of the other fields are the format's.
            None if line.starts_with("Copyright:") => line,
            None => continue,
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Comment:
 Files: boot/* is only a remark here

Files: boot/*
Copyright: 2006, A
           2015, B
License: Proprietary_1
 All rights reserved.
 .
 Redistribution.  Permitted:
 .
 * indented
   further

Files: debian/*
Copyright: 2015 C
License: GPL-2+
 This package is free.
";

    #[test]
    fn the_paragraph_on_the_boot_files_is_taken_word_for_word() {
        let expected = "\
Copyright: 2006, A
          2015, B
All rights reserved.

Redistribution.  Permitted:

* indented
  further
";
        assert_eq!(of_boot_files(SAMPLE), expected);
    }

    #[test]
    fn a_copyright_file_in_another_form_is_taken_whole() {
        for text in ["Redistribution and use …\n", "", "Files: boot/*\nLicense: see elsewhere\n"] {
            assert_eq!(of_boot_files(text), text);
        }
    }
}
