//! From the command line's words to the disk: who is asked, and when nothing may be touched.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;

use super::writing::{Memory, image};
use crate::flash::ask::agrees;
use crate::flash::disks::Disk;
use crate::flash::fake::Fake;
use crate::flash::medium::{Medium, Reading};
use crate::flash::{Flashed, Job, World, conclusion, flash};
use crate::interrupt::{Interrupted, Notice};

/// A disk that the test keeps a hand on.
#[derive(Clone)]
struct Shared(Rc<RefCell<Memory>>);

impl Medium for Shared {
    fn bytes(&self) -> u64 {
        self.0.borrow().bytes()
    }

    fn reading(&self) -> Reading {
        self.0.borrow().reading()
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().write_at(offset, bytes)
    }

    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.0.borrow_mut().read_at(offset, bytes)
    }

    fn settle(&mut self) -> io::Result<()> {
        self.0.borrow_mut().settle()
    }
}

/// What happens besides.
pub struct Scene<'a> {
    pub fake: &'a RefCell<Fake>,
    disk: Shared,
    card: Option<&'a Path>,
    answer: &'a str,
    yes: bool,
    fixed_disk: bool,
    confirm: Option<&'a str>,
    terminal: bool,
    notice: Notice,
    /// Ctrl-C comes when the disk is opened.
    stopped_at_open: bool,
    /// While the image is made.
    while_made: &'a dyn Fn(&mut Fake),
    /// While the person thinks.
    meanwhile: &'a dyn Fn(&mut Fake),
    pub asked: RefCell<String>,
}

impl<'a> Scene<'a> {
    pub fn new(fake: &'a RefCell<Fake>, answer: &'a str) -> Self {
        Self {
            fake,
            disk: Shared(Rc::new(RefCell::new(Memory::new()))),
            card: None,
            answer,
            yes: false,
            fixed_disk: false,
            confirm: None,
            terminal: true,
            notice: Notice::default(),
            stopped_at_open: false,
            while_made: &|_| (),
            meanwhile: &|_| (),
            asked: RefCell::default(),
        }
    }

    fn flash(&self) -> Result<Flashed> {
        let system = self.fake.borrow().system.clone();
        let device: PathBuf = system.dev.join("sdb");
        let mut world = World {
            system,
            ask: &mut |disk: &Disk, notice: &Notice| {
                let (mut shown, answer) = (Vec::new(), self.answer.to_owned());
                let agreed = agrees(disk, move || Ok(answer), &mut shown, notice);
                *self.asked.borrow_mut() = String::from_utf8(shown).unwrap();
                (self.meanwhile)(&mut self.fake.borrow_mut());
                agreed
            },
            open: &mut |_| {
                if self.stopped_at_open {
                    self.notice.interrupt();
                }
                Ok(Box::new(self.disk.clone()))
            },
            image: &mut || {
                (self.while_made)(&mut self.fake.borrow_mut());
                Ok(image())
            },
            notice: &mut || Ok(self.notice.clone()),
            terminal: self.terminal,
        };
        let (yes, fixed_disk, confirm) = (self.yes, self.fixed_disk, self.confirm);
        flash(&Job { device: &device, card: self.card, yes, fixed_disk, confirm }, &mut world)
    }

    fn is_untouched(&self) -> bool {
        self.disk.0.borrow().journal.is_empty()
    }

    /// The words of a flash that must fail without touching the disk.
    pub fn refused(&self) -> String {
        let error = self.flash().expect_err("must be refused");
        assert!(self.is_untouched(), "{error:#}");
        format!("{error:#}")
    }
}

