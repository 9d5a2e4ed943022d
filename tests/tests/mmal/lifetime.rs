//! Who has a buffer, and when its memory is RELEASED.

use mmal::{Data, Drained, EventKind, Fill, Flags, HandleNumber, Port, PortType, Status};
use vcsm::Violation;

use super::support::{
    FOLLOWING, SIZE, ZERO_COPY, assert_logged, back, create, enable, free_while_held, on_both, open, order,
    pair, pattern, paused_sink, released, sink, submit,
};

/// How a held buffer is let go.
#[derive(Clone, Copy, Debug)]
enum LetGo {
    Work,
    Flush,
    Disable,
    Destroy,
}

const ALL: [LetGo; 4] = [LetGo::Work, LetGo::Flush, LetGo::Disable, LetGo::Destroy];

/// H1: nobody but the service has the buffer.
#[test]
fn released_waits_for_a_buffer_that_only_the_service_holds() {
    on_both(|bench| {
        for how in ALL {
            let (component, mut input) = paused_sink(bench);
            let imported = bench.import(1, SIZE as usize);
            let payload = bench.payload(&imported);
            let in_flight = submit(bench, &input, payload, Fill::frame(SIZE));
            let freed = free_while_held(bench, imported);
            assert!(bench.smem.try_take_released(&freed).expect("known").is_none(), "{how:?}: still held");
            assert_eq!(bench.mmal.out_of(&input), 1);
            let deadline = bench.soon();
            let link = &mut bench.link;
            match how {
                LetGo::Work => bench.mmal.enable(link, &component, deadline).expect("enabled"),
                LetGo::Flush => {
                    let drained = bench.mmal.flush_port(link, &input, deadline).expect("flushed");
                    assert_eq!(drained, Drained { came_back: 1, still_out: 0 });
                }
                LetGo::Disable => {
                    let drained = bench.mmal.disable_port(link, &mut input, deadline).expect("disabled");
                    assert_eq!(drained, Drained { came_back: 1, still_out: 0 });
                }
                LetGo::Destroy => {
                    let destroyed = bench.mmal.destroy(link, component, deadline).expect("destroyed");
                    assert_eq!((destroyed.came_back, destroyed.not_returned), (1, 0));
                }
            }
            let answered = bench.mmal.last_answer().expect("a reply").info.sequence;
            let returned = back(bench, in_flight);
            let worked = matches!(how, LetGo::Work);
            assert_eq!(returned.filled.length, if worked { 0 } else { SIZE }, "{how:?}");
            let (returned, released) = (order(&returned), released(bench, freed));
            assert!(returned < released, "{how:?}: RELEASED comes behind the buffer");
            assert!(released < answered, "{how:?}: the reply comes last");
        }
    });
}

/// H2: a component has the buffer in its queue.
#[test]
fn released_waits_for_a_buffer_that_a_component_holds() {
    on_both(|bench| {
        for how in ALL {
            let (component, mut input, output) = pair(bench, "copy", &ZERO_COPY);
            let (source, target) = (bench.import(1, SIZE as usize), bench.import(10, SIZE as usize));
            bench.piece(&source).fill(pattern);
            let (full, room) = (bench.payload(&source), bench.payload(&target));
            let in_flight = submit(bench, &input, full, Fill::frame(SIZE));
            let freed = free_while_held(bench, source);
            assert!(bench.smem.try_take_released(&freed).expect("known").is_none(), "{how:?}: still held");
            let deadline = bench.soon();
            let link = &mut bench.link;
            match how {
                LetGo::Work => {
                    let room = submit(bench, &output, room, Fill::EMPTY);
                    assert_eq!(back(bench, room).filled.length, SIZE);
                    let copied = bench.piece(&target).words();
                    assert!(copied.iter().enumerate().all(|(at, word)| *word == pattern(at * 4)));
                }
                LetGo::Flush => {
                    let drained = bench.mmal.flush_port(link, &input, deadline).expect("flushed");
                    assert_eq!(drained.came_back, 1);
                }
                LetGo::Disable => {
                    let drained = bench.mmal.disable_port(link, &mut input, deadline).expect("disabled");
                    assert_eq!(drained.came_back, 1);
                }
                LetGo::Destroy => {
                    let destroyed = bench.mmal.destroy(link, component, deadline).expect("destroyed");
                    assert_eq!(destroyed.came_back, 1);
                }
            }
            let returned = order(&back(bench, in_flight));
            assert!(returned < released(bench, freed), "{how:?}: RELEASED comes behind the buffer");
        }
    });
}

