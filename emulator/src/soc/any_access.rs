//! Whatever a program does to the registers, no device panics: firmware is input like any other.

use super::bcm2837::{Bcm2837, Origin};
use super::device::Initiator;
use crate::board::Board;
use crate::ram::Ram;

/// Pages of 256 bytes to which nothing is stored: DMA would move gigabytes of nothing.
fn is_dma(address: u32) -> bool {
    matches!(address, 0x7e00_7000..0x7e00_8000 | 0x7ee0_5000..0x7ee0_6000)
}

/// Pages with something in them, and one with nothing.
fn pages() -> Vec<u32> {
    let ranges = [
        0x7e00_0000..0x7e00_c000,
        0x7e10_0000..0x7e10_5000,
        0x7e20_0000..0x7e21_6000,
        0x7e40_0000..0x7e40_8000,
        0x7e80_4000..0x7e80_6000,
        0x7ec0_0000..0x7ec0_1000,
        0x7ee0_0000..0x7ee0_9000,
        0x7f14_0000..0x7f14_0100,
        0x7f44_0000..0x7f44_1000,
        0x4000_0000..0x4000_0100,
        0x6000_0000..0x6000_0100,
        0x7e99_0000..0x7e99_0100,
    ];
    ranges.into_iter().flat_map(|range: std::ops::Range<u32>| range.step_by(0x100)).collect()
}

/// xorshift, so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }
}

#[test]
fn any_sequence_of_register_accesses_is_survived() {
    let pages = pages();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut soc = Bcm2837::new(&Board::PI_3B, vec![0; 1 << 20], 1, true);
    let mut ram = Ram::new();
    let mut now_ps = 0;
    for _ in 0..400_000 {
        // Time goes on, but cores of one slice see it a little out of order.
        now_ps += u64::from(numbers.next() % 2_000_000);
        let seen = now_ps.saturating_sub(u64::from(numbers.next() % 256_000));
        let by = if numbers.next() & 1 == 0 { Initiator::Vpu(0) } else { Initiator::Arm(3) };
        let origin = Origin { now_ps: seen, by, pc: 0 };
        let page = pages[numbers.next() as usize % pages.len()];
        let address = page + (numbers.next() & 0xfc);
        let value = match numbers.next() % 4 {
            // The password of power manager and clocks.
            0 => 0x5a00_0000 | numbers.next() >> 8,
            1 => 1 << (numbers.next() & 31),
            2 => numbers.next(),
            _ => numbers.next() & 0xff,
        };
        if numbers.next() & 1 == 0 || is_dma(address) {
            soc.read(&mut ram, address, origin);
        } else {
            soc.write(&mut ram, address, value, origin);
        }
        while soc.next_event().is_some_and(|due| due <= now_ps) {
            let before = soc.next_event();
            soc.advance(&mut ram, now_ps);
            assert!(soc.next_event() != before, "an event that does not pass");
        }
        for core in 0..4 {
            soc.arm_core_lines(core);
            soc.acknowledge_vpu_interrupt(core & 1);
        }
        *soc.effects() = Default::default();
    }
    assert!(soc.plain().unmodelled().count() > 0);
}
