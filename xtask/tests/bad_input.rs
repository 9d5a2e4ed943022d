//! The command line as a person meets it who has made a mistake: a message that says what to do, an exit code that
//! is not 0, no panic, no hang.

// `common` is ours alone: there is nobody to hide its items from.
#![allow(unreachable_pub)]

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, real_firmware};
use emulator::card::{Card, CardFile};

#[test]
fn unknown_words_are_refused_with_what_is_known() {
    let scratch = Scratch::new("unknown");
    for (words, expected) in [
        (&["run", "--frobnicate"][..], "--frobnicate"),
        (&["fly"], "fly"),
        (&["run", "--board", "5"], "3b, zero2w"),
        (&["run", "--scenario", "nap"], "handshake"),
        (&["run", "--variant", "start9"], "start_db"),
        (&["run", "--iterations", "0"], "0"),
        (&["run", "--sizes", "4096,100"], "multiple of 64"),
        (&["sdcard", "--sizes", "64,64,64,64,64,64,64,64,64,64,64,64,64,64,64,64,64"], "at most 16"),
        (&["run", "--deadline-ms", "0"], "--deadline-ms"),
        (&["soak", "--first-transaction", "0"], "--first-transaction"),
        (&["boots", "--count", "0"], "--count"),
        (&["sdcard", "--out", "/dev/null"], "not a file"),
        (&["flash", "/dev/no-such-disk", "--yes"], "is the card in"),
        (&["flash", "/dev/null", "--yes"], "not a disk"),
        (&["flash", "/", "--yes"], "sdcard --folder"),
        (&["flash", "/proc/self/exe", "--yes"], "sdcard --out"),
        (&["flash", "--yes"], "DEV"),
        (&["flash", "--card", "card.img"], "DEV"),
        (&["flash", "--dangerously-write-fixed-disk"], "DEV"),
        (&["flash", "/dev/null", "--confirm", "x"], "--dangerously-write-fixed-disk"),
        (&["flash", "/dev/null", "--card", "card.img", "--toolchain", "auto"], "--toolchain"),
        (&["flash", "/dev/null", "--card", "card.img", "--iterations", "5"], "--iterations"),
        (&["sdcard", "--out", "/"], "--folder"),
        (&["sdcard", "--folder", "/no/such/folder"], "TFTP"),
        (&["sdcard", "--folder", "/dev/null"], "not a folder"),
        (&["sdcard", "--folder", "/"], "root of a Linux system"),
        (&["sdcard", "--folder", "/", "--out", "card.img"], "--out"),
        (&["sdcard", "--serial", "a1b2c3d4"], "--folder"),
        (&["sdcard", "--folder", "/", "--serial", "../../etc"], "8 hexadecimal digits"),
        (&["test", "nap"], "clippy"),
        (&["monitor", "/no/such/port"], "there is no /no/such/port"),
        (&["monitor", "/"], "cannot be opened as a serial port"),
        (&["monitor", "/dev/null"], "cannot be opened as a serial port"),
        (&["monitor", "--file", "/no/such/file"], "cannot read /no/such/file"),
        (&["monitor", "--file", "/"], "it is a folder"),
        (&["monitor", "--file", "/dev/null"], "/dev/null is empty"),
        (&["monitor", "--file", "-"], "standard input is empty"),
        (&["monitor", "--file", "/proc/self/exe"], "holds nothing of the harness"),
        (&["monitor", "--file", "/dev/null", "--elf", "/dev/null"], "/dev/null decodes no log"),
        (&["monitor", "--file", "/dev/null", "--report", "/dev/null/report.json"], "/dev/null"),
        (&["monitor", "--file", "a.raw", "--tcp", "127.0.0.1:1"], "--tcp"),
        (&["monitor", "--file", "a.raw", "--raw", "b.raw"], "--raw"),
        (&["monitor", "--file", "a.raw", "--stay"], "--stay"),
        (&["monitor", "/dev/null", "--tcp", "127.0.0.1:1"], "--tcp"),
        (&["monitor", "/dev/null", "--baud", "0"], "--baud"),
        (&["monitor", "/dev/null", "--limit-s", "0"], "--limit-s"),
        (&["monitor", "--tcp", ""], "it is empty: HOST:PORT"),
        (&["monitor", "--tcp", "board-7"], "no port behind the host, as in board-7:7901"),
        (&["monitor", "--tcp", "board-7:99999"], "not a number from 1 to 65535"),
        (&["monitor", "--tcp", "tcp://board-7:7901"], "without tcp://"),
        (&["monitor", "--tcp", "127.0.0.1:1"], "nobody answers at 127.0.0.1:1"),
        (
            &["monitor", "--tcp", "no-such-host.invalid:1"],
            "no host is known by the name no-such-host.invalid",
        ),
        (&["compare", "1999-01-01", "1999-01-02"], "neither a file nor a firmware release"),
        (&["compare", "no-such.json", "no-such.json"], "cannot read no-such.json"),
        (&["compare", "/proc/self/stat", "no-such.json"], "is no report"),
        (&["compare", "1999-01-01", "1999-01-02", "--scenario", "nap"], "handshake"),
        (&["compare", "a.json", "b.json", "--alpha", "1"], "between 0 and 1"),
        (&["bisect", "1999-01-01", "1999-01-02", "handshake"], "firmware fetch"),
        (&["bisect", "1999-01-01", "1999-01-02", "nap"], "handshake"),
        (&["firmware", "fetch", "--suite", "sid\nTrusted: yes"], "suite"),
        (&["firmware", "add", "/no/such/folder"], "/no/such/folder"),
    ] {
        let ended = scratch.xtask(words);
        assert_eq!(ended.code, Some(2), "{words:?}: {ended}");
        assert!(ended.stderr.contains(expected), "{words:?}: {ended}");
        // A program reads it, with --json or without.
        assert_eq!(ended.stdout, "", "{words:?}");
    }
}

