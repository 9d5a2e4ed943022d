//! The comparison for a person at a terminal.

use comfy_table::CellAlignment;

use super::Comparison;
use super::sections::{Section, identity, remarks, sections};
use crate::report::new_table;
use crate::terminal::{Look, printable};

/// All of it, the conclusion last. What comes from reports cannot command the terminal.
pub fn text(comparison: &Comparison, all: bool, look: Look) -> String {
    let sides = [identity("A", &comparison.a), identity("B", &comparison.b)];
    let mut text = String::new();
    for line in sides.into_iter().chain(remarks(comparison)) {
        text.push_str(&printable(&line));
        text.push('\n');
    }
    for section in sections(comparison, all) {
        text.push_str(&format!("\n{}\n", section.title));
        if !section.rows.is_empty() {
            text.push_str(&format!("{}\n", table(&section, look)));
        }
    }
    text.push('\n');
    text.push_str(&printable(&comparison.conclusion));
    text
}

fn table(section: &Section, look: Look) -> comfy_table::Table {
    let mut table = new_table(section.header, look);
    for column in table.column_iter_mut().skip(section.right_from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in &section.rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::tests::compared;
    use super::*;

    #[test]
    fn a_report_cannot_command_the_terminal() {
        let text = text(
            &compared(
                |report| report.notes.push("\x1b[2J".into()),
                |report| report.scenarios[1].name.push_str("\x1b[31m"),
            ),
            true,
            Look::PLAIN,
        );
        assert!(!text.contains('\x1b') && text.contains("\\x1b[2J") && text.contains("\\x1b[31m"), "{text}");
    }

    #[test]
    fn the_last_line_is_the_conclusion() {
        let comparison = compared(|_| (), |_| ());
        assert_eq!(
            text(&comparison, false, Look::PLAIN).lines().last(),
            Some(comparison.conclusion.as_str())
        );
    }
}
