//! SDHOST, the simple SD controller the firmware reads its card with (VPU fact sheet 5; public register header).
//!
//! A command is done when it is written. Read data comes a while later, a block at a time, each when the one before
//! has been taken: the firmware's driver loses an interrupt that is there before it waits for it.

use std::collections::VecDeque;

use super::block::{Block, register, registers, storage};
use super::device::{Context, Device};
use super::lines::source;
use super::sd_card::{BLOCK_BYTES, Data, SdCard};

const COMMAND: u32 = 0x00;
const ARGUMENT: u32 = 0x04;
const RESPONSE_0: u32 = 0x10;
const RESPONSE_3: u32 = 0x1c;
const STATUS: u32 = 0x20;
const EMERGENCY_DEBUG: u32 = 0x34;
const CONFIGURATION: u32 = 0x38;
const BYTE_COUNT: u32 = 0x3c;
const DATA: u32 = 0x40;
const BLOCK_COUNT: u32 = 0x50;

/// Bus address of the data port, which DMA reads and writes.
pub const DATA_PORT: u32 = BLOCK.base + DATA;

const COMMAND_NEW: u32 = 1 << 15;
const COMMAND_FAIL: u32 = 1 << 14;
const COMMAND_BUSY_WAIT: u32 = 1 << 11;
const COMMAND_INDEX: u32 = 0x3f;

const STATUS_DATA: u32 = 1 << 0;
const STATUS_COMMAND_TIMEOUT: u32 = 1 << 6;
const STATUS_BLOCK_DONE: u32 = 1 << 9;
const STATUS_BUSY_DONE: u32 = 1 << 10;

const INTERRUPT_DATA: u32 = 1 << 4;
const INTERRUPT_BLOCK: u32 = 1 << 8;
const INTERRUPT_BUSY: u32 = 1 << 10;

/// States of the data machine that a driver can meet.
const STATE_IDLE: u32 = 1;
const STATE_READ: u32 = 2;
const STATE_WRITE: u32 = 3;
const STATE_AND_LEVEL: u32 = 0x1ff;
const FIFO_LEVEL_SHIFT: u32 = 4;
const FIFO_WORDS: usize = 16;

/// From a read command to its first data: a typical card's access time.
const ACCESS_PS: u64 = 100_000_000;
/// One block over four lines at 50 MHz.
const BLOCK_PS: u64 = 20_480_000;

static BLOCK: Block = Block {
    name: "SH",
    base: 0x7e20_2000,
    size: 0x100,
    registers: &[
        register(COMMAND, "CMD"),
        register(ARGUMENT, "ARG"),
        storage(0x08, 1, "TOUT", "nothing ever times out"),
        storage(0x0c, 1, "CDIV", "transfers take no time"),
        registers(RESPONSE_0, 4, "RSP"),
        register(STATUS, "HSTS"),
        storage(0x30, 1, "VDD", "the card is always powered"),
        register(EMERGENCY_DEBUG, "EDM"),
        register(CONFIGURATION, "HCFG"),
        register(BYTE_COUNT, "HBCT"),
        register(DATA, "DATA"),
        register(BLOCK_COUNT, "HBLC"),
    ],
};

/// Where the words in the FIFO come from or go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transfer {
    None,
    Read { next: u32, many: bool },
    Write { block: u32, many: bool },
}

/// The controller and the card in its slot.
pub struct SdHost {
    card: SdCard,
    command: u32,
    argument: u32,
    response: [u32; 4],
    status: u32,
    debug: u32,
    configuration: u32,
    byte_count: u32,
    block_count: u32,
    fifo: VecDeque<u32>,
    transfer: Transfer,
    /// Words on their way from the card, and when they arrive.
    arriving: Option<(u64, Vec<u32>)>,
}

impl SdHost {
    /// Idle.
    pub fn new(card: SdCard) -> Self {
        Self {
            card,
            command: 0,
            argument: 0,
            response: [0; 4],
            status: 0,
            debug: 0,
            configuration: 0,
            byte_count: BLOCK_BYTES as u32,
            block_count: 1,
            fifo: VecDeque::new(),
            transfer: Transfer::None,
            arriving: None,
        }
    }

    /// True if a DMA read of the data port would find a word.
    pub fn has_data(&self) -> bool {
        !self.fifo.is_empty()
    }

