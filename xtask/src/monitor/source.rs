//! Where the bytes come from: a serial port, a TCP port, a file. A thread reads, so that a slow terminal loses nothing.

use std::fs::File;
use std::io::{ErrorKind, Read, Stdin};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::address::Address;
use super::ports;

/// What happens at the line.
#[derive(Debug)]
pub enum Event {
    /// Bytes came.
    Bytes(Vec<u8>),
    /// The port or the connection is gone; why.
    Gone(String),
    /// It is back; under which name.
    Back(String),
    /// There is no more: the end of a file.
    End,
}

/// How long a read waits before the thread looks whether anybody listens yet.
const READ_TIMEOUT: Duration = Duration::from_millis(100);
/// Between two attempts to open what has gone.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(200);
/// An emulated board, or a converter of a farm, may be started at the same time as the listener.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Reads that wait for whoever takes them: 4 MiB at most, 45 s of a line that never pauses.
const READS_WAITING: usize = 1024;
const READ_BYTES: usize = 4096;

/// A place that bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A serial port, with its rate.
    Serial {
        /// As it was named.
        path: PathBuf,
        /// Bits a second.
        baud: u32,
    },
    /// A TCP port that passes on a serial line's bytes as they are.
    Tcp(Address),
    /// A recording.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// In words.
    pub fn name(&self) -> String {
        match self {
            Self::Serial { path, baud } => format!("{} ({baud} baud, 8N1)", path.display()),
            Self::Tcp(address) => address.to_string(),
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// It ends by itself, and what has come does not come again.
    pub fn is_recording(&self) -> bool {
        matches!(self, Self::File(_) | Self::Stdin)
    }

    /// Opens it and begins to read.
    ///
    /// # Errors
    /// If it cannot be opened, with what to do about it.
    pub fn listen(self) -> Result<Listening> {
        let link = Link::of(self);
        let reader = link.open_first()?;
        let (sender, events) = sync_channel(READS_WAITING);
        let is_heard = Arc::new(AtomicBool::new(true));
        let listened = Arc::clone(&is_heard);
        thread::spawn(move || Pump { link, sender, is_heard: listened }.run(reader));
        Ok(Listening { events, is_heard })
    }
}

/// A source that is read. The thread ends with it, once its read returns.
pub struct Listening {
    /// What happens.
    pub events: Receiver<Event>,
    is_heard: Arc<AtomicBool>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.is_heard.store(false, Ordering::Relaxed);
    }
}

/// A source, and the name under which it comes back.
struct Link {
    source: Source,
    /// A serial port's name that stays the same when it is plugged in anew.
    lasting: Option<PathBuf>,
}

type Reader = Box<dyn Read + Send>;

impl Link {
    fn of(source: Source) -> Self {
        let lasting = match &source {
            Source::Serial { path, .. } => ports::lasting_name(path),
            _ => None,
        };
        Self { source, lasting }
    }

    fn open_first(&self) -> Result<Reader> {
        if let Source::Serial { path, .. } = &self.source {
            ports::refuse_if_shared(path)?;
        }
        let started = Instant::now();
        loop {
            match (self.open(), &self.source) {
                (Ok(reader), _) => return Ok(reader),
                (Err(error), Source::Serial { path, .. }) => return Err(ports::explain(path, &error)),
                (Err(error), Source::Tcp(address)) if started.elapsed() >= CONNECT_PATIENCE => {
                    return Err(error);
                }
                (Err(_), Source::Tcp(_)) => thread::sleep(BETWEEN_ATTEMPTS),
                (Err(error), _) => return Err(error.context(format!("cannot read {}", self.source.name()))),
            }
        }
    }

    fn open(&self) -> Result<Reader> {
        match &self.source {
            Source::Serial { path, baud } => {
                let path = self.lasting.as_deref().unwrap_or(path);
                let port = serialport::new(path.to_string_lossy(), *baud).timeout(READ_TIMEOUT).open()?;
                Ok(Box::new(port))
            }
            Source::Tcp(address) => Ok(Box::new(connect(address)?)),
            Source::File(path) => {
                if path.is_dir() {
                    bail!("it is a folder");
                }
                Ok(Box::new(File::open(path)?))
            }
            Source::Stdin => Ok(Box::new(Unlocked(std::io::stdin()))),
        }
    }

    /// What it is called now: a device may come back under another number.
    fn present_name(&self) -> String {
        let lasting = self.lasting.as_deref().and_then(|path| path.canonicalize().ok());
        lasting.map_or_else(|| self.source.name(), |path: PathBuf| display(&path))
    }
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

fn connect(address: &Address) -> Result<TcpStream> {
    let places =
        address.resolve().with_context(|| format!("no host is known by the name {}", address.host()))?;
    let mut last = None;
    for place in places {
        match TcpStream::connect_timeout(&place, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(READ_TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    let last = last.map_or_else(|| anyhow::anyhow!("the name has no address"), Into::into);
    Err(last.context(format!("nobody answers at {address}")))
}

/// Standard input, read from another thread than the one that made it.
struct Unlocked(Stdin);

impl Read for Unlocked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.lock().read(buffer)
    }
}

/// The thread that reads.
struct Pump {
    link: Link,
    sender: SyncSender<Event>,
    is_heard: Arc<AtomicBool>,
}

/// Nobody listens any more.
struct Unheard;

impl Pump {
    fn run(&self, mut reader: Reader) {
        loop {
            let Ok(why) = self.read_to_the_end(&mut reader) else { return };
            drop(reader);
            if self.link.source.is_recording() {
                let _ = self.tell(Event::End);
                return;
            }
            let Ok(next) = self.tell(Event::Gone(why)).and_then(|()| self.wait_for_return()) else { return };
            reader = next;
        }
    }

    /// Why there is no more to read.
    fn read_to_the_end(&self, reader: &mut Reader) -> Result<String, Unheard> {
        let mut buffer = [0; READ_BYTES];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok("it was closed at the other end".to_owned()),
                Ok(length) => self.tell(Event::Bytes(buffer[..length].to_vec()))?,
                Err(error) if is_passing(error.kind()) => self.still_heard()?,
                Err(error) => return Ok(error.to_string()),
            }
        }
    }

    fn wait_for_return(&self) -> Result<Reader, Unheard> {
        loop {
            thread::sleep(BETWEEN_ATTEMPTS);
            self.still_heard()?;
            if let Ok(reader) = self.link.open() {
                self.tell(Event::Back(self.link.present_name()))?;
                return Ok(reader);
            }
        }
    }

    fn still_heard(&self) -> Result<(), Unheard> {
        if self.is_heard.load(Ordering::Relaxed) { Ok(()) } else { Err(Unheard) }
    }

    fn tell(&self, event: Event) -> Result<(), Unheard> {
        self.sender.send(event).map_err(|_| Unheard)
    }
}

fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