#[test]
fn a_recording_of_something_else_is_refused_and_reported_as_nothing() {
    let scratch = Scratch::new("recordings");
    let noise: Vec<u8> =
        (0..20_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (name, bytes) in
        [("empty", &b""[..]), ("text", b"Linux version 6.1.0\r\n"), ("zeros", &[0; 5000]), ("noise", &noise)]
    {
        let path = scratch.file(name, bytes);
        let report = scratch.path(&format!("{name}.json"));
        for json in [&[][..], &["--json"]] {
            let ended = scratch.xtask(&[&["monitor", "--file", &path, "--report", &report], json].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{name}: {ended}");
            assert!(ended.stderr.contains(&path), "{name}: {ended}");
            assert!(!Path::new(&report).exists(), "{name}: nothing was run, and something was reported");
        }
    }
}

#[test]
fn an_unknown_release_is_answered_with_the_way_to_get_one() {
    let ended = Scratch::new("release").xtask(&["run", "--firmware", "1999-01-01"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("1999-01-01") && ended.stderr.contains("firmware fetch"), "{ended}");
}

#[test]
fn without_firmware_and_without_a_mirror_the_way_out_is_named() {
    let scratch = Scratch::new("offline");
    for (case, list) in [("none", ""), ("unreachable", "deb file:///nowhere CODENAME main\n")] {
        scratch.use_sources(list);
        let ended = scratch.xtask(&["run"]);
        assert_eq!(ended.code, Some(2), "{case}: {ended}");
        assert!(ended.stderr.contains("firmware add DIR"), "{case}: {ended}");
    }
}

#[test]
fn a_folder_without_firmware_cannot_be_added() {
    let scratch = Scratch::new("no-firmware");
    let folder = scratch.folder("empty");
    let ended = scratch.xtask(&["firmware", "add", &folder]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("start*.elf"), "{ended}");
}

#[test]
fn a_file_that_is_no_firmware_cannot_be_added() {
    let scratch = Scratch::new("no-elf");
    let folder = scratch.folder("text");
    fs::write(format!("{folder}/start.elf"), "not an ELF file").unwrap();
    let ended = scratch.xtask(&["firmware", "add", &folder, "--name", "text"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("start.elf"), "{ended}");
}

#[test]
fn a_truncated_start_file_is_noticed_when_it_is_added_and_when_it_is_booted() {
    let Some(firmware) = real_firmware() else { return };
    // The scratch folder's name is part of messages: it must not hold the word that is looked for.
    let scratch = Scratch::new("cut");
    let folder = scratch.folder("boot");
    for name in ["bootcode.bin", "start.elf", "fixup.dat"] {
        fs::copy(firmware.join(name), format!("{folder}/{name}")).unwrap();
    }
    let start = format!("{folder}/start.elf");
    let whole = fs::read(&start).unwrap();

    let added = scratch.xtask(&["firmware", "add", &folder, "--name", "broken"]);
    assert_eq!(added.code, Some(0), "{added}");
    fs::write(scratch.cached("broken/start.elf"), &whole[..whole.len() / 3]).unwrap();
    let ended = scratch.xtask(&["run", "--firmware", "broken"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("start.elf") && ended.stderr.contains("truncated"), "{ended}");

    fs::write(&start, &whole[..whole.len() / 3]).unwrap();
    let ended = scratch.xtask(&["firmware", "add", &folder, "--name", "again"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("truncated"), "{ended}");
}

#[test]
fn a_release_that_lacks_the_variant_says_which_file_is_missing() {
    let Some(firmware) = real_firmware() else { return };
    let scratch = Scratch::new("variant");
    let folder = scratch.folder("boot");
    for name in ["bootcode.bin", "start.elf", "fixup.dat"] {
        fs::copy(firmware.join(name), format!("{folder}/{name}")).unwrap();
    }
    assert_eq!(scratch.xtask(&["firmware", "add", &folder, "--name", "one"]).code, Some(0));
    let ended = scratch.xtask(&["run", "--firmware", "one", "--variant", "start_db"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("start_db.elf"), "{ended}");
}

#[test]
fn bisect_refuses_a_good_release_that_is_newer_than_the_bad_one() {
    let Some(firmware) = real_firmware() else { return };
    let scratch = Scratch::new("bisect");
    let folder = scratch.folder("boot");
    for name in ["bootcode.bin", "start.elf", "fixup.dat"] {
        fs::copy(firmware.join(name), format!("{folder}/{name}")).unwrap();
    }
    for name in ["older", "younger"] {
        assert_eq!(scratch.xtask(&["firmware", "add", &folder, "--name", name]).code, Some(0));
    }
    // Of equal builds the names give the order.
    let ended = scratch.xtask(&["bisect", "younger", "older", "handshake"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("younger is not older than older"), "{ended}");
}

#[test]
fn cards_that_would_not_start_a_board_say_what_is_missing() {
    let scratch = Scratch::new("cards");
    let config = || CardFile::new("config.txt", *b"arm_64bit=1\n");
    let kernel = || CardFile::new("kernel8.img", *b"\x5f\x20\x03\xd5\xff\xff\xff\x17");
    let second_stage = || CardFile::new("bootcode.bin", [0; 512]);
    let built = |files: &[CardFile]| Card::build(files).unwrap().into_image();
    let cards: [(&str, Vec<u8>, &str); 6] = [
        ("empty", Vec::new(), "0 bytes"),
        ("noise", vec![0xa5; 1 << 20], "partition"),
        ("zeros", vec![0; 1 << 20], "partition"),
        ("no-kernel", built(&[second_stage(), config()]), "kernel8.img"),
        ("no-second-stage", built(&[config(), kernel()]), "bootcode.bin"),
        ("no-start", built(&[second_stage(), config(), kernel()]), "start.elf"),
    ];
    for (name, image, expected) in cards {
        let path = scratch.file(name, &image);
        let ended = scratch.xtask(&["run", "--card", &path]);
        assert_eq!(ended.code, Some(2), "{name}: {ended}");
        assert!(ended.stderr.contains(expected), "{name}: {ended}");
    }
    let ended = scratch.xtask(&["run", "--card", "/no/such/card.img"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("/no/such/card.img"), "{ended}");
}

/// The real firmware, and an image that sleeps for ever.
fn card_with_silent_image(firmware: &Path) -> Card {
    let read = |name: &str| fs::read(firmware.join(name)).unwrap();
    let sleeps_for_ever = b"\x5f\x20\x03\xd5\xff\xff\xff\x17";
    let card = Card::build(&[
        CardFile::new("bootcode.bin", read("bootcode.bin")),
        CardFile::new("start.elf", read("start.elf")),
        CardFile::new("fixup.dat", read("fixup.dat")),
        CardFile::new("config.txt", *b"arm_64bit=1\nkernel_address=0x80000\n"),
        CardFile::new("kernel8.img", *sleeps_for_ever),
    ]);
    card.unwrap()
}

#[test]
fn an_image_that_says_nothing_is_a_verdict_and_not_a_hang() {
    let Some(firmware) = real_firmware() else { return };
    let scratch = Scratch::new("silent");
    let card = card_with_silent_image(&firmware);
    let path = scratch.file("silent.img", card.image());
    let report = scratch.path("report.json");
    let ended = scratch.xtask(&["run", "--card", &path, "--timeout", "5", "--report", &report]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains("hung"), "{ended}");
    let report = fs::read_to_string(&report).unwrap();
    assert!(report.contains("\"hung\"") && report.contains("no record from the image"), "{report}");
}

#[test]
fn a_cache_or_a_report_that_cannot_be_written_is_told_before_the_work() {
    let scratch = Scratch::new("unwritable");
    let file = scratch.file("file", b"");
    let report = format!("{file}/report.json");
    let ended = scratch.xtask(&["run", "--report", &report]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains(&file) && !ended.stderr.contains("firmware"), "{ended}");

    scratch.file("cache", b"");
    let ended = scratch.xtask(&["firmware", "fetch"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("XDG_CACHE_HOME"), "{ended}");
}

#[test]
fn json_is_all_that_goes_to_standard_output() {
    let scratch = Scratch::new("json");
    for words in [&["--json", "test", "--list"][..], &["--json", "firmware", "list"]] {
        let ended = scratch.xtask(words);
        assert_eq!(ended.code, Some(0), "{words:?}: {ended}");
        assert!(serde_json::from_str::<serde_json::Value>(&ended.stdout).is_ok(), "{words:?}: {ended}");
    }
}

#[test]
fn both_logs_come_in_time_order_also_before_the_arm_starts() {
    let Some(firmware) = real_firmware() else { return };
    let scratch = Scratch::new("order");
    let card = card_with_silent_image(&firmware);
    let path = scratch.file("silent.img", card.image());
    let report = scratch.path("report.json");
    let ended = scratch.xtask(&["run", "--card", &path, "--log", "--timeout", "5", "--report", &report]);
    let is_time = |line: &&str| line.starts_with('[');
    let lines: Vec<&str> = ended.stdout.lines().filter(is_time).collect();
    let times: Vec<&str> = lines.iter().filter_map(|line| line.get(..13)).collect();
    assert!(lines.iter().any(|line| line.contains("] vc ")), "{ended}");
    assert!(lines.iter().any(|line| line.contains("] machine ")), "{ended}");
    assert!(times.is_sorted(), "{ended}");
}

#[test]
fn a_reader_that_stops_reading_ends_the_program_without_a_panic() {
    let scratch = Scratch::new("closed");
    let ended = scratch.xtask_into_closed_pipe(&["test", "--list"]);
    assert_ne!(ended.code, Some(101), "{ended}");
}

#[test]
fn a_full_standard_error_is_no_panic() {
    let scratch = Scratch::new("full");
    for words in [&["power", "127.0.0.1:1", "on"][..], &["monitor", "--file", "/dev/null"]] {
        let ended = scratch.xtask_with_full_stderr(words);
        assert_eq!(ended.code, Some(2), "{words:?}: {ended}");
    }
}
