//! A folder that holds other people's files, and what is left of it.

use std::os::unix::fs::symlink;

use super::super::list::NAME as LIST;
use super::*;
use crate::interrupt::Interrupted;
use crate::scratch::Scratch;

fn sample(kernel: &str) -> Vec<CardFile> {
    [("bootcode.bin", "boot"), ("config.txt", "ours"), ("kernel8.img", kernel)]
        .map(|(name, content)| CardFile::new(name, content))
        .to_vec()
}

fn put(folder: &Scratch, kernel: &str) -> Vec<Action> {
    let placed = write(&folder.path, None, &sample(kernel), &Notice::default()).unwrap();
    placed.files.into_iter().map(|written| written.action).collect()
}

fn carried_out(commands: &[String]) -> bool {
    let shell = std::process::Command::new("sh").args(["-ec", &commands.join("\n")]).status();
    shell.unwrap().success()
}

#[test]
fn an_empty_folder_gets_the_files_and_a_list_that_sha256sum_can_check() {
    let folder = Scratch::new("folder-empty");
    assert_eq!(put(&folder, "image"), [Action::Written; 3]);
    assert_eq!(folder.names(), ["bootcode.bin", "config.txt", LIST, "kernel8.img"]);
    let sum = hex_digest(b"image");
    assert!(folder.read(LIST).contains(&format!("\n{sum}  kernel8.img\n")), "{}", folder.read(LIST));
}

#[test]
fn what_is_there_is_kept_and_what_we_wrote_is_replaced() {
    let folder = Scratch::new("folder-used");
    folder.file("config.txt", "theirs");
    folder.file("kernel8.img", "linux");
    folder.file("overlays/README", "theirs");
    assert_eq!(put(&folder, "image"), [Action::Written, Action::Replaced, Action::Replaced]);
    assert_eq!(put(&folder, "image"), [Action::Unchanged; 3]);
    assert_eq!(put(&folder, "newer"), [Action::Unchanged, Action::Unchanged, Action::Updated]);
    assert_eq!(folder.read("config.txt.bak"), "theirs");
    assert_eq!(folder.read("kernel8.img.bak"), "linux");
    assert_eq!(folder.read("kernel8.img"), "newer");
    let names =
        ["bootcode.bin", "config.txt", "config.txt.bak", LIST, "kernel8.img", "kernel8.img.bak", "overlays"];
    assert_eq!(folder.names(), names);
}

#[test]
fn what_was_kept_gets_its_name_back_by_the_commands_that_are_shown() {
    let folder = Scratch::new("folder of a card");
    folder.file("config.txt", "theirs");
    folder.file("kernel8.img", "linux");
    let placed = write(&folder.path, None, &sample("image"), &Notice::default()).unwrap();
    assert!(carried_out(&placed.undo), "{placed:?}");
    assert_eq!((folder.read("config.txt"), folder.read("kernel8.img")), ("theirs".into(), "linux".into()));
    assert_eq!(folder.names(), ["bootcode.bin", "config.txt", LIST, "kernel8.img"]);
}

#[test]
fn a_file_of_ours_that_somebody_has_edited_is_kept_under_a_name_of_its_own() {
    let folder = Scratch::new("folder-edited");
    folder.file("config.txt", "theirs");
    put(&folder, "image");
    folder.file("config.txt", "ours, edited");
    assert_eq!(put(&folder, "image")[1], Action::Replaced);
    assert_eq!(folder.read("config.txt.bak"), "theirs");
    assert_eq!(folder.read("config.txt.bak2"), "ours, edited");
}

#[test]
fn a_file_that_was_there_with_the_same_content_does_not_become_ours() {
    let folder = Scratch::new("folder-same");
    folder.file("kernel8.img", "image");
    assert_eq!(put(&folder, "image")[2], Action::Unchanged);
    assert_eq!(put(&folder, "newer")[2], Action::Replaced);
    assert_eq!(folder.read("kernel8.img.bak"), "image");
}

#[test]
fn a_file_of_somebody_else_by_the_name_of_the_list_is_kept() {
    let folder = Scratch::new("folder-list");
    folder.file(LIST, "sums  of something else");
    assert_eq!(put(&folder, "image").first(), Some(&Action::Replaced));
    assert_eq!(folder.read(&format!("{LIST}.bak")), "sums  of something else");
    assert!(folder.read(LIST).contains("kernel8.img"));
    assert_eq!(put(&folder, "image"), [Action::Unchanged; 3]);
}

#[test]
fn what_was_written_before_a_failure_is_known_as_ours_afterwards() {
    let folder = Scratch::new("folder-half");
    put(&folder, "image");
    folder.file("config.txt", "ours, of an earlier version");
    let list = folder.read(LIST).replace(&hex_digest(b"ours"), &hex_digest(b"ours, of an earlier version"));
    folder.file(LIST, list);
    // What comes before the second kernel is carried out, what comes behind it is not.
    let kernel = || CardFile::new("kernel8.img", "newer");
    let files = [kernel(), kernel(), CardFile::new("config.txt", "ours")];
    assert!(write(&folder.path, None, &files, &Notice::default()).is_err());
    assert_eq!(folder.read("config.txt"), "ours, of an earlier version");
    assert_eq!(folder.read("kernel8.img"), "newer");
    assert_eq!(put(&folder, "third"), [Action::Unchanged, Action::Updated, Action::Updated]);
}

