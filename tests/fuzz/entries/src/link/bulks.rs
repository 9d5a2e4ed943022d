//! Memory lent for bulk transfers.

use vchiq_mbox::{
    ServiceHandle, Vchiq,
    bulk::{BulkMemory, BulkQueue, Finished, InFlight, Moved},
    link::VideoCoreReset,
};

use super::Caller;
use crate::{board::Board, script::Script};

/// Transfers that the caller has room for.
const ROOM: usize = 6;

/// A stretch of memory, without the memory.
struct Stretch {
    number: u32,
    offset: u16,
    size: u32,
}

impl BulkMemory for Stretch {
    fn size(&self) -> u32 {
        self.size
    }

    fn offset(&self) -> u16 {
        self.offset
    }

    fn page(&self, number: u32) -> u64 {
        0x0100_0000 + u64::from(number) * if self.number.is_multiple_of(2) { 0x1000 } else { 0x3000 }
    }

    fn clean(&mut self) {}

    fn invalidate(&mut self, start: u32, end: u32) {
        assert!(start <= end && end <= self.size, "lines of somebody else's are dropped");
        for edge in [start, end] {
            let line = (u32::from(self.offset) + edge).is_multiple_of(64);
            assert!(line || start == end, "half a line is dropped at {edge}");
        }
    }

    fn store(&mut self, at: u32, bytes: &[u8]) {
        assert!(at as usize + bytes.len() <= self.size as usize, "a store behind the memory");
    }
}

/// What is with VideoCore, and what is not.
pub(super) struct Lent {
    queue: BulkQueue<Stretch, ROOM>,
    tokens: Vec<InFlight>,
    /// Numbers of the memory that VideoCore must not have.
    idle: Vec<u32>,
}

impl Default for Lent {
    fn default() -> Self {
        Self { queue: BulkQueue::new(), tokens: Vec::new(), idle: (0..ROOM as u32 + 2).collect() }
    }
}

impl Lent {
    pub(super) fn check(&self, in_flight: usize) {
        assert_eq!(self.queue.len() + self.idle.len(), ROOM + 2, "memory is with both sides or with none");
        assert!(in_flight <= self.queue.len(), "a transfer without memory");
    }

    fn take_back(&mut self, finished: Finished<Stretch>) {
        let Finished { memory, moved, .. } = finished;
        assert!(matches!(moved, Moved::Aborted | Moved::Bytes(..)));
        if let Moved::Bytes(actual) = moved {
            assert!(actual <= memory.size, "more moved than there is");
        }
        self.put_away(memory);
    }

    fn put_away(&mut self, memory: Stretch) {
        assert!(!self.idle.contains(&memory.number), "memory came back twice");
        self.idle.push(memory.number);
    }

    pub(super) fn after_reset(&mut self, reset: &VideoCoreReset) {
        let queue = std::mem::take(&mut self.queue);
        queue.after_reset(reset).for_each(|memory| self.put_away(memory));
        assert_eq!(self.idle.len(), ROOM + 2, "a reset leaves memory out");
    }

    /// The end of the link brings everything home.
    pub(super) fn all_is_back(mut self, link: Vchiq<Board, Board>) {
        let (_, _, reset) = link.after_reset();
        self.after_reset(&reset);
    }
}

/// Asks for a transfer.
pub(super) fn submit(script: &mut Script, caller: &mut Caller) {
    let (transmit, offset, size) = (script.byte() & 1 == 0, script.half() % 4096, script.half());
    let Some(service) = caller.service(script) else { return };
    let Some(number) = caller.lent.idle.pop() else { return };
    let memory = Stretch { number, offset, size: size.into() };
    if let Err(memory) = try_submit(caller, service, transmit, memory) {
        caller.lent.put_away(memory);
    }
}

fn try_submit(
    caller: &mut Caller,
    service: ServiceHandle,
    transmit: bool,
    memory: Stretch,
) -> Result<(), Stretch> {
    let deadline = Caller::soon(&caller.link);
    let Caller { link, lent, .. } = caller;
    let asked = if transmit {
        lent.queue.transmit(link, service, memory, deadline)
    } else {
        lent.queue.receive(link, service, memory, deadline)
    };
    lent.tokens.push(asked.map_err(|refused| refused.memory)?);
    Ok(())
}

/// Waits for a transfer, which may be of a former session or have been taken.
pub(super) fn wait(script: &mut Script, caller: &mut Caller) {
    if caller.lent.tokens.is_empty() {
        return;
    }
    let which = usize::from(script.byte()) % caller.lent.tokens.len();
    let token = caller.lent.tokens.swap_remove(which);
    let deadline = Caller::soon(&caller.link);
    match caller.lent.queue.wait(&mut caller.link, token, deadline) {
        Ok(finished) => caller.lent.take_back(finished),
        Err(failure) => {
            if !matches!(failure.error, vchiq_mbox::Error::Misuse(_)) {
                caller.lent.tokens.push(failure.in_flight);
            }
        }
    }
}

/// Takes the end of any transfer.
pub(super) fn finish(caller: &mut Caller) {
    if let Ok(Some(finished)) = caller.lent.queue.try_finish(&mut caller.link) {
        caller.lent.take_back(finished);
    }
}
