//! `firmware fetch`: takes the distribution's firmware package through apt, without root and without touching
//! the system's own state: a source list, lists and cache of our own, removed at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::add::firmware_files;
use super::apt_sources::{Stanza, Wanted, parse_deb822, parse_one_line, private_list};
use super::cache::Cache;
use super::release::{Origin, Release};
use crate::shell::Tool;

/// The package, and the component of the archive that has it since Debian 12.
const PACKAGE: &str = "raspi-firmware";
const COMPONENT: &str = "non-free-firmware";
/// Where the package keeps the boot partition's files, and its licence.
const FIRMWARE_FOLDER: &str = "usr/lib/raspi-firmware";
const COPYRIGHT_FILE: &str = "usr/share/doc/raspi-firmware/copyright";

/// Time for one index or package; and for a whole step, however many mirrors are tried.
const CONNECTION_LIMIT: Duration = Duration::from_secs(20);
const STEP_LIMIT: Duration = Duration::from_secs(180);

const WITHOUT_APT: &str = "take the firmware from a boot partition, or from a checkout of raspberrypi/firmware, with \
     `cargo xtask firmware add DIR`";

/// Fetches the package of `suite`, or of the installed system's own, and adds it to the cache.
///
/// # Errors
/// If this system has no apt, its source lists name no mirror of the distribution, the mirror cannot be reached
/// or has no such suite or package. The message names the way without apt.
pub fn fetch(cache: &Cache, suite: Option<&str>) -> Result<Release> {
    if let Some(suite) = suite {
        check_suite(suite)?;
    }
    if !Tool::new("apt-get").arg("--version").works() {
        bail!("this system has no apt: {WITHOUT_APT}");
    }
    let folder = WorkFolder::create(cache)?;
    let outcome = fetch_within(&folder, cache, suite);
    outcome.with_context(|| {
        let of = suite.map_or(String::new(), |suite| format!(" of {suite}"));
        format!("cannot fetch the package {PACKAGE}{of}; without a mirror, {WITHOUT_APT}")
    })
}

fn fetch_within(folder: &WorkFolder, cache: &Cache, suite: Option<&str>) -> Result<Release> {
    let apt = Apt::set_up(folder, suite)?;
    eprintln!("Fetching {PACKAGE} from the mirror that apt is set up for.");
    apt.update()?;
    let package = apt.download()?;

    let version = Tool::new("dpkg-deb").arg("-f").arg(&package).arg("Version").read()?.trim().to_owned();
    let unpacked = folder.path.join("unpacked");
    Tool::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked).read()?;
    let mut files = firmware_files(&unpacked.join(FIRMWARE_FOLDER))?;
    files.push(unpacked.join(COPYRIGHT_FILE));
    let origin = Origin::Package { version: version.clone(), suite: suite.map(str::to_owned) };
    cache.insert(release_name(&version), &files, &origin)
}

/// The package's version without epoch and the packagers' suffix: `1:1.20220830+ds-1` is `1.20220830`.
fn release_name(version: &str) -> &str {
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    upstream.split(['+', '-', '~']).next().unwrap_or(upstream)
}

fn check_suite(suite: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-./".contains(c);
    if suite.is_empty()
        || !suite.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !suite.chars().all(plain)
    {
        bail!("{suite:?} cannot be the name of a suite");
    }
    Ok(())
}

/// A folder that is gone when we are done.
struct WorkFolder {
    path: PathBuf,
}

impl WorkFolder {
    fn create(cache: &Cache) -> Result<Self> {
        let path = cache.root().join(format!(".fetch-{}", std::process::id()));
        for part in ["lists/partial", "archives/partial", "download", "no-parts"] {
            let part = path.join(part);
            super::cache::create_folder(&part)?;
        }
        Ok(Self { path })
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // A folder left behind costs space, nothing else.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// apt with our source list and state.
struct Apt<'a> {
    folder: &'a WorkFolder,
}

impl<'a> Apt<'a> {
    fn set_up(folder: &'a WorkFolder, suite: Option<&str>) -> Result<Self> {
        let codename = codename()?;
        let wanted = Wanted { codename: &codename, suite, component: COMPONENT };
        let list = private_list(&system_sources()?, wanted)
            .with_context(|| format!("apt's source lists name no mirror of {codename}"))?;
        fs::write(folder.path.join("private.sources"), list)?;
        fs::write(folder.path.join("status"), "")?;
        Ok(Self { folder })
    }

