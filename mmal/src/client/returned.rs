//! Getting buffers back.

use vchiq_mbox::{Deadline, Platform, Submitted, Vchiq, Window, bulk::VideoCoreReset};

use super::{InFlight, Mmal, is_timeout};
use crate::{
    error::{Error, Misuse},
    ids::{BufferContext, ComponentHandle, PortHandle},
    payload::Payload,
    port::Port,
    record::{Data, Filled, How, Record, State},
};

/// A buffer that is ours again.
#[derive(Debug)]
pub struct Returned<T> {
    /// What it carried.
    pub payload: T,
    /// Its number.
    pub context: BufferContext,
    /// Component of its port.
    pub component: ComponentHandle,
    /// Its port.
    pub port: PortHandle,
    /// How it came back.
    pub how: How,
    /// What the firmware says is in it.
    pub filled: Filled,
    /// Where that is.
    pub data: Data,
}

/// The buffer has not come back.
#[derive(Debug)]
pub struct WaitFailure {
    /// Why.
    pub error: Error,
    /// The token, to wait again.
    pub in_flight: InFlight,
}

impl<T: Payload, const N: usize> Mmal<T, N> {
    /// Waits until a buffer is back.
    ///
    /// # Errors
    /// [`WaitFailure`] with the token: [`Error::ReturnTimedOut`] at the deadline.
    pub fn await_returned<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        in_flight: InFlight,
        deadline: Deadline,
    ) -> Result<Returned<T>, WaitFailure> {
        let context = in_flight.context;
        loop {
            match self.try_take(&in_flight) {
                Ok(Some(returned)) => return Ok(returned),
                Ok(None) => {}
                Err(misuse) => return Err(WaitFailure { error: misuse.into(), in_flight }),
            }
            if let Err(error) = self.receive(link, deadline) {
                let timed_out = Error::ReturnTimedOut { context };
                let error = if is_timeout(&error) { timed_out } else { error };
                return Err(WaitFailure { error, in_flight });
            }
        }
    }

    /// The buffer, if it is back; reads nothing itself ([`Self::poll`]). The token is of no use afterwards.
    ///
    /// # Errors
    /// [`Misuse::UnknownToken`].
    pub fn try_take(&mut self, in_flight: &InFlight) -> Result<Option<Returned<T>>, Misuse> {
        let context = in_flight.context;
        let index = self.records.iter().position(|record| record.context == context);
        let index = index.ok_or(Misuse::UnknownToken { context })?;
        Ok(self.take_at(index))
    }

    /// When a buffer was sent, as long as its payload has not been taken.
    pub fn submitted(&self, in_flight: &InFlight) -> Option<Submitted> {
        let found = self.records.iter().find(|record| record.context == in_flight.context);
        found.map(|record| record.submitted)
    }

    /// A buffer of a port that is back, in no particular order, for callers that have dropped their tokens.
    pub fn take_returned(&mut self, port: &Port) -> Option<Returned<T>> {
        let back = |record: &Record<T>| !record.is_out() && record.is_of(port.component, port.handle);
        let index = self.records.iter().position(back)?;
        self.take_at(index)
    }

    /// A buffer of any port that is back.
    pub fn take_any(&mut self) -> Option<Returned<T>> {
        let index = self.records.iter().position(|record| !record.is_out())?;
        self.take_at(index)
    }

    /// Buffers that are back and have not been taken.
    pub fn untaken(&self) -> usize {
        self.records.iter().filter(|record| !record.is_out()).count()
    }

    /// What buffers carried, back or not, after a reset of VideoCore; one a call.
    pub fn take_after_reset(&mut self, _reset: &VideoCoreReset) -> Option<T> {
        self.records.pop().map(|record| record.payload)
    }

    fn take_at(&mut self, index: usize) -> Option<Returned<T>> {
        let State::Back { how, filled, data } = self.records.get(index)?.state else { return None };
        let Record { payload, context, component, port, .. } = self.records.remove(index);
        Some(Returned { payload, context, component, port, how, filled, data })
    }
}
