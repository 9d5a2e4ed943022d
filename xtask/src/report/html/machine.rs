//! The state of the machine before the scenarios and after them: clocks, throttling, temperature, memory.

use harness::report::{Heaps, Report};
use maud::{Markup, html};

use super::timing_tag;
use crate::report::table::grouped;

/// A value before and after, in words.
struct Row {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

/// One table; what was not told is left out.
pub fn section(report: &Report) -> Markup {
    let rows = rows(report);
    if rows.is_empty() {
        return html! {};
    }
    html! {
        section #machine aria-labelledby="machine-title" {
            h2 #machine-title { "The machine during the run " (timing_tag(report)) }
            div.scroll tabindex="0" role="region" aria-labelledby="machine-title" {
                table {
                    caption { "As the firmware told before the scenarios and after them." }
                    thead { tr { th scope="col" { "" } th.number scope="col" { "before" } th.number scope="col" { "after" } } }
                    tbody {
                        @for row in rows {
                            tr.changed[row.after.is_some() && row.after != row.before] {
                                th scope="row" { (row.name) }
                                td.number { (row.before.as_deref().unwrap_or("–")) }
                                td.number { (row.after.as_deref().unwrap_or("–")) }
                            }
                        }
                    }
                }
            }
            (settings(report))
        }
    }
}

fn rows(report: &Report) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name: &str, before: Option<String>, after: Option<String>| {
        if before.is_some() || after.is_some() {
            rows.push(Row { name: name.to_owned(), before, after });
        }
    };
    let clocks = &report.clocks;
    let rate = |hz: Option<u32>| hz.filter(|hz| *hz != 0).map(megahertz);
    add("Arm clock", rate(Some(clocks.arm_hz)), rate(clocks.arm_after_hz));
    add("Core clock (VPU)", rate(Some(clocks.core_hz)), rate(clocks.core_after_hz));
    add("Cycle counter, by our own count", rate(clocks.cycles_hz), None);
    add("Constant counter", rate(clocks.counter_hz), None);
    add("An empty bracket", clocks.bracket_cycles.map(|cycles| format!("{cycles} cycles")), None);
    if let Some(temperature) = &report.temperature {
        let degrees = |value: Option<u32>| value.map(degrees);
        add("Temperature", degrees(temperature.before_millidegrees), degrees(temperature.after_millidegrees));
        add("Temperature limit", degrees(temperature.limit_millidegrees), None);
    }
    if let Some(throttled) = &report.throttled {
        let word = |value: Option<u32>| value.map(|word| format!("{word:#x}"));
        let flags =
            if throttled.flags.is_empty() { "no bit set".to_owned() } else { throttled.flags.join(", ") };
        add(&format!("Throttle word ({flags})"), word(throttled.before), word(throttled.after));
    }
    if let Some(memory) = &report.memory {
        let share = |bytes: u32| (bytes != 0).then(|| format!("{} MiB", bytes >> 20));
        add("Memory of the Arm", share(memory.arm_bytes), None);
        add("Memory of VideoCore", share(memory.vc_bytes), None);
        heaps(memory.before.unwrap_or_default(), memory.after.unwrap_or_default(), &mut add);
    }
    rows
}

fn heaps(before: Heaps, after: Heaps, add: &mut impl FnMut(&str, Option<String>, Option<String>)) {
    let of = |free: Option<u32>, total: Option<u32>| {
        free.map(|free| match total {
            Some(total) => format!("{free} of {total} MiB free"),
            None => format!("{free} MiB free"),
        })
    };
    let number = |value: Option<u32>| value.map(|value| grouped(u64::from(value)));
    add(
        "Relocatable heap",
        of(before.reloc_free_mib, before.reloc_total_mib),
        of(after.reloc_free_mib, after.reloc_total_mib.or(before.reloc_total_mib)),
    );
    add(
        "Heap of malloc",
        of(before.malloc_free_mib, before.malloc_total_mib),
        of(after.malloc_free_mib, after.malloc_total_mib.or(before.malloc_total_mib)),
    );
    add("Allocations refused since boot", number(before.alloc_failures), number(after.alloc_failures));
    add("Compactions since boot", number(before.compactions), number(after.compactions));
    add(
        "Legacy blocks refused since boot",
        number(before.legacy_block_fails),
        number(after.legacy_block_fails),
    );
    add("Out of memory since boot", number(before.oom_events), number(after.oom_events));
}

/// What each clock is set to, folded away: few need it.
fn settings(report: &Report) -> Markup {
    if report.clocks.settings.is_empty() {
        return html! {};
    }
    let cell = |hz: Option<u32>| hz.map_or("–".to_owned(), megahertz);
    html! {
        details {
            summary { "What each clock is set to" }
            div.scroll tabindex="0" role="region" aria-label="Settings of the clocks" {
                table {
                    thead { tr {
                        th scope="col" { "clock" }
                        th.number scope="col" { "set" } th.number scope="col" { "least" } th.number scope="col" { "most" }
                    } }
                    tbody {
                        @for (name, setting) in &report.clocks.settings {
                            tr {
                                th scope="row" { (name) }
                                td.number { (cell(setting.set_hz)) }
                                td.number { (cell(setting.min_hz)) }
                                td.number { (cell(setting.max_hz)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn megahertz(hz: u32) -> String {
    let tenths = (u64::from(hz) + 50_000) / 100_000;
    if tenths.is_multiple_of(10) {
        format!("{} MHz", tenths / 10)
    } else {
        format!("{}.{} MHz", tenths / 10, tenths % 10)
    }
}

fn degrees(milli: u32) -> String {
    format!("{}.{} °C", milli / 1000, milli % 1000 / 100)
}
