//! Message bytes.

use vchiq_mbox::testing::golden_bytes;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::wire::*;

macro_rules! golden {
    ($name:literal) => {
        golden_bytes(include_str!(concat!("../../../tests/data/smem/", $name, ".hex")))
    };
}

/// Encodes to the golden bytes, and decodes from them.
#[track_caller]
fn assert_golden<T>(golden: Vec<u8>, message: T)
where
    T: FromBytes + IntoBytes + Immutable + KnownLayout + PartialEq + core::fmt::Debug,
{
    assert_eq!(message.as_bytes(), golden, "encoded");
    assert_eq!(T::read_from_bytes(&golden).unwrap(), message, "decoded");
}

#[test]
fn messages_have_their_golden_bytes() {
    let header = RequestHeader::new;
    assert_golden(
        golden!("client_version"),
        ClientVersion { header: header(MessageType::ClientVersion, 1), version: 2.into() },
    );
    let ack = VersionAck { command: 0x8000_0009.into(), transaction: 1.into(), version: 2.into() };
    assert_golden(golden!("version_ack"), ack);
    let import = Import {
        header: header(MessageType::Import, 2),
        cache_type: (CacheType::NonCached as u32).into(),
        address: 0xd010_0000.into(),
        size: 3_112_960.into(),
        kernel_id: 1.into(),
        allocator: 42.into(),
        name: padded_name("sm-host-resource"),
    };
    assert_golden(golden!("import"), import);
    assert_golden(
        golden!("import_result"),
        ImportResult { transaction: 2.into(), handle: 0xc000_0020.into() },
    );
    assert_golden(golden!("import_refused"), ImportResult { transaction: 2.into(), handle: 0.into() });
    let free =
        OnHandle { header: header(MessageType::Free, 3), handle: 0xc000_0020.into(), memory: 0.into() };
    assert_golden(golden!("free"), free);
    let released = Released {
        command: 0x8000_000b.into(),
        address: 0xd010_0000.into(),
        size: 3_112_960.into(),
        kernel_id: 1.into(),
        handle: 0xc000_0020.into(),
    };
    assert_golden(golden!("released"), released);
    let refusal = VcMemRequestReply {
        header: header(MessageType::VcMemRequestReply, 4),
        request: 0x77.into(),
        address: 0.into(),
        kernel_id: 0.into(),
    };
    assert_golden(golden!("vc_mem_request_refused"), refusal);
    let given = VcMemRequestReply { address: 0xd020_0000.into(), kernel_id: 2.into(), ..refusal };
    assert_golden(golden!("vc_mem_request_reply"), given);
    let request = VcMemRequest {
        command: 0x8000_000c.into(),
        transaction: 0x77.into(),
        size: 0x1_0000.into(),
        align: 0x1000.into(),
        name: padded_name("codec"),
        handle: 0x51.into(),
    };
    assert_golden(golden!("vc_mem_request"), request);
}

