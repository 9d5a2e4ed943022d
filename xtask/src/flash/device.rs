//! A block device of Linux, written past the page cache where its driver allows that.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};

use anyhow::{Context, Result, anyhow, bail};
use rustix::fs::{Advice, OFlags, fadvise, major, minor};
use rustix::io::Errno;

use super::disks::Disk;
use super::failure::{gone, not_permitted};
use super::medium::{CHUNK, Medium, Reading};
use super::refuse::AGAIN;

/// What the memory for transfers past the page cache is aligned to: at least any disk's sector.
const ALIGNMENT: usize = 4096;

/// The number of the device that a node stands for, as `8:16`; `None` if it is no block device.
pub fn number(node: &Metadata) -> Option<String> {
    let rdev = node.rdev();
    node.file_type().is_block_device().then(|| format!("{}:{}", major(rdev), minor(rdev)))
}

/// A disk that nobody else can mount or open for itself while we have it.
#[derive(Debug)]
pub struct BlockDevice {
    file: File,
    bytes: u64,
    /// Transfers go past the page cache.
    direct: bool,
    buffer: Aligned,
}

impl BlockDevice {
    /// Opens a disk for ourselves alone.
    ///
    /// # Errors
    /// If it cannot be opened, somebody uses it after all, or the path has come to mean another disk.
    pub fn open(disk: &Disk) -> Result<Self> {
        let (file, direct) = match open(disk, OFlags::EXCL | OFlags::DIRECT) {
            Ok(file) => (file, true),
            // Few drivers do not offer that.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                (open(disk, OFlags::EXCL).or_else(|error| why_not(disk, error))?, false)
            }
            Err(error) => (why_not(disk, error)?, false),
        };
        if number(&file.metadata()?).as_ref() != Some(&disk.number) {
            bail!("{} leads to another disk now than a moment ago: nothing was written", disk.path.display());
        }
        Ok(Self { file, bytes: disk.bytes, direct, buffer: Aligned::new() })
    }
}

fn open(disk: &Disk, flags: OFlags) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(flags.bits() as i32).open(&disk.path)
}

/// Nothing has been written yet.
fn why_not(disk: &Disk, error: io::Error) -> Result<File> {
    let path = disk.path.display();
    let words = match Errno::from_io_error(&error) {
        Some(Errno::BUSY) => format!(
            "another program has {path} open for itself, and would go on writing into the new card: close it (a file \
             manager, a partition editor, a virtual machine), {AGAIN}"
        ),
        Some(Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::NOMEDIUM) => gone(disk),
        Some(Errno::ROFS) => format!("{path} is write-protected: nothing was written to it"),
        Some(Errno::ACCESS | Errno::PERM) => not_permitted(disk),
        _ => return Err(error).with_context(|| format!("{path} cannot be opened, and is as it was")),
    };
    Err(anyhow!(words))
}

impl Medium for BlockDevice {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn reading(&self) -> Reading {
        if self.direct { Reading::Direct } else { Reading::Cached }
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let aligned = self.buffer.of(bytes.len())?;
        aligned.copy_from_slice(bytes);
        self.file.write_all_at(aligned, offset)?;
        // Where the page cache takes part, this keeps it from hiding how far the disk is.
        if self.direct { Ok(()) } else { self.file.sync_data() }
    }

    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let aligned = self.buffer.of(bytes.len())?;
        self.file.read_exact_at(aligned, offset)?;
        bytes.copy_from_slice(aligned);
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if !self.direct {
            // Whatever is read from now on comes from the disk.
            fadvise(&self.file, 0, None, Advice::DontNeed)?;
        }
        Ok(())
    }
}

/// Memory at an address that transfers past the page cache accept.
#[derive(Debug)]
struct Aligned {
    memory: Vec<u8>,
    start: usize,
}

impl Aligned {
    fn new() -> Self {
        let memory = vec![0; CHUNK + ALIGNMENT];
        let start = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        Self { memory, start }
    }

    fn of(&mut self, bytes: usize) -> io::Result<&mut [u8]> {
        let end = self.start.saturating_add(bytes);
        self.memory.get_mut(self.start..end).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
    }
}
