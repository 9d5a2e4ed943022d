//! Message bytes.

use vchiq_mbox::testing::golden_bytes;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::wire::*;

macro_rules! golden {
    ($name:literal) => {
        golden_bytes(include_str!(concat!("../../../tests/data/mmal/", $name, ".hex")))
    };
}

/// Encodes to the golden bytes, and decodes from them.
#[track_caller]
fn assert_golden<T>(whole: Vec<u8>, message: T, tail: &[u8])
where
    T: FromBytes + IntoBytes + Immutable + KnownLayout + PartialEq + core::fmt::Debug,
{
    let (head, rest) = whole.split_at(size_of::<T>());
    assert_eq!(message.as_bytes(), head, "encoded");
    assert_eq!(T::read_from_bytes(head).unwrap(), message, "decoded");
    assert_eq!(rest, tail, "what follows it");
}

fn header(kind: MessageType, context: u32) -> Header {
    Header::new(kind, context)
}

#[test]
fn requests_without_details_and_their_replies_have_their_golden_bytes() {
    assert_golden::<GetVersion>(golden!("get_version"), header(MessageType::GetVersion, 1), &[]);
    let reply = VersionReply {
        header: Header { control_service: 0x0f2a_1544.into(), ..header(MessageType::GetVersion, 1) },
        flags: 0.into(),
        major: 16.into(),
        minor: 1.into(),
        minimum: 10.into(),
    };
    assert_golden(golden!("version_reply"), reply, &[]);
    let reply = StatusReply { header: header(MessageType::ComponentEnable, 13), status: 3.into() };
    assert_golden(golden!("status_reply"), reply, &[]);
}

#[test]
fn messages_about_components_have_their_golden_bytes() {
    let create = ComponentCreate {
        header: header(MessageType::ComponentCreate, 9),
        client_component: 7.into(),
        name: padded_name("ril.video_splitter"),
        pid: 42.into(),
    };
    assert_golden(golden!("component_create"), create, &[]);
    let created = ComponentCreated {
        header: header(MessageType::ComponentCreate, 9),
        status: 0.into(),
        handle: 64.into(),
        inputs: 1.into(),
        outputs: 4.into(),
        clocks: 0.into(),
    };
    assert_golden(golden!("component_created"), created, &[]);
    for (bytes, kind, context) in [
        (golden!("component_enable"), MessageType::ComponentEnable, 13),
        (golden!("component_disable"), MessageType::ComponentDisable, 17),
        (golden!("component_destroy"), MessageType::ComponentDestroy, 21),
    ] {
        assert_golden(bytes, OnComponent { header: header(kind, context), component: 64.into() }, &[]);
    }
    let event = Event {
        header: header(MessageType::EventToHost, 0),
        client_component: 7.into(),
        port_type: 1.into(),
        port_index: 0.into(),
        command: Event::END_OF_STREAM.into(),
        length: 8.into(),
    };
    assert_golden(golden!("event_end_of_stream"), event, &[2, 0, 0, 0, 0, 0, 0, 0]);
}

/// An output of ril.video_splitter, with the smallest size of its buffers.
fn port(size: u32) -> PortBlock {
    PortBlock {
        private: 0x0f4c_2e80.into(),
        name: 0x0f4c_3d40.into(),
        kind: 3.into(),
        index: 1.into(),
        index_all: 3.into(),
        padding: 0.into(),
        is_enabled: 0.into(),
        format: 0x0f4c_3d98.into(),
        buffer_num_min: 1.into(),
        buffer_size_min: size.into(),
        buffer_alignment_min: 0.into(),
        buffer_num_recommended: 1.into(),
        buffer_size_recommended: size.into(),
        buffer_num: 2.into(),
        buffer_size: 6144.into(),
        component: 0x0f4c_2120.into(),
        userdata: 0x0f2a_5a10.into(),
        capabilities: 2.into(),
    }
}

#[test]
fn messages_about_ports_have_their_golden_bytes() {
    let [component, kind, index] = [64, 3, 1].map(Into::into);
    let get = PortInfoGet { header: header(MessageType::PortInfoGet, 25), component, kind, index };
    assert_golden(golden!("port_info_get"), get, &[]);
    let mut info = crate::PortInfo {
        port: port(15360),
        format: Format::new_zeroed(),
        video: VideoFormat::new_zeroed(),
        extradata: [0; EXTRADATA],
    };
    info.set_video(Encoding::I420, 50, 40);
    info.video.height = 64.into();
    let crate::PortInfo { port: block, format, video, extradata } = info;
    let set = PortInfoSet {
        header: header(MessageType::PortInfoSet, 29),
        component,
        kind,
        index,
        port: block,
        format,
        video,
        extradata,
    };
    assert_golden(golden!("port_info_set"), set, &[]);
    let reply = PortInfoReply {
        header: header(MessageType::PortInfoSet, 29),
        status: 0.into(),
        component,
        kind,
        index,
        found: 1.into(),
        port_handle: 3.into(),
        port: port(6144),
        format,
        video,
        extradata,
    };
    assert_golden(golden!("port_info_reply"), reply, &[]);
    let action = PortAction {
        header: header(MessageType::PortAction, 33),
        component,
        port_handle: 3.into(),
        action: (PortActionKind::Enable as u32).into(),
        port: port(6144),
    };
    assert_golden(golden!("port_action"), action, &[]);
    let connect = PortConnect {
        header: header(MessageType::PortAction, 37),
        component,
        port_handle: 3.into(),
        action: (PortActionKind::Connect as u32).into(),
        other_component: 128.into(),
        other_port: 1.into(),
    };
    assert_golden(golden!("port_connect"), connect, &[]);
}