    /// The card, as it now is.
    pub fn card(&self) -> &SdCard {
        &self.card
    }

    /// Takes the card out.
    pub fn take_card(&mut self) -> SdCard {
        std::mem::replace(&mut self.card, SdCard::new(Vec::new()))
    }

    fn execute(&mut self, command: u32, now_ps: u64) {
        self.command = command & !(COMMAND_NEW | COMMAND_FAIL);
        let Some(answer) = self.card.command(command & COMMAND_INDEX, self.argument) else {
            self.command |= COMMAND_FAIL;
            self.status |= STATUS_COMMAND_TIMEOUT;
            return;
        };
        self.response = answer.response;
        match answer.data {
            Data::None => {}
            Data::Bytes(bytes) => {
                self.stop();
                self.arriving = Some((now_ps + ACCESS_PS, words(&bytes).collect()));
            }
            Data::ReadFrom { block, many } => {
                self.stop();
                self.transfer = Transfer::Read { next: block, many };
                self.fetch_block(now_ps + ACCESS_PS);
            }
            Data::WriteFrom { block, many } => {
                self.stop();
                self.transfer = Transfer::Write { block, many };
            }
            Data::Stop => self.stop(),
        }
        if command & COMMAND_BUSY_WAIT != 0 {
            self.status |= STATUS_BUSY_DONE;
        }
    }

    fn stop(&mut self) {
        self.fifo.clear();
        self.transfer = Transfer::None;
        self.arriving = None;
    }

    /// A card sends block after block until it is stopped.
    fn fetch_block(&mut self, due_ps: u64) {
        let Transfer::Read { next, many } = self.transfer else { return };
        self.transfer = Transfer::None;
        if let Some(block) = self.card.block(next) {
            self.arriving = Some((due_ps, words(block).collect()));
            if many {
                self.transfer = Transfer::Read { next: next + 1, many };
            }
        }
    }

    fn take_word(&mut self, now_ps: u64) -> u32 {
        let word = self.fifo.pop_front().unwrap_or(0);
        if self.fifo.is_empty() && self.arriving.is_none() {
            self.fetch_block(now_ps + BLOCK_PS);
        }
        word
    }

    fn put_word(&mut self, word: u32) {
        let Transfer::Write { block, many } = self.transfer else { return };
        self.fifo.push_back(word);
        if self.fifo.len() < BLOCK_BYTES / 4 {
            return;
        }
        let bytes: Vec<u8> = self.fifo.drain(..).flat_map(u32::to_le_bytes).collect();
        if let Some(target) = self.card.block_mut(block) {
            target.copy_from_slice(&bytes);
        }
        self.status |= STATUS_BLOCK_DONE;
        self.transfer = if many { Transfer::Write { block: block + 1, many } } else { Transfer::None };
    }

    fn drive_line(&self, context: &mut Context<'_>) {
        let reading = !matches!(self.transfer, Transfer::Write { .. });
        let asserted = self.status & STATUS_BLOCK_DONE != 0 && self.configuration & INTERRUPT_BLOCK != 0
            || self.status & STATUS_BUSY_DONE != 0 && self.configuration & INTERRUPT_BUSY != 0
            || reading && self.has_data() && self.configuration & INTERRUPT_DATA != 0;
        context.lines.set(source::SDHOST, asserted);
    }

