//! Components and buffers, ready-made; what cannot be had fails the test.

use mmal::{
    Component, Fill, HandleNumber, How, InFlight, Port, PortSetup, PortType, Returned, Stream, i420_size,
    wire::Encoding,
};
use tests::native::{Bench, on_firmware};
use vcsm::{Freed, Imported};

/// Of a picture of 64 by 64.
pub(crate) const SIZE: u32 = i420_size(64, 64);
pub(crate) const ZERO_COPY: PortSetup<'_> = PortSetup {
    zero_copy: true,
    stream: Stream::Video { encoding: Encoding::I420, width: 64, height: 64 },
    buffers: 1,
    buffer_size: SIZE,
};
/// For outputs that follow their input.
pub(crate) const FOLLOWING: PortSetup<'_> = PortSetup { stream: Stream::AsItIs, ..ZERO_COPY };
pub(crate) const PLAIN: PortSetup<'_> = PortSetup { zero_copy: false, ..ZERO_COPY };
pub(crate) const VARIANTS: [&str; 2] = ["", "_db"];

pub(crate) fn on_both(test: impl Fn(&mut Bench<'_>)) {
    for variant in VARIANTS {
        on_firmware(variant, |bench| test(bench));
    }
}

pub(crate) fn pattern(at: usize) -> u32 {
    (at as u32).wrapping_mul(0x9e37_79b9) | 1
}

pub(crate) fn create(bench: &mut Bench<'_>, name: &str) -> Component {
    let deadline = bench.soon();
    bench.mmal.create(&mut bench.link, name, deadline).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn open(
    bench: &mut Bench<'_>,
    component: &Component,
    kind: PortType,
    setup: &PortSetup<'_>,
) -> Port {
    let deadline = bench.soon();
    let port = bench.mmal.open_port(&mut bench.link, component, kind, 0, setup, deadline);
    port.unwrap_or_else(|error| panic!("{kind:?}: {error}"))
}

pub(crate) fn enable(bench: &mut Bench<'_>, component: &Component) {
    let deadline = bench.soon();
    bench.mmal.enable(&mut bench.link, component, deadline).expect("enabled");
}

/// A null_sink that works.
pub(crate) fn sink(bench: &mut Bench<'_>, setup: &PortSetup<'_>) -> (Component, Port) {
    let component = create(bench, "null_sink");
    let input = open(bench, &component, PortType::Input, setup);
    enable(bench, &component);
    (component, input)
}

/// A null_sink that keeps what it gets: H1 of MMAL fact sheet 8.
pub(crate) fn paused_sink(bench: &mut Bench<'_>) -> (Component, Port) {
    let (component, input) = sink(bench, &ZERO_COPY);
    let deadline = bench.soon();
    bench.mmal.disable(&mut bench.link, &component, deadline).expect("disabled");
    (component, input)
}

/// A component with both ports set to the same stream, enabled.
pub(crate) fn pair(bench: &mut Bench<'_>, name: &str, setup: &PortSetup<'_>) -> (Component, Port, Port) {
    let component = create(bench, name);
    let input = open(bench, &component, PortType::Input, setup);
    let same = PortSetup { stream: Stream::Same(input.info()), ..*setup };
    let output = open(bench, &component, PortType::Output, &same);
    enable(bench, &component);
    (component, input, output)
}

pub(crate) fn submit(bench: &mut Bench<'_>, port: &Port, payload: HandleNumber, fill: Fill) -> InFlight {
    let deadline = bench.soon();
    let given = bench.mmal.submit(&mut bench.link, port, payload, fill, deadline);
    given.unwrap_or_else(|failure| panic!("BUFFER_FROM_HOST: {}", failure.error))
}

pub(crate) fn back(bench: &mut Bench<'_>, in_flight: InFlight) -> Returned<HandleNumber> {
    let deadline = bench.soon();
    let returned = bench.mmal.await_returned(&mut bench.link, in_flight, deadline);
    returned.unwrap_or_else(|failure| panic!("BUFFER_TO_HOST: {}", failure.error))
}

/// Order of the message that brought it back.
pub(crate) fn order(returned: &Returned<HandleNumber>) -> u64 {
    match returned.how {
        How::Returned { info, .. } => info.sequence,
        How::ComponentDestroyed => panic!("not given back"),
    }
}

/// Frees, and gives firmware time to say RELEASED if it wants to.
pub(crate) fn free_while_held(bench: &mut Bench<'_>, imported: Imported) -> Freed {
    bench.witness.pass(2_000_000);
    let deadline = bench.soon();
    let freed = bench.smem.free(&mut bench.link, imported, deadline).expect("FREE sent");
    bench.witness.pass(5_000_000);
    bench.smem.poll(&mut bench.link).expect("no violation");
    freed
}

/// Order of RELEASED.
pub(crate) fn released(bench: &mut Bench<'_>, freed: Freed) -> u64 {
    let deadline = bench.soon();
    let returned = bench.smem.await_released(&mut bench.link, freed, deadline);
    returned.unwrap_or_else(|failure| panic!("RELEASED: {}", failure.error)).info.sequence
}

pub(crate) fn assert_logged(bench: &Bench<'_>, text: &str) {
    let log = bench.witness.firmware_log();
    assert!(log.iter().any(|line| line.contains(text)), "{text:?} is not in {log:#?}");
}
