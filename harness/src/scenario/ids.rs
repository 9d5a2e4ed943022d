//! Transaction ids across every width that a driver or a firmware could keep them in.

use vcsm::Options;

use super::{
    Group, Needs, Scenario, link,
    shared_memory::{self, Client, PLACES},
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "ids",
    group: Group::Smem,
    needs: Needs::VideoCore,
    proves: "replies carry the number of their request, below and past 8, 16, 17 and 31 bits, and past the wrap",
    asked_by: "raspberrypi/linux PR #3474 (numbers kept in 16 bits: replies stop matching after 65535)",
    steps: &["link", "0xf0", "0xfff0", "0x1fff0", "0x7ffffff0"],
    passes_when: "every request is answered under its number, and every buffer comes back",
};

/// First transaction ids, by step.
const FIRST: [(&str, u32); 4] =
    [("0xf0", 0xf0), ("0xfff0", 0xfff0), ("0x1fff0", 0x1_fff0), ("0x7ffffff0", 0x7fff_fff0)];
/// Handshakes from each: each takes two numbers, so that these pass the border and more.
const HANDSHAKES: u64 = 24;
/// Bytes of the buffers.
const SIZE: usize = 4096;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    session.step("link", link::ensure_up)?;
    let mut released = 0;
    for (step, first) in FIRST {
        session.step(step, |session| {
            let options = Options { first_transaction: first, ..shared_memory::options(session) };
            let mut client: Client<'_, B, PLACES> = shared_memory::open_with(session, &options)?;
            shared_memory::check_version::<B, PLACES>(&client)?;
            let result = (0..HANDSHAKES)
                .try_for_each(|_| shared_memory::handshake_once(session, &mut client, SIZE).map(drop));
            released += client.counters().released;
            session.next_kernel_id = client.next_kernel_id();
            result.and(shared_memory::close(session, &mut client))
        })?;
    }
    counts.set("released", released);
    if released == HANDSHAKES * FIRST.len() as u64 {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("{released} RELEASED, {HANDSHAKES} expected of each")))
}
