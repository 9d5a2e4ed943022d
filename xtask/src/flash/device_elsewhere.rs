//! Where the system is not Linux: there are no disks that we know how to find.

use std::fs::Metadata;
use std::io;

use anyhow::{Result, bail};

use super::disks::Disk;
use super::medium::{Medium, Reading};

/// No node is one of a disk.
pub fn number(_: &Metadata) -> Option<String> {
    None
}

/// Nothing of this kind exists.
#[derive(Debug)]
pub enum BlockDevice {}

impl BlockDevice {
    /// Opens nothing.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Disk) -> Result<Self> {
        bail!("disks are written on Linux only")
    }
}

impl Medium for BlockDevice {
    fn bytes(&self) -> u64 {
        match *self {}
    }

    fn reading(&self) -> Reading {
        match *self {}
    }

    fn write_at(&mut self, _: u64, _: &[u8]) -> io::Result<()> {
        match *self {}
    }

    fn read_at(&mut self, _: u64, _: &mut [u8]) -> io::Result<()> {
        match *self {}
    }

    fn settle(&mut self) -> io::Result<()> {
        match *self {}
    }
}