    fn debug_word(&self) -> u32 {
        let (state, level) = match self.transfer {
            Transfer::Write { .. } => (STATE_WRITE, 0),
            _ if self.has_data() => (STATE_READ, self.fifo.len().min(FIFO_WORDS) as u32),
            _ => (STATE_IDLE, 0),
        };
        self.debug & !STATE_AND_LEVEL | level << FIFO_LEVEL_SHIFT | state
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
}

impl Device for SdHost {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            COMMAND => self.command,
            ARGUMENT => self.argument,
            RESPONSE_0..=RESPONSE_3 => self.response[((offset - RESPONSE_0) / 4) as usize],
            STATUS => self.status | if self.has_data() { STATUS_DATA } else { 0 },
            EMERGENCY_DEBUG => self.debug_word(),
            CONFIGURATION => self.configuration,
            BYTE_COUNT => self.byte_count,
            DATA => {
                let word = self.take_word(context.now_ps);
                self.drive_line(context);
                context.effects.reschedule |= self.arriving.is_some();
                word
            }
            BLOCK_COUNT => self.block_count,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            COMMAND if value & COMMAND_NEW != 0 => {
                self.execute(value, context.now_ps);
                context.effects.reschedule |= self.arriving.is_some();
            }
            COMMAND => self.command = value,
            ARGUMENT => self.argument = value,
            RESPONSE_0..=RESPONSE_3 => {}
            STATUS => self.status &= !value,
            EMERGENCY_DEBUG => self.debug = value,
            CONFIGURATION => self.configuration = value,
            BYTE_COUNT => self.byte_count = value,
            DATA => self.put_word(value),
            BLOCK_COUNT => self.block_count = value,
            _ => return None,
        }
        self.drive_line(context);
        Some(())
    }

    fn next_event(&self) -> Option<u64> {
        self.arriving.as_ref().map(|(due, _)| *due)
    }

    fn tick(&mut self, context: &mut Context<'_>) {
        if let Some((_, words)) = self.arriving.take() {
            self.fifo.extend(words);
            self.status |= STATUS_BLOCK_DONE;
        }
        self.drive_line(context);
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::Initiator;
    use super::super::device::bench::Bench;
    use super::*;

    fn host() -> SdHost {
        let mut image = vec![0; 2048 * BLOCK_BYTES];
        image[3 * BLOCK_BYTES] = 0x33;
        image[4 * BLOCK_BYTES] = 0x44;
        SdHost::new(SdCard::new(image))
    }

    /// Lets what is on its way arrive.
    fn arrive(host: &mut SdHost, bench: &mut Bench) {
        bench.now_ps = host.next_event().expect("something is on its way");
        host.tick(&mut bench.context(Initiator::External));
    }

    fn command(host: &mut SdHost, bench: &mut Bench, index: u32, argument: u32) {
        bench.write(host, ARGUMENT, argument);
        bench.write(host, COMMAND, COMMAND_NEW | index);
    }

    #[test]
    fn a_read_of_many_blocks_goes_on_until_it_is_stopped() {
        let (mut host, mut bench) = (host(), Bench::default());
        command(&mut host, &mut bench, 18, 3);
        assert!(!host.has_data());
        arrive(&mut host, &mut bench);
        assert_eq!(bench.read(&mut host, DATA), 0x33);
        for _ in 1..BLOCK_BYTES / 4 {
            bench.read(&mut host, DATA);
        }
        arrive(&mut host, &mut bench);
        assert_eq!(bench.read(&mut host, DATA), 0x44);
        command(&mut host, &mut bench, 12, 0);
        assert!(!host.has_data());
        assert_eq!(bench.read(&mut host, EMERGENCY_DEBUG) & 0xf, STATE_IDLE);
    }

    #[test]
    fn a_written_block_reaches_the_card() {
        let (mut host, mut bench) = (host(), Bench::default());
        command(&mut host, &mut bench, 24, 7);
        for word in 0..BLOCK_BYTES as u32 / 4 {
            bench.write(&mut host, DATA, word);
        }
        assert_eq!(host.card().block(7).map(|block| block[4]), Some(1));
        assert_ne!(bench.read(&mut host, STATUS) & STATUS_BLOCK_DONE, 0);
    }

    #[test]
    fn an_unknown_command_times_out() {
        let (mut host, mut bench) = (host(), Bench::default());
        command(&mut host, &mut bench, 5, 0);
        assert_ne!(bench.read(&mut host, COMMAND) & COMMAND_FAIL, 0);
        assert_eq!(bench.read(&mut host, STATUS), STATUS_COMMAND_TIMEOUT);
    }

    #[test]
    fn an_enabled_block_interrupt_lasts_until_acknowledged() {
        let (mut host, mut bench) = (host(), Bench::default());
        bench.write(&mut host, CONFIGURATION, INTERRUPT_BLOCK);
        command(&mut host, &mut bench, 17, 3);
        assert_eq!(bench.lines.shared(), 0);
        arrive(&mut host, &mut bench);
        assert_eq!(bench.lines.shared(), 1 << source::SDHOST);
        bench.write(&mut host, STATUS, STATUS_BLOCK_DONE);
        assert_eq!(bench.lines.shared(), 0);
    }
}