#[test]
fn messages_about_heap_blocks_have_their_golden_bytes() {
    let header = RequestHeader::new;
    let alloc = Alloc {
        header: header(MessageType::Alloc, 5),
        cache_type: (CacheType::Cached as u32).into(),
        unit: 4096.into(),
        count: 3.into(),
        alignment: 64.into(),
        allocator: 42.into(),
        name: padded_name("sm-host-resource"),
    };
    assert_golden(golden!("alloc"), alloc);
    let result = AllocResult {
        transaction: 5.into(),
        handle: 0x51.into(),
        memory: 0xdec0_1000.into(),
        unit: 4096.into(),
        count: 3.into(),
    };
    assert_golden(golden!("alloc_result"), result);
    let named = |kind, transaction| OnHandle {
        header: header(kind, transaction),
        handle: 0x51.into(),
        memory: 0.into(),
    };
    assert_golden(golden!("lock"), named(MessageType::Lock, 6));
    let locked = LockResult {
        transaction: 6.into(),
        handle: 0x51.into(),
        memory: 0xdec0_2000.into(),
        old_memory: 0xdec0_1000.into(),
    };
    assert_golden(golden!("lock_result"), locked);
    assert_golden(golden!("unlock"), named(MessageType::Unlock, 7));
    assert_golden(golden!("unlock_result"), StatusResult { transaction: 7.into(), status: 0.into() });
    assert_golden(golden!("unlock_failed"), StatusResult { transaction: 7.into(), status: u32::MAX.into() });
    assert_golden(golden!("resize_result"), StatusResult { transaction: 9.into(), status: 0.into() });
    assert_golden(golden!("unlock_noans"), named(MessageType::UnlockNoAnswer, 8));
    let resize = Resize {
        header: header(MessageType::Resize, 9),
        handle: 0x51.into(),
        memory: 0.into(),
        new_size: 8192.into(),
    };
    assert_golden(golden!("resize"), resize);
    assert_golden(golden!("walk_alloc"), header(MessageType::WalkAlloc, 10));
    let clean = ActionClean {
        header: header(MessageType::ActionClean, 11),
        action: (MessageType::Import as u32).into(),
        action_transaction: 2.into(),
    };
    assert_golden(golden!("action_clean"), clean);
}

#[test]
fn lengths_are_those_the_firmware_compares() {
    let lengths = [
        size_of::<Import>(),
        size_of::<OnHandle>(),
        size_of::<ClientVersion>(),
        size_of::<VcMemRequestReply>(),
    ];
    assert_eq!(lengths, [60, 16, 12, 20]);
    let lengths = [size_of::<Alloc>(), size_of::<Resize>(), size_of::<WalkAlloc>(), size_of::<ActionClean>()];
    assert_eq!(lengths, [60, 20, 8, 16]);
    let lengths = [size_of::<AllocResult>(), size_of::<LockResult>(), size_of::<StatusResult>()];
    assert_eq!(lengths, [20, 16, 8]);
    let lengths = [
        size_of::<ImportResult>(),
        size_of::<VersionAck>(),
        size_of::<Released>(),
        size_of::<VcMemRequest>(),
    ];
    assert_eq!(lengths, [8, 12, 20, 52]);
}

#[test]
fn messages_are_told_apart_by_their_first_word() {
    assert!(matches!(FromFirmware::decode(&golden!("import_result")), Ok(FromFirmware::Reply(_))));
    assert!(matches!(FromFirmware::decode(&golden!("version_ack")), Ok(FromFirmware::VersionAck(_))));
    assert!(matches!(FromFirmware::decode(&golden!("released")), Ok(FromFirmware::Released(_))));
}

#[test]
fn messages_of_wrong_length_or_type_are_errors() {
    let released = golden!("released");
    let wrong = |size| Err(Undecodable::Length { word: 0x8000_000b, size, expected: 20 });
    assert_eq!(FromFirmware::decode(&released[..16]), wrong(16));
    assert_eq!(FromFirmware::decode(&[&released[..], &[0; 4]].concat()), wrong(24));
    assert_eq!(FromFirmware::decode(&released[..3]), Err(Undecodable::Empty { size: 3 }));
    assert_eq!(FromFirmware::decode(&[]), Err(Undecodable::Empty { size: 0 }));
    let Ok(FromFirmware::Reply(reply)) = FromFirmware::decode(&golden!("lock_result")) else { panic!() };
    let short = Undecodable::Length { word: 6, size: 16, expected: 8 };
    assert_eq!(reply.read::<ImportResult>(), Err(short));
    assert_eq!(FromFirmware::decode(&[0; 24]), Err(Undecodable::Length { word: 0, size: 24, expected: 20 }));
    let unknown = 0x8000_0004_u32.to_le_bytes();
    assert_eq!(FromFirmware::decode(&unknown), Err(Undecodable::Unknown { word: 0x8000_0004, size: 4 }));
}

#[test]
fn a_name_is_cut_to_leave_its_nul() {
    let name = padded_name("0123456789012345678901234567890123456789");
    assert_eq!((name[30], name[31]), (b'0', 0));
}