#[test]
fn a_list_that_has_no_room_leaves_everything_as_it_was() {
    let folder = Scratch::new("folder-no-room");
    folder.file("config.txt", "theirs");
    let name = format!(".{LIST}.{}.part", std::process::id());
    fs::create_dir(folder.path.join(&name)).unwrap();
    let error = write(&folder.path, None, &sample("image"), &Notice::default()).unwrap_err();
    assert!(format!("{error:#}").contains("was changed"), "{error:#}");
    assert_eq!(folder.names(), [name.as_str(), "config.txt"]);
    assert_eq!(folder.read("config.txt"), "theirs");
}

#[test]
fn a_failure_between_two_names_tells_the_commands_that_undo_the_first_ones() {
    let folder = Scratch::new("folder-between");
    folder.file("config.txt", "theirs");
    // The second file of this name finds that what was written beside is gone, as it is on a card that was pulled.
    let files = [sample("image"), sample("image")].concat();
    let error = write(&folder.path, None, &files, &Notice::default()).unwrap_err();
    let words = format!("{error:#}");
    let commands: Vec<String> =
        words.lines().filter(|line| line.starts_with("  mv ")).map(str::to_owned).collect();
    assert_eq!(commands.len(), 1, "{words}");
    assert!(carried_out(&commands), "{words}");
    assert_eq!(folder.read("config.txt"), "theirs");
}

#[test]
fn the_commands_of_every_run_bring_back_what_was_there_before_the_first() {
    let folder = Scratch::new("folder-again");
    folder.file("config.txt", "theirs");
    folder.file("kernel8.img", "linux");
    put(&folder, "image");
    folder.file("config.txt", "ours, edited");
    put(&folder, "newer");
    let third = write(&folder.path, None, &sample("newer"), &Notice::default()).unwrap();
    assert_eq!(third.undo.len(), 2, "{third:?}");
    assert!(carried_out(&third.undo), "{third:?}");
    assert_eq!(folder.read("config.txt"), "theirs");
    assert_eq!(folder.read("kernel8.img"), "linux");
    // From here on these are the original ones again.
    folder.file("config.txt", "theirs, newer");
    let fourth = write(&folder.path, None, &sample("image"), &Notice::default()).unwrap();
    assert!(carried_out(&fourth.undo), "{fourth:?}");
    assert_eq!(folder.read("config.txt"), "theirs, newer");
}

#[test]
fn a_board_of_its_own_has_a_folder_and_the_second_stage_is_above_it() {
    let folder = Scratch::new("folder-serial");
    write(&folder.path, Some("a1b2c3d4"), &sample("image"), &Notice::default()).unwrap();
    assert_eq!(folder.names(), ["a1b2c3d4", "bootcode.bin", LIST]);
    assert_eq!(folder.read("a1b2c3d4/kernel8.img"), "image");
    assert!(!folder.path.join("a1b2c3d4/bootcode.bin").exists());
    let again = write(&folder.path, Some("a1b2c3d4"), &sample("image"), &Notice::default()).unwrap();
    assert!(again.files.iter().all(|written| written.action == Action::Unchanged), "{again:?}");
}

#[test]
fn a_link_is_kept_and_what_it_leads_to_is_not_written() {
    let folder = Scratch::new("folder-link");
    let shared = folder.file("shared/kernel8.img", "for all");
    symlink(&shared, folder.path.join("kernel8.img")).unwrap();
    assert_eq!(put(&folder, "image")[2], Action::Replaced);
    assert_eq!(folder.read("shared/kernel8.img"), "for all");
    assert!(fs::symlink_metadata(folder.path.join("kernel8.img.bak")).unwrap().is_symlink());
}

#[test]
fn what_cannot_be_written_whole_leaves_everything_as_it_was() {
    let folder = Scratch::new("folder-stopped");
    folder.file("config.txt", "theirs");
    folder.file("kernel8.img/not-a-file", "");
    let error = write(&folder.path, None, &sample("image"), &Notice::default()).unwrap_err();
    assert!(format!("{error:#}").contains("kernel8.img is not a file"), "{error:#}");
    let error = write(&folder.path, None, &sample("image"), &Notice::come()).unwrap_err();
    assert!(error.downcast_ref::<Interrupted>().is_some(), "{error:#}");
    assert_eq!(folder.names(), ["config.txt", "kernel8.img"]);
    assert_eq!(folder.read("config.txt"), "theirs");
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let folder = Scratch::new("folder-none");
    let error = check(&folder.path.join("boot")).unwrap_err().to_string();
    assert!(error.contains("no folder") && error.contains("TFTP"), "{error}");
    assert!(check(&folder.file("file", "")).is_err());
    assert!(check(&folder.path).is_ok());
}

#[test]
fn the_root_of_a_linux_system_is_not_taken_for_a_boot_partition() {
    let folder = Scratch::new("folder-rootfs");
    folder.file("etc/fstab", "");
    folder.file("usr/bin/env", "");
    let error = check(&folder.path).unwrap_err().to_string();
    assert!(error.contains("root of a Linux system") && error.contains("bootfs"), "{error}");
}
