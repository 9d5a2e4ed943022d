//! Bytes that a listener has not taken yet: the board waits for it, within bounds, and nothing else does.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::time::{Duration, Instant};

/// A listener that is behind for so long without a pause is not waited for any longer: it shall not stop the board for ever,
/// neither by taking nothing nor by taking a few bytes now and then.
const PATIENCE: Duration = Duration::from_secs(10);
/// One that is behind for so long is told of. Before, it is a PC that has other work to do.
const NOTICEABLE: Duration = Duration::from_secs(1);

/// How a listener stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is waited for, for as long as it does not matter, or it has taken everything.
    Fine,
    /// It has just been behind long enough to be told of.
    Behind,
    /// It has been waited for long enough.
    TooLong,
}

/// What one listener still has to take.
#[derive(Debug)]
pub struct Backlog {
    bytes: VecDeque<u8>,
    /// Since when it is not empty.
    since: Option<Instant>,
    is_told: bool,
    patience: Duration,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { bytes: VecDeque::new(), since: None, is_told: false, patience: PATIENCE }
    }
}

impl Backlog {
    /// One whose listener is waited for only so long.
    #[cfg(test)]
    pub fn with_patience(patience: Duration) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Adds bytes. There is no bound here: the board does not run while [`Backlog::is_empty`] is false, and makes no more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Bytes that were not taken yet.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// True if the listener has taken everything.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets what was not taken: how many bytes.
    pub fn clear(&mut self) -> u64 {
        let lost = self.len();
        self.bytes.clear();
        (self.since, self.is_told) = (None, false);
        lost
    }

    /// Writes what the listener takes now, without waiting.
    ///
    /// # Errors
    /// If it is gone.
    pub fn flush(&mut self, listener: &mut impl Write, now: Instant) -> io::Result<Standing> {
        while !self.bytes.is_empty() {
            match listener.write(self.bytes.as_slices().0) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => drop(self.bytes.drain(..taken)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(self.standing(now)),
                Err(error) => return Err(error),
            }
        }
        (self.since, self.is_told) = (None, false);
        Ok(Standing::Fine)
    }

    fn standing(&mut self, now: Instant) -> Standing {
        let behind = now.saturating_duration_since(*self.since.get_or_insert(now));
        if behind >= self.patience {
            return Standing::TooLong;
        }
        if behind < NOTICEABLE || self.is_told {
            return Standing::Fine;
        }
        self.is_told = true;
        Standing::Behind
    }
}

/// Tells of a listener, if there is something to tell; `then` is what becomes of one that was waited for long enough, or
/// that takes nothing any more.
pub fn tell(who: impl fmt::Display, standing: &io::Result<Standing>, then: &str) {
    if let Some(said) = in_words(standing, then) {
        eprintln!("{who} {said}");
    }
}

fn in_words(standing: &io::Result<Standing>, then: &str) -> Option<String> {
    let patience = PATIENCE.as_secs();
    match standing {
        Ok(Standing::Fine) => None,
        Ok(Standing::Behind) => Some(format!("falls behind: the board waits for it, {patience} s at most")),
        Err(error) => Some(format!("cannot be written to ({error}): {then}")),
        Ok(Standing::TooLong) => {
            Some(format!("has been behind for {patience} s and is not waited for any longer: {then}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, and then none until it is given more room.
    struct Narrow {
        room: usize,
        taken: Vec<u8>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let some = bytes.len().min(self.room);
            if some == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= some;
            self.taken.extend(&bytes[..some]);
            Ok(some)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_listener_that_takes_a_byte_now_and_then_is_told_of_once_and_waited_for_no_longer_than_one_that_takes_none()
     {
        for room in [0, 1] {
            let mut listener = Narrow { room: 0, taken: Vec::new() };
            let mut backlog = Backlog::default();
            backlog.push(&[7; 100]);
            let begun = Instant::now();
            let mut standings = (0..=10).map(|second| {
                listener.room = room;
                backlog.flush(&mut listener, begun + Duration::from_secs(second)).unwrap()
            });
            assert_eq!(standings.next(), Some(Standing::Fine));
            assert_eq!(standings.next(), Some(Standing::Behind));
            assert_eq!(standings.by_ref().take(8).collect::<Vec<_>>(), [Standing::Fine; 8]);
            assert_eq!(standings.next(), Some(Standing::TooLong));
        }
    }

    #[test]
    fn one_that_catches_up_begins_anew_and_has_every_byte_in_order() {
        let mut listener = Narrow { room: 2, taken: Vec::new() };
        let mut backlog = Backlog::default();
        let begun = Instant::now();
        backlog.push(b"abc");
        assert_eq!(backlog.flush(&mut listener, begun).unwrap(), Standing::Fine);
        listener.room = 9;
        assert_eq!(backlog.flush(&mut listener, begun + PATIENCE).unwrap(), Standing::Fine);
        assert!(backlog.is_empty());
        backlog.push(b"defghijkl");
        assert_eq!(backlog.flush(&mut listener, begun + PATIENCE).unwrap(), Standing::Fine);
        assert_eq!(backlog.flush(&mut listener, begun + PATIENCE + NOTICEABLE).unwrap(), Standing::Behind);
        assert_eq!((backlog.clear(), backlog.is_empty()), (1, true));
        assert_eq!(listener.taken, b"abcdefghijk");
        backlog.push(b"m");
        assert_eq!(backlog.flush(&mut listener, begun).unwrap(), Standing::Fine);
        let again = backlog.flush(&mut listener, begun + NOTICEABLE).unwrap();
        assert_eq!(again, Standing::Behind, "it is told of anew");
    }

    #[test]
    fn a_listener_that_cannot_be_written_to_is_not_called_slow() {
        let gone = in_words(&Err(ErrorKind::ConnectionReset.into()), "it is cut off").unwrap();
        assert!(gone.contains("connection reset") && gone.ends_with("it is cut off"), "{gone}");
        assert!(!gone.contains("behind"), "{gone}");
    }
}
