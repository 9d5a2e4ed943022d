//! The comparison as Markdown: for the comment on a pull request, or the summary of a job.

use std::fmt::Write as _;

use super::Comparison;
use super::conclusion::Direction;
use super::sections::{Section, identity, remarks, sections};
use crate::terminal::printable;

/// By this line a bot finds its own comment again.
const MARK: &str = "<!-- vpu-harness compare -->";
/// GitHub takes 65 536 characters in a comment: longer tables are cut, and say so.
const MOST_ROWS: usize = 40;
/// A longer reason is cut.
const LONGEST_CELL: usize = 300;

/// All of it, the conclusion first.
pub fn markdown(comparison: &Comparison) -> String {
    let sign = match comparison.direction {
        // Of these alone the exit code is 0.
        Direction::Same => "✅",
        Direction::Worse => "❌",
        Direction::Better | Direction::Different | Direction::Incomplete => "⚠️",
    };
    let mut out = format!(
        "{MARK}\n### {sign} {} → {}\n\n**{}**\n\n",
        escaped(&comparison.a.name),
        escaped(&comparison.b.name),
        escaped(&comparison.conclusion)
    );
    let sides = [identity("A", &comparison.a), identity("B", &comparison.b)];
    for line in sides.into_iter().chain(remarks(comparison)) {
        let _ = writeln!(out, "- {}", escaped(&line));
    }
    for section in sections(comparison, false) {
        let _ = writeln!(out, "\n{}", escaped(&section.title));
        if !section.rows.is_empty() {
            table(&section, &mut out);
        }
    }
    out
}

fn table(section: &Section, out: &mut String) {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let header: Vec<String> = section.header.iter().map(|cell| escaped(cell)).collect();
    let align = |column: usize| if column < section.right_from { "---" } else { "---:" }.to_owned();
    let rule: Vec<String> = (0..section.header.len()).map(align).collect();
    let _ = writeln!(out, "\n{}\n{}", line(&header), line(&rule));
    for row in section.rows.iter().take(MOST_ROWS) {
        let row: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        let _ = writeln!(out, "{}", line(&row));
    }
    if section.rows.len() > MOST_ROWS {
        let _ = writeln!(out, "\n… and {} more rows, which `--json` has.", section.rows.len() - MOST_ROWS);
    }
}

/// Text of reports as text: no table is torn by it, no link, picture or HTML comes of it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let clean = printable(text);
    for (at, letter) in clean.chars().enumerate() {
        if at == LONGEST_CELL {
            out.push('…');
            break;
        }
        match letter {
            '\n' => out.push_str("<br>"),
            '\t' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // With a character of no width behind it nobody is called by name.
            '@' => out.push_str("@\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => out.extend(['\\', letter]),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use harness::Verdict;

    use super::super::tests::compared;
    use super::*;

    #[test]
    fn the_conclusion_comes_first_and_every_table_is_whole() {
        let comparison = compared(
            |_| (),
            |report| {
                report.scenarios[1].verdict = Verdict::Hung;
                report.scenarios[1].reason = Some("a | b\n<img src=x> @team *bold*".to_owned());
            },
        );
        let text = markdown(&comparison);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(MARK));
        assert_eq!(lines.next(), Some("### ❌ a → b"));
        assert_eq!(lines.nth(1), Some(format!("**{}**", escaped(&comparison.conclusion)).as_str()));
        assert!(text.contains("a \\| b<br>&lt;img src=x&gt; @\u{200b}team \\*bold\\*"), "{text}");
        let tables = text.lines().filter(|line| line.starts_with('|'));
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let counts: Vec<usize> = tables.map(columns).collect();
        assert!(counts.len() >= 3 && counts.iter().all(|count| *count == counts[0]), "{text}");
    }

    #[test]
    fn a_long_table_is_cut_and_says_so() {
        let rows = (0..100).map(|row| vec![row.to_string()]).collect();
        let section = Section { title: String::new(), header: &["row"], right_from: 0, rows };
        let mut text = String::new();
        table(&section, &mut text);
        assert!(
            text.contains("| 39 |") && !text.contains("| 40 |") && text.contains("60 more rows"),
            "{text}"
        );
    }

    #[test]
    fn only_a_comparison_that_passes_has_the_check_mark() {
        let fails = |report: &mut harness::report::Report| report.scenarios[1].verdict = Verdict::Fail;
        let passes = |report: &mut harness::report::Report| report.scenarios[1].verdict = Verdict::Pass;
        assert!(markdown(&compared(passes, passes)).contains("### ✅"));
        let improved = compared(fails, passes);
        assert_eq!(improved.direction, Direction::Better);
        assert!(!markdown(&improved).contains("✅"), "its exit code is 1");
    }
}
