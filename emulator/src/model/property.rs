//! Property messages (general command fact sheet 3 and 4).

use super::board::Board;
use super::fault::Defect;
use super::service::command;
use super::{Facts, VideoCore};

/// Channel of property messages, the low four bits of a mailbox word.
const CHANNEL: u32 = 8;
const CHANNEL_MASK: u32 = 0xf;

const CODE_SUCCESS: u32 = 0x8000_0000;
const CODE_ERROR: u32 = 0x8000_0001;
const ANSWERED: u32 = 1 << 31;
/// Longest message that is looked at.
const MAX_BYTES: u32 = 64 << 10;

/// Tags.
mod tag {
    pub(super) const FIRMWARE_REVISION: u32 = 0x0000_0001;
    pub(super) const FIRMWARE_VARIANT: u32 = 0x0000_0002;
    pub(super) const FIRMWARE_HASH: u32 = 0x0000_0003;
    pub(super) const BOARD_MODEL: u32 = 0x0001_0001;
    pub(super) const BOARD_REVISION: u32 = 0x0001_0002;
    pub(super) const MAC_ADDRESS: u32 = 0x0001_0003;
    pub(super) const SERIAL: u32 = 0x0001_0004;
    pub(super) const ARM_MEMORY: u32 = 0x0001_0005;
    pub(super) const VC_MEMORY: u32 = 0x0001_0006;
    pub(super) const CLOCK_RATE: u32 = 0x0003_0002;
    pub(super) const CLOCK_RATE_MAX: u32 = 0x0003_0004;
    pub(super) const TEMPERATURE: u32 = 0x0003_0006;
    pub(super) const CLOCK_RATE_MIN: u32 = 0x0003_0007;
    pub(super) const TEMPERATURE_MAX: u32 = 0x0003_000a;
    pub(super) const TIME_COUNTER: u32 = 0x0003_000b;
    pub(super) const MEMORY_ALLOCATE: u32 = 0x0003_000c;
    pub(super) const MEMORY_LOCK: u32 = 0x0003_000d;
    pub(super) const MEMORY_UNLOCK: u32 = 0x0003_000e;
    pub(super) const MEMORY_RELEASE: u32 = 0x0003_000f;
    pub(super) const THROTTLED: u32 = 0x0003_0046;
    pub(super) const CLOCK_RATE_MEASURED: u32 = 0x0003_0047;
    pub(super) const COMMAND: u32 = 0x0003_0080;
    pub(super) const SET_CLOCK_RATE: u32 = 0x0003_8002;
    pub(super) const VCHIQ_INIT: u32 = 0x0004_8010;
    pub(super) const COMMAND_LINE: u32 = 0x0005_0001;
    pub(super) const DMA_CHANNELS: u32 = 0x0006_0001;
}

/// A status that means failure.
const STATUS_FAILED: u32 = 0xffff_ffff;
/// Milli-degrees.
const TEMPERATURE: u32 = 48_312;
const TEMPERATURE_LIMIT: u32 = 85_000;

/// What is to be said to a property message.
enum Reply {
    /// Its word, sent back.
    Plain,
    /// Its word; VCHIQ_INIT was among the tags.
    Init,
    /// Nothing.
    Lost,
}

impl VideoCore {
    /// Answers a word of mailbox 1; gives the word to send back.
    pub(super) fn answer_mail(&mut self, board: &mut Board<'_>, word: u32) -> Option<u32> {
        if word & CHANNEL_MASK != CHANNEL {
            board.note(format!("mailbox word {word:#010x} on a channel that nobody serves"));
            return None;
        }
        if self.mischief.always(Defect::MailboxDead) {
            return None;
        }
        let buffer = word & !CHANNEL_MASK;
        match self.answer_tags(board, buffer) {
            Reply::Lost => return None,
            Reply::Plain => return Some(word),
            Reply::Init => {}
        }
        let mischief = &self.mischief;
        if mischief.always(Defect::PropertyCodeRequest) {
            board.store(buffer + 4, 0);
        }
        if mischief.always(Defect::PropertyCodeError) {
            board.store(buffer + 4, CODE_ERROR);
        }
        if mischief.always(Defect::PropertyTagRenamed) {
            board.store(buffer + 8, tag::BOARD_MODEL);
        }
        if mischief.always(Defect::MailboxSilent) {
            None
        } else if mischief.always(Defect::MailboxElsewhere) {
            Some(word.wrapping_add(0x1000))
        } else if mischief.always(Defect::MailboxChannel) {
            Some(buffer | 1)
        } else {
            Some(word)
        }
    }

