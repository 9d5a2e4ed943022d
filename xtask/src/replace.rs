//! A file that appears under its name whole or not at all: written beside, then renamed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A file on its way. Dropped before [`finish`](Self::finish) it leaves nothing behind.
#[derive(Debug)]
pub struct Replacement {
    beside: PathBuf,
    target: PathBuf,
}

impl Replacement {
    /// Writes what is to become `target`, and sees that it is on the disk.
    ///
    /// # Errors
    /// If it cannot be written; nothing is left of it then.
    pub fn write(target: &Path, fill: impl FnOnce(&mut File) -> Result<()>) -> Result<Self> {
        let replacement = Self { beside: beside(target), target: target.to_owned() };
        let mut file = File::create(&replacement.beside).with_context(|| replacement.failed())?;
        fill(&mut file).and_then(|()| Ok(file.sync_all()?)).with_context(|| replacement.failed())?;
        Ok(replacement)
    }

    /// Gives it its name. What had that name before is gone, unless it was moved away.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn finish(self) -> Result<()> {
        fs::rename(&self.beside, &self.target).with_context(|| self.failed())?;
        sync_folder_of(&self.target).with_context(|| self.failed())
    }

    fn failed(&self) -> String {
        format!("cannot write {}", self.target.display())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // After `finish` there is nothing of this name.
        let _ = fs::remove_file(&self.beside);
    }
}

/// A name in the same folder that nobody else uses: of this process, and hidden from who lists the folder.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// Sees that a new name is on the disk.
///
/// # Errors
/// If the folder cannot be opened, or the disk reports an error.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder)?.sync_all() {
        // Some file systems cannot do that for a folder, and do it by themselves.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use anyhow::bail;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_file_that_could_not_be_written_whole_leaves_the_old_one_and_nothing_else() {
        let folder = Scratch::new("half");
        let target = folder.file("card.img", "old");
        let result = Replacement::write(&target, |file| {
            file.write_all(b"half of the n")?;
            bail!("no space left")
        });
        assert!(format!("{:#}", result.unwrap_err()).contains("no space left"));
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(folder.names(), ["card.img"]);
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_finished() {
        let folder = Scratch::new("whole");
        let target = folder.file("card.img", "old");
        let replacement = Replacement::write(&target, |file| Ok(file.write_all(b"new")?)).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        replacement.finish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(folder.names(), ["card.img"]);
    }
}
