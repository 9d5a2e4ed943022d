//! The card's files in a folder that may hold other people's: the boot partition of a card in use, or a TFTP root.
//!
//! Nothing that is there is lost. A file that this command wrote before, and that nobody has changed since, is
//! replaced; a [list] beside the files tells which those are. Any other is kept under another name.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use emulator::card::CardFile;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use serde::Serialize;

use super::list::{self, List};
use crate::card::is_second_stage;
use crate::digest::hex_digest;
use crate::interrupt::Notice;
use crate::replace::Replacement;
use crate::shell::quoted;

/// What the folder has now.
#[derive(Debug)]
pub struct Placed {
    /// What became of each file.
    pub files: Vec<Written>,
    /// The commands that give everything its name back that was there before the first run.
    pub undo: Vec<String>,
}

/// What became of a file.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Where it is.
    path: PathBuf,
    /// What was done.
    action: Action,
    /// Where the file is that had the name before.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_as: Option<PathBuf>,
}

/// What was done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// It was there with the same content.
    Unchanged,
    /// There was none of that name.
    Written,
    /// An older one of ours was there.
    Updated,
    /// Somebody else's was there.
    Replaced,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.action {
            Action::Unchanged => write!(f, "{path}: was there already"),
            Action::Written => write!(f, "{path}: written"),
            Action::Updated => write!(f, "{path}: updated"),
            Action::Replaced => write!(f, "{path}: written"),
        }?;
        match &self.kept_as {
            Some(kept) => write!(f, "; what was there is now {}", kept.display()),
            None => Ok(()),
        }
    }
}

/// Finds out before the work is done whether there is such a folder, and whether it can be one for a board. It is not made:
/// behind a mistyped mount point the files would end on the wrong disk.
///
/// # Errors
/// If there is none, it is another one, or it may not be written.
pub fn check(folder: &Path) -> Result<()> {
    let shown = folder.display();
    match fs::metadata(folder) {
        Ok(there) if there.is_dir() => {}
        Ok(_) => bail!(
            "{shown} is not a folder: --folder wants the mounted boot partition of a card, or the root of a TFTP server"
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no folder {shown}: mount the card, or make the folder if it is to be a TFTP root")
        }
        Err(error) => return Err(error).with_context(|| format!("cannot look into {shown}")),
    }
    // The other partition of a card with Raspberry Pi OS, or of this PC.
    if ["etc", "usr"].iter().all(|name| folder.join(name).is_dir()) {
        bail!(
            "{shown} is the root of a Linux system, where no board looks for its files. They belong on the FAT partition of \
             the card, which Raspberry Pi OS calls bootfs"
        );
    }
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Err(Errno::ACCESS | Errno::PERM) => bail!(
            "you may not write into {shown}. A FAT partition belongs to whoever mounted it: let the desktop mount it, or mount \
             it with the option uid=$(id --user)"
        ),
        Err(Errno::ROFS) => bail!(
            "{shown} is mounted read-only: if the card has a switch, move it away from LOCK, and mount it anew"
        ),
        written => written.with_context(|| format!("cannot write into {shown}")),
    }
}

/// Puts the files there. All are written beside first, and the lists: if one does not fit, nothing has changed.
///
/// # Errors
/// If the folder cannot be written, is full, or has something that is no file by the name of one; and at Ctrl-C. If a
/// part of the files has its names by then, the message has the commands that undo this.
pub fn write(folder: &Path, serial: Option<&str>, files: &[CardFile], notice: &Notice) -> Result<Placed> {
    let own = serial.map_or(folder.to_owned(), |serial| folder.join(serial));
    fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()))?;
    let mut places = vec![Place::open(own)?];
    if serial.is_some() {
        // The boot ROM asks for the second stage without a folder, and only that then looks into the board's own.
        places.push(Place::open(folder.to_owned())?);
    }
    let mut staged = Vec::new();
    for file in files {
        notice.check().context("nothing was changed")?;
        let place = if is_second_stage(&file.name) { places.len() - 1 } else { 0 };
        let step = places[place].stage(file);
        staged.push((place, step.with_context(|| unchanged(folder, files))?));
    }
    let list = |number: usize, place: &Place| {
        let steps = staged.iter().filter(|(of, _)| *of == number).map(|(_, step)| step);
        Ok((number, place.stage_list(steps).with_context(|| unchanged(folder, files))?))
    };
    let mut steps =
        places.iter().enumerate().map(|(at, place)| list(at, place)).collect::<Result<Vec<_>>>()?;
    // The lists come first: whatever stops the rest, the next run knows what is ours and what was there before.
    steps.extend(staged);
    finish(&mut places, steps)
}

