//! Whether a disk may be overwritten without a person being asked.

use std::ffi::OsStr;

use anyhow::{Result, bail, ensure};

use super::Job;
use super::disks::Disk;
use super::refuse::OVERRIDE;
use crate::shell::quoted;

/// Who has to agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    /// The command line has said it all.
    Given,
    /// A person at a terminal.
    Ask,
}

/// What the command line agrees to.
///
/// `--yes` with the option for fixed disks would overwrite whatever disk has the name today: names of disks change from
/// one start of the PC to the next. So the two are refused together, and a script says which disk it means.
///
/// # Errors
/// If it says too little, and there is nobody to ask; or if it means another disk.
pub fn of(job: &Job<'_>, disk: &Disk, terminal: bool) -> Result<Consent> {
    let path = disk.path.display();
    let identity = disk.identity();
    let confirm = || format!("--confirm {}", quoted(OsStr::new(&identity)));
    if job.yes && job.fixed_disk {
        bail!(
            "--yes and {OVERRIDE} together would overwrite whatever disk has the name {path} today. Leave --yes out and type \
             the name when you are asked; in a script, {} instead of --yes says which disk you mean",
            confirm()
        );
    }
    if let Some(words) = job.confirm {
        ensure!(
            words == identity,
            "{path} is another disk than the one that --confirm describes, and was not touched: it is \"{identity}\", not \
             \"{words}\""
        );
        return Ok(Consent::Given);
    }
    match () {
        () if job.yes => Ok(Consent::Given),
        () if terminal => Ok(Consent::Ask),
        () if job.fixed_disk => bail!(
            "{path} is overwritten only if somebody agrees, and there is no terminal to ask at: in a script, {} says which \
             disk you mean",
            confirm()
        ),
        () => bail!(
            "{path} is overwritten only if somebody agrees, and there is no terminal to ask at: in a script, --yes agrees"
        ),
    }
}
