//! FREE of handles that nobody has: unknown ones, and one that was freed before.

use core::time::Duration;

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, Client, PLACES},
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "bad-handles",
    group: Group::Lifecycle,
    needs: Needs::VideoCore,
    proves: "FREE of an unknown handle and a second FREE do no harm to anybody's buffers",
    asked_by: "raspberrypi/linux#6701: a RELEASED handled twice; drivers that free on more than one path",
    steps: &["open", "unknown", "double", "bystander", "close"],
    passes_when: "nothing is answered, another buffer's life goes on, and the service still works",
};

/// Bytes of the buffers.
const SIZE: usize = 4096;
/// Long enough for an answer that should not come.
const WATCH: Duration = Duration::from_millis(5);
/// Handles that no firmware gives: none, an index past every table, a wrapped one past all that are out.
const UNKNOWN: [u32; 3] = [0x0000_0000, 0x0007_fff0, 0xc000_fff0];
/// Number of FREE (VCSM fact sheet 3).
const FREE: u32 = 4;
/// Transaction ids that the client does not come to.
const FIRST_TRANSACTION: u32 = 0x7000_0000;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| walk(session, client, counts))
}

fn walk<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let bystander = shared_memory::import(session, client, SIZE)?;
    session.step("unknown", |session| {
        for handle in UNKNOWN {
            send_free(session, client, handle)?;
        }
        counts.set("unknown", UNKNOWN.len() as u64);
        watch(session, client)
    })?;
    session.step("double", |session| {
        let handle = shared_memory::handshake_once(session, client, SIZE)?;
        send_free(session, client, handle)?;
        counts.set("handle", handle.into());
        watch(session, client)
    })?;
    session.step("bystander", |session| {
        let freed = shared_memory::free(session, client, bystander)?;
        shared_memory::take_back(session, client, freed)
    })
}

/// Sends FREE past the client, which would refuse it.
fn send_free<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &Client<'a, B, PLACES>,
    handle: u32,
) -> Result<(), Failure> {
    let mut message = [0; 16];
    for (bytes, word) in message.chunks_exact_mut(4).zip([FREE, FIRST_TRANSACTION, handle, 0]) {
        bytes.copy_from_slice(&u32::to_le_bytes(word));
    }
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let sent = session.link.send(client.service(), &[&message], deadline);
    sent.map(drop).map_err(|error| session.link_failure(error))
}

/// Nothing may come, and the bystander must stay.
fn watch<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
) -> Result<(), Failure> {
    let deadline = session.deadline(WATCH);
    shared_memory::settle(session, client, deadline, |_| false)?;
    if client.outstanding().count() == 1 {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("FREE of a bad handle released another buffer")))
}
