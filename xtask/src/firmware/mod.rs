//! Firmware releases: where they come from, where they are kept, which builds they are.

mod add;
mod apt;
mod apt_sources;
mod cache;
mod identity;
mod licence;
mod list;
mod release;

pub use cache::Cache;
#[cfg(test)]
pub use release::Origin;
pub use release::{Release, Variant};

use std::env;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::cli::FirmwareVerb;
use crate::outcome::Outcome;

/// Carries out `cargo xtask firmware …`.
pub fn run(verb: FirmwareVerb, json: bool) -> Result<Outcome> {
    let cache = Cache::open()?;
    match verb {
        FirmwareVerb::List => list::print(&cache, json)?,
        FirmwareVerb::Fetch { suite } => {
            let release = apt::fetch(&cache, suite.as_deref())?;
            list::print_one(&release, json)?;
        }
        FirmwareVerb::Add { dir, name } => {
            let release = add::add(&cache, &dir, name.as_deref())?;
            list::print_one(&release, json)?;
        }
    }
    Ok(Outcome::Pass)
}

/// Names the release that is taken where none is named.
pub const VARIABLE: &str = "HARNESS_FIRMWARE";

/// The same for this process, whatever the variable says.
static PREFERRED: OnceLock<String> = OnceLock::new();

/// From now on this release is taken where none is named.
///
/// # Errors
/// If it is not at hand.
pub fn prefer(name: &str) -> Result<()> {
    Cache::open()?.find(name)?;
    PREFERRED.get_or_init(|| name.to_owned());
    Ok(())
}

/// The release called `name`; without a name the preferred one, or that of [`VARIABLE`], or the distribution's own, which
/// is fetched if no release is at hand.
///
/// # Errors
/// If there is no such release, or none can be fetched. The message says what can be done.
pub fn at_hand(name: Option<&str>) -> Result<Release> {
    let cache = Cache::open()?;
    if let Some(name) = name.or(PREFERRED.get().map(String::as_str)) {
        return cache.find(name);
    }
    if let Some(name) = env::var_os(VARIABLE).filter(|name| !name.is_empty()) {
        return cache.find(&name.to_string_lossy()).with_context(|| format!("{VARIABLE} is set"));
    }
    if let Some(release) = cache.preferred()? {
        return Ok(release);
    }
    eprintln!("No firmware is at hand yet: fetching the distribution's raspi-firmware package.");
    apt::fetch(&cache, None)
}