#[test]
fn whoever_types_the_disks_name_gets_a_card_and_has_seen_what_was_on_it() {
    let fake = RefCell::new(Fake::new("agreed").with_card());
    let scene = Scene::new(&fake, "sdb\n");
    let flashed = scene.flash().unwrap();
    assert!(flashed.result.is_ok());
    assert!(scene.disk.0.borrow().starts_a_board());
    let shown = scene.asked.borrow();
    for part in
        ["Generic STORAGE DEVICE", "31.9 GB", "USB, removable", "sdb1", "\"bootfs\"", "vfat", "\"rootfs\""]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn any_other_answer_leaves_the_disk_as_it_was() {
    for answer in ["", "\n", "y\n", "yes\n", "sda\n", "sdb1\n", "SDB\n", "no sdb\n"] {
        let fake = RefCell::new(Fake::new("refused").with_card());
        let words = Scene::new(&fake, answer).refused();
        assert!(words.contains("was not touched"), "{answer:?}: {words}");
    }
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_written_unless_yes_says_so() {
    let fake = RefCell::new(Fake::new("no-terminal").with_card());
    let mut scene = Scene::new(&fake, "sdb\n");
    scene.terminal = false;
    assert!(scene.refused().contains("--yes"));
    assert!(scene.asked.borrow().is_empty());
    scene.yes = true;
    assert!(scene.flash().unwrap().result.is_ok());
    assert!(scene.asked.borrow().is_empty());
}

#[test]
fn yes_does_not_make_anything_safe() {
    let fake = RefCell::new(Fake::new("yes").with_card());
    fake.borrow_mut().mount("8:17", "/media/me/bootfs", "/dev/sdb1");
    let mut scene = Scene::new(&fake, "");
    scene.yes = true;
    assert!(scene.refused().contains("umount"));
}

/// A disk of this PC that nobody uses.
fn with_fixed_disk(test: &str) -> RefCell<Fake> {
    let mut fake = Fake::new(test);
    let attributes = [("device/vendor", "ATA"), ("device/model", "WDC WD10")];
    fake.disk(crate::flash::fake::SATA, "sdb", "8:16", 1_953_525_168, &attributes);
    RefCell::new(fake)
}

#[test]
fn a_fixed_disk_is_not_overwritten_by_options_alone() {
    let fake = with_fixed_disk("fixed-yes");
    let mut scene = Scene::new(&fake, "sdb\n");
    scene.fixed_disk = true;
    scene.yes = true;
    let words = scene.refused();
    assert!(words.contains("--yes") && words.contains("--confirm"), "{words}");
    scene.yes = false;
    assert!(scene.flash().unwrap().result.is_ok());
    assert!(scene.asked.borrow().contains("WDC WD10"));
}

#[test]
fn a_script_overwrites_a_fixed_disk_by_its_model_and_size_and_no_other_one() {
    let fake = with_fixed_disk("fixed-script");
    let mut scene = Scene::new(&fake, "");
    (scene.fixed_disk, scene.terminal) = (true, false);
    let words = scene.refused();
    assert!(words.contains("--confirm 'ATA WDC WD10, 1000204886016 bytes'"), "{words}");
    assert!(!words.contains("--yes"), "{words}");
    scene.confirm = Some("ATA WDC WD20, 1000204886016 bytes");
    let words = scene.refused();
    assert!(
        words.contains("another disk") && words.contains("\"ATA WDC WD10, 1000204886016 bytes\""),
        "{words}"
    );
    scene.confirm = Some("ATA WDC WD10, 1000204886016 bytes");
    assert!(scene.flash().unwrap().result.is_ok());
    assert!(scene.asked.borrow().is_empty());
}

#[test]
fn ctrl_c_at_the_question_says_that_nothing_was_touched() {
    let disk = Disk::read(&Fake::new("question").with_card().system, "sdb").unwrap();
    // Somebody who never answers.
    let silent = || loop {
        std::thread::park();
    };
    let mut shown = Vec::new();
    let error = agrees(&disk, silent, &mut shown, &Notice::come()).unwrap_err();
    assert!(error.downcast_ref::<Interrupted>().is_some());
    assert!(format!("{error:#}").contains("sdb was not touched"), "{error:#}");
    assert!(shown.ends_with(b"\n"), "the next words would stand behind the question");
}

#[test]
fn ctrl_c_between_the_answer_and_the_first_write_touches_nothing() {
    let fake = RefCell::new(Fake::new("early").with_card());
    let mut scene = Scene::new(&fake, "");
    scene.yes = true;
    scene.notice = Notice::come();
    assert!(scene.refused().contains("was not touched"));
}

#[test]
fn a_card_taken_out_while_the_question_stands_is_told() {
    let fake = RefCell::new(Fake::new("gone").with_card());
    let mut scene = Scene::new(&fake, "sdb\n");
    scene.meanwhile = &|fake| fake.unplug("sdb");
    let words = scene.refused();
    assert!(words.contains("was taken out") && words.contains("Nothing was written"), "{words}");
}

#[test]
fn the_conclusion_says_whether_the_bytes_came_past_the_page_cache() {
    let fake = RefCell::new(Fake::new("cached").with_card());
    let mut scene = Scene::new(&fake, "sdb\n");
    let flashed = scene.flash().unwrap();
    assert_eq!(conclusion::object(&flashed)["read_back"], "direct");
    assert!(conclusion::words(&flashed).contains("past the page cache"));
    scene.disk.0.borrow_mut().reading = Reading::Cached;
    let flashed = scene.flash().unwrap();
    assert_eq!(conclusion::object(&flashed)["read_back"], "cached");
    let words = conclusion::words(&flashed);
    assert!(words.contains("not certain") && words.contains("cmp --bytes="), "{words}");
    // A mount changes the card, and a card that was put in again may have another name.
    assert!(words.contains("unmount") && words.contains("sdcard.img DEV"), "{words}");
    scene.card = Some(Path::new("my cards/one.img"));
    let words = conclusion::words(&scene.flash().unwrap());
    assert!(words.contains("'my cards/one.img' DEV") && !words.contains("cargo xtask sdcard"), "{words}");
}

#[test]
fn another_card_put_in_while_the_question_stands_is_not_written() {
    let fake = RefCell::new(Fake::new("swapped").with_card());
    let mut scene = Scene::new(&fake, "sdb\n");
    scene.meanwhile = &|fake| {
        let place = format!("sys/devices/{}/block/sdb/diskseq", crate::flash::fake::USB);
        fake.file(&place, "18\n");
    };
    assert!(scene.refused().contains("another disk or card now"));
}

/// The card of a kernel that does not count media.
fn uncounted(test: &str) -> RefCell<Fake> {
    let fake = Fake::new(test).with_card();
    std::fs::remove_file(fake.system.block("sdb").unwrap().join("diskseq")).unwrap();
    RefCell::new(fake)
}

/// An equal card takes its place, with other partitions.
fn exchange(fake: &mut Fake) {
    fake.file(&format!("sys/devices/{}/block/sdb/sdb1/size", crate::flash::fake::USB), "2000000\n");
}

#[test]
fn where_the_kernel_does_not_count_media_an_equal_card_is_known_by_its_partitions() {
    let fake = uncounted("uncounted");
    let mut scene = Scene::new(&fake, "sdb\n");
    assert!(scene.flash().unwrap().result.is_ok());
    scene.disk.0.borrow_mut().journal.clear();
    scene.meanwhile = &exchange;
    assert!(scene.refused().contains("another disk or card now"));
}

#[test]
fn what_is_shown_is_what_is_there_once_the_image_is_made() {
    let fake = uncounted("made");
    let mut scene = Scene::new(&fake, "sdb\n");
    scene.while_made = &exchange;
    scene.flash().unwrap();
    assert!(scene.asked.borrow().contains("1.0 GB"), "{}", scene.asked.borrow());
}

#[test]
fn a_card_exchanged_while_the_image_is_made_is_not_written_without_a_question() {
    let fake = uncounted("made-yes");
    let mut scene = Scene::new(&fake, "");
    scene.yes = true;
    scene.while_made = &exchange;
    assert!(scene.refused().contains("another disk or card now"));
}

#[test]
fn a_card_mounted_while_the_question_stands_is_not_written() {
    let fake = RefCell::new(Fake::new("mounted-late").with_card());
    let mut scene = Scene::new(&fake, "sdb\n");
    scene.meanwhile = &|fake| fake.mount("8:17", "/media/me/bootfs", "/dev/sdb1");
    assert!(scene.refused().contains("umount"));
}

#[test]
fn a_card_that_is_taken_out_while_it_is_written_is_told_from_a_bad_one() {
    let fake = RefCell::new(Fake::new("unplugged").with_card());
    let scene = Scene::new(&fake, "sdb\n");
    scene.disk.0.borrow_mut().fails_at = Some((2 << 20, ErrorKind::Other));
    let words = format!("{:#}", scene.flash().unwrap_err());
    assert!(words.contains("not finished") && words.contains("at byte"), "{words}");

    struct Unplugged<'a>(Shared, &'a RefCell<Fake>);
    impl Medium for Unplugged<'_> {
        fn bytes(&self) -> u64 {
            self.0.bytes()
        }
        fn reading(&self) -> Reading {
            self.0.reading()
        }
        fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            let written = self.0.write_at(offset, bytes);
            if written.is_err() {
                self.1.borrow().unplug("sdb");
            }
            written
        }
        fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
            self.0.read_at(offset, bytes)
        }
        fn settle(&mut self) -> io::Result<()> {
            self.0.settle()
        }
    }
    let mut medium = Unplugged(scene.disk.clone(), &fake);
    let failure =
        crate::flash::write::write(&mut medium, &image(), &Notice::default(), &mut |_, _, _| ()).unwrap_err();
    let system = fake.borrow().system.clone();
    let disk =
        Disk { path: "/dev/sdb".into(), ..Disk::read(&Fake::new("same").with_card().system, "sdb").unwrap() };
    let words = format!("{:#}", crate::flash::explained(failure, &system, &disk));
    assert!(words.contains("unplugged") && words.contains("The same command"), "{words}");
}

