//! The serial line: where the board's bytes go, and how fast.
//!
//! It is a wire, not a log: what is sent while nobody listens is lost, as on a board. Whoever wants all of it connects
//! before the power is switched on.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Instant;

use super::pty::Pty;
use super::tcp::Tcp;

/// Bits of a byte on the wire: start, eight, stop.
const BITS_A_BYTE: u64 = 10;

/// Who can listen.
pub enum End {
    /// Clients of a TCP port.
    Tcp(Tcp),
    /// Whoever opens a pseudo-terminal.
    Pty(Pty),
}

/// The line.
pub struct Line {
    end: End,
    /// Bytes that are still to be sent, if the line has a speed.
    waiting: VecDeque<u8>,
    pace: Option<Pace>,
    counts: Counts,
}

/// Bytes since the board was powered on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Sent over the line.
    pub sent: u64,
    /// Of those: sent while nobody listened, or not taken by who did.
    pub lost: u64,
    /// Sent to the board, which nobody there reads.
    pub ignored: u64,
}

/// What the end of a line noticed when it was looked after, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Attended {
    /// Sent to the board.
    pub ignored: u64,
    /// Sent by the board and not taken by anybody: they are forgotten.
    pub lost: u64,
}

impl Line {
    /// A line that ends here. With `baud`, bytes come no faster than at that rate; without it as the board makes them.
    pub fn new(end: End, baud: Option<u32>) -> Self {
        let pace = baud.map(|baud| Pace { baud: u64::from(baud), since: Instant::now(), sent: 0 });
        Self { end, waiting: VecDeque::new(), pace, counts: Counts::default() }
    }

    /// The board has power, and its line begins with these bytes. Whoever joins a TCP port later hears them first, too:
    /// a pseudo-terminal does not tell who opens it.
    pub fn begin(&mut self, announcement: &[u8]) {
        // Who spoke to a board without power was not ignored by it.
        self.counts = Counts::default();
        self.send(announcement);
        if let End::Tcp(tcp) = &mut self.end {
            tcp.greet(announcement);
        }
    }

    /// The board sends.
    pub fn send(&mut self, bytes: &[u8]) {
        if self.pace.is_none() {
            self.deliver(bytes);
            return;
        }
        if let (Some(pace), true) = (&mut self.pace, self.waiting.is_empty()) {
            pace.begin();
        }
        self.waiting.extend(bytes);
    }

    /// Looks after the line: new listeners, what they send, what they still have to take, bytes whose time has come.
    pub fn attend(&mut self) {
        let now = match &mut self.end {
            End::Tcp(tcp) => tcp.attend(),
            End::Pty(pty) => pty.attend(),
        };
        self.counts.ignored += now.ignored;
        self.counts.lost += now.lost;
        let Some(pace) = &mut self.pace else { return };
        let due = pace.take_due(self.waiting.len());
        let bytes: Vec<u8> = self.waiting.drain(..due).collect();
        self.deliver(&bytes);
    }

    /// True while bytes wait for their time, or for a listener to take them.
    pub fn is_busy(&self) -> bool {
        let is_behind = match &self.end {
            End::Tcp(tcp) => tcp.is_behind(),
            End::Pty(pty) => pty.is_behind(),
        };
        is_behind || !self.waiting.is_empty()
    }

    /// The board has lost its power, and with it what it had not sent; what was sent and not taken is lost. Returns what
    /// was counted since it had it.
    pub fn cut(&mut self) -> Counts {
        self.waiting.clear();
        self.counts.lost += match &mut self.end {
            End::Tcp(tcp) => tcp.cut(),
            End::Pty(pty) => pty.cut(),
        };
        std::mem::take(&mut self.counts)
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn deliver(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.counts.sent += bytes.len() as u64;
        self.counts.lost += match &mut self.end {
            End::Tcp(tcp) => tcp.send(bytes),
            End::Pty(pty) => pty.send(bytes),
        };
    }
}

/// How many bytes may have left by now.
#[derive(Debug)]
struct Pace {
    baud: u64,
    since: Instant,
    sent: u64,
}

impl Pace {
    fn begin(&mut self) {
        *self = Self { baud: self.baud, since: Instant::now(), sent: 0 };
    }

