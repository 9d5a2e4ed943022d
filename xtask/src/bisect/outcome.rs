//! What a search came to, for a person and for a program.

use harness::Verdict;
use serde::Serialize;

use super::judge::Step;
use super::search::{Found, Judgement};
use super::{Options, command};
use crate::report::new_table;
use crate::terminal::{Look, printable};

/// All that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Bisection {
    scenario: String,
    variant: &'static str,
    expect: Verdict,
    /// Runs that a release is judged by.
    seeds: u32,
    releases: Vec<String>,
    steps: Vec<Step>,
    /// False if Ctrl-C ended the search.
    complete: bool,
    /// The last that is known to be good.
    last_good: Option<String>,
    /// One release if it could be told, else all that may be it.
    first_bad: Vec<String>,
    /// In one line.
    pub conclusion: String,
}

impl Bisection {
    /// Of a search that came to its end, or was stopped (`found` is `None`).
    pub fn new(options: &Options, releases: Vec<String>, steps: Vec<Step>, found: Option<&Found>) -> Self {
        let place = |step: &Step| releases.iter().position(|release| *release == step.release);
        let known =
            |judgement| steps.iter().filter(move |step| step.judgement == judgement).filter_map(place);
        let last_good = known(Judgement::Good).max();
        let open =
            found.map(Found::candidates).or_else(|| Some(last_good? + 1..=known(Judgement::Bad).min()?));
        let first_bad: Vec<String> =
            open.into_iter().flatten().map(|place| releases[place].clone()).collect();
        let last_good = last_good.map(|place| releases[place].clone());
        let conclusion = match (found, first_bad.as_slice(), &last_good) {
            (Some(_), [only], Some(good)) => {
                let step = steps.iter().find(|step| step.release == *only);
                let evidence = step.map_or("", |step| step.evidence.as_str());
                format!("first bad release: {only} ({evidence}); last good: {good}")
            }
            (Some(_), several, good) => format!(
                "the first bad release is one of {}: those between could not be judged; last good: {}",
                several.join(", "),
                good.as_deref().unwrap_or("none")
            ),
            (None, [.., bad], Some(good)) => format!(
                "stopped; good so far: {good}, bad: {bad}; go on with `{}`",
                command::searching(options, good, bad)
            ),
            (None, ..) => "stopped before both ends were judged; the same command begins anew".to_owned(),
        };
        Self {
            scenario: options.scenario.clone(),
            variant: options.variant.name(),
            expect: options.expect.verdict(),
            seeds: options.seeds,
            complete: found.is_some(),
            releases,
            steps,
            last_good,
            first_bad,
            conclusion,
        }
    }

    /// The log as a table, the commands that repeat it, and the conclusion last.
    pub fn text(&self, look: Look) -> String {
        let mut table = new_table(&["release", "built", "is", "by"], look);
        for step in &self.steps {
            let cells = [&step.release, &step.built, step.judgement.name(), &step.evidence];
            table.add_row(cells.map(printable));
        }
        let mut text = format!("{table}\n");
        for step in &self.steps {
            text.push_str(&format!("{}: {}\n", step.release, step.command));
        }
        text.push_str(&printable(&self.conclusion));
        text
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(words: &[&str]) -> Options {
        Line::try_parse_from(words).expect("a command line").options
    }

    fn bisection(judged: &[(&str, Judgement)], found: Option<Found>) -> Bisection {
        bisection_with(&options(&["bisect", "a", "d", "handshake"]), judged, found)
    }

    fn bisection_with(options: &Options, judged: &[(&str, Judgement)], found: Option<Found>) -> Bisection {
        let step = |(release, judgement): &(&str, Judgement)| Step {
            release: (*release).to_owned(),
            built: "2022-08-26 14:04:36".to_owned(),
            judgement: *judgement,
            evidence: format!("handshake said {}", judgement.name()),
            command: "cargo xtask run".to_owned(),
        };
        let releases = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        Bisection::new(options, releases, judged.iter().map(step).collect(), found.as_ref())
    }

    #[test]
    fn a_search_that_was_stopped_says_what_is_known_and_how_to_go_on() {
        use Judgement::{Bad, Good};
        let stopped = bisection(&[("a", Good), ("d", Bad), ("b", Good)], None);
        assert!(!stopped.complete);
        assert_eq!(
            (stopped.last_good.as_deref(), stopped.first_bad.join(" ")),
            (Some("b"), "c d".to_owned())
        );
        assert!(stopped.conclusion.ends_with("`cargo xtask bisect b d handshake`"), "{}", stopped.conclusion);
        let early = bisection(&[("a", Good)], None);
        assert!(early.first_bad.is_empty() && early.conclusion.contains("begins anew"), "{early:?}");
    }

    #[test]
    fn the_log_is_a_table_with_every_step_and_the_conclusion_is_the_last_line() {
        use Judgement::{Bad, Good, Skip};
        let judged = [("a", Good), ("d", Bad), ("b", Skip), ("c", Bad)];
        let found = Found { last_good: 0, known_bad: 2 };
        let whole = bisection(&judged, Some(found));
        let text = whole.text(Look::PLAIN);
        for word in ["release", "built", "handshake said skip", "2022-08-26", "c: cargo xtask run"] {
            assert!(text.contains(word), "{text}");
        }
        let last = text.lines().last();
        assert_eq!(
            last,
            Some("the first bad release is one of b, c: those between could not be judged; last good: a")
        );
        let one =
            bisection(&[("a", Good), ("d", Bad), ("c", Good)], Some(Found { last_good: 2, known_bad: 3 }));
        assert_eq!(one.conclusion, "first bad release: d (handshake said bad); last good: c");
    }

    #[test]
    fn the_command_to_go_on_with_has_every_option_of_the_one_before() {
        use Judgement::{Bad, Good};
        let words = "bisect a d handshake --expect fail --variant start_db --seeds 3 --board zero2w --iterations 50 \
                     --seed 7 --timeout 60 --toolchain distribution --log-level info,boot=debug";
        let words: Vec<&str> = words.split_whitespace().collect();
        for argument in Line::command().get_arguments().filter_map(|argument| argument.get_long()) {
            assert!(words.contains(&format!("--{argument}").as_str()), "the test lacks --{argument}");
        }
        let stopped =
            bisection_with(&options(&words), &[("a", Good), ("d", Bad), ("b", Good)], None).conclusion;
        let command = stopped.split('`').nth(1).expect("a command");
        let again: Vec<&str> = command.split(' ').skip("cargo xtask".split(' ').count()).collect();
        let expected = Options { good: "b".to_owned(), ..options(&words) };
        assert_eq!(format!("{:?}", options(&again)), format!("{expected:?}"), "{command}");
    }
}
