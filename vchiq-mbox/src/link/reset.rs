//! After a reset of VideoCore: the end of a link, and the next session in the same window.
//!
//! VCHIQ has no reconnect: a firmware takes slot zero up once in its life. Only a firmware that has been started again
//! takes it up again, and that one has nothing of what the former one was lent.

use super::{Connection, Vchiq, misbehaviour, pause, prepare, sync};
use crate::{
    platform::{Platform, Window},
    slot::{receive::Receiver, transmit::Transmitter},
};

/// Says that VideoCore has been reset since the link was used, so that it cannot write to any memory lent to it. Bulk
/// memory and lent buffers come back by this word, or one by one from the peer.
#[derive(Debug)]
pub struct VideoCoreReset(());

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Ends the link for good, after the caller has reset VideoCore: whatever it had is this side's again.
    ///
    /// For another session in the same window use [`Self::start_over`]: a link that is prepared from these parts counts
    /// its handles from the start, and would take those of this one for its own.
    pub fn after_reset(self) -> (P, W, VideoCoreReset) {
        (self.shared.platform, self.shared.window, VideoCoreReset(()))
    }

    /// Prepares the next session in the same window, after the caller has reset VideoCore. A dead link is as good as
    /// any.
    ///
    /// Slot zero is laid out anew, with nothing of the former session in it; [`Self::connect`] follows once the new
    /// firmware has it. Handles of the former session are stale, its messages can be neither read nor given back,
    /// services of ours have to be offered again, and no rule is broken on purpose any more. Counters go on; everything received counts as released.
    pub fn start_over(&mut self) -> VideoCoreReset {
        prepare::lay_out(&self.shared, &self.layout);
        // An interrupt of the former session belongs to no message of the next.
        self.shared.platform.take_doorbell_stamp();
        self.tx = Transmitter::new(self.layout.slave.data);
        self.rx = Receiver::new(self.layout.master.data);
        self.services.forget_all();
        self.unread.clear();
        self.sync = sync::SyncSlots::default();
        self.bulks.forget_all();
        self.pause = pause::Pause::default();
        self.misbehaving = misbehaviour::Misbehaving::default();
        self.connection = Connection::Prepared;
        self.peer_connected = false;
        self.version = None;
        self.session = self.session.wrapping_add(1);
        self.receiver_stalled = None;
        self.counters.released = self.counters.received;
        self.last_stray = None;
        VideoCoreReset(())
    }
}
