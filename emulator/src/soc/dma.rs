//! The sixteen DMA channels (BCM2835 peripherals manual, chapter 4; channel 15 at its own address).
//!
//! A chain of control blocks runs to its end the moment it is started, or as far as its source has data; a channel
//! that waits for data goes on when the source has some. ACTIVE stays set behind the end of a chain: the firmware
//! writes the next block's address without setting it again.

use super::block::{Block, Register, register, registers, storage};
use super::device::{Context, Device};
use super::lines::source;

const CHANNELS: usize = 16;
/// Channel 15 is far from the others; here its registers come behind theirs.
const CHANNEL_15: usize = 15;

const CONTROL: u32 = 0x00;
const BLOCK_ADDRESS: u32 = 0x04;
const DEBUG: u32 = 0x20;
const INTERRUPT_STATUS: u32 = 0xfe0;
const ENABLE: u32 = 0xff0;

const CONTROL_ACTIVE: u32 = 1 << 0;
const CONTROL_END: u32 = 1 << 1;
const CONTROL_INTERRUPT: u32 = 1 << 2;
const CONTROL_ERROR: u32 = 1 << 8;
const CONTROL_ABORT: u32 = 1 << 30;
const CONTROL_RESET: u32 = 1 << 31;

const INFO_INTERRUPT: u32 = 1 << 0;
const INFO_TWO_DIMENSIONS: u32 = 1 << 1;
const INFO_DESTINATION_STEPS: u32 = 1 << 4;
const INFO_DESTINATION_IGNORE: u32 = 1 << 7;
const INFO_SOURCE_STEPS: u32 = 1 << 8;
const INFO_SOURCE_IGNORE: u32 = 1 << 11;

/// Channels 7 to 14 are "lite": one dimension only.
const LITE_CHANNELS: std::ops::RangeInclusive<usize> = 7..=14;
/// A chain of so many blocks, or one that goes on after so many bytes (all of VideoCore's memory), is a ring; it would
/// keep a synchronous engine busy for ever.
const CHAIN_MAX: u32 = 1 << 16;
const CHAIN_MAX_BYTES: u64 = 256 << 20;

const REGISTERS: &[Register] = &[
    // The first channel by name, the others by number: 64 words each.
    register(CONTROL, "0_CS"),
    register(BLOCK_ADDRESS, "0_CONBLK_AD"),
    registers(0x08, 6, "0_CONTROL_BLOCK"),
    register(DEBUG, "0_DEBUG"),
    registers(0x100, 0x380, "CHANNEL_1_TO_14"),
    register(INTERRUPT_STATUS, "INT_STATUS"),
    storage(ENABLE, 1, "ENABLE", "channels need not be enabled"),
];

static BLOCKS: [Block; 2] = [
    Block { name: "DMA", base: 0x7e00_7000, size: 0x1000, registers: REGISTERS },
    Block { name: "DMA15", base: 0x7ee0_5000, size: 0x100, registers: REGISTERS },
];

/// What the engine needs of the bus it is master of.
pub trait DmaBus {
    /// False if a load from `address` would have to wait for its device.
    fn is_ready(&self, address: u32) -> bool;
    /// A load of 1 or 4 bytes.
    fn load(&mut self, address: u32, bytes: u32) -> u32;
    /// A store of 1 or 4 bytes.
    fn store(&mut self, address: u32, bytes: u32, value: u32);
}

/// A control block in progress.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Job {
    info: u32,
    source: u32,
    destination: u32,
    length: u32,
    stride: u32,
    next: u32,
    row_bytes: u32,
    row_done: u32,
    rows_left: u32,
}

impl Job {
    fn load(bus: &mut dyn DmaBus, address: u32, lite: bool) -> Self {
        let word = [0, 4, 8, 12, 16, 20].map(|offset| bus.load(address.wrapping_add(offset), 4));
        let [info, source, destination, length, stride, next] = word;
        let (row_bytes, rows_left) = if info & INFO_TWO_DIMENSIONS != 0 && !lite {
            (length & 0xffff, (length >> 16 & 0x3fff) + 1)
        } else {
            (length & 0x3fff_ffff, 1)
        };
        Self { info, source, destination, length, stride, next, row_bytes, row_done: 0, rows_left }
    }

