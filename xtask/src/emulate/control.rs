//! The power switch: a TCP port that understands `on`, `off`, `cycle` and `status`, a line each.
//!
//! Each line is answered with a line: `ok off`, `ok on STATE`, or `error WHY`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

/// No command is longer.
const LONGEST_LINE: u64 = 64;
/// Connections at the same time; a further one is sent away.
const MOST_CONNECTIONS: usize = 32;
/// A connection on which no line comes for so long is closed: it may be that nobody is there, and it has one of the places.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the switch can do.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Powers the board on, with the card that is in its slot now.
    On,
    /// Powers it off.
    Off,
    /// Powers it off and on.
    Cycle,
    /// Tells whether it has power, and what it does.
    Status,
}

impl Command {
    /// Name on the line.
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Cycle => "cycle",
            Self::Status => "status",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|command| command.name() == name)
    }
}

/// A command that waits for its answer.
#[derive(Debug)]
pub struct Request {
    /// What to do.
    pub command: Command,
    answer: Sender<String>,
}

impl Request {
    /// Answers. Whoever asked may have left meanwhile.
    pub fn answer(self, text: String) {
        let _ = self.answer.send(text);
    }
}

/// Where commands come from; without a port, none ever come.
#[derive(Debug)]
pub struct Control {
    requests: Receiver<Request>,
    /// Keeps the channel open if there is no port.
    _sender: Sender<Request>,
    address: Option<SocketAddr>,
}

impl Control {
    /// Tells early whether the port can be had, and leaves it closed: a command that waited there for minutes would be
    /// carried out after whoever sent it has given up.
    ///
    /// # Errors
    /// As of [`Control::open`].
    pub fn check(address: Option<&str>) -> Result<()> {
        address.map_or(Ok(()), |address| bind(address).map(drop))
    }

    /// Opens the port, if there shall be one. Commands come from now on.
    ///
    /// # Errors
    /// If the address is none of this PC, or the port is taken.
    pub fn open(address: Option<&str>) -> Result<Self> {
        Self::with_patience(address, PATIENCE)
    }

    fn with_patience(address: Option<&str>, patience: Duration) -> Result<Self> {
        let (sender, requests) = mpsc::channel();
        let address = match address {
            None => None,
            Some(address) => {
                let listener = bind(address)?;
                let bound = listener.local_addr().context("finding out the power switch's port")?;
                let sender = sender.clone();
                thread::spawn(move || serve(&listener, &sender, patience));
                Some(bound)
            }
        };
        Ok(Self { requests, _sender: sender, address })
    }

    /// Where it is.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The next command, if one comes in this time.
    pub fn next(&self, wait: Duration) -> Option<Request> {
        self.requests.recv_timeout(wait).ok()
    }
}

fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("the power switch cannot be at {address}"))
}

fn serve(listener: &TcpListener, requests: &Sender<Request>, patience: Duration) {
    let open = Arc::new(());
    for stream in listener.incoming().flatten() {
        let (requests, one) = (requests.clone(), Arc::clone(&open));
        if Arc::strong_count(&open) > MOST_CONNECTIONS + 1 {
            continue;
        }
        // Whoever hangs up in mid-word has nothing to be told.
        let attend = move || {
            let _one = one;
            drop(attend(stream, &requests, patience));
        };
        // Without a thread to spare, whoever asked is sent away.
        drop(thread::Builder::new().spawn(attend));
    }
}

fn attend(stream: TcpStream, requests: &Sender<Request>, patience: Duration) -> std::io::Result<()> {
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut answers = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        if lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line);
        writeln!(answers, "{}", answer(line.trim(), requests))?;
    }
}

fn answer(line: &str, requests: &Sender<Request>) -> String {
    let Some(command) = Command::named(line) else {
        return format!("error {line:?} is none of on, off, cycle and status");
    };
    let (answer, answered) = mpsc::channel();
    if requests.send(Request { command, answer }).is_err() {
        return "error the board is gone".to_owned();
    }
    answered.recv().unwrap_or_else(|_| "error the board is gone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer to a word that is no command; nothing if the connection is sent away.
    fn say(stream: &mut TcpStream) -> String {
        let _ = stream.write_all(b"fly\n");
        let mut answer = String::new();
        let _ = BufReader::new(stream).read_line(&mut answer);
        answer
    }

    #[test]
    fn each_line_is_answered_with_a_line() {
        let control = Control::open(Some("127.0.0.1:0")).unwrap();
        let address = control.address().unwrap();
        let asked = thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"cycle\r\nfly\n\xff\n").unwrap();
            let lines = BufReader::new(stream).lines();
            lines.take(3).collect::<Result<Vec<_>, _>>().unwrap()
        });
        let request = control.next(Duration::from_secs(10)).unwrap();
        assert_eq!(request.command, Command::Cycle);
        request.answer("ok on running".to_owned());
        let answers = asked.join().unwrap();
        assert_eq!(answers[0], "ok on running");
        assert!(answers[1].starts_with("error \"fly\" is none of"), "{answers:?}");
        assert!(answers[2].starts_with("error "), "{answers:?}");
    }

    #[test]
    fn one_connection_too_many_is_sent_away_and_the_others_are_served() {
        let control = Control::open(Some("127.0.0.1:0")).unwrap();
        let address = control.address().unwrap();
        let mut open: Vec<_> = (0..MOST_CONNECTIONS).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert!(open.iter_mut().all(|stream| say(stream).starts_with("error ")));
        assert_eq!(say(&mut TcpStream::connect(address).unwrap()), "", "it is one too many");
        open.pop();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while say(&mut TcpStream::connect(address).unwrap()).is_empty() {
            assert!(std::time::Instant::now() < deadline, "a place that was given back is not had again");
        }
    }

    #[test]
    fn connections_that_say_nothing_do_not_keep_their_places() {
        let control = Control::with_patience(Some("127.0.0.1:0"), Duration::from_millis(100)).unwrap();
        let address = control.address().unwrap();
        let _idle: Vec<_> = (0..MOST_CONNECTIONS).map(|_| TcpStream::connect(address).unwrap()).collect();
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        while say(&mut TcpStream::connect(address).unwrap()).is_empty() {
            assert!(std::time::Instant::now() < deadline, "the switch is lost to idle connections");
        }
    }

    #[test]
    fn without_a_port_there_are_no_commands() {
        let control = Control::open(None).unwrap();
        assert!(control.next(Duration::from_millis(1)).is_none());
    }
}
