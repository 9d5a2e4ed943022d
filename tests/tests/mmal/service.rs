//! What the service and its components answer.

use mmal::{Error, EventKind, Fill, Flags, HandleNumber, Mmal, Options, PortType, Status};
use tests::native::{Bench, on_firmware};

use super::support::{
    SIZE, ZERO_COPY, assert_logged, back, create, free_while_held, on_both, open, pair, sink, submit,
};

#[test]
fn the_service_tells_its_version_and_takes_a_line_for_its_log() {
    on_both(|bench| {
        let deadline = bench.soon();
        let version = bench.mmal.version(&mut bench.link, deadline).expect("versions");
        assert_eq!((version.major, version.minor, version.minimum), (16, 1, 10));
        bench.mmal.log(&mut bench.link, "a line from the Arm", deadline).expect("HOST_LOG is answered");
    });
}

#[test]
fn components_have_the_ports_they_are_known_for() {
    on_both(|bench| {
        for (name, ports) in [
            ("null_sink", [1, 0, 0]),
            ("copy", [1, 1, 0]),
            ("passthrough", [1, 1, 0]),
            ("splitter", [1, 4, 0]),
            ("ril.video_splitter", [1, 4, 0]),
            ("ril.image_fx", [1, 1, 0]),
            ("video_convert", [1, 1, 0]),
            ("ril.isp", [1, 3, 0]),
            ("clock", [0, 0, 5]),
        ] {
            let component = create(bench, name);
            assert_eq!([component.inputs(), component.outputs(), component.clocks()], ports, "{name}");
            let deadline = bench.soon();
            let destroyed = bench.mmal.destroy(&mut bench.link, component, deadline);
            assert!(destroyed.is_ok(), "{name}: {destroyed:?}");
        }
        let deadline = bench.soon();
        let refused = bench.mmal.create(&mut bench.link, "null_source", deadline).expect_err("there is none");
        assert_eq!(refused.status(), Some(Status::NotImplemented));
        let counts = bench.mmal.statistics(&mut bench.link, false, deadline).expect("counts").components;
        assert_eq!((counts.created.get(), counts.destroyed.get(), counts.failed.get()), (9, 9, 1));
        assert_logged(bench, "could not find component 'null_source'");
    });
}

#[test]
fn ports_work_before_their_component_is_enabled() {
    on_both(|bench| {
        let component = create(bench, "null_sink");
        let input = open(bench, &component, PortType::Input, &ZERO_COPY);
        let imported = bench.import(1, SIZE as usize);
        let payload = bench.payload(&imported);
        let in_flight = submit(bench, &input, payload, Fill::frame(SIZE));
        assert_eq!(back(bench, in_flight).filled.length, 0);
    });
}

#[test]
fn the_end_of_a_stream_is_an_event_of_the_control_port() {
    on_both(|bench| {
        let (component, input) = sink(bench, &ZERO_COPY);
        let deadline = bench.soon();
        let mut control =
            bench.mmal.port(&mut bench.link, &component, PortType::Control, 0, deadline).expect("control");
        bench.mmal.enable_port(&mut bench.link, &mut control, deadline).expect("enabled");
        let imported = bench.import(1, SIZE as usize);
        let payload = bench.payload(&imported);
        let last = Fill { flags: Flags::END_OF_STREAM, ..Fill::frame(SIZE) };
        let in_flight = submit(bench, &input, payload, last);
        let event = bench.mmal.await_event(&mut bench.link, deadline).expect("an event");
        assert_eq!((event.kind, event.component), (EventKind::EndOfStream, component.handle()));
        assert_eq!(event.data.len(), 8);
        assert_eq!(back(bench, in_flight).filled.length, 0);
    });
}

/// Marked in MMAL fact sheet 7 as a hang: the firmware drops both buffers.
#[test]
fn copy_into_too_small_a_buffer_never_ends() {
    on_both(|bench| {
        let (component, input, mut output) = pair(bench, "copy", &ZERO_COPY);
        let (source, target) = (bench.import(1, SIZE as usize), bench.import(10, 4096));
        let (full, room) = (bench.payload(&source), bench.payload(&target));
        let _ = submit(bench, &output, room, Fill::EMPTY);
        let _ = submit(bench, &input, full, Fill::frame(SIZE));
        bench.witness.pass(5_000_000);
        assert_eq!(bench.mmal.poll(&mut bench.link), Ok(0));
        let deadline = bench.soon();
        let hung = bench.mmal.disable_port(&mut bench.link, &mut output, deadline).expect_err("no answer");
        assert!(matches!(hung, Error::RequestTimedOut { .. }), "{hung:?}");
        assert_eq!(bench.mmal.outstanding().count(), 2);
        let freed = free_while_held(bench, source);
        assert!(bench.smem.try_take_released(&freed).expect("known").is_none());
        drop(component);
    });
}

/// `start_db` is another matter: see docs/findings.md.
#[test]
fn start_takes_a_second_client_beside_the_first_and_after_it() {
    on_firmware("", |bench| {
        let deadline = bench.soon();
        let open = |bench: &mut Bench<'_>| {
            let options = Options { contexts_used: 1000, ..Options::default() };
            Mmal::<HandleNumber, 1>::open(&mut bench.link, &options, deadline).is_ok()
        };
        assert!(open(bench), "beside the first");
        bench.mmal.close(&mut bench.link, deadline).expect("closed");
        assert!(open(bench), "after the first");
    });
}