/// A card in use is often nearly full: the room that is needed beside what is there tells how much to clear.
fn unchanged(folder: &Path, files: &[CardFile]) -> String {
    let bytes: usize = files.iter().map(|file| file.content.len()).sum();
    format!(
        "nothing in {} was changed (the files take {:.1} MB in all)",
        folder.display(),
        bytes as f64 / 1e6
    )
}

/// Gives all files their names.
fn finish(places: &mut [Place], steps: Vec<(usize, Staged)>) -> Result<Placed> {
    let mut files = Vec::new();
    for (place, step) in steps {
        files.push(places[place].carry_out(step).map_err(|error| incomplete(&error, places))?);
    }
    // Of a list it is told only what it displaced.
    files.retain(|file| file.kept_as.is_some() || !file.path.ends_with(list::NAME));
    Ok(Placed { files, undo: undo(places) })
}

/// The words for a folder that has got only a part of the files.
fn incomplete(error: &anyhow::Error, places: &[Place]) -> anyhow::Error {
    let mut words =
        format!("{error:#}\nNot all files have their names now: the same command goes on with the others.");
    let undo = undo(places);
    if !undo.is_empty() {
        words.push_str(" What was there before gets its names back by:");
    }
    for command in undo {
        words.push_str("\n  ");
        words.push_str(&command);
    }
    anyhow!(words)
}

fn undo(places: &[Place]) -> Vec<String> {
    places.iter().flat_map(Place::undo).collect()
}

/// A folder, and what in it is ours.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    /// What the list says; of the originals, those that are kept at this moment.
    list: List,
    /// Whether a file that is not ours has the list's name.
    has_other_list: bool,
}

/// A file that is ready to get its name.
#[derive(Debug)]
struct Staged {
    name: String,
    sha256: String,
    action: Action,
    /// `None` if nothing is to be written.
    replacement: Option<Replacement>,
    /// Where that will be kept which has the name now.
    kept_as: Option<PathBuf>,
    /// Checksum of the file of ours that has the name now.
    earlier: Option<String>,
}

impl Place {
    fn open(folder: PathBuf) -> Result<Self> {
        let path = folder.join(list::NAME);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let ours = List::parse(&text);
        let has_other_list = ours.is_none() && fs::symlink_metadata(&path).is_ok();
        let mut list = ours.unwrap_or_default();
        list.forget_restored(&folder);
        Ok(Self { folder, list, has_other_list })
    }

    /// Writes the file beside, and finds out what is there under its name.
    fn stage(&self, file: &CardFile) -> Result<Staged> {
        let path = self.folder.join(&file.name);
        let sha256 = hex_digest(&file.content);
        let (action, earlier) = self.action(&path, file)?;
        let replacement = match action {
            Action::Unchanged => None,
            _ => Some(Replacement::write(&path, |beside| Ok(beside.write_all(&file.content)?))?),
        };
        let kept_as = if action == Action::Replaced { Some(free_name(&path)?) } else { None };
        Ok(Staged { name: file.name.clone(), sha256, action, replacement, kept_as, earlier })
    }