#[test]
fn ctrl_c_in_the_middle_says_what_the_card_is_now_and_keeps_its_exit_code() {
    let fake = RefCell::new(Fake::new("interrupted").with_card());
    let mut scene = Scene::new(&fake, "sdb\n");
    scene.stopped_at_open = true;
    let error = scene.flash().unwrap_err();
    assert!(error.downcast_ref::<Interrupted>().is_some());
    let words = format!("{error:#}");
    assert!(words.contains("no partition table") && words.contains("The same command"), "{words}");
    assert!(words.ends_with("from the beginning: stopped"), "{words}");
    assert!(scene.disk.0.borrow().has_no_table());
}

#[test]
fn a_bad_card_is_a_result_and_not_an_error() {
    let fake = RefCell::new(Fake::new("bad").with_card());
    let scene = Scene::new(&fake, "sdb\n");
    scene.disk.0.borrow_mut().stuck_at = Some(3 << 20);
    let flashed = scene.flash().unwrap();
    assert_eq!(flashed.result.unwrap_err().offset, 3 << 20);
}

/// What would have no effect is not taken without a word.
#[test]
fn beside_a_card_image_every_option_that_shapes_a_card_is_refused() {
    use clap::{Args, Command, Parser};
    let shaping = crate::cli::CardOptions::augment_args(Command::new("card"));
    let mut count = 0;
    for option in shaping.get_arguments() {
        let name = format!("--{}", option.get_long().unwrap());
        let value = match option.get_possible_values().first() {
            Some(value) if name != "--scenario" => value.get_name().to_owned(),
            _ if name == "--scenario" => "all".to_owned(),
            _ => "64".to_owned(),
        };
        let words = ["cargo xtask", "flash", "/dev/sdb", &name, &value];
        assert!(crate::cli::Cli::try_parse_from(words).is_ok(), "{words:?}");
        let with_card = crate::cli::Cli::try_parse_from([&words[..], &["--card", "card.img"]].concat());
        let error = with_card.expect_err(&name);
        assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict, "{name}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}
