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

use anyhow::Result;

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

/// The release called `name`; without a name the distribution's own, which is fetched if no release is at hand.
///
/// # Errors
/// If there is no such release, or none can be fetched. The message says what can be done.
pub fn at_hand(name: Option<&str>) -> Result<Release> {
    let cache = Cache::open()?;
    if let Some(name) = name {
        return cache.find(name);
    }
    if let Some(release) = cache.preferred()? {
        return Ok(release);
    }
    eprintln!("No firmware is at hand yet: fetching the distribution's raspi-firmware package.");
    apt::fetch(&cache, None)
}