    /// Bytes that the block asks for, as it was loaded.
    fn bytes(&self) -> u64 {
        u64::from(self.row_bytes) * u64::from(self.rows_left)
    }

    /// Moves data until the block is done (true) or its source has none (false).
    fn run(&mut self, bus: &mut dyn DmaBus) -> bool {
        while self.rows_left > 0 {
            while self.row_done < self.row_bytes {
                if self.info & INFO_SOURCE_IGNORE == 0 && !bus.is_ready(self.source) {
                    return false;
                }
                self.step(bus);
            }
            self.rows_left -= 1;
            self.row_done = 0;
            if self.rows_left > 0 {
                let half = |shift: u32| (self.stride >> shift) as u16 as i16 as i32 as u32;
                self.source = self.source.wrapping_add(half(0));
                self.destination = self.destination.wrapping_add(half(16));
            }
        }
        true
    }

    fn step(&mut self, bus: &mut dyn DmaBus) {
        let left = self.row_bytes - self.row_done;
        let bytes = if left >= 4 && (self.source | self.destination) & 3 == 0 { 4 } else { 1 };
        let value = if self.info & INFO_SOURCE_IGNORE != 0 { 0 } else { bus.load(self.source, bytes) };
        if self.info & INFO_DESTINATION_IGNORE == 0 {
            bus.store(self.destination, bytes, value);
        }
        if self.info & INFO_SOURCE_STEPS != 0 {
            self.source = self.source.wrapping_add(bytes);
        }
        if self.info & INFO_DESTINATION_STEPS != 0 {
            self.destination = self.destination.wrapping_add(bytes);
        }
        self.row_done += bytes;
    }
}

#[derive(Clone, Copy, Default)]
struct Channel {
    control: u32,
    block_address: u32,
    job: Option<Job>,
    last: Job,
}

/// All channels.
#[derive(Default)]
pub struct Dma {
    channel: [Channel; CHANNELS],
    /// Bit n: channel n has something to do.
    busy: u32,
}

impl Dma {
    /// True if `run` has something to try.
    pub fn is_busy(&self) -> bool {
        self.busy != 0
    }

    /// Runs every channel as far as it gets.
    pub fn run(&mut self, bus: &mut dyn DmaBus) {
        for number in 0..CHANNELS {
            if self.busy & 1 << number != 0 {
                self.run_channel(number, bus);
            }
        }
    }

    fn run_channel(&mut self, number: usize, bus: &mut dyn DmaBus) {
        let channel = &mut self.channel[number];
        let mut bytes = 0;
        for _ in 0..CHAIN_MAX {
            if bytes > CHAIN_MAX_BYTES {
                break;
            }
            let mut job = match channel.job.take() {
                Some(job) => job,
                None if channel.block_address == 0 => {
                    channel.control |= CONTROL_END;
                    self.busy &= !(1 << number);
                    return;
                }
                None => Job::load(bus, channel.block_address, LITE_CHANNELS.contains(&number)),
            };
            bytes += job.bytes();
            let done = job.run(bus);
            channel.last = job;
            if !done {
                channel.job = Some(job);
                return;
            }
            if job.info & INFO_INTERRUPT != 0 {
                channel.control |= CONTROL_INTERRUPT;
            }
            channel.block_address = job.next;
        }
        channel.control = (channel.control | CONTROL_ERROR) & !CONTROL_ACTIVE;
        self.busy &= !(1 << number);
    }

    /// Drives the interrupt lines; call after `run`.
    pub fn drive_lines(&self, context: &mut Context<'_>) {
        for (number, channel) in self.channel.iter().enumerate() {
            let asserted = channel.control & CONTROL_INTERRUPT != 0;
            let (line, part) = match number {
                0..=10 => (source::DMA_0 + number as u8, 0),
                11..=14 => (source::DMA_11_TO_14, number as u8 - 11),
                _ => (source::DMA_15, 0),
            };
            context.lines.set_part(line, part, asserted);
        }
    }

    fn write_control(&mut self, number: usize, value: u32) {
        let channel = &mut self.channel[number];
        if value & (CONTROL_RESET | CONTROL_ABORT) != 0 {
            *channel = Channel::default();
            self.busy &= !(1 << number);
            return;
        }
        let sticky = CONTROL_END | CONTROL_INTERRUPT;
        channel.control = value & !sticky | channel.control & sticky & !value;
        self.start_if_ready(number);
    }

