//! A PC of files: sysfs, procfs and devices as the kernel would show them.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::system::System;
use crate::scratch::Scratch;

/// Where disks of each kind hang in sysfs.
pub const USB: &str = "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0";
pub const NVME: &str = "pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0";
pub const SATA: &str = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0";
pub const SLOT: &str = "pci0000:00/0000:00:1c.0/0000:02:00.0/rtsx_pci_sdmmc.0/mmc_host/mmc0/mmc0:aaaa";
pub const VIRTUAL: &str = "virtual";

/// The PC.
pub struct Fake {
    folder: Scratch,
    pub system: System,
    mounts: String,
    swaps: String,
}

impl Fake {
    /// One with its system on an NVMe disk: `/` and `/boot/efi` on partitions, swap on another.
    pub fn new(test: &str) -> Self {
        let folder = Scratch::new(test);
        let below = |name: &str| folder.path.join(name);
        let system =
            System { sys: below("sys"), proc: below("proc"), dev: below("dev"), udev: below("udev") };
        let swaps = "Filename\tType\tSize\tUsed\tPriority\n".to_owned();
        let mut fake = Self { folder, system, mounts: String::new(), swaps };
        fake.disk(NVME, "nvme0n1", "259:0", 1_000_215_216, &[("device/model", "Samsung SSD 970")]);
        for (name, number) in [("nvme0n1p1", "259:1"), ("nvme0n1p2", "259:2"), ("nvme0n1p3", "259:3")] {
            fake.partition("nvme0n1", name, number, 1_000_000);
        }
        fake.mount("259:2", "/", "/dev/nvme0n1p2");
        fake.mount("259:1", "/boot/efi", "/dev/nvme0n1p1");
        fake.swap("/dev/nvme0n1p3");
        fake
    }

    /// A card of 32 GB in a USB reader, as Raspberry Pi OS leaves it.
    pub fn with_card(mut self) -> Self {
        let attributes = [
            ("removable", "1"),
            ("device/vendor", "Generic "),
            ("device/model", "STORAGE DEVICE  "),
            ("diskseq", "17"),
        ];
        self.disk(USB, "sdb", "8:16", 62_333_952, &attributes);
        self.partition("sdb", "sdb1", "8:17", 1_048_576);
        self.partition("sdb", "sdb2", "8:18", 61_276_160);
        self.folder.file("udev/b8:17", "S:disk/by-label/bootfs\nE:ID_FS_LABEL=bootfs\nE:ID_FS_TYPE=vfat\n");
        self.folder.file("udev/b8:18", "E:ID_FS_LABEL=rootfs\nE:ID_FS_TYPE=ext4\n");
        self
    }

    /// A disk of so many sectors. Attributes are files in its folder.
    pub fn disk(&mut self, place: &str, name: &str, number: &str, sectors: u64, attributes: &[(&str, &str)]) {
        // Below `virtual` there is no device in between.
        let folder = format!("sys/devices/{place}/block/{name}");
        let size = sectors.to_string();
        let defaults = [
            ("dev", number),
            ("size", &size),
            ("removable", "0"),
            ("ro", "0"),
            ("queue/logical_block_size", "512"),
        ];
        for (attribute, value) in defaults.iter().chain(attributes) {
            self.folder.file(&format!("{folder}/{attribute}"), format!("{value}\n"));
        }
        self.link(&folder, &format!("sys/block/{name}"));
        self.appear(&folder, name, number);
    }

    /// A partition of a disk that is there.
    pub fn partition(&mut self, disk: &str, name: &str, number: &str, sectors: u64) {
        let folder = fs::canonicalize(self.folder.path.join("sys/block").join(disk)).unwrap().join(name);
        let root = fs::canonicalize(&self.folder.path).unwrap();
        let folder = folder.strip_prefix(root).unwrap().display().to_string();
        for (attribute, value) in [("dev", number), ("partition", "1"), ("size", &sectors.to_string())] {
            self.folder.file(&format!("{folder}/{attribute}"), format!("{value}\n"));
        }
        self.appear(&folder, name, number);
    }

    /// A logical disk on another one or on a partition, by the name that LVM or cryptsetup gave it.
    pub fn logical(&mut self, on: &str, name: &str, number: &str, title: &str) {
        if !self.folder.path.join("sys/block").join(name).exists() {
            self.disk(VIRTUAL, name, number, 1_000_000, &[("dm/name", title)]);
            fs::create_dir_all(self.system.dev.join("mapper")).unwrap();
            symlink(self.system.dev.join(name), self.system.dev.join("mapper").join(title)).unwrap();
        }
        let below = self.folder.path.join("sys/class/block").join(on);
        fs::create_dir_all(below.join("holders").join(name)).unwrap();
        let above = self.folder.path.join("sys/class/block").join(name);
        fs::create_dir_all(above.join("slaves").join(on)).unwrap();
    }

    /// Writes a file below the PC's root.
    pub fn file(&self, name: &str, content: &str) {
        self.folder.file(name, content);
    }

    /// Mounts.
    pub fn mount(&mut self, number: &str, point: &str, source: &str) {
        let line = format!("30 1 {number} / {point} rw,relatime shared:1 - ext4 {source} rw");
        writeln!(self.mounts, "{line}").unwrap();
        self.folder.file("proc/self/mountinfo", &self.mounts);
    }

    /// Makes a swap area of a device.
    pub fn swap(&mut self, path: &str) {
        writeln!(self.swaps, "{path}\tpartition\t8388604\t0\t-2").unwrap();
        self.folder.file("proc/swaps", &self.swaps);
    }

    /// The disk is unplugged.
    pub fn unplug(&self, name: &str) {
        fs::remove_file(self.folder.path.join("sys/class/block").join(name)).unwrap();
    }

    fn appear(&self, folder: &str, name: &str, number: &str) {
        self.link(folder, &format!("sys/class/block/{name}"));
        self.link(folder, &format!("sys/dev/block/{number}"));
        self.folder.file(&format!("dev/{name}"), "");
    }

    fn link(&self, to: &str, from: &str) {
        let from = self.folder.path.join(from);
        fs::create_dir_all(from.parent().unwrap_or(Path::new("/"))).unwrap();
        symlink(self.folder.path.join(to), from).unwrap();
    }
}
