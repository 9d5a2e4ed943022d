//! Which disks are refused, and with which words.

use crate::flash::disks::{Bus, Disk};
use crate::flash::fake::{Fake, NVME, SATA, SLOT, USB, VIRTUAL};
use crate::flash::in_use::uses;
use crate::flash::list;
use crate::flash::refuse::{OVERRIDE, Refusal, refusal};
use crate::flash::target;

/// The least that a card needs.
const CARD: u64 = 64 << 20;

fn judged(fake: &Fake, name: &str, fixed_disk: bool) -> Option<Refusal> {
    let disk = Disk::read(&fake.system, name).unwrap();
    refusal(&disk, &uses(&fake.system, &disk).unwrap(), CARD, fixed_disk)
}

/// The words for a disk that is refused even with the option for fixed disks.
fn refused(fake: &Fake, name: &str) -> String {
    let disk = Disk::read(&fake.system, name).unwrap();
    let refusal = judged(fake, name, true).unwrap_or_else(|| panic!("{name} is not refused"));
    assert_eq!(judged(fake, name, false).as_ref(), Some(&refusal), "{name}");
    refusal.explain(&disk)
}

fn is_system(fake: &Fake, name: &str) -> bool {
    matches!(judged(fake, name, true), Some(Refusal::System(_)))
}

#[test]
fn a_card_in_a_usb_reader_and_one_in_a_slot_can_be_written() {
    let mut fake = Fake::new("good").with_card();
    let slot = [("device/type", "SD"), ("device/name", "SC16G")];
    fake.disk(SLOT, "mmcblk0", "179:0", 31_116_288, &slot);
    fake.partition("mmcblk0", "mmcblk0p1", "179:1", 1000);
    assert_eq!(judged(&fake, "sdb", false), None);
    assert_eq!(judged(&fake, "mmcblk0", false), None);

    let card = Disk::read(&fake.system, "mmcblk0").unwrap();
    assert_eq!((card.bus, card.model.as_deref(), card.bytes), (Bus::Sd, Some("SC16G"), 31_116_288 * 512));
    assert!(card.removable, "the kernel calls the slot fixed, but the card can be taken out");
    assert_eq!(card.partitions[0].name, "mmcblk0p1");
    let stick = Disk::read(&fake.system, "sdb").unwrap();
    assert_eq!((stick.bus, stick.model.as_deref()), (Bus::Usb, Some("Generic STORAGE DEVICE")));
    let labels: Vec<_> = stick.partitions.iter().map(|partition| partition.label.as_deref()).collect();
    assert_eq!(labels, [Some("bootfs"), Some("rootfs")]);
}

#[test]
fn the_disk_of_the_system_is_refused_whatever_is_typed() {
    let fake = Fake::new("nvme");
    let words = refused(&fake, "nvme0n1");
    assert!(
        words.contains("nvme0n1p1 is mounted at /boot/efi") && words.contains("never written"),
        "{words}"
    );
    assert!(is_system(&fake, "nvme0n1"));
}

#[test]
fn a_system_is_found_below_every_mount_point_it_lives_in_and_as_swap() {
    for point in ["/", "/usr", "/home", "/var/lib/docker", "/boot", "/boot/firmware", "/run/live/medium"] {
        let mut fake = Fake::new("points").with_card();
        fake.mount("8:18", point, "/dev/sdb2");
        assert!(is_system(&fake, "sdb"), "{point}");
    }
    let mut fake = Fake::new("swap").with_card();
    fake.swap("/dev/sdb2");
    assert!(is_system(&fake, "sdb"));
    let mut fake = Fake::new("no-system").with_card();
    fake.mount("8:18", "/homework", "/dev/sdb2");
    assert!(!is_system(&fake, "sdb"));
}

#[test]
fn a_root_is_found_through_lvm_on_dm_crypt_on_a_partition() {
    let mut fake = Fake::new("stacked");
    fake.disk(SATA, "sda", "8:0", 1_000_000, &[("device/vendor", "ATA"), ("device/model", "WDC WD10")]);
    fake.partition("sda", "sda1", "8:1", 900_000);
    fake.logical("sda1", "dm-0", "253:0", "cryptdisk");
    fake.logical("dm-0", "dm-1", "253:1", "vg-root");
    fake.logical("dm-0", "dm-2", "253:2", "vg-swap");
    fake.mount("253:1", "/", "/dev/mapper/vg-root");
    let words = refused(&fake, "sda");
    assert!(words.contains("sda1 is mounted at /, through cryptdisk and vg-root"), "{words}");

    let mut fake = Fake::new("stacked-swap");
    fake.disk(SATA, "sda", "8:0", 1_000_000, &[]);
    fake.partition("sda", "sda1", "8:1", 900_000);
    fake.logical("sda1", "dm-0", "253:0", "vg-swap");
    fake.swap("/dev/mapper/vg-swap");
    let words = refused(&fake, "sda");
    assert!(words.contains("swap area, through vg-swap"), "{words}");
}

