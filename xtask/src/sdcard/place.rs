//! What kind of file system a folder is on.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FsWord, statfs};

/// `f_type` of FAT (`statfs(2)`).
const FAT: FsWord = 0x4d44;

/// True for a whole file system of another kind than boards read; false where that cannot be told.
pub fn is_no_boot_partition(folder: &Path) -> bool {
    is_root_of_file_system(folder) && statfs(folder).is_ok_and(|found| found.f_type != FAT)
}

fn is_root_of_file_system(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    device(folder) != device(&folder.join(".."))
}
