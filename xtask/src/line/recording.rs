//! The bytes as they came, so that nothing is lost that could be decoded later.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths::make_folder_of;

/// A recording that is being made. The file begins with the first byte: a line that stays silent does not cost the
/// recording before it.
pub struct Recording {
    path: PathBuf,
    file: Option<File>,
    /// Why there is no more recording.
    broken: Option<String>,
}

impl Recording {
    /// To this file.
    ///
    /// # Errors
    /// If its folder cannot be made.
    pub fn to(path: PathBuf) -> Result<Self> {
        make_folder_of(&path)?;
        Ok(Self { path, file: None, broken: None })
    }

    /// Where it is, if it has begun and holds everything.
    pub fn whole(&self) -> Option<&Path> {
        (self.file.is_some() && self.broken.is_none()).then_some(&self.path)
    }

    /// Adds bytes. A full disk ends the recording, not the run.
    ///
    /// # Errors
    /// Once, if they cannot be written; later ones are passed over.
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        if self.broken.is_some() || bytes.is_empty() {
            return Ok(());
        }
        let added = self.try_to_add(bytes);
        if let Err(error) = &added {
            self.broken = Some(error.to_string());
        }
        added.with_context(|| {
            format!("the bytes are no longer recorded: cannot write {}", self.path.display())
        })
    }

    fn try_to_add(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::create(&self.path)?,
        };
        self.file.insert(file).write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_recording_begins_with_the_first_byte_and_spares_the_one_before() {
        let folder = std::env::temp_dir().join(format!("recording-{}", std::process::id()));
        let path = folder.join("deep/report.raw");
        let mut first = Recording::to(path.clone()).unwrap();
        first.add(b"ab").unwrap();
        first.add(b"c").unwrap();
        assert_eq!(first.whole(), Some(path.as_path()));
        let silent = Recording::to(path.clone()).unwrap();
        assert_eq!((silent.whole(), fs::read(&path).unwrap()), (None, b"abc".to_vec()));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_disk_that_takes_no_more_is_told_once_and_ends_the_recording_alone() {
        if !Path::new("/dev/full").exists() {
            return;
        }
        let mut recording = Recording::to("/dev/full".into()).unwrap();
        let why = format!("{:#}", recording.add(b"ab").unwrap_err());
        assert!(why.contains("no longer recorded") && why.contains("/dev/full"), "{why}");
        assert!(recording.add(b"c").is_ok());
        assert_eq!(recording.whole(), None);
    }
}
