//! How long the model takes: modelled times, never measured ones.
//!
//! They are of the order that the firmware shows in the emulator, and vary by up to a quarter with the seed.

/// Picoseconds of a microsecond.
const MICROSECOND_PS: u64 = 1_000_000;

/// What takes time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Work {
    /// A property message.
    Property,
    /// From doorbell to slot handler.
    Wake,
    /// From VCHIQ_INIT to CONNECT.
    Connect,
    /// A message of the echo service, bytes copied included.
    Echo {
        /// Its size.
        bytes: usize,
    },
    /// A bulk transfer, bytes moved included.
    Bulk {
        /// Its size.
        bytes: usize,
    },
    /// A message of the SMEM service.
    SharedMemory,
    /// From the last reference to RELEASED.
    Terminate,
    /// A text command.
    Command,
}

impl Work {
    fn picoseconds(self) -> u64 {
        match self {
            Self::Property => 6 * MICROSECOND_PS,
            Self::Wake => 2 * MICROSECOND_PS,
            Self::Connect => 40 * MICROSECOND_PS,
            Self::Echo { bytes } => 4 * MICROSECOND_PS + bytes as u64 * 1000,
            Self::Bulk { bytes } => 4 * MICROSECOND_PS + bytes as u64 * 50,
            Self::SharedMemory => 6 * MICROSECOND_PS,
            Self::Terminate => 3 * MICROSECOND_PS,
            Self::Command => 10 * MICROSECOND_PS,
        }
    }
}

/// Modelled times with the seed's variation.
pub(super) struct Pace {
    state: u64,
}

impl Pace {
    pub(super) fn new(seed: u64) -> Self {
        // A state of 0 would stay 0.
        Self { state: seed ^ 0x9e37_79b9_7f4a_7c15 | 1 }
    }

    /// How long this piece of work takes now, in picoseconds.
    pub(super) fn time(&mut self, work: Work) -> u64 {
        // xorshift64
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let base = work.picoseconds();
        base + base / 4 * (self.state >> 32 & 0xff) / 256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_times_again_and_they_vary_by_a_quarter_at_most() {
        let times = |seed| {
            let mut pace = Pace::new(seed);
            (0..100).map(|_| pace.time(Work::Property)).collect::<Vec<_>>()
        };
        assert_eq!(times(3), times(3));
        assert_ne!(times(3), times(4));
        assert!(times(3).iter().all(|time| (6_000_000..7_500_000).contains(time)));
    }
}
