//! Blocks of every small size at every alignment, by the service `fun2` (VCHIQ fact sheet 9.1).
//!
//! DATA of four words tells what is to come: bytes, where they begin in the service's buffer, where in ours, a number.
//! The service takes one BULK_TX, checks its bytes, of which it only logs what is wrong, and sends them back for one
//! BULK_RX.

use vchiq_mbox::{
    ServiceHandle,
    bulk::{CacheLine, Direction},
    link::OpenRequest,
    wire::FourCc,
};

use super::{
    Group, Needs, Scenario,
    bulk::{self, Queue},
    link,
};
use crate::{
    board::Board,
    damage::Damage,
    failure::Failure,
    lending::PAGE,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "fun2",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "blocks of 1 to 8192 bytes come back whole from every alignment, also where they end at a page or cross \
             into the next",
    asked_by: "driver maintainers (raspberrypi/linux#1977, #2643; raspberrypi/firmware#743: bytes lost at cache lines)",
    steps: &["cache-line", "open", "small", "page-end", "large", "close"],
    passes_when: "both transfers of each pair of size and alignment end with their size, every byte comes back, and \
                  nothing beside them changes",
};

const FUN2: OpenRequest = OpenRequest::new(FourCc::new(*b"fun2"), 3, 3);

/// Sizes of `small` and `page-end` are 1 to this.
const SMALL_SIZES: usize = 63;
/// Alignments of either side. For a small block 32 is as good as 0.
const POWERS: [usize; 6] = [32, 16, 8, 4, 2, 1];
/// Sizes of `large`: powers of two from this on.
const LEAST_LARGE: usize = 64;
const LARGE_SIZES: usize = 8;
const LARGE_ALIGNMENTS: [usize; 3] = [0, 1, 31];
/// The service's alignments of `large` each have so many after them.
const SERVER_STEPS: usize = 9;

const SMALL_PAIRS: usize = SMALL_SIZES * POWERS.len() * POWERS.len();
const LARGE_PAIRS: usize = LARGE_SIZES * LARGE_ALIGNMENTS.len() * LARGE_ALIGNMENTS.len() * SERVER_STEPS;
/// From one pair to the next: a prime that divides no number of pairs, so that a short run meets sizes and alignments
/// of all kinds, and a long one all of them.
const STRIDE: usize = 1409;

/// A block: its size, and where it begins on either side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Block {
    bytes: usize,
    server: usize,
    client: usize,
}

/// What one step goes through.
struct Stage {
    step: &'static str,
    pairs: usize,
    block: fn(usize) -> Block,
}

const STAGES: [Stage; 3] = [
    Stage { step: "small", pairs: SMALL_PAIRS, block: small },
    Stage { step: "page-end", pairs: SMALL_PAIRS, block: at_page_end },
    Stage { step: "large", pairs: LARGE_PAIRS, block: large },
];

/// The block of a number below [`SMALL_PAIRS`].
fn small(number: usize) -> Block {
    let (number, client) = (number / POWERS.len(), POWERS[number % POWERS.len()] % 32);
    let (number, server) = (number / POWERS.len(), POWERS[number % POWERS.len()] % 32);
    Block { bytes: number + 1, server, client }
}

/// The same, with the end of our page 1 to 32 bytes behind the beginning.
fn at_page_end(number: usize) -> Block {
    Block { client: PAGE - POWERS[number % POWERS.len()], ..small(number) }
}

/// The block of a number below [`LARGE_PAIRS`].
fn large(number: usize) -> Block {
    let kinds = LARGE_ALIGNMENTS.len();
    let (number, step) = (number / SERVER_STEPS, number % SERVER_STEPS);
    let (number, client) = (number / kinds, LARGE_ALIGNMENTS[number % kinds]);
    let (number, server) = (number / kinds, LARGE_ALIGNMENTS[number % kinds] + step);
    Block { bytes: LEAST_LARGE << number, server, client }
}

/// What has come back.
#[derive(Default)]
struct Tally {
    pairs: u32,
    bytes: u64,
    /// Blocks of which bytes came by a fragment.
    fragments: u64,
}

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let result = all_steps(session, counts, &mut tally);
    counts.set("pairs", tally.pairs.into());
    counts.set("bytes", tally.bytes);
    counts.set("fragments", tally.fragments);
    result
}

fn all_steps<B: Board>(
    session: &mut Session<'_, B>,
    counts: &mut Counts,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let line = session.step("cache-line", |session| {
        session.calibration()?;
        link::ensure_up(session)?;
        let echo = link::open(session, link::ECHO, "echo")?;
        let line = bulk::find_line(session, echo)?;
        link::close(session, echo)?;
        Ok(line)
    })?;
    counts.set("cache_line", line.bytes().into());
    let service = session.step("open", |session| link::open(session, FUN2, "fun2"))?;
    for stage in STAGES {
        session.step(stage.step, |session| {
            for number in 0..stage.pairs.min(session.plan.iterations as usize) {
                session.check_run_time()?;
                let block = (stage.block)(number * STRIDE % stage.pairs);
                move_block(session, service, block, tally.pairs)?;
                tally.pairs += 1;
                tally.bytes += block.bytes as u64;
                tally.fragments += u64::from(uses_fragment(block, line));
                super::note_progress(session, tally.pairs, STAGES.len() as u32);
            }
            Ok(())
        })?;
    }
    session.step("close", |session| link::close(session, service))
}

