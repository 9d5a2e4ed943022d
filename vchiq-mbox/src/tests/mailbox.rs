//! Property calls, answered well and badly.

use super::*;
use crate::{
    BusAddress, Mailbox,
    error::Owner,
    mailbox::MailboxError,
    property::*,
    testing::{FakeMailbox, MailboxBehaviour},
};

fn mailbox(behaviour: MailboxBehaviour) -> (Mailbox<FakeMailbox, FakeMailbox>, FakeMailbox, FakeBoard) {
    let fake = FakeMailbox::new(1024, behaviour);
    (Mailbox::new(fake.clone(), fake.clone()).unwrap(), fake, FakeBoard::new(4096))
}

fn answer(words: &[u32], bytes: u32) -> MailboxBehaviour {
    MailboxBehaviour::Answer { words: words.to_vec(), bytes }
}

/// Asks one tag with that behaviour.
fn ask<T: Tag>(request: T::Request, behaviour: MailboxBehaviour) -> Result<T::Response, MailboxError> {
    let (mut mailbox, _, board) = mailbox(behaviour);
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    mailbox.call::<T>(&board, request, deadline)
}

#[test]
fn a_request_has_the_words_of_the_property_interface() {
    let (mut mailbox, fake, board) = mailbox(answer(&[0], 4));
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    let reply = mailbox.call::<VchiqInit>(&board, BusAddress(0xc00e_f000), deadline);
    assert_eq!(reply, Ok(VchiqReply::Accepted));
    assert_eq!(fake.written(), [FakeMailbox::BUS.0 | 8]);
    assert_eq!(fake.buffer_words(4), [28, 0x8000_0000, 0x0004_8010, 4]);
    assert_eq!(fake.buffer_words(7)[6], 0, "end tag");
}

#[test]
fn answers_are_typed() {
    assert_eq!(ask::<FirmwareRevision>((), answer(&[1_661_500_000], 4)), Ok(1_661_500_000));
    assert_eq!(ask::<FirmwareVariant>((), answer(&[3], 4)), Ok(Variant::StartDb));
    let hash = ask::<FirmwareHash>((), answer(&[0x102f_1e84, 0, 1, 2, 0xd], 20)).unwrap();
    assert_eq!(hash.to_string(), "102f1e840000000000000001000000020000000d");
    assert_eq!(ask::<BoardRevision>((), answer(&[0x00a0_2082], 4)), Ok(0x00a0_2082));
    assert_eq!(ask::<BoardSerial>((), answer(&[0x89ab_cdef, 0x0123], 8)), Ok(0x0123_89ab_cdef));
    let memory = MemoryRegion { base: 0x3c00_0000, size: 0x0400_0000 };
    assert_eq!(ask::<VideoCoreMemory>((), answer(&[0x3c00_0000, 0x0400_0000], 8)), Ok(memory));
    assert_eq!(ask::<MeasuredClockRate>(ClockId::Arm, answer(&[3, 1_200_000_000], 8)), Ok(1_200_000_000));
    assert_eq!(ask::<Temperature>((), answer(&[0, 48_312], 8)), Ok(48_312));
    assert_eq!(ask::<Throttled>((), answer(&[0x5_0005], 4)).map(|flags| flags.bits()), Ok(0x5_0005));
    let handle = MemoryHandle(0xc000_0020);
    assert_eq!(ask::<LockMemory>(handle, answer(&[0xd000_0000], 4)), Ok(Some(BusAddress(0xd000_0000))));
    assert_eq!(ask::<LockMemory>(handle, answer(&[0], 4)), Ok(None));
    assert_eq!(ask::<UnlockMemory>(handle, answer(&[0], 4)), Ok(0));
}

#[test]
fn refusal_of_slot_zero_is_an_answer() {
    let reply = ask::<VchiqInit>(BusAddress(0xc00e_f000), answer(&[1], 4));
    assert_eq!(reply, Ok(VchiqReply::Refused(1)));
}

/// QEMU fact sheet b: bit 31 is set for unknown tags too, with length 0; some tags claim a length and write nothing.
#[test]
fn answers_that_are_only_claimed_are_noticed() {
    let unanswered = |bytes| ask::<FirmwareVariant>((), MailboxBehaviour::ClaimOnly { bytes });
    let error = |status| Err(MailboxError::NotAnswered { tag: 2, status });
    assert_eq!(unanswered(0), error(0x8000_0000));
    assert_eq!(unanswered(4), error(0x8000_0004), "value untouched");
    assert_eq!(unanswered(8), error(0x8000_0008), "another length");
    assert_eq!(ask::<FirmwareVariant>((), MailboxBehaviour::UnknownTag), error(0));
    let clock = ask::<ClockRate>(ClockId::Arm, MailboxBehaviour::ClaimOnly { bytes: 8 });
    assert!(matches!(clock, Err(MailboxError::NotAnswered { .. })), "request echoed, rate untouched");
}

