//! Who uses a disk: mounts, swap, and what is stacked on it (LVM, dm-crypt, RAID, loop devices), however deep.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;

use super::disks::Disk;
use super::system::{Mount, System, attribute, names_in};

/// Something that uses a disk or a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InUse {
    /// The disk or partition.
    pub name: String,
    /// What stands between it and the use: `dm-0`, say, by the name people know.
    pub through: Vec<String>,
    /// The use.
    pub by: Use,
}

/// A use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Use {
    /// Mounted here.
    Mounted(PathBuf),
    /// A swap area.
    Swap,
    /// Part of a device of this name, which may be mounted nowhere.
    Held(String),
}

/// Mount points that a system lives in, each with everything below it; the last ones are a live system's medium.
const OF_THE_SYSTEM: [&str; 15] = [
    "/usr",
    "/home",
    "/var",
    "/boot",
    "/efi",
    "/opt",
    "/srv",
    "/root",
    "/etc",
    "/nix",
    "/sysroot",
    "/cdrom",
    "/run/live",
    "/run/archiso",
    "/run/initramfs",
];

impl InUse {
    /// True if the system would not survive that the disk is overwritten.
    pub fn is_system(&self) -> bool {
        match &self.by {
            Use::Mounted(point) => {
                point.as_os_str() == "/" || OF_THE_SYSTEM.iter().any(|system| point.starts_with(system))
            }
            Use::Swap => true,
            Use::Held(_) => false,
        }
    }
}

/// All uses of a disk and of its partitions.
///
/// # Errors
/// If the kernel does not tell: then nothing may be taken for unused.
pub fn uses(system: &System, disk: &Disk) -> Result<Vec<InUse>> {
    let mut search = Search {
        system,
        mounts: system.mounts()?,
        swaps: system.swaps()?,
        loops: loops(system)?,
        seen: BTreeSet::new(),
        found: Vec::new(),
    };
    let names = disk.partitions.iter().map(|partition| &partition.name);
    for name in names.chain([&disk.name]) {
        search.look_at(name, name, &[])?;
    }
    Ok(search.found)
}

/// Loop devices, each with the name of the device that it takes for a file.
fn loops(system: &System) -> Result<Vec<(String, String)>> {
    let mut loops = Vec::new();
    for name in system.disk_names()? {
        let Some(folder) = system.block(&name) else { continue };
        let backing = attribute(&folder, "loop/backing_file");
        if let Some(backing) = backing.and_then(|path| system.name_of_path(&path)) {
            loops.push((name, backing));
        }
    }
    Ok(loops)
}

struct Search<'a> {
    system: &'a System,
    mounts: Vec<Mount>,
    swaps: Vec<String>,
    loops: Vec<(String, String)>,
    seen: BTreeSet<String>,
    found: Vec<InUse>,
}

impl Search<'_> {
    /// Looks at `name`, which is `origin` or stands on it.
    fn look_at(&mut self, origin: &str, name: &str, through: &[String]) -> Result<()> {
        let Some(folder) = self.system.block(name).filter(|_| self.seen.insert(name.to_owned())) else {
            return Ok(());
        };
        let number = attribute(&folder, "dev").unwrap_or_default();
        let members = self.members_of_btrfs(name)?;
        let is_here = |mount: &&Mount| {
            let source = self.system.name_of_path(&mount.source);
            mount.number == number || source.is_some_and(|source| source == name || members.contains(&source))
        };
        let points: BTreeSet<PathBuf> =
            self.mounts.iter().filter(is_here).map(|mount| mount.point.clone()).collect();
        let mut found =
            |by| self.found.push(InUse { name: origin.to_owned(), through: through.to_vec(), by });
        points.into_iter().for_each(|point| found(Use::Mounted(point)));
        if self.swaps.iter().any(|swap| swap == name) {
            found(Use::Swap);
        }
        let mut holders = names_in(&folder.join("holders"))?;
        holders
            .extend(self.loops.iter().filter(|(_, backing)| backing == name).map(|(name, _)| name.clone()));
        for holder in holders {
            self.look_at_holder(origin, &holder, through)?;
        }
        Ok(())
    }

    /// A holder is a use of its own, and so is whatever stands on it or on its partitions.
    fn look_at_holder(&mut self, origin: &str, holder: &str, through: &[String]) -> Result<()> {
        let folder = self.system.block(holder);
        let title = folder.as_ref().and_then(|folder| attribute(folder, "dm/name"));
        let title = title.unwrap_or_else(|| holder.to_owned());
        self.found.push(InUse {
            name: origin.to_owned(),
            through: through.to_vec(),
            by: Use::Held(title.clone()),
        });
        let through = [through, &[title]].concat();
        self.look_at(origin, holder, &through)?;
        let Ok(held) = Disk::read(self.system, holder) else { return Ok(()) };
        held.partitions.iter().try_for_each(|partition| self.look_at(origin, &partition.name, &through))
    }

    /// The devices of the btrfs that `name` is part of: mounts name one of them only. The kernel lists a btrfs while it
    /// is mounted.
    fn members_of_btrfs(&self, name: &str) -> Result<Vec<String>> {
        let all = self.system.sys.join("fs/btrfs");
        for file_system in names_in(&all)? {
            let members = names_in(&all.join(file_system).join("devices")).unwrap_or_default();
            if members.iter().any(|member| member == name) {
                return Ok(members);
            }
        }
        Ok(Vec::new())
    }
}
