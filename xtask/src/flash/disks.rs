//! Disks and their partitions, as sysfs and udev tell of them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use super::contents::{Content, Signature, Table};
use super::system::{System, attribute, names_in};
use crate::terminal::printable;

/// Sysfs counts in sectors of this size, whatever the disk's own are.
const SECTOR: u64 = 512;

/// How a disk is connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bus {
    /// A card in a slot of its own.
    Sd,
    /// Memory that is soldered in.
    Emmc,
    Usb,
    Nvme,
    Sata,
    Virtio,
    /// No hardware: loop, network block device, memory.
    Virtual,
    Other,
}

impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sd => "SD",
            Self::Emmc => "eMMC",
            Self::Usb => "USB",
            Self::Nvme => "NVMe",
            Self::Sata => "SATA",
            Self::Virtio => "virtio",
            Self::Virtual => "virtual",
            Self::Other => "other",
        })
    }
}

/// A whole disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Disk {
    /// The kernel's name, as `sdb`.
    pub name: String,
    /// Its node.
    pub path: PathBuf,
    /// Major and minor number, as `8:16`.
    pub number: String,
    /// Size; 0 is a reader without a card.
    pub bytes: u64,
    /// Maker and model.
    pub model: Option<String>,
    /// How it is connected.
    pub bus: Bus,
    /// Whether it, or its medium, can be taken out.
    pub removable: bool,
    /// Whether it refuses to be written.
    pub read_only: bool,
    /// Bytes of a sector.
    pub sector_bytes: u64,
    /// The kernel's count of media, new with each card that is put in; `None` before Linux 5.15.
    pub sequence: Option<u64>,
    /// Disks that it is made of, of a logical one.
    pub made_of: Vec<String>,
    /// Its partitions, by name.
    pub partitions: Vec<Partition>,
    /// Whether anybody has looked at what is on it; these four are filled by [`look`](super::contents::look).
    pub content: Content,
    /// What divides it.
    pub table: Option<Table>,
    /// What the whole disk holds, without partitions or beside them: blkid's name of a file system or another use.
    pub file_system: Option<String>,
    /// Label of that.
    pub label: Option<String>,
}

/// A partition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Partition {
    /// The kernel's name, as `sdb1`.
    pub name: String,
    /// Where it begins, in bytes.
    #[serde(skip)]
    pub start: u64,
    /// Size.
    pub bytes: u64,
    /// Label of the file system.
    pub label: Option<String>,
    /// Kind of the file system.
    pub file_system: Option<String>,
}

impl Disk {
    /// Reads what there is to know of the disk `name`.
    ///
    /// # Errors
    /// If there is no such disk.
    pub fn read(system: &System, name: &str) -> Result<Self> {
        let folder = system.block(name).with_context(|| format!("there is no disk {name}"))?;
        let has_no_size = || format!("{name} is gone");
        let flag = |name| attribute(&folder, name).as_deref() == Some("1");
        let number = |name| attribute(&folder, name).and_then(|text| text.parse().ok());
        let bus = bus(&folder, name);
        Ok(Self {
            name: name.to_owned(),
            path: system.dev.join(name),
            number: attribute(&folder, "dev").with_context(has_no_size)?,
            bytes: number("size")
                .map(|sectors: u64| sectors.saturating_mul(SECTOR))
                .with_context(has_no_size)?,
            model: model(&folder),
            bus,
            // The slot says of itself that it is fixed.
            removable: flag("removable") || bus == Bus::Sd,
            read_only: flag("ro"),
            sector_bytes: number("queue/logical_block_size").unwrap_or(SECTOR),
            sequence: number("diskseq"),
            made_of: names_in(&folder.join("slaves"))?,
            partitions: partitions(system, &folder)?,
            content: Content::Unseen,
            table: None,
            file_system: None,
            label: None,
        })
    }

    /// All disks.
    ///
    /// # Errors
    /// If sysfs cannot be read. One that goes away meanwhile is left out.
    pub fn all(system: &System) -> Result<Vec<Self>> {
        Ok(system.disk_names()?.iter().filter_map(|name| Self::read(system, name).ok()).collect())
    }

