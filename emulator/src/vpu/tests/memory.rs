//! Loads, stores, stack, devices.

use super::encode::*;
use super::*;
use crate::vpu::op::{GP, LR};

fn loaded(code: &[u16], prepare: impl Fn(Rig) -> Rig) -> u32 {
    let mut rig = prepare(Rig::new(code));
    for index in 0..64 {
        rig.bus.ram().write8(DATA + index, 0x80 + index as u8);
    }
    rig.step(1);
    rig.get(0)
}

#[test]
fn loads_extend_by_zero_or_by_sign() {
    let expected = [
        (LD, 0x8382_8180),
        (LDH, 0x8180),
        (LDB, 0x80),
        (LDSH, 0xffff_8180),
        // There is no signed store; its code is the signed byte load.
        (LDSB, 0xffff_ff80),
    ];
    for (kind, value) in expected {
        assert_eq!(loaded(&transfer(kind, 0, 1, 0), |rig| rig.with(1, DATA)), value);
    }
}

#[test]
fn stores_write_as_many_bytes_as_they_say() {
    for (kind, value) in [(ST, 0x1122_3344), (STH, 0xffff_3344), (STB, 0xffff_ff44)] {
        let mut rig = Rig::new(&transfer(kind, 0, 1, 0)).with(0, 0x1122_3344).with(1, DATA);
        rig.set_word(DATA, u32::MAX);
        rig.step(1);
        assert_eq!(rig.word(DATA), value);
    }
}

#[test]
fn every_addressing_form_finds_its_word() {
    let word_at_8 = 0x8b8a_8988;
    let base = |rig: Rig| rig.with(1, DATA);
    // ld r0, (r1), and with 4-bit, 12-bit and 5-bit offsets.
    assert_eq!(loaded(&[0x0810], |rig| rig.with(1, DATA + 8)), word_at_8);
    assert_eq!(loaded(&[0x2210], base), word_at_8);
    assert_eq!(loaded(&transfer(LD, 0, 1, 8), base), word_at_8);
    assert_eq!(loaded(&transfer(LD, 0, 1, -8), |rig| rig.with(1, DATA + 16)), word_at_8);
    assert_eq!(loaded(&[0xa000, 1 << 11 | ALWAYS << 7 | 0x40 | 8], base), word_at_8);
    // Indexed: the index is scaled by the size.
    assert_eq!(loaded(&[0xa000, 1 << 11 | ALWAYS << 7 | 2], |rig| base(rig).with(2, 2)), word_at_8);
    assert_eq!(loaded(&[0xa080, 1 << 11 | ALWAYS << 7 | 2], |rig| base(rig).with(2, 2)), 0x82);
    // From sp, gp, r0, with 16 bits; from pc; with 27 bits.
    assert_eq!(loaded(&[0x0420], |rig| rig.with(SP, DATA)), word_at_8);
    assert_eq!(loaded(&[0xa900, 8], |rig| rig.with(SP, DATA)), word_at_8);
    assert_eq!(loaded(&[0xa800, 8], |rig| rig.with(GP, DATA)), word_at_8);
    assert_eq!(loaded(&[0xab00, 8], |rig| rig.with(0, DATA)), word_at_8);
    assert_eq!(loaded(&[0xaa00, (DATA + 8 - CODE) as u16], |rig| rig), word_at_8);
    assert_eq!(loaded(&[0xe600, 8, 1 << 11], base), word_at_8);
    assert_eq!(loaded(&[0xe700, (DATA + 8 - CODE) as u16, 31 << 11], |rig| rig), word_at_8);
}

#[test]
fn stepping_forms_move_the_base_by_the_size() {
    for (kind, size) in [(LD, 4), (LDH, 2), (LDB, 1)] {
        let step = 1 << 11 | ALWAYS << 7;
        let mut rig = Rig::new(&[0xa500 | kind << 5, step]).with(1, DATA);
        rig.set_word(DATA, 7);
        rig.step(1);
        assert_eq!((rig.get(0), rig.get(1)), (7, DATA + size));
        let mut rig = Rig::new(&[0xa400 | kind << 5, step]).with(1, DATA + size);
        rig.set_word(DATA, 7);
        rig.step(1);
        assert_eq!((rig.get(0), rig.get(1)), (7, DATA));
    }
}

#[test]
fn a_conditional_transfer_that_is_skipped_does_nothing() {
    for code in
        [[0xa500, 1 << 11 | EQ << 7], [0xa000, 1 << 11 | EQ << 7 | 2], [0xa000, 1 << 11 | EQ << 7 | 0x44]]
    {
        let mut rig = Rig::new(&code).with(0, 5).with(1, DATA);
        rig.step(1);
        assert_eq!((rig.get(0), rig.get(1)), (5, DATA));
    }
}

