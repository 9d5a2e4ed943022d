//! The folder outside the tree in which firmware releases are kept, one folder a release.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::licence;
use super::release::{ORIGIN_FILE, Origin, Release};
use crate::paths;

/// The releases at hand.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The user's cache, which need not exist yet.
    ///
    /// # Errors
    /// If the environment does not tell where it is.
    pub fn open() -> Result<Self> {
        Ok(Self { root: paths::cache()?.join("firmware") })
    }

    /// Where the releases are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All releases, oldest build first.
    ///
    /// # Errors
    /// If the cache is there but cannot be read.
    pub fn releases(&self) -> Result<Vec<Release>> {
        if !self.root.is_dir() {
            return Ok(Vec::new());
        }
        let mut releases = Vec::new();
        let folders = fs::read_dir(&self.root);
        for entry in folders.with_context(|| format!("reading {}", self.root.display()))? {
            let folder = entry?.path();
            if folder.join(ORIGIN_FILE).is_file() && !is_unfinished(&folder) {
                releases.push(Release::open(&folder)?);
            }
        }
        releases.sort_by_cached_key(|release| {
            (release.identity().map(|identity| (identity.date, identity.time)), release.name.clone())
        });
        Ok(releases)
    }

    /// The release called `name`.
    ///
    /// # Errors
    /// If there is none; the message lists those there are and says how to get more.
    pub fn find(&self, name: &str) -> Result<Release> {
        check_name(name)?;
        let folder = self.root.join(name);
        if folder.join(ORIGIN_FILE).is_file() {
            return Release::open(&folder);
        }
        let names: Vec<String> = self.releases()?.into_iter().map(|release| release.name).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        bail!(
            "no firmware release is called {name} (at hand: {known}); \
             `cargo xtask firmware fetch --suite SUITE` or `cargo xtask firmware add DIR` gets more"
        )
    }

    /// The release that a run takes if none is named: the newest of the distribution's own, else the newest.
    ///
    /// # Errors
    /// If the cache is there but cannot be read.
    pub fn preferred(&self) -> Result<Option<Release>> {
        let releases = self.releases()?;
        let own = releases.iter().rev().find(|release| release.origin.is_own_distribution());
        Ok(own.or(releases.last()).cloned())
    }

    /// Takes copies of `files` as the release `name`, all or nothing. A release that is there already with the
    /// same bytes is left alone.
    ///
    /// # Errors
    /// If the name is no folder name, another release has it, or the files cannot be copied.
    pub fn insert(&self, name: &str, files: &[PathBuf], origin: &Origin) -> Result<Release> {
        check_name(name)?;
        create_folder(&self.root)?;
        licence::show_once(&self.root)?;

        let folder = self.root.join(name);
        if folder.exists() {
            return keep_if_same(&folder, files, origin);
        }
        let unfinished = self.root.join(format!("{UNFINISHED}{name}-{}", std::process::id()));
        let copied = copy_all(files, &unfinished, origin);
        let moved = copied.and_then(|()| Ok(fs::rename(&unfinished, &folder)?));
        if let Err(error) = moved {
            // Whatever was copied is of no use; the error that stopped us is the one to tell.
            let _ = fs::remove_dir_all(&unfinished);
            if folder.exists() {
                return keep_if_same(&folder, files, origin);
            }
            return Err(error.context(format!("adding firmware release {name} to {}", self.root.display())));
        }
        Release::open(&folder)
    }
}

/// Makes a folder of the cache, with those above it.
///
/// # Errors
/// If that is not possible; the message says how to have the cache elsewhere.
pub fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| {
        format!(
            "cannot make the folder {} of the firmware cache (set XDG_CACHE_HOME to a folder that can be written)",
            folder.display()
        )
    })
}

/// Start of the name of a folder that is still being filled.
const UNFINISHED: &str = ".unfinished-";

fn is_unfinished(folder: &Path) -> bool {
    file_name(folder).starts_with(UNFINISHED)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A release's name is a folder's name: nothing that leads elsewhere.
fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+~".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        bail!("{name:?} cannot be the name of a firmware release: letters, digits and ._-+~ make one");
    }
    Ok(())
}

