//! The card as the file of an image.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::interrupt::Notice;
use crate::replace::Replacement;
use crate::report;

/// What is written, or passed over, at a time.
const BLOCK: usize = 64 * 1024;

/// Finds out before the work is done whether the image can be written, and where: behind a symbolic link.
///
/// # Errors
/// If something else than a file has that name, or the folder cannot be written.
pub fn check_target(path: &Path) -> Result<PathBuf> {
    if let Ok(there) = fs::metadata(path) {
        let kind = there.file_type();
        let shown = path.display();
        if kind.is_block_device() {
            bail!("{shown} is a disk, not a file: `cargo xtask flash {shown}` writes cards, and asks before");
        }
        if kind.is_dir() {
            bail!("{shown} is a folder: name a file in it, or use --folder {shown} for the files alone");
        }
        if !kind.is_file() {
            bail!("{shown} is not a file");
        }
    }
    report::check_writable(path)?;
    Ok(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}

/// Writes the image: whole, or not at all.
///
/// # Errors
/// If it cannot be written (a full disk, say), or at Ctrl-C; the file is then as it was.
pub fn write(path: &Path, bytes: &[u8], notice: &Notice) -> Result<()> {
    let state = if path.exists() { "is as it was" } else { "was not written" };
    let written = Replacement::write(path, |file| write_sparse(file, bytes, notice));
    written.and_then(Replacement::finish).with_context(|| format!("{} {state}", path.display()))
}

/// Writes only the blocks that hold something: the rest of a new file reads as zeros.
fn write_sparse(file: &mut File, bytes: &[u8], notice: &Notice) -> Result<()> {
    for (number, block) in bytes.chunks(BLOCK).enumerate() {
        notice.check()?;
        if block.iter().any(|byte| *byte != 0) {
            file.seek(SeekFrom::Start((number * BLOCK) as u64))?;
            file.write_all(block)?;
        }
    }
    Ok(file.set_len(bytes.len() as u64)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::interrupt::Interrupted;
    use crate::scratch::Scratch;

    #[test]
    fn an_image_has_its_zeros_and_its_length() {
        let folder = Scratch::new("image");
        let path = folder.path.join("card.img");
        let mut bytes = vec![0; 5 * BLOCK + 512];
        bytes[2 * BLOCK + 7] = 9;
        write(&path, &bytes, &Notice::default()).unwrap();
        assert!(fs::read(&path).unwrap() == bytes);
    }

    #[test]
    fn an_interrupt_leaves_the_old_image_and_no_other_file() {
        let folder = Scratch::new("image-interrupt");
        let path = folder.file("card.img", "old");
        let error = write(&path, &[1; 2 * BLOCK], &Notice::come()).unwrap_err();
        assert!(error.downcast_ref::<Interrupted>().is_some(), "{error:#}");
        assert_eq!((folder.read("card.img").as_str(), folder.names()), ("old", vec!["card.img".to_owned()]));
    }

    #[test]
    fn an_image_goes_through_a_symbolic_link_to_the_file_behind_it() {
        let folder = Scratch::new("image-link");
        let path = folder.file("card.img", "old");
        let link = folder.path.join("latest.img");
        symlink(&path, &link).unwrap();
        let target = check_target(&link).unwrap();
        write(&target, &[7; 3], &Notice::default()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [7; 3]);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn an_image_that_was_never_there_is_not_called_as_it_was() {
        let folder = Scratch::new("image-none");
        let path = folder.path.join("card.img");
        let words = || format!("{:#}", write(&path, &[1; 100], &Notice::come()).unwrap_err());
        assert!(words().contains("card.img was not written"), "{}", words());
        folder.file("card.img", "old");
        assert!(words().contains("card.img is as it was"), "{}", words());
    }

    #[test]
    fn what_is_no_file_is_refused_with_what_to_type() {
        let folder = Scratch::new("image-kinds");
        let refused = |path: &Path| check_target(path).unwrap_err().to_string();
        assert!(refused(&folder.path).contains("--folder"));
        assert!(refused(Path::new("/dev/null")).contains("not a file"));
        let file = folder.file("file", "");
        assert!(format!("{:#}", check_target(&file.join("card.img")).unwrap_err()).contains("file"));
    }
}