    /// Answers every tag of a message.
    fn answer_tags(&mut self, board: &mut Board<'_>, buffer: u32) -> Reply {
        let total = board.load(buffer);
        let mut reply = Reply::Plain;
        let mut offset = 8;
        let mut code = CODE_ERROR;
        while offset + 4 <= total.min(MAX_BYTES) {
            let at = buffer.wrapping_add(offset);
            let (name, room) = (board.load(at), board.load(at.wrapping_add(4)));
            if name == 0 {
                code = CODE_SUCCESS;
                break;
            }
            let value = at.wrapping_add(12);
            if room > total.min(MAX_BYTES) - offset {
                break;
            }
            let request = board.load_bytes(value, room as usize);
            if name == tag::VCHIQ_INIT {
                reply = Reply::Init;
            }
            if self.loses_reply(name) {
                reply = Reply::Lost;
            }
            if let Some(answer) = self.answer_tag(board, name, &request) {
                let kept = answer.len().min(room as usize);
                board.store_bytes(value, &answer[..kept]);
                board.store(at.wrapping_add(8), ANSWERED | answer.len() as u32);
            }
            offset += 12 + room.next_multiple_of(4);
        }
        board.store(buffer.wrapping_add(4), code);
        reply
    }

    /// True if the message with this tag gets no reply, though the tag is carried out.
    fn loses_reply(&mut self, name: u32) -> bool {
        match name {
            tag::MEMORY_LOCK => self.mischief.on(3, Defect::LockSilent),
            tag::MEMORY_UNLOCK => self.mischief.on(3, Defect::UnlockSilent),
            _ => false,
        }
    }

    /// The value of a tag; `None` for a tag that nobody knows.
    fn answer_tag(&mut self, board: &mut Board<'_>, name: u32, request: &[u8]) -> Option<Vec<u8>> {
        let word = |index: usize| word_at(request, index);
        let facts = &self.facts;
        let words: &[u32] = match name {
            tag::FIRMWARE_REVISION => &[Facts::REVISION],
            tag::FIRMWARE_VARIANT => &[Facts::VARIANT],
            tag::FIRMWARE_HASH => &Facts::HASH,
            tag::BOARD_MODEL => &[0],
            tag::BOARD_REVISION => &[facts.revision],
            tag::SERIAL => &[Facts::SERIAL, 0],
            tag::ARM_MEMORY => &[0, facts.arm_memory],
            tag::VC_MEMORY => &[facts.arm_memory, facts.vc_memory],
            tag::CLOCK_RATE | tag::CLOCK_RATE_MEASURED | tag::CLOCK_RATE_MAX | tag::CLOCK_RATE_MIN => {
                &[word(0), facts.clock_rate(word(0))]
            }
            tag::SET_CLOCK_RATE => &[word(0), self.facts.set_clock_rate(word(0), word(1))],
            tag::TEMPERATURE => &[word(0), TEMPERATURE],
            tag::TEMPERATURE_MAX => &[word(0), TEMPERATURE_LIMIT],
            tag::TIME_COUNTER => &[(board.now_ns() / 1000) as u32, ((board.now_ns() / 1000) >> 32) as u32],
            tag::THROTTLED => &[0],
            tag::DMA_CHANNELS => &[0x7f35],
            tag::MEMORY_ALLOCATE => &[self.heap.allocate(word(0), word(1)).unwrap_or(0)],
            tag::MEMORY_LOCK => &[self.lock(word(0))],
            tag::MEMORY_UNLOCK => &[self.unlock(board, word(0))],
            tag::MEMORY_RELEASE => &[self.release_memory(board, word(0))],
            tag::VCHIQ_INIT => &[self.take_up_link(board, word(0))],
            tag::MAC_ADDRESS => return Some(vec![0xb8, 0x27, 0xeb, 0, 0, 1]),
            tag::COMMAND_LINE => return Some(facts.command_line.clone()),
            tag::COMMAND => {
                let text = request.get(4..).unwrap_or_default();
                return Some(self.obey(board, text).unwrap_or_else(|| command::answer(&self.facts, text)));
            }
            _ => return None,
        };
        Some(words.iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    fn lock(&mut self, handle: u32) -> u32 {
        if self.mischief.always(Defect::LockRefused) {
            return 0;
        }
        let address = self.heap.lock(handle).unwrap_or(0);
        if self.mischief.on(3, Defect::LockElsewhere) { address.wrapping_add(0x1000) } else { address }
    }

    fn unlock(&mut self, board: &mut Board<'_>, handle: u32) -> u32 {
        let fails = self.mischief.on(3, Defect::UnlockFails);
        match self.heap.unlock(handle) {
            Ok(terminated) => {
                self.tell_released(board, terminated);
                if fails { STATUS_FAILED } else { 0 }
            }
            Err(()) => STATUS_FAILED,
        }
    }

    fn release_memory(&mut self, board: &mut Board<'_>, handle: u32) -> u32 {
        match self.heap.release(handle) {
            Ok(terminated) => {
                self.tell_released(board, terminated);
                0
            }
            Err(()) => STATUS_FAILED,
        }
    }
}

/// A word of a request; 0 past its end.
fn word_at(request: &[u8], index: usize) -> u32 {
    let bytes = request.get(index * 4..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