/// The release in `folder`, if it holds the same `files`. The distribution's own package, fetched after the same
/// release came by another way, becomes the origin that counts.
fn keep_if_same(folder: &Path, files: &[PathBuf], origin: &Origin) -> Result<Release> {
    let mut release = Release::open(folder)?;
    for file in files {
        let name = file_name(file);
        let same = release.has(&name) && release.read(&name)? == fs::read(file)?;
        if !same {
            bail!(
                "another firmware release is already called {} and has a different {name}; \
                 give this one a name of its own with `firmware add DIR --name NAME`, or delete {}",
                release.name,
                folder.display()
            );
        }
    }
    eprintln!("Firmware release {} is already at hand.", release.name);
    if origin.is_own_distribution() {
        write_origin(folder, origin)?;
        release.origin = origin.clone();
    }
    Ok(release)
}

fn write_origin(folder: &Path, origin: &Origin) -> Result<()> {
    let path = folder.join(ORIGIN_FILE);
    fs::write(&path, serde_json::to_string_pretty(origin)?)
        .with_context(|| format!("writing {}", path.display()))
}

fn copy_all(files: &[PathBuf], folder: &Path, origin: &Origin) -> Result<()> {
    fs::create_dir_all(folder)?;
    for file in files {
        let copy = folder.join(file_name(file));
        fs::copy(file, copy).with_context(|| format!("copying {}", file.display()))?;
    }
    write_origin(folder, origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch {
        folder: PathBuf,
    }

    impl Scratch {
        fn new(test: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("xtask-cache-{test}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self { folder }
        }

        fn cache(&self) -> Cache {
            Cache { root: self.folder.join("cache") }
        }

        fn start_file(&self, day: &str) -> PathBuf {
            let path = self.folder.join("start.elf");
            let strings = format!(
                "VC_BUILD_ID_VERSION: abc\0VC_BUILD_ID_TIME: 1:2:3\0VC_BUILD_ID_TIME: {day}\0\
                 VC_BUILD_ID_VARIANT: start\0"
            );
            fs::write(&path, strings).unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    fn package(suite: Option<&str>) -> Origin {
        Origin::Package { version: "1".into(), suite: suite.map(str::to_owned) }
    }

    #[test]
    fn the_distributions_own_release_is_preferred_to_a_newer_one() {
        let scratch = Scratch::new("preferred");
        let cache = scratch.cache();
        assert!(cache.preferred().unwrap().is_none());
        cache.insert("new", &[scratch.start_file("Jan  2 2026")], &package(Some("sid"))).unwrap();
        assert_eq!(cache.preferred().unwrap().unwrap().name, "new");
        cache.insert("own", &[scratch.start_file("Aug 26 2022")], &package(None)).unwrap();
        assert_eq!(cache.preferred().unwrap().unwrap().name, "own");
        let names: Vec<String> = cache.releases().unwrap().into_iter().map(|release| release.name).collect();
        assert_eq!(names, ["own", "new"]);
    }

    #[test]
    fn a_release_is_not_overwritten_by_other_files_of_its_name() {
        let scratch = Scratch::new("overwrite");
        let cache = scratch.cache();
        let first = scratch.start_file("Aug 26 2022");
        cache.insert("r", std::slice::from_ref(&first), &package(None)).unwrap();
        cache.insert("r", std::slice::from_ref(&first), &package(None)).unwrap();
        let error = cache.insert("r", &[scratch.start_file("Aug 27 2022")], &package(None)).unwrap_err();
        assert!(error.to_string().contains("different start.elf"), "{error}");
    }

    #[test]
    fn a_failed_copy_leaves_no_release_behind() {
        let scratch = Scratch::new("failed");
        let cache = scratch.cache();
        assert!(cache.insert("r", &[scratch.folder.join("not-there")], &package(None)).is_err());
        assert!(cache.releases().unwrap().is_empty());
        assert!(cache.find("r").is_err());
    }

    #[test]
    fn an_unknown_release_is_answered_with_those_at_hand() {
        let scratch = Scratch::new("unknown");
        let cache = scratch.cache();
        cache.insert("2022-08-26", &[scratch.start_file("Aug 26 2022")], &package(None)).unwrap();
        let error = cache.find("2023-01-01").unwrap_err().to_string();
        assert!(error.contains("2023-01-01") && error.contains("2022-08-26"), "{error}");
        assert!(cache.find("../cache/2022-08-26").is_err());
    }
}
