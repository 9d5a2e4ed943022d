//! Pagelists against golden bytes.

use crate::{
    testing::golden_bytes,
    wire::{PAGELIST_ENTRIES, PageList, PageListError, PageListFormat, PageListKind},
};

fn bytes(list: &PageList) -> Vec<u8> {
    list.words().iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// As many pages as wanted in a row.
fn contiguous(start: u64) -> impl Fn(u32) -> u64 {
    move |number| start + u64::from(number) * 4096
}

#[test]
fn pagelists_are_those_of_the_worked_example() {
    let lists = [
        (
            include_str!("../../../tests/data/vchiq/pagelist_classic.hex"),
            (PageListKind::Write, PageListFormat::Classic, 0x20, 8192),
        ),
        (
            include_str!("../../../tests/data/vchiq/pagelist_wide.hex"),
            (PageListKind::Write, PageListFormat::Wide, 0x20, 8192),
        ),
        (
            include_str!("../../../tests/data/vchiq/pagelist_read.hex"),
            (PageListKind::Read, PageListFormat::Classic, 0x40, 128),
        ),
        (
            include_str!("../../../tests/data/vchiq/pagelist_fragment.hex"),
            (PageListKind::ReadWithFragment(5), PageListFormat::Classic, 0x14, 100),
        ),
    ];
    for (golden, (kind, format, offset, length)) in lists {
        let list = PageList::new(kind, format, offset, length, contiguous(0x1_0000)).unwrap();
        assert_eq!(bytes(&list), golden_bytes(golden), "{kind:?}, {format:?}");
    }
}

#[test]
fn runs_end_where_pages_do_not_follow_each_other() {
    let pages = [0x1000, 0x2000, 0x5000, 0x4000];
    let page = |number: u32| pages[number as usize];
    let list = PageList::new(PageListKind::Read, PageListFormat::Classic, 0, 4 * 4096, page).unwrap();
    assert_eq!(list.words()[2..], [0xc000_1001, 0xc000_5000, 0xc000_4000]);
}

#[test]
fn long_runs_are_cut_where_an_entry_can_count_no_further() {
    let long = 257 * 4096;
    let list = PageList::new(PageListKind::Read, PageListFormat::Wide, 0, long, contiguous(0)).unwrap();
    assert_eq!(list.words()[2..], [0x0000_00ff, 0x0001_0000]);
    let list = PageList::new(PageListKind::Read, PageListFormat::Classic, 0, long, contiguous(0)).unwrap();
    assert_eq!(list.words()[2..], [0xc000_0100]);
    let longer = 4097 * 4096;
    let list = PageList::new(PageListKind::Read, PageListFormat::Classic, 0, longer, contiguous(0)).unwrap();
    assert_eq!(list.words()[2..], [0xc000_0fff, 0xc100_0000]);
}

#[test]
fn wide_entries_reach_36_bits() {
    let list = PageList::new(PageListKind::Read, PageListFormat::Wide, 0, 4096, contiguous(0xf_ffff_f000));
    assert_eq!(list.unwrap().words()[2..], [0xffff_ff00]);
}

#[test]
fn what_no_pagelist_can_describe_is_refused() {
    let try_list = |format, offset, length, start| {
        PageList::new(PageListKind::Read, format, offset, length, contiguous(start)).unwrap_err()
    };
    let classic = PageListFormat::Classic;
    assert_eq!(try_list(classic, 0, 0, 0), PageListError::Length(0));
    assert_eq!(try_list(classic, 0, 0x8000_0000, 0), PageListError::Length(0x8000_0000));
    assert_eq!(try_list(classic, 4096, 1, 0), PageListError::Offset(4096));
    assert_eq!(try_list(classic, 0, 1, 0x4000_0000), PageListError::Address(0x4000_0000));
    assert_eq!(try_list(classic, 0, 4097, 0x3fff_f000), PageListError::Address(0x4000_0000));
    assert_eq!(try_list(classic, 0, 1, 0x1234), PageListError::Address(0x1234));
    assert_eq!(try_list(PageListFormat::Wide, 0, 1, 1 << 36), PageListError::Address(1 << 36));
    let scattered = |number: u32| u64::from(number) * 8192;
    let most = PAGELIST_ENTRIES as u32 * 4096;
    let list = |length| PageList::new(PageListKind::Read, classic, 0, length, scattered);
    assert!(list(most).is_ok());
    assert_eq!(list(most + 1), Err(PageListError::Scattered));
}