/// One block there and back.
fn move_block<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    block: Block,
    number: u32,
) -> Result<(), Failure> {
    tell(session, service, block, number)?;
    let around = Pattern::new(session.plan.seed ^ u64::from(number));
    let sent = session.lending.take_stretch(block.client, block.bytes)?;
    let got = session.lending.take_stretch(block.client, block.bytes)?;
    let inside = |at| byte(at, block.bytes);
    sent.fill_bytes(inside, around);
    got.fill_bytes(|at| !inside(at), around);

    let mut queue = Queue::<B>::new();
    let receiving = bulk::submit(session, &mut queue, service, Direction::Receive, got)?;
    let sending = bulk::submit(session, &mut queue, service, Direction::Transmit, sent)?;
    let sent = bulk::whole(session, &mut queue, sending, Direction::Transmit)?.memory;
    let got = bulk::whole(session, &mut queue, receiving, Direction::Receive)?.memory;
    let unchanged = sent.check_bytes(inside, around);
    let checked = got.check_bytes(inside, around);
    session.lending.put_back_stretch(&sent);
    session.lending.put_back_stretch(&got);
    unchanged.and(checked).map_err(|damage| damaged(damage, block))
}

/// Says what is to come.
fn tell<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    block: Block,
    number: u32,
) -> Result<(), Failure> {
    let mut message = [0; 16];
    let words = [block.bytes as u32, block.server as u32, block.client as u32, number];
    for (bytes, word) in message.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let sent = session.link.send(service, &[&message], deadline);
    sent.map(drop).map_err(|error| session.link_failure(error))
}

/// The byte at a place of a block of so many, as the service wants it.
fn byte(at: usize, bytes: usize) -> u8 {
    match at {
        at if at + 1 == bytes => 0,
        at if at.is_multiple_of(32) => (at / 32) as u8,
        at => at as u8,
    }
}

/// What is received begins or ends within a line.
fn uses_fragment(block: Block, line: CacheLine) -> bool {
    let line = line.bytes() as usize;
    !block.client.is_multiple_of(line) || !(block.client + block.bytes).is_multiple_of(line)
}

fn damaged(damage: Damage, block: Block) -> Failure {
    let (offset, where_) = (damage.offset, damage.in_transfer(block.bytes));
    let reason = format_args!("block of {} bytes: byte {offset} {where_}", block.bytes);
    damage
        .shown_in(Failure::fail(Owner::Link, reason))
        .with("page_offset", block.client as u32)
        .with("server_offset", block.server as u32)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn blocks(stage: &Stage) -> Vec<Block> {
        (0..stage.pairs).map(|number| (stage.block)(number * STRIDE % stage.pairs)).collect()
    }

    #[test]
    fn a_long_run_meets_every_size_at_every_pair_of_alignments_once() {
        for stage in STAGES {
            let blocks = blocks(&stage);
            let different: HashSet<_> = blocks.iter().map(|b| (b.bytes, b.server, b.client)).collect();
            // 0 and 1 with up to 8 after them share 1 to 8.
            let twice = if stage.step == "large" { LARGE_SIZES * LARGE_ALIGNMENTS.len() * 8 } else { 0 };
            assert_eq!(different.len(), stage.pairs - twice, "{}", stage.step);
        }
        let sizes: HashSet<_> = blocks(&STAGES[2]).iter().map(|block| block.bytes).collect();
        assert_eq!(sizes, (6..14).map(|power| 1 << power).collect());
    }

    #[test]
    fn a_short_run_meets_small_and_great_sizes_and_every_alignment() {
        for stage in STAGES {
            let blocks = &blocks(&stage)[..30];
            let clients: HashSet<_> = blocks.iter().map(|block| block.client).collect();
            let sizes: HashSet<_> = blocks.iter().map(|block| block.bytes.ilog2()).collect();
            assert!(clients.len() >= LARGE_ALIGNMENTS.len(), "{}: {clients:?}", stage.step);
            assert!(sizes.len() >= 4, "{}: {sizes:?}", stage.step);
        }
    }

    #[test]
    fn blocks_at_a_page_end_reach_it_or_cross_it() {
        let blocks = blocks(&STAGES[1]);
        assert!(blocks.iter().any(|block| block.client + block.bytes == PAGE));
        assert!(blocks.iter().any(|block| block.client + block.bytes > PAGE));
    }
}
