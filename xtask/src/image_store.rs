//! ELF files of images that were built here, by the build that each tells of itself.
//!
//! A card may carry an older image than the tree builds by now, and only its own ELF file decodes its log.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use harness::banner::BuildId;
use object::Object;

use crate::paths;

/// So many are kept; one takes some 6 MB.
const KEPT: usize = 12;

/// A folder of ELF files.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The one in the target folder.
    pub fn of_this_tree() -> Self {
        Self::at(paths::target().join("image/by-id"))
    }

    /// One in this folder.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the file of a build is, or would be.
    pub fn path(&self, build: BuildId) -> PathBuf {
        self.folder.join(format!("{build}.elf"))
    }

    /// The file of a build, if it is here.
    pub fn find(&self, build: BuildId) -> Option<Vec<u8>> {
        let elf = fs::read(self.path(build)).ok()?;
        (build_of(&elf) == Some(build)).then_some(elf)
    }

    /// Keeps an ELF file, and lets go of those that were kept longest ago. A file without a build id is not kept.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn keep(&self, elf: &[u8]) -> Result<()> {
        let Some(build) = build_of(elf) else { return Ok(()) };
        let path = self.path(build);
        let kept = fs::create_dir_all(&self.folder).and_then(|()| match fs::File::open(&path) {
            // The newest again.
            Ok(file) if file.metadata()?.len() == elf.len() as u64 => file.set_modified(SystemTime::now()),
            _ => fs::write(&path, elf),
        });
        kept.with_context(|| format!("cannot write {}", path.display()))?;
        self.prune();
        Ok(())
    }

    /// A file that cannot be removed stays.
    fn prune(&self) {
        let mut files = self.files();
        files.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
        for (_, path) in files.iter().skip(KEPT) {
            let _ = fs::remove_file(path);
        }
    }

    fn files(&self) -> Vec<(SystemTime, PathBuf)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let elf =
            entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "elf"));
        elf.filter_map(|path| Some((modified(&path)?, path))).collect()
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// Which build an ELF file is; `None` if it does not say.
pub fn build_of(elf: &[u8]) -> Option<BuildId> {
    let file = object::File::parse(elf).ok()?;
    let hash = file.build_id().ok()??;
    Some(BuildId::new(*hash.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// An ELF file with nothing but a build id: one segment of notes.
    pub(crate) fn elf_of(hash: [u8; 20]) -> Vec<u8> {
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        file.extend([2, 0, 183, 0, 1, 0, 0, 0]);
        file.extend(0x80000u64.to_le_bytes());
        file.extend(64u64.to_le_bytes());
        file.extend([0; 12]);
        file.extend([64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
        file.extend([4, 0, 0, 0, 4, 0, 0, 0]);
        for field in [120u64, 0x80000, 0x80000, 36, 36, 4] {
            file.extend(field.to_le_bytes());
        }
        file.extend([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0]);
        file.extend(b"GNU\0");
        file.extend(hash);
        file
    }

    #[test]
    fn a_build_is_found_again_and_the_oldest_are_let_go() {
        let folder = std::env::temp_dir().join(format!("image-store-{}", std::process::id()));
        let store = Store::at(folder.join("by-id"));
        let elf = |number: u8| elf_of([number; 20]);
        let build = |number: u8| BuildId::new([number; 8]);
        for number in 0..20 {
            store.keep(&elf(number)).expect("writable");
            // The clock of a file system may be coarse.
            let file = fs::File::open(store.path(build(number))).expect("kept");
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(number));
            file.set_modified(at).expect("ours");
        }
        let there: Vec<u8> = (0..20).filter(|number| store.find(build(*number)).is_some()).collect();
        assert_eq!(there, (8..20).collect::<Vec<_>>());
        assert_eq!(store.find(build(19)), Some(elf(19)));
        // Kept once more, an old one is a new one.
        store.keep(&elf(8)).expect("writable");
        store.keep(&elf(20)).expect("writable");
        assert!(store.find(build(8)).is_some() && store.find(build(9)).is_none());
        fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn a_file_that_is_not_what_its_name_says_is_not_taken() {
        let folder = std::env::temp_dir().join(format!("image-store-wrong-{}", std::process::id()));
        let store = Store::at(folder.clone());
        fs::create_dir_all(&folder).expect("writable");
        fs::write(store.path(BuildId::new([1; 8])), elf_of([2; 20])).expect("writable");
        assert_eq!(store.find(BuildId::new([1; 8])), None);
        assert_eq!(build_of(b"no ELF file"), None);
        fs::remove_dir_all(&folder).expect("removable");
    }
}
