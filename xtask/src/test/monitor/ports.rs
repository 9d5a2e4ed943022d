//! Ports that cannot be had: somebody else has one, or it is nobody else's.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::super::context::Context;
use super::live::Monitor;
use crate::emulate::Pty;

/// In use by another program, and without permission.
pub fn are_refused_with_words(context: &Context) -> Result<()> {
    let Some(user) = unprivileged()? else {
        context.say("skipped: a port in use and one without permission, since root is refused nothing and setpriv is missing");
        return Ok(());
    };
    let pty = Pty::open(None)?;
    let device = pty.device().to_string_lossy().into_owned();
    fs::set_permissions(&device, Permissions::from_mode(0o666)).context("opening the port to everybody")?;
    let folder = std::env::temp_dir().join(format!("monitor-ports-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    fs::set_permissions(&folder, Permissions::from_mode(0o777))?;
    let refused = refused(&user, &device, &folder);
    let _ = fs::remove_dir_all(&folder);
    refused?;
    context.say("a port in use and one without permission: exit code 2, with who has it and what to do");
    Ok(())
}

fn refused(user: &[&str], device: &str, folder: &Path) -> Result<()> {
    let mut first = Monitor::of(program(user)?, folder.join("first.json"), &[device])?;
    first.says("listening to").context("the first")?;
    let mut second = Monitor::of(program(user)?, folder.join("second.json"), &[device])?;
    second.says("is in use").context("the second")?;
    second.ends(2)?;
    drop(first);
    fs::set_permissions(device, Permissions::from_mode(0o000))?;
    let mut third = Monitor::of(program(user)?, folder.join("third.json"), &[device])?;
    third.says("no permission to open")?;
    third.ends(2)
}

/// What a user who is not root puts before a command; `None` if this one cannot be another.
fn unprivileged() -> Result<Option<Vec<&'static str>>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Some(Vec::new()));
    }
    let drop_all = vec!["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    let mut try_it = Command::new(drop_all[0]);
    try_it.args(&drop_all[1..]).arg(std::env::current_exe()?).arg("--help");
    let works = try_it.output().is_ok_and(|done| done.status.success());
    Ok(works.then_some(drop_all))
}

fn program(user: &[&str]) -> Result<Command> {
    let ours = std::env::current_exe().context("finding our own program")?;
    let Some((first, rest)) = user.split_first() else { return Ok(Command::new(ours)) };
    let mut command = Command::new(first);
    command.args(rest).arg(ours);
    Ok(command)
}
