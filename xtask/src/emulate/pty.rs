//! The end of the serial line as a pseudo-terminal: a device file, as an adapter has one.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::backlog::{Backlog, Standing, tell};
use super::line::{Attended, drain};

/// A pseudo-terminal, and the name it goes by.
pub struct Pty {
    master: File,
    device: PathBuf,
    link: Option<PathBuf>,
    backlog: Backlog,
    /// Whoever has it open was waited for long enough: what it does not take at once is lost, until it takes all again.
    is_deaf: bool,
}

impl Pty {
    /// Makes one, in raw mode: no byte is changed and none comes back. With `link` it can be found under that name,
    /// until it is dropped.
    ///
    /// # Errors
    /// If the system has no pseudo-terminal left, or the link cannot be made.
    pub fn open(link: Option<&Path>) -> Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .context("opening a pseudo-terminal")?;
        grantpt(&master).context("opening a pseudo-terminal")?;
        unlockpt(&master).context("opening a pseudo-terminal")?;
        let name = ptsname(&master, Vec::new()).context("naming the pseudo-terminal")?;
        let device = PathBuf::from(name.to_str().context("naming the pseudo-terminal")?);
        make_raw(&device).context("setting the pseudo-terminal up")?;
        rustix::fs::fcntl_setfl(&master, OFlags::RDWR | OFlags::NONBLOCK)
            .context("setting the pseudo-terminal up")?;
        let master = File::from(master);
        let mut pty = Self { master, device, link: None, backlog: Backlog::default(), is_deaf: false };
        if let Some(link) = link {
            pty.set_link(link)?;
        }
        Ok(pty)
    }

    fn set_link(&mut self, link: &Path) -> Result<()> {
        if let Ok(found) = fs::symlink_metadata(link) {
            ensure!(found.is_symlink(), "{} exists and is no link", link.display());
            fs::remove_file(link).with_context(|| format!("replacing {}", link.display()))?;
        }
        symlink(&self.device, link).with_context(|| format!("linking {}", link.display()))?;
        self.link = Some(link.to_owned());
        Ok(())
    }

    /// The device's file.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Reads away what is sent to the board, and gives whoever has the device open what is still to be taken.
    pub fn attend(&mut self) -> Attended {
        let ignored = if self.has_listener() { drain(&mut self.master).unwrap_or(0) } else { 0 };
        Attended { ignored, lost: self.flush() }
    }

    /// Sends what is taken now; the rest is to be taken while the line is looked after. Returns how many bytes are lost:
    /// nobody has the device open, or whoever has it does not read.
    pub fn send(&mut self, bytes: &[u8]) -> u64 {
        self.backlog.push(bytes);
        self.flush()
    }

    /// True while there are bytes to take.
    pub fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// The board has lost its power. Returns how many bytes were still to be taken: they are lost.
    pub fn cut(&mut self) -> u64 {
        self.backlog.clear()
    }

    fn flush(&mut self) -> u64 {
        if !self.has_listener() {
            self.is_deaf = false;
            return self.backlog.clear();
        }
        // With nothing to take, whoever is deaf cannot show that it reads again.
        if self.backlog.is_empty() {
            return 0;
        }
        let standing = self.backlog.flush(&mut self.master, Instant::now());
        if !self.is_deaf {
            tell(self.device.display(), &standing, "bytes are lost until it reads again");
        }
        let is_given_up = !matches!(standing, Ok(Standing::Fine | Standing::Behind));
        self.is_deaf = (self.is_deaf || is_given_up) && self.is_behind();
        if self.is_deaf { self.backlog.clear() } else { 0 }
    }

    /// A pseudo-terminal tells that its other side is closed, provided that it was open once.
    fn has_listener(&self) -> bool {
        let mut state = [PollFd::new(&self.master, PollFlags::OUT)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut state, Some(&now)).is_ok() && !state[0].revents().contains(PollFlags::HUP)
    }
}

/// The settings outlive this opening: they are the device's.
fn make_raw(device: &Path) -> Result<()> {
    let slave = rustix::fs::open(device, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let mut settings = tcgetattr(&slave)?;
    settings.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &settings)?;
    if tcgetattr(&slave)?.local_modes != settings.local_modes {
        bail!("it does not become raw");
    }
    Ok(())
}

impl Drop for Pty {
    fn drop(&mut self) {
        let Some(link) = &self.link else { return };
        // Somebody else's by now, if it leads elsewhere.
        if fs::read_link(link).is_ok_and(|target| target == self.device) {
            let _ = fs::remove_file(link);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Duration;

    use super::*;

    #[test]
    fn bytes_arrive_unchanged_while_somebody_has_the_device_open() {
        let link = std::env::temp_dir().join(format!("pty-{}", std::process::id()));
        let mut pty = Pty::open(Some(&link)).unwrap();
        assert_eq!(pty.send(b"lost"), 4, "nobody has opened it");
        let mut client = File::options().read(true).write(true).open(&link).unwrap();
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(pty.send(&every), 0);
        let mut bytes = [0; 256];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes[..], every);
        client.write_all(b"hello\r\n\x03").unwrap();
        assert_eq!(pty.attend().ignored, 8, "nothing is echoed or taken for a key");
        drop(client);
        assert_eq!(pty.send(b"lost again"), 10);
        let mut client = File::open(&link).unwrap();
        assert_eq!(pty.send(b"new"), 0);
        client.read_exact(&mut bytes[..3]).unwrap();
        assert_eq!(&bytes[..3], b"new");
        drop(pty);
        assert!(fs::symlink_metadata(&link).is_err(), "the link is left behind");
    }

    #[test]
    fn a_listener_that_does_not_read_is_waited_for_once() {
        let patience = Duration::from_millis(50);
        let mut pty = Pty::open(None).unwrap();
        pty.backlog = Backlog::with_patience(patience);
        let mut client = File::options().read(true).write(true).open(pty.device()).unwrap();
        let piece = [b'x'; 4096];
        let begun = Instant::now();
        while pty.send(&piece) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(begun.elapsed() >= patience && !pty.is_behind(), "after {:?}", begun.elapsed());
        pty.backlog = Backlog::default();
        assert_eq!(pty.attend(), Attended::default());
        assert!(pty.send(&piece) > 0, "and is not waited for again");
        let mut bytes = [0; 1 << 16];
        while pty.send(b"!") > 0 {
            assert!(client.read(&mut bytes).unwrap() > 0);
        }
        while !pty.is_behind() {
            assert_eq!(pty.send(&piece), 0, "one that has read is waited for again");
        }
    }

    #[test]
    fn a_file_is_not_replaced_by_the_link() {
        let file = std::env::temp_dir().join(format!("pty-file-{}", std::process::id()));
        fs::write(&file, "precious").unwrap();
        let error = Pty::open(Some(&file)).err().unwrap().to_string();
        assert!(error.contains("is no link"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
        fs::remove_file(&file).unwrap();
    }
}
