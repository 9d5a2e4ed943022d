//! How many million instructions a second the Arm core executes.
//!
//! ```text
//! cargo run --release -p emulator --example arm_mips [INSTRUCTIONS-A-SLICE]
//! ```
//!
//! The program mixes what driver code does: a called checksum loop with a stack frame, a copy with LDP and STP, a
//! byte-wise parser with compares, selects, bit fields and short branches. It runs at EL1 with the MMU on, in
//! slices of 10 000 instructions unless told otherwise.

use std::time::Instant;

use emulator::arm::{Core, Outcome, RamBus, Register};

const CODE: u32 = 0x8_0000;
const DATA: u32 = 0x10_0000;
const STACK: u32 = 0x20_0000;
const TABLE: u32 = 0x30_0000;
const START: u32 = 0x1000;
const SLICE: u32 = 10_000;
/// About 955 instructions each.
const ITERATIONS: u64 = 500_000;

const ERET: u32 = 0xd69f_03e0;

#[rustfmt::skip]
const PROGRAM: [u32; 51] = [
    0xaa00_03f3, // mov x19, x0
    0xaa01_03f4, // mov x20, x1
    0x1000_063d, // adr x29, #196
    0xaa14_03e0, // mov x0, x20
    0xd280_0801, // mov x1, #64
    0x9400_0022, // bl 0x9c
    0xf902_0280, // str x0, [x20, #1024]
    0xaa14_03e2, // mov x2, x20
    0x9120_0283, // add x3, x20, #2048
    0xd280_0104, // mov x4, #8
    0xa8c2_1845, // ldp x5, x6, [x2], #32
    0xa97f_2047, // ldp x7, x8, [x2, #-16]
    0xa900_1865, // stp x5, x6, [x3]
    0xa901_2067, // stp x7, x8, [x3, #16]
    0x9100_8063, // add x3, x3, #32
    0xf100_0484, // subs x4, x4, #1
    0x54ff_ff41, // b.ne 0x28
    0xd280_0002, // mov x2, #0
    0x8b02_0283, // add x3, x20, x2
    0x3940_0064, // ldrb w4, [x3]
    0x7101_009f, // cmp w4, #64
    0x1a9f_8085, // csel w5, w4, wzr, hi
    0x5304_1886, // ubfx w6, w4, #4, #3
    0x0b06_08a7, // add w7, w5, w6, lsl #2
    0x1200_1ce7, // and w7, w7, #0xff
    0x3700_0044, // tbnz w4, #0, 0x6c
    0x521e_0ce7, // eor w7, w7, #0x3c
    0x3904_0067, // strb w7, [x3, #256]
    0x7862_6a88, // ldrh w8, [x20, x2]
    0x8b28_2129, // add x9, x9, w8, uxth
    0x9b07_7d2a, // mul x10, x9, x7
    0xd343_fd4a, // lsr x10, x10, #3
    0xb904_128a, // str w10, [x20, #1040]
    0x9100_0442, // add x2, x2, #1
    0xf100_805f, // cmp x2, #32
    0x54ff_fde3, // b.lo 0x48
    0xf100_0673, // subs x19, x19, #1
    0x54ff_fbc1, // b.ne 0xc
    0xd503_207f, // wfi 
    0xa9be_7bfd, // stp x29, x30, [sp, #-32]!
    0xf900_0bf3, // str x19, [sp, #16]
    0xd280_0013, // mov x19, #0
    0xb840_4402, // ldr w2, [x0], #4
    0x1393_1e73, // ror w19, w19, #7
    0x0b02_0273, // add w19, w19, w2
    0xd100_0421, // sub x1, x1, #1
    0xb5ff_ff81, // cbnz x1, 0xa8
    0xaa13_03e0, // mov x0, x19
    0xf940_0bf3, // ldr x19, [sp, #16]
    0xa8c2_7bfd, // ldp x29, x30, [sp], #32
    0xd65f_03c0, // ret
];

fn main() {
    let slice = match std::env::args().nth(1) {
        Some(text) => text.parse().expect("a number of instructions"),
        None => SLICE,
    };
    let mut bus = RamBus::new();
    for (index, word) in PROGRAM.iter().enumerate() {
        bus.ram.write32(CODE + index as u32 * 4, *word);
    }
    // Bytes that take both sides of every branch.
    for index in 0..4096u32 {
        bus.ram.write8(DATA + index, (index.wrapping_mul(0x9e37_79b1) >> 24) as u8);
    }
    // A 1 GiB block of Normal memory at 0, accessed.
    bus.ram.write64(TABLE, 1 << 10 | 3 << 8 | 1);
    bus.ram.write32(START, ERET);

    let mut core = Core::new(0);
    core.reset(u64::from(START));
    for (register, value) in [
        (Register::SCR_EL3, 1 << 10 | 1),
        (Register::HCR_EL2, 1 << 31),
        (Register::SPSR_EL3, 0x3c5),
        (Register::ELR_EL3, u64::from(CODE)),
        (Register::SP_EL1, 0),
        (Register::MAIR_EL1, 0xff),
        (Register::TTBR0_EL1, u64::from(TABLE)),
        (Register::TCR_EL1, 25 | 1 << 23),
        (Register::SCTLR_EL1, 0x30d0_0801),
    ] {
        core.set_system_register(register, value);
    }
    core.set_register(0, ITERATIONS);
    core.set_register(1, u64::from(DATA));
    core.run(&mut bus, 1);
    core.set_register(31, u64::from(STACK));

    let begin = Instant::now();
    let outcome = loop {
        match core.run(&mut bus, slice).outcome {
            Outcome::Budget => {}
            outcome => break outcome,
        }
    };
    let seconds = begin.elapsed().as_secs_f64();
    let retired = core.retired();
    assert_eq!(outcome, Outcome::WaitForInterrupt, "the program ends in WFI; {:?}", core.fault());
    println!("{retired} instructions in {seconds:.2} s: {:.0} MIPS", retired as f64 / seconds / 1e6);
}
