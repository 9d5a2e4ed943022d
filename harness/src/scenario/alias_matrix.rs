//! Imports in every alias of the bus, at every alignment and of odd sizes, with a canary around each.

use vchiq_mbox::{
    BusAddress,
    property::{LockMemory, MemoryHandle, UnlockMemory},
};
use vcsm::{Error, Imported, Lend, Returned};

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, Client, PLACES},
};
use crate::{
    block::Block,
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "alias-matrix",
    group: Group::Lifecycle,
    needs: Needs::VideoCore,
    proves: "whatever alias, alignment and size an import has, the firmware refuses it or means exactly that memory",
    asked_by: "raspberrypi/rpicam-apps#246 (alias 0x8 taken for an error); raspberrypi/firmware#423",
    steps: &["open", "alias-0", "alias-4", "alias-8", "alias-c", "close"],
    passes_when: "each accepted import is locked at its own address and comes back with its own words; the guards around \
                  it are intact",
};

/// An alias, its step, and its count of accepted imports.
struct Alias {
    bits: u32,
    step: &'static str,
    accepted: &'static str,
}

const ALIASES: [Alias; 4] = [
    Alias { bits: 0, step: "alias-0", accepted: "accepted_0" },
    Alias { bits: 0x4000_0000, step: "alias-4", accepted: "accepted_4" },
    Alias { bits: 0x8000_0000, step: "alias-8", accepted: "accepted_8" },
    Alias { bits: 0xc000_0000, step: "alias-c", accepted: "accepted_c" },
];
/// Byte offsets from a page's start.
const OFFSETS: [usize; 4] = [0, 64, 1024, 4096 - 64];
/// Bytes: a page, and sizes that no page nor a granule of the firmware's heap divides.
const SIZES: [usize; 5] = [64, 4096 - 64, 4096, 4096 + 64, 3 * 4096 + 192];
/// Room for the largest at the largest offset.
const ROOM: usize = 5 * 4096;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| all(session, client, counts))
}

fn all<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let mut tried = 0;
    for alias in &ALIASES {
        let mut accepted = 0;
        session.step(alias.step, |session| {
            for offset in OFFSETS {
                for size in SIZES {
                    tried += 1;
                    accepted += u64::from(try_one(session, client, alias.bits, offset, size)?);
                }
            }
            Ok(())
        })?;
        counts.set(alias.accepted, accepted);
    }
    counts.set("tried", tried);
    Ok(())
}

/// Gives false if the firmware refused it.
fn try_one<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    alias: u32,
    offset: usize,
    size: usize,
) -> Result<bool, Failure> {
    let pattern = shared_memory::next_pattern(session, client);
    let room = session.lending.take(ROOM, pattern)?;
    let block = room.part(offset, size, alias);
    block.fill();
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let accepted = match client.import(&mut session.link, block, deadline) {
        Ok(imported) => {
            let block = use_and_free(session, client, imported)?;
            block.check().map_err(|damage| damage.failure("after RELEASED"))?;
            true
        }
        Err(failure) if matches!(failure.error, Error::ImportRefused { .. }) => {
            if let Some(block) = failure.buffer {
                block.check().map_err(|damage| damage.failure("after a refused IMPORT"))?;
            }
            false
        }
        Err(failure) => {
            let failure = session.link_failure(failure.error);
            return Err(failure.with("alias", alias).with("offset", offset as u32).with("size", size as u32));
        }
    };
    session.lending.put_back(&room);
    Ok(accepted)
}

fn use_and_free<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    imported: Imported,
) -> Result<Block<'a, B::Lendable>, Failure> {
    let handle = MemoryHandle(imported.handle().number());
    let lent = client.buffer(&imported).map_err(Error::from)?.bus_address();
    let locked = session.ask::<LockMemory>(handle)?;
    if locked.is_some() {
        session.ask::<UnlockMemory>(handle)?;
    }
    let freed = shared_memory::free(session, client, imported)?;
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let returned = client.await_released(&mut session.link, freed, deadline);
    let Returned { buffer, .. } = returned.map_err(|failure| session.link_failure(failure.error))?;
    match locked {
        Some(address) if address.physical() == lent.physical() => Ok(buffer),
        found => Err(Failure::fail(
            Owner::Firmware,
            format_args!("an accepted import is locked at another address than was lent"),
        )
        .with("lent", lent.0)
        .with("found", found.map_or(0, |BusAddress(address)| address))),
    }
}
