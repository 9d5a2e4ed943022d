//! Vector loads and stores, as the firmware's memcpy uses them, and the rest of the memory class.

use super::encode::*;
use super::*;

/// v8ld H(0,0), (r1)
const LOAD_BYTES: [u16; 3] = [0xf000, 0x0038, 0x0381];
/// v8st H(0,0), (r0)
const STORE_BYTES: [u16; 3] = [0xf080, 0xe000, 0x0380];
/// v32ld HY(0++,0), (r1 += r4) REP r0
const LOAD_ROWS: [u16; 5] = [0xf817, 0xc038, 0x0380, 0xf900, 0x0004];
/// v32st HY(0++,0), (r3 += r4) REP r0
const STORE_ROWS: [u16; 5] = [0xf897, 0xe030, 0x0380, 0x43e0, 0x000c];

const SOURCE: u32 = 0x5000;
const TARGET: u32 = 0x6000;

fn filled(code: &[u16]) -> Rig {
    let mut rig = Rig::new(code);
    for index in 0..512 {
        rig.bus.ram().write8(SOURCE + index, index as u8 ^ 0x5a);
    }
    rig
}

/// Bytes from the start of `TARGET` on that equal the source.
fn copied(rig: &mut Rig) -> u32 {
    let mut count = 0;
    while rig.bus.ram().read8(TARGET + count) == count as u8 ^ 0x5a {
        count += 1;
    }
    count
}

#[test]
fn sixteen_bytes_go_through_a_row() {
    let mut rig = filled(&[LOAD_BYTES, STORE_BYTES].concat()).with(1, SOURCE).with(0, TARGET);
    rig.step(2);
    assert_eq!(copied(&mut rig), 16);
    assert_eq!((rig.get(0), rig.get(1)), (TARGET, SOURCE));
    assert_eq!(rig.core.pc(), CODE + 12);
}

#[test]
fn blocks_of_64_bytes_go_through_as_many_rows_as_r0_says() {
    let mut rig =
        filled(&[LOAD_ROWS, STORE_ROWS].concat()).with(0, 3).with(4, 64).with(1, SOURCE).with(3, TARGET);
    rig.step(2);
    assert_eq!(copied(&mut rig), 192);
    assert_eq!((rig.get(1), rig.get(3)), (SOURCE, TARGET));
}

#[test]
fn a_predicate_limits_a_copy_to_its_tail() {
    // v16bitplanes -, r0 SETF; v32ld HY(0,0), (r1) IFZ; v32st HY(0,0), (r3) IFZ
    let mut code = vec![0xf408, 0xe038, 0x03c0];
    code.extend([0xf810, 0xc038, 0x0380, 0xf3c0, 0x4004]);
    code.extend([0xf890, 0xe030, 0x0380, 0xf3c0, 0x400c]);
    let mut rig = filled(&code).with(0, !0 << 5).with(1, SOURCE).with(3, TARGET);
    rig.step(3);
    assert_eq!(copied(&mut rig), 20);
}

#[test]
fn narrow_registers_cut_and_wide_ones_extend_by_zero() {
    // v8ld HY(0,0), (r1); v32st HY(0,0), (r0)
    let mut rig = filled(&[0xf000, 0xc038, 0x0381, 0xf090, 0xe030, 0x0380]).with(1, SOURCE).with(0, TARGET);
    rig.step(2);
    assert_eq!((rig.word(TARGET), rig.word(TARGET + 4)), (0x5a, 0x5b));
}

#[test]
fn a_load_that_straddles_a_block_of_16_bytes_wraps_in_it() {
    let mut rig = filled(&[]);
    for index in 0..32 {
        rig.bus.ram().write8(SOURCE + index, index as u8 + 1);
    }
    // v32ld HY(0,0), (r1) with r1 13 bytes into a block (measured: 0e 0f 10 01).
    rig.execute(&[0xf010, 0xc038, 0x0381], |rig| rig.set(1, SOURCE + 13));
    assert_eq!(rig.row(0)[0].to_le_bytes(), [0x0e, 0x0f, 0x10, 0x01]);
}

