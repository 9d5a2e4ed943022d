//! Where an exchange's time goes: one bar, its parts side by side.

use maud::{Markup, html};

use super::{About, WIDTH, round, short, span};

const LEFT: f64 = 96.0;
const RIGHT: f64 = WIDTH - 74.0;
const ROW: f64 = 34.0;
const BAR: f64 = 22.0;
const FOOT: f64 = 26.0;
/// A part that is narrower has no room for its number.
const ROOM: f64 = 40.0;

/// A part of a bar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// What it is.
    pub name: &'static str,
    /// Its colour's class on the page.
    pub class: &'static str,
    /// Cycles.
    pub cycles: u64,
}

/// A bar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share<'a> {
    /// Of what.
    pub name: &'a str,
    /// From left to right.
    pub parts: Vec<Part>,
}

impl Share<'_> {
    fn total(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.cycles))
    }
}

/// A chart of bars to one scale.
pub fn share(shares: &[Share<'_>], about: &About<'_>) -> Markup {
    let most = shares.iter().map(Share::total).max().unwrap_or(1).max(1) as f64;
    let width = |cycles: u64| cycles as f64 / most * (RIGHT - LEFT);
    let height = shares.len() as f64 * ROW + FOOT;
    let id = &about.id;
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-labelledby={ (id) "-t " (id) "-d" } {
            title id={ (id) "-t" } { (about.scenario) ": parts of each exchange, medians, " (about.timing) }
            desc id={ (id) "-d" } {
                @for share in shares {
                    (share.name) ":"
                    @for part in &share.parts { " " (part.name) " " (part.cycles) " cycles," }
                    " together " (share.total()) ". "
                }
            }
            @for (number, share) in shares.iter().enumerate() {
                @let y = number as f64 * ROW + 4.0;
                g.ticks { text.end x=(LEFT - 8.0) y=(y + BAR / 2.0 + 5.0) { (share.name) } }
                @for (part, before) in placed(&share.parts) {
                    @let x = LEFT + width(before);
                    rect.part.(part.class) x=(round(x)) y=(y) width=(round(width(part.cycles).max(0.5))) height=(BAR) {
                        title { (share.name) ", " (part.name) ": " (part.cycles) " cycles" }
                    }
                    @if width(part.cycles) >= ROOM {
                        text.inside.middle x=(round(x + width(part.cycles) / 2.0)) y=(y + BAR / 2.0 + 4.5) {
                            (short(part.cycles as f64))
                        }
                    }
                }
                g.ticks {
                    text x=(round(LEFT + width(share.total()) + 6.0)) y=(y + BAR / 2.0 + 5.0) {
                        (span(share.total() as f64, about.hz).unwrap_or_else(|| short(share.total() as f64)))
                    }
                }
            }
            g.ticks {
                text.middle x=((LEFT + RIGHT) / 2.0) y=(height - 6.0) { "cycles of the Arm core, medians · " (about.timing) }
            }
        }
    }
}

/// Each part with the cycles before it.
fn placed(parts: &[Part]) -> Vec<(Part, u64)> {
    let before =
        parts.iter().scan(0_u64, |sum, part| Some(std::mem::replace(sum, sum.saturating_add(part.cycles))));
    parts.iter().copied().zip(before).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_side_by_side_and_are_told_in_words() {
        let part = |name, cycles| Part { name, class: "arm", cycles };
        let parts = vec![part("submit", 100), part("doorbell to interrupt", 700), part("parse", 200)];
        assert_eq!(placed(&parts).iter().map(|(_, before)| *before).collect::<Vec<_>>(), [0, 100, 800]);
        let about = About { id: "x".into(), scenario: "handshake", timing: "modelled", hz: 1_000_000_000 };
        let chart = share(&[Share { name: "import", parts }], &about).into_string();
        assert!(chart.contains("import: submit 100 cycles, doorbell to interrupt 700 cycles"), "{chart}");
        assert!(chart.contains("1.0 µs") && chart.contains("modelled"), "{chart}");
    }

    #[test]
    fn parts_that_no_machine_could_take_are_drawn_all_the_same() {
        let part = Part { name: "submit", class: "arm", cycles: u64::MAX };
        let about = About { id: "x".into(), scenario: "handshake", timing: "modelled", hz: 0 };
        let chart = share(&[Share { name: "import", parts: vec![part, part] }], &about).into_string();
        assert!(chart.contains("together 18446744073709551615") && !chart.contains("NaN"), "{chart}");
    }
}
