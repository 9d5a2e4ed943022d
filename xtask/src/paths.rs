//! Where things are on this PC.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

/// Name of our folder in the user's cache.
const CACHE_NAME: &str = "vcsm-harness";

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// Cargo's target folder, which also takes our reports. A relative one counts from the workspace: that is where we
/// run cargo.
pub fn target() -> PathBuf {
    workspace().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Makes the folder that a file is going to be in.
///
/// # Errors
/// If that is not possible.
pub fn make_folder_of(file: &Path) -> Result<()> {
    // A name without a folder has the empty path for its parent.
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Our folder in the user's cache (`$XDG_CACHE_HOME`, or `~/.cache`): firmware releases live here, outside git.
///
/// # Errors
/// If neither variable tells where the cache is.
pub fn cache() -> Result<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join(CACHE_NAME))
        .context("neither XDG_CACHE_HOME nor HOME names a folder for the firmware cache")
}
