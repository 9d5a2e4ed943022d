//! What a person is shown of a disk before it is overwritten.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;

use super::flow::Scene;
use crate::flash::ask::describe;
use crate::flash::contents::Content;
use crate::flash::disks::Disk;
use crate::flash::fake::{Fake, USB};

/// Bytes, and where they are.
type Places<'a> = &'a [(usize, &'a [u8])];

/// A stick of 64 MiB with these bytes at these places, and without partitions in the kernel's eyes.
fn stick(test: &str, places: Places<'_>) -> Fake {
    const BYTES: u64 = 64 << 20;
    let mut fake = Fake::new(test);
    let attributes = [("removable", "1"), ("device/model", "Ultra")];
    fake.disk(USB, "sdb", "8:16", BYTES / 512, &attributes);
    let disk = File::options().write(true).open(fake.system.dev.join("sdb")).unwrap();
    disk.set_len(BYTES).unwrap();
    for (at, content) in places {
        disk.write_all_at(content, *at as u64).unwrap();
    }
    fake
}

fn shown(fake: Fake) -> String {
    let fake = RefCell::new(fake);
    let scene = Scene::new(&fake, "no\n");
    scene.refused();
    scene.asked.take()
}

const EXT: Places<'static> = &[(0x438, &[0x53, 0xef]), (0x460, &[0x42, 2]), (0x478, b"backup\0")];

#[test]
fn a_file_system_on_the_whole_disk_is_shown_with_its_name() {
    let shown = shown(stick("whole-ext4", EXT));
    assert!(shown.contains("ext4 \"backup\""), "{shown}");
    assert!(!shown.contains("no partitions"), "{shown}");
}

#[test]
fn what_only_udev_recognises_on_the_whole_disk_is_shown() {
    let fake = stick("whole-udev", &[]);
    fake.file("udev/b8:16", "E:ID_FS_LABEL=tank\nE:ID_FS_TYPE=zfs_member\n");
    let shown = shown(fake);
    assert!(shown.contains("zfs_member \"tank\""), "{shown}");
}

#[test]
fn a_gpt_that_the_kernel_has_not_read_is_shown_with_its_partitions() {
    let mut header = [0; 92];
    header[..8].copy_from_slice(b"EFI PART");
    header[72] = 2;
    header[80] = 128;
    header[84] = 128;
    let mut entry = [0; 128];
    entry[..16].fill(0x11);
    entry[32..40].copy_from_slice(&2048u64.to_le_bytes());
    entry[40..48].copy_from_slice(&(2048u64 + 16_383).to_le_bytes());
    let file_system: Vec<(usize, &[u8])> = EXT.iter().map(|(at, bytes)| (at + (1 << 20), *bytes)).collect();
    let table: [(usize, &[u8]); 2] = [(512, &header), (1024, &entry)];
    let shown = shown(stick("whole-gpt", &[&table[..], &file_system].concat()));
    for part in ["GPT", "sdb1", "8.4 MB", "ext4", "\"backup\""] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

/// An entry of 8 MiB, 1 MiB in, of this type.
fn mbr_entry(kind: u8) -> [u8; 16] {
    let mut entry = [0; 16];
    (entry[4], entry[9], entry[13]) = (kind, 8, 64);
    entry
}

#[test]
fn a_gpt_that_a_newer_mbr_has_made_stale_is_not_shown_as_the_table() {
    const LAST: usize = (64 << 20) - 512;
    for header in [512, LAST] {
        let of = |kind| {
            let entry = mbr_entry(kind);
            shown(stick("stale-gpt", &[(446, &entry), (510, b"\x55\xaa"), (header, b"EFI PART")]))
        };
        let stale = of(0x0c);
        assert!(stale.contains("MBR partition table") && stale.contains("sdb1  8.4 MB"), "{stale}");
        assert!(of(0xee).contains("GPT partition table"));
    }
    let without_mbr = shown(stick("gpt-alone", &[(512, b"EFI PART")]));
    assert!(without_mbr.contains("GPT partition table"), "{without_mbr}");
}

#[test]
fn a_label_cannot_command_the_terminal() {
    let evil: Places<'_> = &[EXT[0], EXT[1], (0x478, b"\x1b[2J\nsdb2\0")];
    let shown = shown(stick("evil-label", evil));
    assert!(shown.contains("\\x1b[2J") && !shown.contains('\x1b') && !shown.contains("\nsdb2"), "{shown}");
}

#[test]
fn whatever_a_stick_is_likely_to_hold_is_recognised_without_udev() {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let flab = wide("flab");
    let mut fat = [0; 512];
    fat[..3].copy_from_slice(&[0xeb, 0x3c, 0x90]);
    fat[11..17].copy_from_slice(&[0, 2, 8, 1, 0, 2]);
    (fat[21], fat[22], fat[38], fat[510], fat[511]) = (0xf8, 16, 0x29, 0x55, 0xaa);
    fat[43..54].copy_from_slice(b"CAMERA     ");
    // Sectors of 512 bytes, clusters of 8, the heap at sector 64, the root directory in its fourth cluster.
    let mut exfat = [0; 512];
    exfat[3..11].copy_from_slice(b"EXFAT   ");
    (exfat[88], exfat[96], exfat[108], exfat[109], exfat[510], exfat[511]) = (64, 5, 9, 3, 0x55, 0xaa);
    let label_entry = [&[0x83, 5][..], &wide("cards")].concat();
    let raid = b"\xfc\x4e\x2b\xa9\x01\0\0\0".as_slice();
    // The last place that is a multiple of 4 KiB and 8 KiB before the end.
    let near_end = (64 << 20) - 8192;
    let cases: &[(Places<'_>, &str)] = &[
        (&[(0, b"LUKS\xba\xbe\0\x02"), (24, b"secret")], "encrypted by LUKS \"secret\" on the whole disk"),
        (&[(4086, b"SWAPSPACE2"), (1052, b"spare")], "swap area \"spare\" on the whole disk"),
        (&[(0, b"XFSB"), (108, b"xlab")], "xfs \"xlab\""),
        (&[(0x1_0040, b"_BHRfS_M"), (0x1_012b, b"blab")], "btrfs \"blab\""),
        (&[(0x8001, b"CD001"), (0x8028, b"Debian 12      ")], "iso9660 \"Debian 12\""),
        (&[(1024, b"\x10\x20\xf5\xf2"), (1148, &flab)], "f2fs \"flab\""),
        (&[(512, b"LABELONE"), (536, b"LVM2 001")], "part of LVM on the whole disk"),
        (&[(4096, raid), (4128, b"nas:0")], "part of a RAID \"nas:0\""),
        (&[(near_end, raid)], "part of a RAID"),
        (&[(0, &fat)], "vfat \"CAMERA\" on the whole disk"),
        (&[(0, &exfat), (64 * 512 + 3 * 4096, &label_entry)], "exfat \"cards\""),
        (&[(3, b"NTFS    "), (510, b"\x55\xaa")], "ntfs on the whole disk"),
        (&[(0, &fat), (512, b"EFI PART")], "GPT partition table, without partitions"),
        (&[(510, b"\x55\xaa")], "MBR partition table, without partitions"),
        (&[(0, b"\x01"), (510, b"\x55\xaa")], "no partition table, and no file system"),
        (&[], "its first and its last MiB are zeros"),
    ];
    for (places, expected) in cases {
        let shown = shown(stick("kinds", places));
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

#[test]
fn a_disk_that_lies_about_its_tables_is_shown_all_the_same() {
    let mut header = [0xff; 92];
    header[..8].copy_from_slice(b"EFI PART");
    assert!(shown(stick("gpt-lies", &[(512, &header)])).contains("GPT partition table, without partitions"));
    let mut exfat = [0xff; 512];
    exfat[3..11].copy_from_slice(b"EXFAT   ");
    assert!(shown(stick("exfat-lies", &[(0, &exfat)])).contains("exfat on the whole disk"));
    let mbr =
        [0x80, 0xff, 0xff, 0xff, 0x0c, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let shown = shown(stick("mbr-lies", &[(446, &mbr), (510, b"\x55\xaa")]));
    assert!(shown.contains("sdb1  2.20 TB  unknown"), "{shown}");
}

#[test]
fn what_may_not_be_read_is_not_called_empty() {
    let mut disk = Disk::read(&stick("denied", &[]).system, "sdb").unwrap();
    for content in [Content::Denied, Content::Unseen, Content::Unknown] {
        disk.content = content;
        let shown = describe(&disk);
        assert!(!shown.contains("nothing") && !shown.contains("zeros"), "{content:?}: {shown}");
    }
    disk.content = Content::Denied;
    assert!(describe(&disk).contains("may be seen by root only"));
}
