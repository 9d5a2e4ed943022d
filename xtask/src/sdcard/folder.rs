//! The card's files in a folder that may hold other people's: the boot partition of a card in use, or a TFTP root.
//!
//! Nothing that is there is lost. A file that this command wrote before, and that nobody has changed since, is
//! replaced; a list of checksums beside the files tells which those are. Any other is kept under another name.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use emulator::card::CardFile;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use serde::Serialize;

use crate::card::is_second_stage;
use crate::digest::hex_digest;
use crate::interrupt::Notice;
use crate::replace::Replacement;
use crate::shell::quoted;

/// The list, as `sha256sum --check` reads it.
const LIST: &str = "harness.sha256";
const LIST_HEAD: &str = "# Written by cargo xtask sdcard. A file of this list is replaced by the next one.";

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

impl Written {
    /// The command that gives the file its name back that had it before.
    pub fn undo(&self) -> Option<String> {
        let kept = quoted(self.kept_as.as_ref()?.as_os_str());
        Some(format!("mv {kept} {}", quoted(self.path.as_os_str())))
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

/// Puts the files there. All are written beside first: if one does not fit, nothing has changed.
///
/// # Errors
/// If the folder cannot be written, is full, or has something that is no file by the name of one; and at Ctrl-C.
pub fn write(
    folder: &Path,
    serial: Option<&str>,
    files: &[CardFile],
    notice: &Notice,
) -> Result<Vec<Written>> {
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
    finish(&mut places, staged)
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
fn finish(places: &mut [Place], staged: Vec<(usize, Staged)>) -> Result<Vec<Written>> {
    let written: Result<Vec<_>> =
        staged.into_iter().map(|(place, step)| places[place].carry_out(step)).collect();
    // Also of a part of them: the next attempt must know what is ours.
    let listed: Result<Vec<_>> = places.iter().map(Place::write_list).collect();
    let mut written = written?;
    written.extend(listed?.into_iter().flatten());
    Ok(written)
}

/// A folder, and what in it is ours.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    /// Checksum by name.
    ours: BTreeMap<String, String>,
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
}

impl Place {
    fn open(folder: PathBuf) -> Result<Self> {
        let path = folder.join(LIST);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let is_ours = text.lines().next() == Some(LIST_HEAD);
        if !is_ours {
            let has_other_list = fs::symlink_metadata(&path).is_ok();
            return Ok(Self { folder, ours: BTreeMap::new(), has_other_list });
        }
        // Two blanks, or a blank and an asterisk, stand between checksum and name.
        let entries =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
        let ours =
            entries.map(|(sum, name)| (name.trim_start_matches([' ', '*']).to_owned(), sum.to_owned()));
        Ok(Self { ours: ours.collect(), folder, has_other_list: false })
    }

    /// Writes the file beside, and finds out what is there under its name.
    fn stage(&self, file: &CardFile) -> Result<Staged> {
        let path = self.folder.join(&file.name);
        let sha256 = hex_digest(&file.content);
        let action = self.action(&path, file)?;
        let replacement = match action {
            Action::Unchanged => None,
            _ => Some(Replacement::write(&path, |beside| Ok(beside.write_all(&file.content)?))?),
        };
        Ok(Staged { name: file.name.clone(), sha256, action, replacement })
    }

    fn action(&self, path: &Path, file: &CardFile) -> Result<Action> {
        let there = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Action::Written),
            there => there.with_context(|| format!("cannot look at {}", path.display()))?,
        };
        if there.is_symlink() {
            // Where it leads may serve others too: the link is kept, and our file takes its name.
            return Ok(Action::Replaced);
        }
        if !there.is_file() {
            bail!("{} is not a file, and a file of the card has that name", path.display());
        }
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if content == file.content {
            return Ok(Action::Unchanged);
        }
        let is_ours = self.ours.get(&file.name).is_some_and(|sum| *sum == hex_digest(&content));
        Ok(if is_ours { Action::Updated } else { Action::Replaced })
    }

    fn carry_out(&mut self, staged: Staged) -> Result<Written> {
        let path = self.folder.join(&staged.name);
        let Some(replacement) = staged.replacement else {
            // One that was there before us stays somebody else's.
            return Ok(Written { path, action: staged.action, kept_as: None });
        };
        let kept_as = if staged.action == Action::Replaced { Some(keep(&path)?) } else { None };
        if let Err(error) = replacement.finish() {
            // The old file gets its name back; the error that stopped us is the one to tell.
            let _ = kept_as.as_ref().map(|kept| fs::rename(kept, &path));
            return Err(error);
        }
        self.ours.insert(staged.name, staged.sha256);
        Ok(Written { path, action: staged.action, kept_as })
    }