    fn take_due(&mut self, waiting: usize) -> usize {
        let bits = self.since.elapsed().as_micros() * u128::from(self.baud) / 1_000_000;
        let all = u64::try_from(bits).unwrap_or(u64::MAX) / BITS_A_BYTE;
        let due = usize::try_from(all.saturating_sub(self.sent)).unwrap_or(usize::MAX).min(waiting);
        self.sent += due as u64;
        due
    }
}

/// Reads what is there from something that does not block, and forgets it: how many bytes it was.
///
/// # Errors
/// If it is closed.
pub fn drain(source: &mut impl Read) -> io::Result<u64> {
    let mut buffer = [0; 1024];
    let mut all = 0;
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(some) => all += some as u64,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(all),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;

    /// A line at a TCP port, and somebody who has joined it.
    fn with_a_listener(baud: Option<u32>) -> (Line, TcpStream) {
        let tcp = Tcp::open("127.0.0.1:0").unwrap();
        let mut listener = TcpStream::connect(tcp.address().unwrap()).unwrap();
        let mut line = Line::new(End::Tcp(tcp), baud);
        listener.write_all(b"?").unwrap();
        while line.counts().ignored == 0 {
            line.attend();
        }
        (line, listener)
    }

    fn hold_up(line: &mut Line) {
        while !line.is_busy() {
            line.send(&[b'x'; 1 << 16]);
        }
    }

    #[test]
    fn a_board_that_loses_its_power_says_no_more_and_what_nobody_took_of_it_is_counted_as_its_own() {
        let (mut line, mut deaf) = with_a_listener(None);
        hold_up(&mut line);
        let run = line.cut();
        assert!(!line.is_busy(), "it goes on speaking");
        line.attend();
        deaf.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut heard = 0;
        let mut piece = vec![0; 1 << 16];
        while let Ok(some) = deaf.read(&mut piece) {
            heard += some as u64;
        }
        assert_eq!(heard, run.sent - run.lost);

        drop(deaf);
        let deadline = Instant::now() + Duration::from_secs(10);
        let next = loop {
            line.attend();
            line.begin(b"on again");
            let counts = line.counts();
            if counts.lost > 0 || Instant::now() > deadline {
                break counts;
            }
            line.cut();
        };
        assert_eq!(next, Counts { sent: 8, lost: 8, ignored: 0 });
    }

    #[test]
    fn the_same_holds_for_a_pseudo_terminal() {
        let pty = Pty::open(None).unwrap();
        let _deaf = File::open(pty.device()).unwrap();
        let mut line = Line::new(End::Pty(pty), None);
        hold_up(&mut line);
        let run = line.cut();
        assert!(!line.is_busy(), "it goes on speaking");
        assert!(0 < run.lost && run.lost < run.sent, "{run:?}");
    }

    #[test]
    fn what_had_not_left_a_slow_line_at_power_off_was_not_sent() {
        let (mut line, _listener) = with_a_listener(Some(300));
        line.send(&[b'x'; 10_000]);
        assert!(line.cut().sent < 10_000);
    }

    #[test]
    fn what_came_to_a_board_without_power_is_not_its_next_runs() {
        let (mut line, _listener) = with_a_listener(None);
        line.begin(b"on");
        assert_eq!(line.counts().ignored, 0);
    }

    #[test]
    fn a_paced_line_sends_no_faster_than_its_baud_rate() {
        let since = Instant::now() - Duration::from_millis(100);
        let mut pace = Pace { baud: 115_200, since, sent: 0 };
        let due = pace.take_due(1_000_000);
        assert!((1152..2000).contains(&due), "{due}");
        assert!(pace.take_due(1_000_000) < 1000);
        assert_eq!(Pace { baud: 9600, since, sent: 0 }.take_due(5), 5, "no more than there is");
    }
}
