//! The end of the serial line as a pseudo-terminal: a device file, as an adapter has one.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::line::{PATIENCE, drain, write_all};

/// A pseudo-terminal, and the name it goes by.
pub struct Pty {
    master: File,
    device: PathBuf,
    link: Option<PathBuf>,
    patience: Duration,
    /// Whoever has it open has stopped reading: no byte is waited for until it takes some again.
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
        let mut pty =
            Self { master: File::from(master), device, link: None, patience: PATIENCE, is_deaf: false };
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

    /// Reads away what is sent to the board: how many bytes it was.
    pub fn attend(&mut self) -> u64 {
        if self.has_listener() { drain(&mut self.master).unwrap_or(0) } else { 0 }
    }

    /// Sends. False if nobody has the device open, or whoever has it does not read.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        if !self.has_listener() {
            self.is_deaf = false;
            return false;
        }
        let patience = if self.is_deaf { Duration::ZERO } else { self.patience };
        let sent = write_all(&mut self.master, bytes, patience);
        if let (Err(error), false) = (&sent, self.is_deaf) {
            eprintln!("{} takes no bytes, which are lost from now on: {error}", self.device.display());
        }
        self.is_deaf = sent.is_err();
        !self.is_deaf
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

    use super::*;

    #[test]
    fn bytes_arrive_unchanged_while_somebody_has_the_device_open() {
        let link = std::env::temp_dir().join(format!("pty-{}", std::process::id()));
        let mut pty = Pty::open(Some(&link)).unwrap();
        assert!(!pty.send(b"lost"), "nobody has opened it");
        let mut client = File::options().read(true).write(true).open(&link).unwrap();
        let every: Vec<u8> = (0..=255).collect();
        assert!(pty.send(&every));
        let mut bytes = [0; 256];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes[..], every);
        client.write_all(b"hello\r\n\x03").unwrap();
        assert_eq!(pty.attend(), 8, "nothing is echoed or taken for a key");
        drop(client);
        assert!(!pty.send(b"lost again"));
        let mut client = File::open(&link).unwrap();
        assert!(pty.send(b"new"));
        client.read_exact(&mut bytes[..3]).unwrap();
        assert_eq!(&bytes[..3], b"new");
        drop(pty);
        assert!(fs::symlink_metadata(&link).is_err(), "the link is left behind");
    }

    #[test]
    fn a_listener_that_does_not_read_is_waited_for_once() {
        let mut pty = Pty::open(None).unwrap();
        pty.patience = Duration::from_millis(50);
        let client = File::options().read(true).write(true).open(pty.device()).unwrap();
        let piece = [b'x'; 4096];
        assert!((0..1000).any(|_| !pty.send(&piece)), "a pseudo-terminal without an end");
        pty.patience = Duration::from_secs(3600);
        assert!(!pty.send(&piece), "and is not waited for again");
        let reader = std::thread::spawn(move || {
            let mut client = client;
            let mut bytes = [0; 4096];
            while client.read(&mut bytes).unwrap() > 0 && !bytes.contains(&b'!') {}
        });
        while !pty.send(b"!") {}
        reader.join().unwrap();
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
