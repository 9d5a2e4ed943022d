//! A picture in one imported buffer is moved into another by components of the firmware.

use mmal::Fill;
use vcsm::Error;

use super::{
    Group, Needs, Scenario,
    media::{self, Lender, Media, SIZE, back, payload, submit, with_media},
    shared_memory,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "use-by-mmal",
    group: Group::Lifecycle,
    needs: Needs::Firmware,
    proves: "components of the firmware read and write imported memory, byte for byte, and only that memory",
    asked_by: "camera people (picamera2#1090); raspberrypi/linux#3946 (a buffer kept by a component)",
    steps: &["open", "mmal", "copy", "ril.video_splitter", "ril.image_fx", "video_convert", "close"],
    passes_when: "the output equals the input, both come back, and each is RELEASED once after its FREE",
};

/// Components with one input and an output that take a format each.
const MOVERS: [&str; 4] = ["copy", "ril.video_splitter", "ril.image_fx", "video_convert"];

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    with_media(session, |session, media, client| {
        let mut pictures = 0;
        for name in MOVERS {
            session.step(name, |session| move_through(session, media, client, name))?;
            pictures += 1;
        }
        counts.set("pictures", pictures);
        counts.set("picture_bytes", SIZE as u64);
        Ok(())
    })
}

fn move_through<'a, B: Board>(
    session: &mut Session<'a, B>,
    media: &mut Media,
    client: &mut Lender<'a, B>,
    name: &str,
) -> Result<(), Failure> {
    let (component, input, output) = media::pair(session, media, name)?;
    let source = shared_memory::import(session, client, SIZE)?;
    let target = shared_memory::import(session, client, SIZE)?;
    let room = submit(session, media, &output, payload(&target), Fill::EMPTY)?;
    let full = submit(session, media, &input, payload(&source), Fill::frame(SIZE as u32))?;
    let filled = back(session, media, room)?.filled.length;
    back(session, media, full)?;
    let from = client.buffer(&source).map_err(Error::from)?;
    let to = client.buffer(&target).map_err(Error::from)?;
    let copied = to.check_copy_of(from).map_err(|damage| damage.failure("by the component"));
    let whole = if filled as usize == SIZE {
        Ok(())
    } else {
        let reason = format_args!("{name} says that {filled} of {SIZE} bytes are there");
        Err(Failure::fail(Owner::Firmware, reason))
    };
    media::destroy(session, media, component)?;
    let source = shared_memory::free(session, client, source)?;
    let target = shared_memory::free(session, client, target)?;
    shared_memory::take_back(session, client, source)?;
    shared_memory::take_back_changed(session, client, target)?;
    copied.and(whole)
}
