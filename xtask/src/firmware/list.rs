//! `firmware list`: what is at hand, for people and for programs.

use anyhow::Result;
use serde::Serialize;

use super::cache::Cache;
use super::identity::BuildIdentity;
use super::release::{Origin, Release};
use crate::digest::hex_digest;
use crate::terminal::say;

/// A release as `--json` shows it.
#[derive(Debug, Serialize)]
struct Described {
    name: String,
    folder: String,
    origin: Origin,
    /// `None` if the files carry no build strings.
    build: Option<BuildIdentity>,
    variants: Vec<&'static str>,
    files: Vec<File>,
}

#[derive(Debug, Serialize)]
struct File {
    name: String,
    bytes: usize,
    sha256: String,
}

/// Prints all releases.
///
/// # Errors
/// If the cache or a file in it cannot be read.
pub fn print(cache: &Cache, json: bool) -> Result<()> {
    let releases: Vec<Described> = cache.releases()?.iter().map(describe).collect::<Result<_>>()?;
    if json {
        say!("{}", serde_json::to_string_pretty(&serde_json::json!({ "releases": releases }))?);
        return Ok(());
    }
    if releases.is_empty() {
        say!("No firmware at hand. `cargo xtask firmware fetch` takes the distribution's package,");
        say!("`cargo xtask firmware add DIR` a boot partition or a checkout of raspberrypi/firmware.");
    }
    releases.iter().for_each(print_table);
    Ok(())
}

/// Prints one release, as `fetch` and `add` do with the one they took.
///
/// # Errors
/// If a file of it cannot be read.
pub fn print_one(release: &Release, json: bool) -> Result<()> {
    let described = describe(release)?;
    if json {
        say!("{}", serde_json::to_string_pretty(&described)?);
    } else {
        print_table(&described);
    }
    Ok(())
}

fn describe(release: &Release) -> Result<Described> {
    let files = release.file_names()?.into_iter().map(|name| {
        let content = release.read(&name)?;
        let sha256 = hex_digest(&content);
        Ok(File { name, bytes: content.len(), sha256 })
    });
    Ok(Described {
        name: release.name.clone(),
        folder: release.folder.display().to_string(),
        origin: release.origin.clone(),
        build: release.identity(),
        variants: release.variants().into_iter().map(|variant| variant.name()).collect(),
        files: files.collect::<Result<_>>()?,
    })
}

fn print_table(release: &Described) {
    let build = match &release.build {
        Some(build) => format!("built {} {}, build id {}", build.date, build.time, build.build_id),
        None => "no build strings".to_owned(),
    };
    let origin = match &release.origin {
        Origin::Package { version, suite: None } => format!("package raspi-firmware {version}"),
        Origin::Package { version, suite: Some(suite) } => {
            format!("package raspi-firmware {version} of {suite}")
        }
        Origin::Folder { path } => format!("added from {}", path.display()),
    };
    say!("{}: {build}", release.name);
    say!("  {origin}");
    say!("  variants: {}", release.variants.join(", "));
    say!("  folder: {}", release.folder);
    let width = release.files.iter().map(|file| file.name.len()).max().unwrap_or(0);
    for file in &release.files {
        say!("  {:width$}  {:>9} bytes  sha256 {}", file.name, file.bytes, file.sha256);
    }
    say!("");
}