#[test]
fn released_waits_for_the_second_of_two_components() {
    on_both(|bench| {
        let (first, input) = paused_sink(bench);
        let (second, other) = paused_sink(bench);
        let imported = bench.import(1, SIZE as usize);
        let payload = bench.payload(&imported);
        let one = submit(bench, &input, payload, Fill::frame(SIZE));
        let two = submit(bench, &other, payload, Fill::frame(SIZE));
        let freed = free_while_held(bench, imported);
        enable(bench, &first);
        back(bench, one);
        bench.witness.pass(5_000_000);
        bench.smem.poll(&mut bench.link).expect("no violation");
        assert!(bench.smem.try_take_released(&freed).expect("known").is_none(), "one of two is left");
        enable(bench, &second);
        let last = order(&back(bench, two));
        assert!(last < released(bench, freed));
    });
}

#[test]
fn free_directly_behind_a_buffer_wins_and_the_buffer_comes_back_marked() {
    on_both(|bench| {
        let (_component, input) = sink(bench, &ZERO_COPY);
        let imported = bench.import(1, SIZE as usize);
        let payload = bench.payload(&imported);
        let in_flight = submit(bench, &input, payload, Fill::frame(SIZE));
        let deadline = bench.soon();
        let freed = bench.smem.free(&mut bench.link, imported, deadline).expect("FREE sent");
        let returned = back(bench, in_flight);
        assert_eq!(returned.data, Data::Failed);
        assert!(returned.filled.flags.contains(Flags::TRANSMISSION_FAILED));
        assert!(released(bench, freed) < order(&returned), "RELEASED came first");
        assert_logged(bench, "ril mem null_sink-1:failed 3");
    });
}

#[test]
fn a_handle_that_is_none_or_too_small_comes_back_marked() {
    on_both(|bench| {
        let (_component, input) = sink(bench, &ZERO_COPY);
        let imported = bench.import(1, 4096);
        let exact = bench.payload(&imported);
        let in_flight = submit(bench, &input, exact, Fill::frame(4096));
        assert_eq!(back(bench, in_flight).data, Data::InMemory);
        for payload in
            [HandleNumber { size: 4097, ..exact }, HandleNumber { handle: 0xc000_0033, size: SIZE }]
        {
            let in_flight = submit(bench, &input, payload, Fill::frame(100));
            assert_eq!(back(bench, in_flight).data, Data::Failed, "{payload:?}");
        }
    });
}

/// They are dropped, with an event: neither disable nor flush brings them back.
#[test]
fn buffers_beyond_the_number_told_and_to_a_disabled_port_are_lost() {
    on_both(|bench| {
        let (component, mut input) = paused_sink(bench);
        let deadline = bench.soon();
        let mut control =
            bench.mmal.port(&mut bench.link, &component, PortType::Control, 0, deadline).expect("control");
        bench.mmal.enable_port(&mut bench.link, &mut control, deadline).expect("enabled");
        let imported = bench.import(1, SIZE as usize);
        let payload = bench.payload(&imported);
        let invalid = EventKind::Error(Status::Invalid);
        for _ in 0..2 {
            let _ = submit(bench, &input, payload, Fill::frame(SIZE));
        }
        let event = bench.mmal.await_event(&mut bench.link, deadline).expect("an event");
        assert_eq!(event.kind, invalid);
        assert_logged(bench, "pool exhausted");
        let drained = bench.mmal.disable_port(&mut bench.link, &mut input, deadline).expect("disabled");
        assert_eq!(drained, Drained { came_back: 1, still_out: 1 });
        let _ = submit(bench, &input, payload, Fill::frame(SIZE));
        assert_eq!(bench.mmal.await_event(&mut bench.link, deadline).expect("an event").kind, invalid);
        assert_logged(bench, "No header pool available");
        let refused = bench.mmal.disable_port(&mut bench.link, &mut input, deadline).expect_err("disabled");
        assert_eq!(refused.status(), Some(Status::Invalid));
        let destroyed = bench.mmal.destroy(&mut bench.link, component, deadline).expect("destroyed");
        assert_eq!((destroyed.came_back, destroyed.not_returned), (0, 2));
        // No reference was kept.
        let freed = bench.smem.free(&mut bench.link, imported, deadline).expect("FREE sent");
        released(bench, freed);
    });
}