#[test]
fn a_partition_of_a_raid_on_whole_disks_is_found() {
    let mut fake = Fake::new("raid");
    fake.disk(SATA, "sda", "8:0", 1_000_000, &[]);
    fake.disk(VIRTUAL, "md127", "9:127", 900_000, &[]);
    fake.partition("md127", "md127p1", "259:9", 800_000);
    fake.logical("sda", "md127", "9:127", "unused");
    fake.mount("259:9", "/home", "/dev/md127p1");
    assert!(is_system(&fake, "sda"));
    assert!(matches!(judged(&fake, "md127", true), Some(Refusal::MadeOf(_))));
}

#[test]
fn a_btrfs_is_found_by_the_disk_that_its_mount_does_not_name() {
    let mut fake = Fake::new("btrfs").with_card();
    fake.file("sys/fs/btrfs/0b1c/devices/sdb2/size", "1");
    fake.file("sys/fs/btrfs/0b1c/devices/nvme0n1p3/size", "1");
    fake.mount("0:31", "/home", "/dev/nvme0n1p3");
    assert!(is_system(&fake, "sdb"));
}

#[test]
fn a_card_that_is_mounted_is_refused_with_the_words_for_unmounting() {
    let mut fake = Fake::new("mounted").with_card();
    fake.mount("8:17", "/media/me/bootfs", "/dev/sdb1");
    fake.mount("8:18", r"/media/me/my\040root", "/dev/sdb2");
    let words = refused(&fake, "sdb");
    assert!(words.contains("sdb1 is mounted at /media/me/bootfs"), "{words}");
    assert!(words.contains("`sudo umount '/media/me/my root' '/media/me/bootfs'`"), "{words}");
    assert!(!is_system(&fake, "sdb"));
}

#[test]
fn a_card_that_is_part_of_something_else_is_refused_though_it_is_mounted_nowhere() {
    let mut fake = Fake::new("held").with_card();
    fake.logical("sdb2", "dm-0", "253:0", "secrets");
    let words = refused(&fake, "sdb");
    assert!(words.contains("sdb2 is part of secrets") && words.contains("cryptsetup close"), "{words}");

    let mut fake = Fake::new("loop").with_card();
    fake.disk(VIRTUAL, "loop3", "7:3", 1000, &[("loop/backing_file", "/dev/sdb2")]);
    assert!(refused(&fake, "sdb").contains("sdb2 is part of loop3"));
}

#[test]
fn what_does_not_look_like_a_card_needs_an_option_of_its_own() {
    let mut fake = Fake::new("fixed");
    fake.disk(SATA, "sda", "8:0", 1_953_525_168, &[("device/model", "WDC WD10")]);
    fake.disk(USB, "sdc", "8:32", 1_953_525_168, &[("device/model", "Portable SSD")]);
    fake.disk(&format!("{USB}1"), "sdd", "8:48", 7_814_037_168, &[("removable", "1")]);
    fake.disk(SLOT, "mmcblk0", "179:0", 61_071_360, &[("device/type", "MMC"), ("device/name", "DF4064")]);
    fake.disk(VIRTUAL, "loop0", "7:0", 200_000, &[]);
    for (name, why, so) in [
        ("sda", "not marked as removable", "hard disk or an SSD"),
        ("sdc", "not marked as removable", "some card readers"),
        ("sdd", "larger than any card", "hard disk or an SSD"),
        ("mmcblk0", "soldered in", "may hold the system"),
        ("loop0", "no hardware", "behind it"),
    ] {
        let disk = Disk::read(&fake.system, name).unwrap();
        let words = judged(&fake, name, false).unwrap().explain(&disk);
        assert!(words.contains(why) && words.contains(so) && words.contains(OVERRIDE), "{name}: {words}");
        let is_disk = name.starts_with("sd");
        assert_eq!(words.contains("hard disk"), is_disk, "{name}: {words}");
        assert_eq!(judged(&fake, name, true), None, "{name}");
    }
}