#[test]
fn a_store_that_straddles_a_block_does_not_wrap() {
    // v32mov HY(0,0), #-1; v32st HY(0,0), (r0)
    let mut rig = Rig::new(&[0xf600, 0xc038, 0x043f, 0xf090, 0xe030, 0x0380]).with(0, TARGET + 13);
    rig.step(2);
    let bytes: Vec<u8> = (0..78).map(|index| rig.bus.ram().read8(TARGET + index)).collect();
    assert!(bytes[..13].iter().all(|byte| *byte == 0) && bytes[13..77].iter().all(|byte| *byte == 0xff));
    assert_eq!(bytes[77], 0);
}

#[test]
fn a_load_without_destination_changes_nothing() {
    // v8ld -, (r0), with which firmware waits for the unit.
    let mut rig = Rig::new(&[0xf000, 0xe038, 0x0380]).with(0, SOURCE);
    let before = *rig.core.registers();
    rig.step(1);
    let mut after = *rig.core.registers();
    after[31] = before[31];
    assert_eq!(after, before);
    assert_eq!(rig.row(0), [0; 16]);
}

#[test]
fn a_star_on_a_slot_changes_nothing() {
    // v16ld HX(0++,0), (r2 += r5) REP 4, without and with a star on D (measured).
    let rows = [0xf940, 0xfd40].map(|fourth| {
        let mut rig = filled(&[0xf80a, 0x8038, 0x0380, fourth, 0x0008]).with(2, SOURCE).with(5, 64);
        rig.step(1);
        [rig.row(0), rig.row(1), rig.row(2), rig.row(3)]
    });
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0][1][0], 0x5a ^ 0x40 | (0x5a ^ 0x41) << 8);
}

#[test]
fn gathers_and_scatters_index_by_the_accumulator() {
    let mut rig = filled(&[]);
    let index: [u32; 16] = std::array::from_fn(|lane| 15 - lane as u32);
    rig.set_row(62, &index);
    // v16mov -, HX(62,0) CLRA UACC; v8lookupml H(1,0), (r1)
    rig.run(&extended(0xf400, (DASH, 0), (DASH, 0), (HX, 62), false, 0, 0x26));
    rig.set(1, SOURCE);
    rig.run(&[0xf040, 0x0078, 0x0381]);
    let row = rig.row(1);
    assert_eq!((row[0], row[15]), (15 ^ 0x5a, 0x5a));
    // v8indexwriteml: the gathered bytes scattered again are the source.
    rig.set(1, TARGET);
    rig.run(&Vector48 { first: 0xf0c0, d: (DASH, 0), a: (H, 1), b: (DASH, 1) }.words());
    assert_eq!(copied(&mut rig), 16);
    // v8lookupm indexes by the upper half, here zero.
    rig.set(1, SOURCE);
    rig.run(&[0xf020, 0x00b8, 0x0381]);
    assert_eq!(rig.row(2), [0x5a; 16]);
}

#[test]
fn every_lane_has_a_lookup_table_of_its_own() {
    let mut rig = Rig::new(&[]);
    let values: [u32; 16] = std::array::from_fn(|lane| 100 + lane as u32);
    rig.set_row(1, &values);
    // v8memwrite -, H(1,0), #5; v8memread HY(2,0), -, #5
    let word = DASH << 29 | H << 19 | 1 << 12 | 1 << 10 | 5;
    rig.run(&[0xf120, (word >> 16) as u16, word as u16]);
    let word = HY << 29 | 2 << 22 | DASH << 19 | 1 << 10 | 5;
    rig.run(&[0xf100, (word >> 16) as u16, word as u16]);
    assert_eq!(rig.row(2), values);
}

#[test]
fn vector_accesses_to_devices_are_refused() {
    for code in [LOAD_BYTES, [0xf080, 0xe000, 0x0381]] {
        let mut rig = Rig::new(&code).with(1, DEVICE);
        assert_eq!(rig.fault(), FaultKind::UnsupportedInstruction);
        assert!(rig.bus.device_accesses.is_empty());
    }
}

#[test]
fn memory_operations_that_hang_a_real_core_are_refused() {
    for operation in [3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 25, 31] {
        let mut rig = Rig::new(&[0xf000 | operation << 5, 0xe038, 0x0380]);
        assert_eq!(rig.fault(), FaultKind::UnsupportedInstruction, "{operation}");
    }
}