    fn start_if_ready(&mut self, number: usize) {
        let channel = &self.channel[number];
        let ready =
            channel.control & CONTROL_ACTIVE != 0 && (channel.block_address != 0 || channel.job.is_some());
        if ready {
            self.busy |= 1 << number;
        } else {
            self.busy &= !(1 << number);
        }
    }

    fn interrupt_status(&self) -> u32 {
        let asserted = |number: &usize| self.channel[*number].control & CONTROL_INTERRUPT != 0;
        (0..CHANNELS).filter(asserted).fold(0, |bits, number| bits | 1 << number)
    }

    fn read_channel(&self, number: usize, offset: u32) -> Option<u32> {
        let channel = &self.channel[number];
        let job = channel.job.unwrap_or(channel.last);
        Some(match offset {
            CONTROL => channel.control,
            BLOCK_ADDRESS => channel.block_address,
            0x08 => job.info,
            0x0c => job.source,
            0x10 => job.destination,
            0x14 => job.length,
            0x18 => job.stride,
            0x1c => job.next,
            DEBUG => 0,
            _ => return None,
        })
    }

    fn write_channel(&mut self, number: usize, offset: u32, value: u32) -> Option<()> {
        match offset {
            CONTROL => self.write_control(number, value),
            BLOCK_ADDRESS => {
                self.channel[number].block_address = value;
                self.start_if_ready(number);
            }
            0x08..=DEBUG => {}
            _ => return None,
        }
        Some(())
    }
}

impl Device for Dma {
    fn block(&self) -> &'static Block {
        &BLOCKS[0]
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        match offset {
            INTERRUPT_STATUS => Some(self.interrupt_status()),
            0..0xf00 => self.read_channel((offset >> 8) as usize, offset & 0xff),
            _ => None,
        }
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            INTERRUPT_STATUS => {}
            0..0xf00 => self.write_channel((offset >> 8) as usize, offset & 0xff, value)?,
            _ => return None,
        }
        self.drive_lines(context);
        Some(())
    }
}

/// Channel 15, which has a block to itself.
pub struct Dma15<'a>(pub &'a mut Dma);