    fn update(&self) -> Result<()> {
        self.apt_get(["-o", "APT::Update::Error-Mode=any", "update"]).read().map(drop)
    }

    /// Downloads the package and returns its path.
    fn download(&self) -> Result<PathBuf> {
        let folder = self.folder.path.join("download");
        self.apt_get(["download", PACKAGE]).folder(&folder).read()?;
        let mut files = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
        files.find(|path| path.extension().is_some_and(|e| e == "deb")).context("apt left no package behind")
    }

    fn apt_get<const N: usize>(&self, arguments: [&str; N]) -> Tool {
        let path = |name: &str| self.folder.path.join(name).display().to_string();
        let timeout = CONNECTION_LIMIT.as_secs();
        let options = [
            format!("Dir::Etc::sourcelist={}", path("private.sources")),
            format!("Dir::Etc::sourceparts={}", path("no-parts")),
            // A pin of the administrator's, or an installed package, must not decide which version we get.
            "Dir::Etc::preferences=/dev/null".to_owned(),
            format!("Dir::Etc::preferencesparts={}", path("no-parts")),
            format!("Dir::State::status={}", path("status")),
            format!("Dir::State::lists={}", path("lists")),
            format!("Dir::Cache::archives={}", path("archives")),
            format!("Dir::Cache::pkgcache={}", path("pkgcache.bin")),
            format!("Dir::Cache::srcpkgcache={}", path("srcpkgcache.bin")),
            // Our folder is the user's own: apt's download user could not write there.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=2".to_owned(),
            format!("Acquire::http::Timeout={timeout}"),
            format!("Acquire::https::Timeout={timeout}"),
        ];
        let mut tool = Tool::new("apt-get").arg("-q").env("LC_ALL", "C").limit(STEP_LIMIT);
        for option in options {
            tool = tool.arg("-o").arg(option);
        }
        tool.args(arguments)
    }
}

/// Code name of the installed system.
fn codename() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release").context("reading /etc/os-release")?;
    let value = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    // Debian's testing and unstable have no code name in some releases of that file.
    Ok(value.map_or("unstable", |value| value.trim_matches('"')).to_owned())
}

/// All source lists that apt reads, from the places that apt itself names.
fn system_sources() -> Result<Vec<Stanza>> {
    let places = ["LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"];
    let answer = Tool::new("apt-config").arg("shell").args(places).read()?;
    let place = |name: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| PathBuf::from(value.trim_matches('\'')))
    };
    let mut files: Vec<PathBuf> = place("LIST").into_iter().collect();
    if let Some(entries) = place("PARTS").and_then(|parts| fs::read_dir(parts).ok()) {
        let mut parts: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        parts.sort();
        files.extend(parts);
    }
    Ok(files.iter().flat_map(|file| parse_file(file)).collect())
}

/// Reads one list. One that cannot be read counts as empty, as for apt.
fn parse_file(file: &Path) -> Vec<Stanza> {
    let Ok(text) = fs::read_to_string(file) else { return Vec::new() };
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("sources") => parse_deb822(&text),
        Some("list") => parse_one_line(&text),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_after_the_upstream_version() {
        assert_eq!(release_name("1:1.20220830+ds-1"), "1.20220830");
        assert_eq!(release_name("1.20240424+ds-2~bpo12+1"), "1.20240424");
        assert_eq!(release_name("1.20260408-1"), "1.20260408");
    }

    #[test]
    fn a_suite_cannot_smuggle_in_fields_of_a_source_list() {
        assert!(check_suite("bookworm-backports").is_ok());
        for suite in ["", "sid\nTrusted: yes", "../x", "-o"] {
            assert!(check_suite(suite).is_err(), "{suite:?}");
        }
    }
}
