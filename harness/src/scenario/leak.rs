//! Does anything stay behind? The firmware's memory and our slots before and after many lives of a buffer.

use vchiq_mbox::{gencmd, mailbox::MailboxError};

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, Client, PLACES},
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_BYTES, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "leak",
    group: Group::Replay,
    needs: Needs::VideoCore,
    proves: "after any number of lives the firmware has as much memory as before, and no slot or message is missing",
    asked_by: "raspberrypi/linux#4277, #3220 (10 MB a run), rpicam-apps#27 (400 kB a minute), pikvm#1704 (a count that only grows)",
    steps: &["before", "lives", "after"],
    passes_when: "get_mem reloc and malloc tell the same number of MB before and after; the link holds as many slots as before",
};

/// Bytes of the buffers.
const SIZE: usize = 64 * 1024;
/// Handshakes between OPEN and CLOSE of the service.
const A_SESSION: u32 = 50;

/// What must not change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Holdings {
    reloc_megabytes: Option<u32>,
    malloc_megabytes: Option<u32>,
    slots_held: u32,
    messages_unreleased: u64,
}

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let before = session.step("before", |session| {
        super::link::ensure_up(session)?;
        // One life first: what the firmware sets up once is not a leak.
        live(session, 1)?;
        holdings(session)
    })?;
    let mut lives = 0;
    session.step("lives", |session| {
        while lives < session.plan.iterations {
            let some = A_SESSION.min(session.plan.iterations - lives);
            live(session, some)?;
            lives += some;
            super::note_progress(session, lives, 1);
        }
        Ok(())
    })?;
    session.step("after", |session| {
        let after = holdings(session)?;
        counts.set("lives", lives.into());
        counts.set("reloc_mb", after.reloc_megabytes.unwrap_or(0).into());
        counts.set("malloc_mb", after.malloc_megabytes.unwrap_or(0).into());
        counts.set("slots_held", after.slots_held.into());
        judge(before, after)
    })
}

/// Opens the service, lends `count` buffers one after the other, closes it.
fn live<B: Board>(session: &mut Session<'_, B>, count: u32) -> Result<(), Failure> {
    let mut client: Client<'_, B, PLACES> = shared_memory::ready(session)?;
    let result = (0..count).try_for_each(|_| {
        session.check_run_time()?;
        shared_memory::handshake_once(session, &mut client, SIZE).map(drop)
    });
    session.next_kernel_id = client.next_kernel_id();
    result?;
    shared_memory::close(session, &mut client)
}

fn holdings<B: Board>(session: &mut Session<'_, B>) -> Result<Holdings, Failure> {
    let counters = session.link.counters();
    Ok(Holdings {
        reloc_megabytes: megabytes(session, "reloc")?,
        malloc_megabytes: megabytes(session, "malloc")?,
        slots_held: session.link.positions().slots_held,
        messages_unreleased: counters.received - counters.released,
    })
}

/// Free memory of a heap, as `get_mem` tells it; `None` from firmware without the mailbox tag.
fn megabytes<B: Board>(session: &mut Session<'_, B>, heap: &str) -> Result<Option<u32>, Failure> {
    let mut command = heapless::String::<32>::new();
    // It fits.
    let _ = command.push_str("get_mem ").and_then(|()| command.push_str(heap));
    let mut text = [0; ANSWER_BYTES];
    match session.ask_text(&command, &mut text) {
        Ok(answer) => {
            let value = gencmd::value_of(answer.text, heap).and_then(|value| value.strip_suffix('M'));
            Ok(value.and_then(|number| number.parse().ok()))
        }
        Err(MailboxError::NotAnswered { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn judge(before: Holdings, after: Holdings) -> Result<(), Failure> {
    if after.slots_held > before.slots_held || after.messages_unreleased != before.messages_unreleased {
        let reason = format_args!("slots or messages stayed with us");
        return Err(Failure::fail(Owner::Harness, reason)
            .with("slots_held", after.slots_held)
            .with("messages", after.messages_unreleased as u32));
    }
    let heaps = |holdings: Holdings| (holdings.reloc_megabytes, holdings.malloc_megabytes);
    if heaps(before) == heaps(after) {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("the firmware has another amount of memory than before"))
        .with("reloc_before", before.reloc_megabytes.unwrap_or(0))
        .with("reloc_after", after.reloc_megabytes.unwrap_or(0))
        .with("malloc_before", before.malloc_megabytes.unwrap_or(0))
        .with("malloc_after", after.malloc_megabytes.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(change: impl FnOnce(&mut Holdings)) -> Option<Owner> {
        let before = Holdings {
            reloc_megabytes: Some(100),
            malloc_megabytes: None,
            slots_held: 1,
            messages_unreleased: 0,
        };
        let mut after = before;
        change(&mut after);
        judge(before, after).err().and_then(|failure| failure.owner)
    }

    #[test]
    fn lost_memory_is_the_firmware_s_and_lost_slots_are_ours() {
        assert_eq!(owner(|_| {}), None);
        assert_eq!(owner(|after| after.reloc_megabytes = Some(99)), Some(Owner::Firmware));
        assert_eq!(owner(|after| after.malloc_megabytes = Some(1)), Some(Owner::Firmware));
        assert_eq!(owner(|after| after.slots_held = 2), Some(Owner::Harness));
        assert_eq!(owner(|after| after.messages_unreleased = 1), Some(Owner::Harness));
    }
}