    /// What is to be done, and the checksum of the file of ours that goes by that.
    fn action(&self, path: &Path, file: &CardFile) -> Result<(Action, Option<String>)> {
        let there = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Action::Written, None)),
            there => there.with_context(|| format!("cannot look at {}", path.display()))?,
        };
        if there.is_symlink() {
            // Where it leads may serve others too: the link is kept, and our file takes its name.
            return Ok((Action::Replaced, None));
        }
        if !there.is_file() {
            bail!("{} is not a file, and a file of the card has that name", path.display());
        }
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if content == file.content {
            return Ok((Action::Unchanged, None));
        }
        let earlier = Some(hex_digest(&content)).filter(|sum| self.list.is_ours(&file.name, sum));
        Ok((if earlier.is_some() { Action::Updated } else { Action::Replaced }, earlier))
    }

    /// Writes beside what the list will say once these steps are carried out.
    fn stage_list<'a>(&self, steps: impl Iterator<Item = &'a Staged>) -> Result<Staged> {
        let path = self.folder.join(list::NAME);
        let kept_as = if self.has_other_list { Some(free_name(&path)?) } else { None };
        let mut list = List { earlier: Default::default(), ..self.list.clone() };
        // One that was there before us stays somebody else's.
        for step in steps.filter(|step| step.action != Action::Unchanged) {
            list.ours.insert(step.name.clone(), step.sha256.clone());
            list.earlier.extend(step.earlier.clone());
            add_original(&mut list, &step.name, step.kept_as.as_deref());
        }
        add_original(&mut list, list::NAME, kept_as.as_deref());
        let text = list.text();
        let replacement = Replacement::write(&path, |beside| Ok(beside.write_all(text.as_bytes())?))?;
        Ok(Staged {
            name: list::NAME.to_owned(),
            sha256: String::new(),
            action: if kept_as.is_some() { Action::Replaced } else { Action::Written },
            replacement: Some(replacement),
            kept_as,
            earlier: None,
        })
    }

    fn carry_out(&mut self, staged: Staged) -> Result<Written> {
        let Staged { name, action, replacement, kept_as, .. } = staged;
        let path = self.folder.join(&name);
        let Some(replacement) = replacement else { return Ok(Written { path, action, kept_as }) };
        let before = self.list.originals.clone();
        if let Some(kept) = &kept_as {
            keep(&path, kept)?;
            add_original(&mut self.list, &name, Some(kept));
        }
        if let Err(error) = replacement.finish() {
            // The old file gets its name back; the error that stopped us is the one to tell.
            if kept_as.as_ref().is_none_or(|kept| fs::rename(kept, &path).is_ok()) {
                self.list.originals = before;
            }
            return Err(error);
        }
        Ok(Written { path, action, kept_as })
    }

    /// The commands that give everything its name back that was there before us.
    fn undo(&self) -> impl Iterator<Item = String> {
        let path = |name: &str| quoted(self.folder.join(name).as_os_str());
        self.list.originals.iter().map(move |(name, kept)| format!("mv {} {}", path(kept), path(name)))
    }
}

/// The first that had the name is the original; what has displaced it is a file of ours, or one that somebody edited.
fn add_original(list: &mut List, name: &str, kept: Option<&Path>) {
    if let Some(kept) = kept.and_then(Path::file_name) {
        list.originals.entry(name.to_owned()).or_insert_with(|| kept.to_string_lossy().into_owned());
    }
}

/// The first free name with `.bak` behind that of a file.
fn free_name(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|number| match number {
        1 => format!("{name}{}", list::KEPT),
        _ => format!("{name}{}{number}", list::KEPT),
    });
    let is_free = |kept: &PathBuf| fs::symlink_metadata(kept).is_err();
    let kept = names.map(|name| path.with_file_name(name)).find(is_free);
    kept.with_context(|| format!("no name is left to keep {} by", path.display()))
}

fn keep(path: &Path, kept: &Path) -> Result<()> {
    let words = || format!("cannot keep {} as {}", path.display(), kept.display());
    ensure!(fs::symlink_metadata(kept).is_err(), "{}: there is one now", words());
    fs::rename(path, kept).with_context(words)
}

#[cfg(test)]
mod tests;
