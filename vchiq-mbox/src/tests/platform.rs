//! Boards behind references, names as text, and whose fault an error is.

use super::*;
use crate::{
    BusAddress, Clock, Mailbox, MailboxRegisters, Platform, Window,
    error::{Error, Exhausted, Misuse, Owner, Step, Violation},
    gencmd::GencmdError,
    mailbox::MailboxError,
    property::{ClockId, FirmwareVariant, Tag, Variant},
    testing::{FakeMailbox, MailboxBehaviour},
};

/// A link that borrows its board, as the image's does.
#[test]
fn a_link_works_on_a_borrowed_board_and_window() {
    let board = FakeBoard::new(Layout::LINUX_WINDOW);
    let mut platform = board.clone();
    let mut link = Vchiq::prepare(&mut platform, &board).unwrap();
    board.start_peer();
    let deadline = link.deadline(Duration::from_millis(50));
    link.connect(deadline).unwrap();
    board.peer().services.push(FakeService::new(*b"echo", PEER_PORT, Behaviour::Echo));
    let service = link.open(OpenRequest::new(ECHO, 3, 3), deadline).unwrap();
    let sent = link.send(service, &[b"ping"], deadline).unwrap();
    assert!(sent.rang && sent.begin.cycles < sent.rung.cycles);
    let mut out = [0; 8];
    let message = link.receive(service, deadline).unwrap();
    assert!(message.info().interrupt.is_some());
    assert_eq!(message.copy_to(&mut out).unwrap(), b"ping");
    drop(message);
    let (_, window, _reset) = link.after_reset();
    assert_eq!(
        (window.len(), window.is_empty(), window.bus_address()),
        (board.len(), false, BusAddress(0xc00e_f000))
    );
}

#[test]
fn a_mailbox_works_on_borrowed_registers_and_asks_by_a_borrowed_board() {
    fn rate(clock: &impl Clock) -> (u32, bool) {
        (clock.tick_rate(), clock.now().ticks < clock.ticks())
    }
    let mut board = FakeBoard::new(4096);
    let fake = FakeMailbox::new(1024, MailboxBehaviour::Answer { words: vec![3], bytes: 4 });
    let mut registers = fake.clone();
    assert!(MailboxRegisters::can_write(&&mut registers));
    let mut mailbox = Mailbox::new(&mut registers, &fake).unwrap();
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    assert_eq!(mailbox.call::<FirmwareVariant>(&&mut board, (), deadline), Ok(Variant::StartDb));
    assert_eq!((rate(&&board), rate(&&mut board)), ((1_000_000, true), (1_000_000, true)));
    let mut borrowed = &mut board;
    Platform::ring_doorbell(&mut borrowed);
    Platform::read_barrier(&borrowed);
    assert_eq!(board.rings(), 1);
}

#[test]
fn variants_and_clocks_have_their_numbers_and_names() {
    let variants = [Variant::Unknown, Variant::Start, Variant::StartX, Variant::StartDb, Variant::StartCd];
    for (number, variant) in (0..).zip(variants) {
        assert_eq!(FirmwareVariant::decode(&[number]), Ok(variant));
    }
    assert_eq!(FirmwareVariant::decode(&[5]), Ok(Variant::Other(5)));
    let names = ClockId::ALL.map(ClockId::name);
    assert_eq!(
        names,
        ["emmc", "uart", "arm", "core", "v3d", "h264", "isp", "sdram", "pixel", "pwm", "emmc2"]
    );
    assert_eq!(ClockId::ALL.map(|clock| clock as u32), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]);
}

#[test]
fn a_service_s_name_is_printed_as_its_letters() {
    assert_eq!((ECHO.to_string(), format!("{ECHO:?}")), ("echo".to_owned(), "'echo'".to_owned()));
    assert_eq!(FourCc(0x0041_427f).to_string(), "\\x00AB\\x7f");
}

#[test]
fn every_family_of_errors_has_an_owner() {
    let full = Exhausted::ReceiveQueueFull { queued: 256 };
    let kept = Exhausted::NoFreeSlot { tx_pos: 0 };
    let owners = [
        (Error::from(Misuse::NotConnected), Owner::Harness, false, false),
        (full.into(), Owner::Harness, true, false),
        (Exhausted::ServiceTableFull.into(), Owner::Harness, true, false),
        (Exhausted::BulkTableFull.into(), Owner::Harness, true, false),
        (kept.into(), Owner::Firmware, true, false),
        (Error::Timeout { step: Step::PeerInitialise }, Owner::Link, false, false),
        (Error::Timeout { step: Step::Connect }, Owner::Firmware, false, false),
        (Error::Refused { fourcc: ECHO }, Owner::Firmware, false, false),
        (Violation::Version { found: 2 }.into(), Owner::Firmware, false, true),
    ];
    for (error, owner, retryable, fatal) in owners {
        assert_eq!(
            (error.owner(), error.is_retryable(), error.is_fatal()),
            (owner, retryable, fatal),
            "{error}"
        );
        assert_eq!(GencmdError::from(error).owner(), owner);
    }
    assert_eq!(GencmdError::NoText.owner(), Owner::Harness);
    assert_eq!(GencmdError::AnswerTooShort { size: 3 }.owner(), Owner::Firmware);
    assert_eq!(MailboxError::NoReply { tag: 1 }.owner(), Owner::Firmware);
}