#[test]
fn a_rejected_buffer_is_an_error() {
    let error = ask::<FirmwareRevision>((), MailboxBehaviour::Reject).unwrap_err();
    assert_eq!(error, MailboxError::Rejected { tag: 1, code: 0x8000_0001 });
    assert_eq!(error.owner(), Owner::Firmware);
}

#[test]
fn a_reply_for_another_buffer_is_an_error() {
    for word in [FakeMailbox::BUS.0 | 1, 0xc020_0008] {
        let error = ask::<FirmwareRevision>((), MailboxBehaviour::WrongWord(word)).unwrap_err();
        assert_eq!(error, MailboxError::WrongReply { word, expected: FakeMailbox::BUS.0 | 8 });
    }
}

#[test]
fn stale_words_are_drained_first() {
    let (mut mailbox, fake, board) = mailbox(answer(&[7], 4));
    fake.deliver(0x1234_5678);
    fake.deliver(FakeMailbox::BUS.0 | 8);
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    assert_eq!(mailbox.call::<FirmwareRevision>(&board, (), deadline), Ok(7));
    assert_eq!(mailbox.drained(), 2);
}

#[test]
fn silence_and_a_full_mailbox_end_at_the_deadline() {
    let silent = ask::<FirmwareRevision>((), MailboxBehaviour::Silent);
    assert_eq!(silent, Err(MailboxError::NoReply { tag: 1 }));
    let (mut mailbox, fake, board) = mailbox(answer(&[7], 4));
    fake.set_full(true);
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    assert_eq!(mailbox.call::<FirmwareRevision>(&board, (), deadline), Err(MailboxError::Full));
}

#[test]
fn the_buffer_is_not_reused_before_a_late_reply() {
    let (mut mailbox, fake, board) = mailbox(MailboxBehaviour::Silent);
    let deadline = || Deadline::after(&board, Duration::from_millis(1));
    assert!(mailbox.call::<FirmwareRevision>(&board, (), deadline()).is_err());
    let before = fake.buffer_words(7);
    fake.behave(answer(&[9], 4));
    assert!(mailbox.call::<BoardRevision>(&board, (), deadline()).is_err(), "still VideoCore's");
    assert_eq!(fake.buffer_words(7), before, "untouched");
    fake.deliver(FakeMailbox::BUS.0 | 8);
    assert_eq!(mailbox.call::<BoardRevision>(&board, (), deadline()), Ok(9));
}

#[test]
fn another_mailbox_on_the_same_buffer_waits_for_the_late_reply_too() {
    let (mut first, fake, board) = mailbox(MailboxBehaviour::Silent);
    let deadline = || Deadline::after(&board, Duration::from_millis(1));
    assert!(first.call::<FirmwareRevision>(&board, (), deadline()).is_err());
    let before = fake.buffer_words(7);
    fake.behave(answer(&[9], 4));
    let mut second = Mailbox::new(fake.clone(), fake.clone()).unwrap();
    let error = second.call::<BoardRevision>(&board, (), deadline()).unwrap_err();
    assert_eq!(error, MailboxError::NoReply { tag: 0x0001_0002 }, "still VideoCore's");
    assert_eq!(fake.buffer_words(7), before, "untouched");
    fake.deliver(FakeMailbox::BUS.0 | 8);
    assert_eq!(second.call::<BoardRevision>(&board, (), deadline()), Ok(9));
}

#[test]
fn a_buffer_that_could_not_be_sent_is_not_waited_for() {
    let (mut first, fake, board) = mailbox(answer(&[7], 4));
    fake.set_full(true);
    let deadline = || Deadline::after(&board, Duration::from_millis(1));
    assert_eq!(first.call::<FirmwareRevision>(&board, (), deadline()), Err(MailboxError::Full));
    fake.set_full(false);
    let mut second = Mailbox::new(fake.clone(), fake.clone()).unwrap();
    assert_eq!(second.call::<FirmwareRevision>(&board, (), deadline()), Ok(7));
}

#[test]
fn the_command_line_loses_its_padding_only() {
    let text = b"coherent_pool=1M console=ttyAMA0\0\0\0\0";
    let words: Vec<u32> = text.chunks(4).map(|chunk| u32::from_le_bytes(chunk.try_into().unwrap())).collect();
    let (mut mailbox, _, board) = mailbox(answer(&words, text.len() as u32));
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    let mut out = [0; 512];
    assert_eq!(mailbox.command_line(&board, &mut out, deadline).unwrap(), &text[..text.len() - 4]);
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    let error = mailbox.command_line(&board, &mut [0; 16], deadline).unwrap_err();
    assert_eq!(error, MailboxError::Truncated { tag: 0x0005_0001, size: 36, room: 16 });
}

#[test]
fn an_unaligned_or_short_buffer_is_refused() {
    let short = FakeMailbox::new(16, MailboxBehaviour::Silent);
    assert!(matches!(Mailbox::new(short.clone(), short), Err(MailboxError::BufferTooSmall { have: 16, .. })));
}