    /// Maker and model for a line of text.
    pub fn model_words(&self) -> String {
        let model = self.model.as_deref().unwrap_or("no model known");
        printable(model).replace(['\n', '\t'], " ")
    }

    /// What tells it from another disk that has got its name: a script repeats this instead of a person's answer.
    pub fn identity(&self) -> String {
        format!("{}, {} bytes", self.model_words(), self.bytes)
    }

    /// True if this is still the same medium in the same place as `before`. Where the kernel does not count media, the
    /// partitions that it knows of tell two equal ones apart.
    pub fn is_still(&self, before: &Self) -> bool {
        let place = |partition: &Partition| (partition.name.clone(), partition.start, partition.bytes);
        let has_same_partitions =
            || self.partitions.iter().map(place).eq(before.partitions.iter().map(place));
        (&self.number, self.bytes, &self.model, self.sequence)
            == (&before.number, before.bytes, &before.model, before.sequence)
            && (self.sequence.is_some() || has_same_partitions())
    }
}

/// Maker and model in one line; of an SD card its product name.
fn model(folder: &Path) -> Option<String> {
    let part = |name| attribute(folder, &format!("device/{name}"));
    let words: Vec<String> = [part("vendor"), part("model").or(part("name"))].into_iter().flatten().collect();
    // Virtio and some controllers have a number for a vendor.
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with("0x")).collect();
    let model = Some(words.join(" ")).filter(|model| !model.is_empty());
    // A loop device is the file behind it.
    model.or_else(|| Some(format!("file {}", attribute(folder, "loop/backing_file")?)))
}

/// The path in sysfs leads through everything between processor and disk.
fn bus(folder: &Path, name: &str) -> Bus {
    let through = |start: &str| {
        folder.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            part.strip_prefix(start).is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
        })
    };
    match attribute(folder, "device/type").as_deref() {
        _ if through("usb") => Bus::Usb,
        Some("SD") if name.starts_with("mmcblk") => Bus::Sd,
        Some("MMC") if name.starts_with("mmcblk") => Bus::Emmc,
        _ if name.starts_with("nvme") => Bus::Nvme,
        _ if through("ata") => Bus::Sata,
        _ if through("virtio") => Bus::Virtio,
        _ if folder.components().any(|part| part.as_os_str() == "virtual") => Bus::Virtual,
        _ => Bus::Other,
    }
}

/// A partition's folder is within the disk's, and has a file that says its place.
fn partitions(system: &System, disk: &Path) -> Result<Vec<Partition>> {
    let mut partitions = Vec::new();
    for name in names_in(disk)? {
        let folder = disk.join(&name);
        if !folder.join("partition").is_file() {
            continue;
        }
        let sectors = |name| attribute(&folder, name).and_then(|text| text.parse().ok()).unwrap_or(0u64);
        let found = attribute(&folder, "dev").and_then(|number| signature_by_udev(system, &number));
        let (file_system, label) = Signature::parts(found);
        partitions.push(Partition {
            start: sectors("start").saturating_mul(SECTOR),
            bytes: sectors("size").saturating_mul(SECTOR),
            label,
            file_system,
            name,
        });
    }
    // The tenth partition comes behind the ninth.
    partitions.sort_by_cached_key(|partition| (partition.name.len(), partition.name.clone()));
    Ok(partitions)
}

/// What udev found on the device with this number.
pub fn signature_by_udev(system: &System, number: &str) -> Option<Signature> {
    let found = fs::read_to_string(system.udev.join(format!("b{number}"))).ok()?;
    let value = |key: &str| {
        let line =
            found.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(key)?.strip_prefix('='));
        line.map(str::to_owned)
    };
    Signature::of(value("ID_FS_TYPE"), value("ID_FS_LABEL"))
}

/// A size as it is printed on cards: decimal.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        1_000_000_000..1_000_000_000_000 => format!("{:.1} GB", bytes as f64 / 1e9),
        _ => format!("{:.2} TB", bytes as f64 / 1e12),
    }
}