    /// Returns what became of a file that had the list's name before.
    fn write_list(&self) -> Result<Option<Written>> {
        let lines = self.ours.iter().map(|(name, sum)| format!("{sum}  {name}\n"));
        let text = format!("{LIST_HEAD}\n{}", lines.collect::<String>());
        let path = self.folder.join(LIST);
        let list = Replacement::write(&path, |beside| Ok(beside.write_all(text.as_bytes())?))?;
        let kept_as = if self.has_other_list { Some(keep(&path)?) } else { None };
        list.finish()?;
        Ok(kept_as.map(|kept| Written { path, action: Action::Replaced, kept_as: Some(kept) }))
    }
}

/// Moves a file to the first free name with `.bak` behind it.
fn keep(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|number| match number {
        1 => format!("{name}.bak"),
        _ => format!("{name}.bak{number}"),
    });
    let is_free = |kept: &PathBuf| fs::symlink_metadata(kept).is_err();
    let kept = names.map(|name| path.with_file_name(name)).find(is_free);
    let kept = kept.with_context(|| format!("no name is left to keep {} by", path.display()))?;
    fs::rename(path, &kept)
        .with_context(|| format!("cannot keep {} as {}", path.display(), kept.display()))?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::interrupt::Interrupted;
    use crate::scratch::Scratch;

    fn sample(kernel: &str) -> Vec<CardFile> {
        [("bootcode.bin", "boot"), ("config.txt", "ours"), ("kernel8.img", kernel)]
            .map(|(name, content)| CardFile::new(name, content))
            .to_vec()
    }

    fn put(folder: &Scratch, kernel: &str) -> Vec<Action> {
        let written = write(&folder.path, None, &sample(kernel), &Notice::default()).unwrap();
        written.into_iter().map(|written| written.action).collect()
    }

    #[test]
    fn an_empty_folder_gets_the_files_and_a_list_that_sha256sum_can_check() {
        let folder = Scratch::new("folder-empty");
        assert_eq!(put(&folder, "image"), [Action::Written; 3]);
        assert_eq!(folder.names(), ["bootcode.bin", "config.txt", LIST, "kernel8.img"]);
        let sum = hex_digest(b"image");
        assert!(folder.read(LIST).contains(&format!("\n{sum}  kernel8.img\n")), "{}", folder.read(LIST));
    }

    #[test]
    fn what_is_there_is_kept_and_what_we_wrote_is_replaced() {
        let folder = Scratch::new("folder-used");
        folder.file("config.txt", "theirs");
        folder.file("kernel8.img", "linux");
        folder.file("overlays/README", "theirs");
        assert_eq!(put(&folder, "image"), [Action::Written, Action::Replaced, Action::Replaced]);
        assert_eq!(put(&folder, "image"), [Action::Unchanged; 3]);
        assert_eq!(put(&folder, "newer"), [Action::Unchanged, Action::Unchanged, Action::Updated]);
        assert_eq!(folder.read("config.txt.bak"), "theirs");
        assert_eq!(folder.read("kernel8.img.bak"), "linux");
        assert_eq!(folder.read("kernel8.img"), "newer");
        let names = [
            "bootcode.bin",
            "config.txt",
            "config.txt.bak",
            LIST,
            "kernel8.img",
            "kernel8.img.bak",
            "overlays",
        ];
        assert_eq!(folder.names(), names);
    }

    #[test]
    fn what_was_kept_gets_its_name_back_by_the_commands_that_are_shown() {
        let folder = Scratch::new("folder of a card");
        folder.file("config.txt", "theirs");
        folder.file("kernel8.img", "linux");
        let written = write(&folder.path, None, &sample("image"), &Notice::default()).unwrap();
        let undo: Vec<String> = written.iter().filter_map(Written::undo).collect();
        let ran = std::process::Command::new("sh").args(["-ec", &undo.join("\n")]).status().unwrap();
        assert!(ran.success(), "{undo:?}");
        assert_eq!(
            (folder.read("config.txt"), folder.read("kernel8.img")),
            ("theirs".into(), "linux".into())
        );
        assert_eq!(folder.names(), ["bootcode.bin", "config.txt", LIST, "kernel8.img"]);
    }

    #[test]
    fn a_file_of_ours_that_somebody_has_edited_is_kept_under_a_name_of_its_own() {
        let folder = Scratch::new("folder-edited");
        folder.file("config.txt", "theirs");
        put(&folder, "image");
        folder.file("config.txt", "ours, edited");
        assert_eq!(put(&folder, "image")[1], Action::Replaced);
        assert_eq!(folder.read("config.txt.bak"), "theirs");
        assert_eq!(folder.read("config.txt.bak2"), "ours, edited");
    }

    #[test]
    fn a_file_that_was_there_with_the_same_content_does_not_become_ours() {
        let folder = Scratch::new("folder-same");
        folder.file("kernel8.img", "image");
        assert_eq!(put(&folder, "image")[2], Action::Unchanged);
        assert_eq!(put(&folder, "newer")[2], Action::Replaced);
        assert_eq!(folder.read("kernel8.img.bak"), "image");
    }

    #[test]
    fn a_file_of_somebody_else_by_the_name_of_the_list_is_kept() {
        let folder = Scratch::new("folder-list");
        folder.file(LIST, "sums  of something else");
        assert_eq!(put(&folder, "image").last(), Some(&Action::Replaced));
        assert_eq!(folder.read(&format!("{LIST}.bak")), "sums  of something else");
        assert!(folder.read(LIST).contains("kernel8.img"));
        assert_eq!(put(&folder, "image"), [Action::Unchanged; 3]);
    }

    #[test]
    fn what_was_written_before_a_failure_is_known_as_ours_afterwards() {
        let folder = Scratch::new("folder-half");
        let mut place = Place::open(folder.path.clone()).unwrap();
        let staged: Vec<_> = sample("image").iter().map(|file| place.stage(file).unwrap()).collect();
        // Appears only now, too late to be refused.
        folder.file("kernel8.img/not-a-file", "");
        let places = std::slice::from_mut(&mut place);
        assert!(finish(places, staged.into_iter().map(|step| (0, step)).collect()).is_err());
        assert!(folder.read(LIST).contains("config.txt"), "{}", folder.read(LIST));
        fs::remove_dir_all(folder.path.join("kernel8.img")).unwrap();
        assert_eq!(put(&folder, "image"), [Action::Unchanged, Action::Unchanged, Action::Written]);
    }

    #[test]
    fn a_board_of_its_own_has_a_folder_and_the_second_stage_is_above_it() {
        let folder = Scratch::new("folder-serial");
        write(&folder.path, Some("a1b2c3d4"), &sample("image"), &Notice::default()).unwrap();
        assert_eq!(folder.names(), ["a1b2c3d4", "bootcode.bin", LIST]);
        assert_eq!(folder.read("a1b2c3d4/kernel8.img"), "image");
        assert!(!folder.path.join("a1b2c3d4/bootcode.bin").exists());
        let again = write(&folder.path, Some("a1b2c3d4"), &sample("image"), &Notice::default()).unwrap();
        assert!(again.iter().all(|written| written.action == Action::Unchanged), "{again:?}");
    }

    #[test]
    fn a_link_is_kept_and_what_it_leads_to_is_not_written() {
        let folder = Scratch::new("folder-link");
        let shared = folder.file("shared/kernel8.img", "for all");
        symlink(&shared, folder.path.join("kernel8.img")).unwrap();
        assert_eq!(put(&folder, "image")[2], Action::Replaced);
        assert_eq!(folder.read("shared/kernel8.img"), "for all");
        assert!(fs::symlink_metadata(folder.path.join("kernel8.img.bak")).unwrap().is_symlink());
    }

    #[test]
    fn what_cannot_be_written_whole_leaves_everything_as_it_was() {
        let folder = Scratch::new("folder-stopped");
        folder.file("config.txt", "theirs");
        folder.file("kernel8.img/not-a-file", "");
        let error = write(&folder.path, None, &sample("image"), &Notice::default()).unwrap_err();
        assert!(format!("{error:#}").contains("kernel8.img is not a file"), "{error:#}");
        let error = write(&folder.path, None, &sample("image"), &Notice::come()).unwrap_err();
        assert!(error.downcast_ref::<Interrupted>().is_some(), "{error:#}");
        assert_eq!(folder.names(), ["config.txt", "kernel8.img"]);
        assert_eq!(folder.read("config.txt"), "theirs");
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_made() {
        let folder = Scratch::new("folder-none");
        let error = check(&folder.path.join("boot")).unwrap_err().to_string();
        assert!(error.contains("no folder") && error.contains("TFTP"), "{error}");
        assert!(check(&folder.file("file", "")).is_err());
        assert!(check(&folder.path).is_ok());
    }

    #[test]
    fn the_root_of_a_linux_system_is_not_taken_for_a_boot_partition() {
        let folder = Scratch::new("folder-rootfs");
        folder.file("etc/fstab", "");
        folder.file("usr/bin/env", "");
        let error = check(&folder.path).unwrap_err().to_string();
        assert!(error.contains("root of a Linux system") && error.contains("bootfs"), "{error}");
    }
}