/// The firmware drops a reference for each output that shares an input's memory, and has taken one for all.
#[test]
fn memory_that_passthrough_and_splitter_share_is_released_too_early() {
    on_both(|bench| {
        for (name, outputs_before) in [("passthrough", 1), ("splitter", 2)] {
            let component = create(bench, name);
            let input = open(bench, &component, PortType::Input, &ZERO_COPY);
            let deadline = bench.soon();
            let outputs: Vec<Port> = (0..component.outputs())
                .map(|index| {
                    let port = bench.mmal.open_port(
                        &mut bench.link,
                        &component,
                        PortType::Output,
                        index,
                        &FOLLOWING,
                        deadline,
                    );
                    port.expect("an output that follows")
                })
                .collect();
            enable(bench, &component);
            let imported = bench.import(1, SIZE as usize);
            let payload = bench.payload(&imported);
            let full = submit(bench, &input, payload, Fill::frame(SIZE));
            let nothing = HandleNumber { handle: 0, size: 0 };
            let mut returned = Vec::new();
            for output in &outputs {
                let room = submit(bench, output, nothing, Fill::EMPTY);
                let shared = back(bench, room);
                assert_eq!(shared.data, Data::Shared { with: full.context() });
                returned.push(order(&shared));
            }
            let emptied = order(&back(bench, full));
            bench.witness.pass(5_000_000);
            let early = bench.smem.poll(&mut bench.link).expect_err("RELEASED without FREE");
            let vcsm::Error::Violation(Violation::ReleasedBeforeFree { place, .. }) = early else {
                panic!("{name}: {early:?}");
            };
            let before = returned.iter().filter(|order| **order < place.sequence).count();
            assert_eq!(before, outputs_before, "{name}: outputs before RELEASED");
            assert_eq!(emptied < place.sequence, name == "passthrough", "{name}: the input was still out");
            let refused = bench.smem.free(&mut bench.link, imported, deadline).expect_err("it is gone");
            assert!(matches!(refused.error, vcsm::Error::AlreadyReleased { .. }));
            assert!(bench.smem.take_recovered().is_some());
            let destroyed = bench.mmal.destroy(&mut bench.link, component, deadline);
            assert!(destroyed.is_ok(), "{name}: {destroyed:?}");
        }
    });
}

/// The other side of it: the reference on what the output was given is never dropped.
#[test]
fn memory_given_to_an_output_that_brings_its_own_is_never_released() {
    on_both(|bench| {
        let component = create(bench, "splitter");
        let input = open(bench, &component, PortType::Input, &ZERO_COPY);
        let output = open(bench, &component, PortType::Output, &FOLLOWING);
        enable(bench, &component);
        let (source, target) = (bench.import(1, SIZE as usize), bench.import(10, SIZE as usize));
        let (full, room) = (bench.payload(&source), bench.payload(&target));
        let room = submit(bench, &output, room, Fill::EMPTY);
        let full = submit(bench, &input, full, Fill::frame(SIZE));
        assert!(matches!(back(bench, room).data, Data::Shared { .. }));
        back(bench, full);
        let deadline = bench.soon();
        assert!(bench.mmal.destroy(&mut bench.link, component, deadline).is_ok());
        assert!(bench.smem.poll(&mut bench.link).is_err(), "RELEASED of the input's, before FREE");
        let freed = bench.smem.free(&mut bench.link, target, deadline).expect("FREE sent");
        let deadline = bench.soon();
        let failure = bench.smem.await_released(&mut bench.link, freed, deadline).expect_err("no RELEASED");
        assert!(matches!(failure.error, vcsm::Error::ReleaseTimedOut { .. }), "{}", failure.error);
    });
}