#[test]
fn messages_about_parameters_have_their_golden_bytes() {
    let request = |kind, context| ParameterRequest {
        header: header(kind, context),
        component: 64.into(),
        port_handle: 3.into(),
        id: ZERO_COPY.into(),
        size: 12.into(),
    };
    assert_golden(golden!("parameter_zero_copy"), request(MessageType::PortParameterSet, 41), &[1, 0, 0, 0]);
    assert_golden(golden!("parameter_get"), request(MessageType::PortParameterGet, 45), &[0; 4]);
    let reply = ParameterReply {
        header: header(MessageType::PortParameterGet, 45),
        status: 0.into(),
        id: ZERO_COPY.into(),
        size: 12.into(),
    };
    assert_golden(golden!("parameter_reply"), reply, &[1, 0, 0, 0]);
}

#[test]
fn buffers_have_their_golden_bytes() {
    let mut out = Buffer::new_zeroed();
    out.header = header(MessageType::BufferFromHost, 50);
    out.driver = DriverBuffer::new(64, 3, 50);
    out.data = 0xc000_0002.into();
    out.alloc_size = 6144.into();
    out.length = 6144.into();
    out.flags = Flags::FRAME.bits().into();
    out.pts = 1234.into();
    out.dts = UNKNOWN_TIME.into();
    out.is_zero_copy = 1.into();
    assert_golden(golden!("buffer_from_host"), out, &BUFFER_PADDING);

    let mut back = out;
    back.header = header(MessageType::BufferToHost, 0);
    back.length = 0.into();
    assert_golden(golden!("buffer_to_host"), back, &[]);

    let mut shared = back;
    shared.driver = DriverBuffer::new(64, 2, 58);
    shared.reference = DriverBuffer::new(64, 1, 62);
    shared.length = 6144.into();
    shared.has_reference = 1.into();
    assert_golden(golden!("buffer_shared"), shared, &[]);

    let mut short = Buffer::new_zeroed();
    short.header = header(MessageType::BufferFromHost, 54);
    short.driver = DriverBuffer::new(64, 3, 54);
    short.data = 1.into();
    short.alloc_size = 128.into();
    short.length = 5.into();
    short.flags = Flags::FRAME_END.bits().into();
    short.pts = UNKNOWN_TIME.into();
    short.dts = UNKNOWN_TIME.into();
    short.payload_in_message = 5.into();
    short.short_data[..5].copy_from_slice(b"hello");
    assert_golden(golden!("buffer_short"), short, &BUFFER_PADDING);
}

#[test]
fn the_service_s_counts_stand_where_the_fact_sheet_has_them() {
    let counts = Statistics::read_from_bytes(&golden!("statistics")).unwrap();
    let buffers = counts.buffers;
    // Byte 24 is word 1, and so on.
    let word = |offset: u32| (offset - 24) / 4 + 1;
    assert_eq!((buffers.rx.get(), buffers.rx_zero_copy.get()), (word(24), word(28)));
    assert_eq!((buffers.tx_zero_copy.get(), buffers.rx_short.get()), (word(44), word(60)));
    assert_eq!((counts.services.created.get(), counts.services.failures.get()), (word(64), word(76)));
    assert_eq!((counts.commands.bad.get(), counts.commands.reply_fails.get()), (word(80), word(96)));
    assert_eq!((counts.events[0].get(), counts.components.created.get()), (word(100), word(108)));
    assert_eq!(
        (counts.component_list[0][0].get(), counts.component_list[7][8].get()),
        (word(128), word(412))
    );
    assert_eq!((counts.worker[0].get(), counts.reset.get()), (word(416), word(432)));
    assert_eq!(counts.as_bytes(), golden!("statistics"));
}

#[test]
fn a_header_is_told_by_its_magic_and_type() {
    let version = golden!("version_reply");
    assert!(matches!(header_of(&version), Ok((_, MessageType::GetVersion))));
    assert_eq!(header_of(&version[..23]), Err(Undecodable::Size { size: 23 }));
    let other = [&0x6d6d_616c_u32.to_le_bytes()[..], &version[4..]].concat();
    assert!(matches!(header_of(&other), Err(Undecodable::Magic { words: [0x6d6d_616c, 3, ..] })));
    for kind in 0..32_u32 {
        let bytes = [&MAGIC.to_le_bytes()[..], &kind.to_le_bytes(), &[0; 16]].concat();
        let known = matches!(kind, 3..=16 | 24..=26);
        assert_eq!(header_of(&bytes).is_ok(), known, "type {kind}");
    }
}

#[test]
fn a_buffer_is_read_with_and_without_the_padding_of_hosts() {
    let back = golden!("buffer_to_host");
    let (header, _) = header_of(&back).unwrap();
    let padded = [&back[..], &BUFFER_PADDING].concat();
    assert_eq!(buffer_of(&header, &back), buffer_of(&header, &padded));
    let wrong = |size| Err(Undecodable::Length { words: header.words(), size, expected: 292 });
    assert_eq!(buffer_of(&header, &back[..288]), wrong(288));
    assert_eq!(buffer_of(&header, &[&padded[..], &[0; 4]].concat()), wrong(300));
}

#[test]
fn a_name_is_cut_to_leave_its_nul() {
    let name = padded_name(&"n".repeat(200));
    assert_eq!((name[126], name[127]), (b'n', 0));
}