#[test]
fn accesses_are_aligned_down_to_their_size() {
    assert_eq!(loaded(&transfer(LD, 0, 1, 0), |rig| rig.with(1, DATA + 3)), 0x8382_8180);
    assert_eq!(loaded(&transfer(LDH, 0, 1, 0), |rig| rig.with(1, DATA + 3)), 0x8382);
}

#[test]
fn a_push_puts_the_first_register_highest_and_lr_above_it() {
    // stm r6-r8, lr
    let mut rig = Rig::new(&[0x0200 | 0x100 | 0x80 | 1 << 5 | 2]);
    for (register, value) in [(6, 66), (7, 77), (8, 88), (LR, 99)] {
        rig.set(register, value);
    }
    rig.step(1);
    assert_eq!(rig.get(SP), STACK - 16);
    let stored: Vec<u32> = (0..4).map(|index| rig.word(STACK - 16 + 4 * index)).collect();
    assert_eq!(stored, [88, 77, 66, 99]);
}

#[test]
fn a_pop_undoes_a_push_and_returns() {
    // stm r6-r8, lr; ldm r6-r8, pc
    let mut rig = Rig::new(&[0x03a2, 0x0322]).with(6, 66).with(8, 88).with(LR, CODE + 0x80);
    rig.step(1);
    rig.set(6, 0);
    rig.set(8, 0);
    rig.step(1);
    assert_eq!((rig.get(6), rig.get(8), rig.get(SP)), (66, 88, STACK));
    assert_eq!(rig.core.pc(), CODE + 0x80);
}

#[test]
fn sixteen_registers_from_r24_on_stand_for_lr_or_pc_alone() {
    let mut rig = Rig::new(&[0x03ef, 0x036f]).with(LR, CODE + 0x80);
    rig.step(1);
    assert_eq!((rig.get(SP), rig.word(STACK - 4)), (STACK - 4, CODE + 0x80));
    rig.step(1);
    assert_eq!((rig.get(SP), rig.core.pc()), (STACK, CODE + 0x80));
    // With another first register the count is meant.
    let mut rig = Rig::new(&[0x03af]);
    rig.step(1);
    assert_eq!(rig.get(SP), STACK - 17 * 4);
}

#[test]
fn a_stack_pointer_that_is_popped_stays() {
    // ldm r24-r26
    let mut rig = Rig::new(&[0x0262]);
    for (index, value) in [26, 0x5000, 24].into_iter().enumerate() {
        rig.set_word(STACK + 4 * index as u32, value);
    }
    rig.step(1);
    assert_eq!((rig.get(24), rig.get(SP), rig.get(LR)), (24, 0x5000, 26));
}

#[test]
fn devices_are_asked_with_width_pc_and_time() {
    let mut rig = Rig::new(&[NOP, 0xa280, 1 << 11 | 2]).with(1, DEVICE);
    rig.bus.devices.insert(DEVICE + 2, 0xffff_ff5a);
    rig.step(2);
    let access = Access { pc: CODE + 2, core: CoreId::Core0, elapsed: 1 };
    assert_eq!(rig.bus.device_accesses, [(access, DEVICE + 2, Width::Byte)]);
}

#[test]
fn only_the_device_windows_and_the_boot_rom_are_devices() {
    for (address, is_device) in [
        (0x7c00_0000, true),
        (0x7fff_fffc, true),
        (0x6000_0000, true),
        (0x6001_0000, false),
        (0x7bff_fffc, false),
        (0x8000_0000, false),
        (0xfe00_0000, false),
    ] {
        let mut rig = Rig::new(&transfer(LD, 0, 1, 0)).with(1, address);
        rig.step(1);
        assert_eq!(!rig.bus.device_accesses.is_empty(), is_device, "{address:#010x}");
    }
}

#[test]
fn stores_reach_devices_and_step_the_base() {
    // st r0, (r1++)
    let mut rig = Rig::new(&[0xa520, 1 << 11 | ALWAYS << 7]).with(0, 9).with(1, DEVICE);
    rig.step(1);
    assert_eq!((rig.bus.devices[&DEVICE], rig.get(1)), (9, DEVICE + 4));
}

#[test]
fn locks_read_their_old_value_and_are_then_taken() {
    // mov r0, p16; mov r1, p16; mov p16, r2; mov r3, p16
    let mut rig = Rig::new(&[0xcc20, 16, 0xcc21, 16, 0xcc10, 2, 0xcc23, 16]);
    rig.step(4);
    assert_eq!((rig.get(0), rig.get(1), rig.get(3)), (0, 1, 0));
}

#[test]
fn the_vector_unit_is_handed_over_through_p10_and_never_busy() {
    // mov p10, r1; mov r0, p10; mov r2, p15
    let mut rig = Rig::new(&[0xcc0a, 1, 0xcc20, 10, 0xcc22, 15]).with(1, 42).with(2, 1);
    rig.step(3);
    assert_eq!((rig.get(0), rig.get(2)), (42, 0));
}