#[test]
fn what_no_board_reads_is_refused() {
    let mut fake = Fake::new("kinds");
    let removable = ("removable", "1");
    fake.disk(SATA, "sr0", "11:0", 2_000_000, &[removable]);
    fake.disk(VIRTUAL, "zram0", "253:9", 2_000_000, &[]);
    fake.disk(&format!("{SLOT}/a"), "mmcblk0boot0", "179:8", 8_192_000, &[("device/type", "MMC")]);
    fake.logical("nvme0n1p1", "dm-7", "253:7", "vg-data");
    for (name, why) in [
        ("sr0", "optical"),
        ("zram0", "memory of this PC"),
        ("mmcblk0boot0", "boot area"),
        ("dm-7", "made of nvme0n1p1"),
    ] {
        assert!(refused(&fake, name).contains(why), "{}", refused(&fake, name));
    }
}

#[test]
fn a_disk_that_cannot_take_the_card_says_why() {
    let mut fake = Fake::new("unfit");
    let card = |extra: (&'static str, &'static str)| [("removable", "1"), extra];
    fake.disk(&format!("{USB}0"), "sdb", "8:16", 0, &card(("diskseq", "1")));
    fake.disk(&format!("{USB}1"), "sdc", "8:32", 62_333_952, &card(("ro", "1")));
    fake.disk(&format!("{USB}2"), "sdd", "8:48", 62_333_952, &card(("queue/logical_block_size", "4096")));
    fake.disk(&format!("{USB}3"), "sde", "8:64", 131_071, &card(("diskseq", "1")));
    fake.disk(&format!("{USB}4"), "sdf", "8:80", 131_072, &card(("diskseq", "1")));
    for (name, why) in
        [("sdb", "no card in"), ("sdc", "switch at the side"), ("sdd", "4096 bytes"), ("sde", "too small")]
    {
        assert!(refused(&fake, name).contains(why), "{}", refused(&fake, name));
    }
    assert_eq!(judged(&fake, "sdf", false), None);
}

#[test]
fn without_the_kernels_word_nothing_counts_as_unused() {
    let fake = Fake::new("blind").with_card();
    let disk = Disk::read(&fake.system, "sdb").unwrap();
    std::fs::remove_file(fake.system.proc.join("self/mountinfo")).unwrap();
    assert!(uses(&fake.system, &disk).is_err());
}

#[test]
fn the_list_has_every_disk_and_offers_the_cards() {
    let mut fake = Fake::new("list").with_card();
    fake.disk(VIRTUAL, "loop0", "7:0", 0, &[]);
    let listed = serde_json::to_value(list::list(&fake.system).unwrap()).unwrap();
    let listed = listed.as_array().unwrap();
    let shown: Vec<_> =
        listed.iter().map(|disk| (disk["name"].as_str(), disk["refused"].is_null())).collect();
    assert_eq!(shown, [(Some("nvme0n1"), false), (Some("sdb"), true)]);
    assert_eq!(listed[1]["partitions"][0]["label"], "bootfs");
    assert_eq!(listed[1]["bus"], "usb");
}

#[test]
fn a_word_that_names_no_disk_is_answered_with_what_to_type() {
    let mut fake = Fake::new("words").with_card();
    fake.disk(NVME, "nvme1n1", "259:8", 1000, &[]);
    fake.partition("nvme1n1", "nvme1n1p1", "259:9", 100);
    fake.file("dev/card.img", "");
    let find = |name: &str| target::find(&fake.system, &fake.system.dev.join(name));
    let words = |name: &str| format!("{:#}", find(name).unwrap_err());
    assert_eq!(find("sdb").unwrap().name, "sdb");
    assert!(
        words("sdb1").contains("is a partition") && words("sdb1").contains("/dev/sdb` writes the whole card")
    );
    assert!(words("nvme1n1p1").contains("/nvme1n1` writes"));
    assert!(words("sdx").contains("is the card in, and the reader plugged in?"));
    assert!(words("card.img").contains("sdcard --out"));
    assert!(words("").contains("sdcard --folder"));
    let bare = target::find(&fake.system, std::path::Path::new("sdb")).unwrap_err().to_string();
    assert!(bare.contains("/dev/sdb`"), "{bare}");
    std::os::unix::fs::symlink("/dev/nowhere", fake.system.dev.join("link")).unwrap();
    assert!(words("link").contains("is a link to /dev/nowhere, which is not there"), "{}", words("link"));

    std::fs::create_dir(fake.system.dev.join("by-id")).unwrap();
    std::os::unix::fs::symlink(fake.system.dev.join("sdb"), fake.system.dev.join("by-id/reader")).unwrap();
    assert_eq!(find("by-id/reader").unwrap().name, "sdb");

    let dev = fake.system.dev.clone();
    fake.mount("8:17", &dev.display().to_string(), "/dev/sdb1");
    let words = format!("{:#}", target::find(&fake.system, &dev).unwrap_err());
    assert!(words.contains("on which /dev/sdb1 is mounted"), "{words}");
}
