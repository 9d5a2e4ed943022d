//! What the kernel tells of its block devices, mounts and swap areas, read below roots that a test can choose.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where the kernel and udev show things.
#[derive(Clone, Debug)]
pub struct System {
    /// `/sys`.
    pub sys: PathBuf,
    /// `/proc`.
    pub proc: PathBuf,
    /// `/dev`.
    pub dev: PathBuf,
    /// `/run/udev/data`: what udev found on each device; need not be there.
    pub udev: PathBuf,
}

/// A line of `/proc/self/mountinfo`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Major and minor number of the device, as `8:17`; of btrfs a number of its own.
    pub number: String,
    /// Where it is mounted.
    pub point: PathBuf,
    /// What is mounted: mostly the path of a device.
    pub source: String,
}

impl System {
    /// This PC.
    pub fn of_this_pc() -> Self {
        Self { sys: "/sys".into(), proc: "/proc".into(), dev: "/dev".into(), udev: "/run/udev/data".into() }
    }

    /// Folder of a disk or partition in sysfs, without symbolic links in it.
    pub fn block(&self, name: &str) -> Option<PathBuf> {
        fs::canonicalize(self.sys.join("class/block").join(name)).ok()
    }

    /// Names of all disks, sorted.
    ///
    /// # Errors
    /// If sysfs cannot be read.
    pub fn disk_names(&self) -> Result<Vec<String>> {
        let folder = self.sys.join("block");
        let names = names_in(&folder).with_context(|| format!("reading {}", folder.display()))?;
        Ok(names)
    }

    /// Name of the device with this number, as `8:17`.
    pub fn name_of_number(&self, number: &str) -> Option<String> {
        let folder = fs::canonicalize(self.sys.join("dev/block").join(number)).ok()?;
        Some(folder.file_name()?.to_string_lossy().into_owned())
    }

    /// Name of the device behind a path such as `/dev/mapper/vg-root`, if it is one of the kernel's.
    pub fn name_of_path(&self, path: &str) -> Option<String> {
        let below = Path::new(path).strip_prefix("/dev").ok()?;
        let path = fs::canonicalize(self.dev.join(below)).ok()?;
        let name = path.file_name()?.to_string_lossy().into_owned();
        self.block(&name).map(|_| name)
    }

    /// All mounts that this process sees.
    ///
    /// # Errors
    /// If the kernel does not tell: then nothing may be taken for unused.
    pub fn mounts(&self) -> Result<Vec<Mount>> {
        let path = self.proc.join("self/mountinfo");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(text.lines().filter_map(mount).collect())
    }

    /// Names of the devices that are swap areas. A swap file is in a file system that is mounted anyway.
    ///
    /// # Errors
    /// As [`mounts`](Self::mounts). A kernel without swap has no such file.
    pub fn swaps(&self) -> Result<Vec<String>> {
        let path = self.proc.join("swaps");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.with_context(|| format!("reading {}", path.display()))?,
        };
        let paths = text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        Ok(paths.filter_map(|path| self.name_of_path(&unescaped(path))).collect())
    }
}

/// Names in a folder, sorted; none if there is no such folder.
///
/// # Errors
/// If it is there and cannot be read.
pub fn names_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// A file of sysfs: one line, without the blanks around it. `None` if it is missing or empty.
pub fn attribute(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The fields up to the mount point, then options and a lone hyphen, then type and source.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(2);
    let number = before.next()?.to_owned();
    let point = PathBuf::from(unescaped(before.nth(1)?));
    let source = unescaped(after.split(' ').nth(1)?);
    Some(Mount { number, point, source })
}

/// Blanks and backslashes in paths come as a backslash and three octal digits.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                bytes.extend(&part.as_bytes()[3..]);
            }
            None => {
                bytes.push(b'\\');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_taken_apart_whatever_options_it_has() {
        let line =
            r"36 35 8:17 / /media/me/my\040card rw,noatime shared:1 master:2 - vfat /dev/sdb1 rw,uid=1000";
        let expected =
            Mount { number: "8:17".into(), point: "/media/me/my card".into(), source: "/dev/sdb1".into() };
        assert_eq!(mount(line), Some(expected));
        assert_eq!(mount("36 35 8:17 / /x rw - ext4 /dev/sdb1 rw").unwrap().source, "/dev/sdb1");
        assert_eq!(mount("garbage"), None);
        assert_eq!(mount(""), None);
    }

    #[test]
    fn escapes_that_are_none_stay_as_they_are() {
        for (text, expected) in [
            (r"a\040b\134c", r"a b\c"),
            (r"end\", r"end\"),
            (r"\9", r"\9"),
            (r"\303\244", "ä"),
            (r"\777x", r"\777x"),
        ] {
            assert_eq!(unescaped(text), expected);
        }
    }
}
