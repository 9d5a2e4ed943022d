//! One firmware release: a folder of unmodified files, and a note of where they came from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::identity::BuildIdentity;
use super::licence;

/// The builds of one release for Pi 0 to 3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// The standard build.
    Start,
    /// With assertions and logging.
    StartDb,
    /// With more codecs and camera support.
    StartX,
    /// Cut down: no codecs, and no shared-memory service.
    StartCd,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Start, Self::StartDb, Self::StartX, Self::StartCd];

    /// Name as in file names and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::StartDb => "start_db",
            Self::StartX => "start_x",
            Self::StartCd => "start_cd",
        }
    }

    /// The VPU's program.
    pub fn start_file(self) -> &'static str {
        match self {
            Self::Start => "start.elf",
            Self::StartDb => "start_db.elf",
            Self::StartX => "start_x.elf",
            Self::StartCd => "start_cd.elf",
        }
    }

    /// The relocations that go with it: they let it run with another memory split than the one it is linked for.
    pub fn fixup_file(self) -> &'static str {
        match self {
            Self::Start => "fixup.dat",
            Self::StartDb => "fixup_db.dat",
            Self::StartX => "fixup_x.dat",
            Self::StartCd => "fixup_cd.dat",
        }
    }
}

/// Where a release came from. Stands beside its files as `origin.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Origin {
    /// The distribution's package.
    Package {
        /// Full version of the package.
        version: String,
        /// The suite asked for; `None` is the installed system's own.
        suite: Option<String>,
    },
    /// A folder that the user named.
    Folder {
        /// Its path.
        path: PathBuf,
    },
}

impl Origin {
    /// True for the package of the installed system's own suite.
    pub fn is_own_distribution(&self) -> bool {
        matches!(self, Self::Package { suite: None, .. })
    }
}

/// Name of the file that holds the [`Origin`].
pub const ORIGIN_FILE: &str = "origin.json";

/// A release at hand.
#[derive(Clone, Debug)]
pub struct Release {
    /// Name on the command line, and of the folder.
    pub name: String,
    /// Folder with the files.
    pub folder: PathBuf,
    /// Where it came from.
    pub origin: Origin,
}

impl Release {
    /// Reads what is known of the release in `folder`.
    ///
    /// # Errors
    /// If the folder has no readable `origin.json`.
    pub fn open(folder: &Path) -> Result<Self> {
        let origin = folder.join(ORIGIN_FILE);
        let text = fs::read_to_string(&origin).with_context(|| format!("reading {}", origin.display()))?;
        let origin = serde_json::from_str(&text).with_context(|| {
            format!("{} is damaged: delete that folder and get the release again", origin.display())
        })?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, folder: folder.to_owned(), origin })
    }

    /// A file of the release.
    ///
    /// # Errors
    /// If the release has no such file, with the release's name in the message.
    pub fn read(&self, file: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(file);
        if !path.is_file() {
            bail!("firmware release {} has no {file} (looked in {})", self.name, self.folder.display());
        }
        fs::read(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// The licence text that came with the release; `None` if none did.
    ///
    /// # Errors
    /// If there is one that cannot be read.
    pub fn licence(&self) -> Result<Option<Vec<u8>>> {
        let names = self.file_names()?;
        let called = |wanted: &str| names.iter().find(|name| name.eq_ignore_ascii_case(wanted));
        if let Some(name) = called(licence::ON_BOOT_PARTITION) {
            return self.read(name).map(Some);
        }
        let Some(name) = called(licence::IN_PACKAGE) else { return Ok(None) };
        let copyright = self.read(name)?;
        Ok(Some(licence::of_boot_files(&String::from_utf8_lossy(&copyright)).into_bytes()))
    }

    /// True if the release has this file.
    pub fn has(&self, file: &str) -> bool {
        self.folder.join(file).is_file()
    }

    /// The variants whose program is in the release.
    pub fn variants(&self) -> Vec<Variant> {
        Variant::ALL.into_iter().filter(|variant| self.has(variant.start_file())).collect()
    }

    /// What the first variant says of its build. All variants of a release are built together.
    pub fn identity(&self) -> Option<BuildIdentity> {
        let variant = *self.variants().first()?;
        BuildIdentity::find(&self.read(variant.start_file()).ok()?)
    }

    /// Names of all firmware files, sorted.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn file_names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != ORIGIN_FILE {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}
