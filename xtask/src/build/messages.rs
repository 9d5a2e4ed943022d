//! What the compiler says while it builds the image, without the one thing that it says each time.
//!
//! rustc passes on a target feature that it does not know by itself and warns of it, once a crate; no lint level
//! silences that alone.

use std::io::IsTerminal;

use serde::Deserialize;

use crate::toolchain::FIX_835769;

/// A line of `cargo --message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Line {
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    /// As rustc would print it.
    rendered: Option<String>,
}

/// The option of cargo that makes it print lines for [`show`].
pub fn format() -> &'static str {
    if std::io::stderr().is_terminal() {
        "--message-format=json-diagnostic-rendered-ansi"
    } else {
        "--message-format=json"
    }
}

/// Prints what a line of cargo's has to say.
pub fn show(line: &str) {
    if let Some(text) = worth_showing(line) {
        eprint!("{text}");
    }
}

fn worth_showing(line: &str) -> Option<String> {
    let message = serde_json::from_str::<Line>(line).ok()?.message?;
    let is_of_feature = message.message.contains("-Ctarget-feature") && message.message.contains(FIX_835769);
    message.rendered.filter(|_| !(is_of_feature && message.level == "warning"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: &str, message: &str) -> String {
        let rendered = format!("{level}: {message}\n");
        let inner = serde_json::json!({ "level": level, "message": message, "rendered": rendered });
        serde_json::json!({ "reason": "compiler-message", "message": inner }).to_string()
    }

    #[test]
    fn a_warning_of_the_code_is_shown_as_the_compiler_renders_it() {
        assert_eq!(
            worth_showing(&line("warning", "unused variable: `x`")).unwrap(),
            "warning: unused variable: `x`\n"
        );
    }

    #[test]
    fn the_warning_of_the_feature_that_we_ask_for_is_not_shown() {
        let known = format!("unknown and unstable feature specified for `-Ctarget-feature`: `{FIX_835769}`");
        assert_eq!(worth_showing(&line("warning", &known)), None);
        // A compiler that refuses it ends the build: that has to be seen.
        assert!(worth_showing(&line("error", &known)).is_some());
        let other = line("warning", "unknown and unstable feature specified for `-Ctarget-feature`: `tea`");
        assert!(worth_showing(&other).is_some());
    }

    #[test]
    fn lines_that_are_no_messages_are_passed_over() {
        for line in [r#"{"reason":"build-finished","success":true}"#, "", "Compiling", "{"] {
            assert_eq!(worth_showing(line), None, "{line}");
        }
    }
}