impl Device for Dma15<'_> {
    fn block(&self) -> &'static Block {
        &BLOCKS[1]
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        self.0.read_channel(CHANNEL_15, offset)
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        self.0.write_channel(CHANNEL_15, offset, value)?;
        self.0.drive_lines(context);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;
    use std::collections::BTreeMap;

    const PORT: u32 = 0x7e20_2040;

    #[derive(Default)]
    struct FakeBus {
        memory: BTreeMap<u32, u32>,
        port: Vec<u32>,
    }

    impl DmaBus for FakeBus {
        fn is_ready(&self, address: u32) -> bool {
            address != PORT || !self.port.is_empty()
        }
        fn load(&mut self, address: u32, bytes: u32) -> u32 {
            if address == PORT {
                return self.port.remove(0);
            }
            let word = self.memory.get(&(address & !3)).copied().unwrap_or(0);
            if bytes == 4 { word } else { word >> (8 * (address & 3)) & 0xff }
        }
        fn store(&mut self, address: u32, bytes: u32, value: u32) {
            let word = self.memory.entry(address & !3).or_default();
            let shift = 8 * (address & 3);
            *word = if bytes == 4 { value } else { *word & !(0xff << shift) | value << shift };
        }
    }

    fn put_block(bus: &mut FakeBus, at: u32, words: [u32; 6]) {
        for (index, word) in words.into_iter().enumerate() {
            bus.memory.insert(at + 4 * index as u32, word);
        }
    }

    const COPY: u32 = INFO_INTERRUPT | INFO_SOURCE_STEPS | INFO_DESTINATION_STEPS;

    #[test]
    fn a_chain_copies_and_interrupts_in_either_order_of_the_two_stores() {
        for control_first in [true, false] {
            let (mut dma, mut bench, mut bus) = (Dma::default(), Bench::default(), FakeBus::default());
            put_block(&mut bus, 0x100, [COPY, 0x1000, 0x2000, 8, 0, 0x120]);
            put_block(&mut bus, 0x120, [COPY, 0x1008, 0x3000, 5, 0, 0]);
            for address in [0x1000, 0x1004, 0x1008, 0x100c] {
                bus.memory.insert(address, address * 3);
            }
            if control_first {
                bench.write(&mut dma, 0x600, CONTROL_ACTIVE);
                bench.write(&mut dma, 0x604, 0x100);
            } else {
                bench.write(&mut dma, 0x604, 0x100);
                bench.write(&mut dma, 0x600, CONTROL_ACTIVE);
            }
            dma.run(&mut bus);
            dma.drive_lines(&mut bench.context(super::super::device::Initiator::Dma));
            assert_eq!(bus.memory[&0x2004], 0x1004 * 3);
            assert_eq!(bus.memory[&0x3000], 0x1008 * 3);
            assert_eq!(bus.memory[&0x3004], (0x100c * 3) & 0xff);
            assert_eq!(bench.lines.shared(), 1 << 22);
            bench.write(&mut dma, 0x600, CONTROL_ACTIVE | CONTROL_INTERRUPT | CONTROL_END);
            assert_eq!(bench.lines.shared(), 0);
        }
    }

    #[test]
    fn a_transfer_waits_for_its_source_and_goes_on() {
        let (mut dma, mut bench, mut bus) = (Dma::default(), Bench::default(), FakeBus::default());
        put_block(&mut bus, 0x100, [INFO_DESTINATION_STEPS, PORT, 0x2000, 8, 0, 0]);
        bench.write(&mut dma, 0x604, 0x100);
        bench.write(&mut dma, 0x600, CONTROL_ACTIVE);
        bus.port = vec![1];
        dma.run(&mut bus);
        assert!(dma.is_busy());
        bus.port = vec![2];
        dma.run(&mut bus);
        assert!(!dma.is_busy());
        assert_eq!((bus.memory[&0x2000], bus.memory[&0x2004]), (1, 2));
        assert_ne!(bench.read(&mut dma, 0x600) & CONTROL_END, 0);
    }

    #[test]
    fn two_dimensions_step_by_the_stride_between_rows() {
        let (mut dma, mut bench, mut bus) = (Dma::default(), Bench::default(), FakeBus::default());
        let info = COPY | INFO_TWO_DIMENSIONS;
        put_block(&mut bus, 0x100, [info, 0x1000, 0x2000, 1 << 16 | 4, 4 << 16 | 0xc, 0]);
        bus.memory.insert(0x1000, 7);
        bus.memory.insert(0x1010, 8);
        bench.write(&mut dma, 0x004, 0x100);
        bench.write(&mut dma, 0x000, CONTROL_ACTIVE);
        dma.run(&mut bus);
        assert_eq!((bus.memory[&0x2000], bus.memory[&0x2008]), (7, 8));
    }

    #[test]
    fn a_ring_of_control_blocks_ends_with_an_error() {
        let (mut dma, mut bench, mut bus) = (Dma::default(), Bench::default(), FakeBus::default());
        put_block(&mut bus, 0x100, [COPY, 0x1000, 0x2000, 4, 0, 0x100]);
        bench.write(&mut dma, 0x004, 0x100);
        bench.write(&mut dma, 0x000, CONTROL_ACTIVE);
        dma.run(&mut bus);
        assert!(!dma.is_busy());
        assert_ne!(bench.read(&mut dma, 0x000) & CONTROL_ERROR, 0);
    }

    #[test]
    fn a_ring_of_large_blocks_ends_before_it_has_moved_gigabytes() {
        #[derive(Default)]
        struct CountingBus(u64);
        impl DmaBus for CountingBus {
            fn is_ready(&self, _: u32) -> bool {
                true
            }
            fn load(&mut self, address: u32, bytes: u32) -> u32 {
                self.0 += u64::from(bytes);
                // One block of 64 MiB at 0x100 whose next is itself.
                match address {
                    0x10c => 64 << 20,
                    0x114 => 0x100,
                    _ => 0,
                }
            }
            fn store(&mut self, _: u32, _: u32, _: u32) {}
        }
        let (mut dma, mut bench, mut bus) = (Dma::default(), Bench::default(), CountingBus::default());
        bench.write(&mut dma, 0x004, 0x100);
        bench.write(&mut dma, 0x000, CONTROL_ACTIVE);
        dma.run(&mut bus);
        assert_ne!(bench.read(&mut dma, 0x000) & CONTROL_ERROR, 0);
        assert!(bus.0 < 512 << 20, "{}", bus.0);
    }
}
