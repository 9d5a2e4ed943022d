//! A client that never says its version: one of version 1, which gets no RELEASED.
//!
//! Firmware seems to keep the version by link and not by client (docs/findings.md), so this can be seen only as long as
//! no client has told one.

use core::time::Duration;

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
    name: "version-one",
    group: Group::Smem,
    needs: Needs::VideoCore,
    proves: "a client of version 1 gets no RELEASED",
    asked_by: "users of the older vcsm driver, which never waits for it",
    steps: &["open", "silence", "close"],
    passes_when: "nothing comes within 20 ms after FREE; skip if a client has told its version on this link",
};

/// RELEASED takes some ten microseconds where it comes.
const SILENCE: Duration = Duration::from_millis(20);
/// Bytes of the buffer.
const SIZE: usize = 4096;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut client: Client<'_, B, PLACES> = session.step("open", |session| {
        if session.smem_version_told {
            let reason = format_args!("a client has told its version on this link already: run it alone");
            return Err(Failure::skip(reason));
        }
        link::ensure_up(session)?;
        let options = Options { tells_version: false, ..shared_memory::options(session) };
        shared_memory::open_with(session, &options)
    })?;
    let result = session.step("silence", |session| {
        let imported = shared_memory::import(session, &mut client, SIZE)?;
        // Without RELEASED nobody says when the block may be used again: it stays lent to the end of the run.
        let freed = shared_memory::free(session, &mut client, imported)?;
        let deadline = session.deadline(SILENCE);
        shared_memory::settle(session, &mut client, deadline, |_| false)?;
        let released = client.counters().released;
        counts.set("released", released);
        if released == 0 {
            return Ok(());
        }
        let reason = format_args!("RELEASED for a client that never said its version");
        Err(Failure::fail(Owner::Firmware, reason).with("kernel_id", freed.kernel_id().number()))
    });
    session.next_kernel_id = client.next_kernel_id();
    let closed = session.step("close", |session| shared_memory::close(session, &mut client));
    result.and(closed)
}
