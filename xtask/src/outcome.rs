//! How a verb ends, and the exit code that says so.

use std::process::ExitCode;

use crate::interrupt::{EXIT_BASE, Interrupted};

/// Exit code for a wrong command line or an environment that does not let the verb do its work. The same that
/// clap uses for an unknown option.
const CANNOT: u8 = 2;
/// Exit code for work that was done and whose result is not a pass, or not what it was before.
const NOT_PASSED: u8 = 1;

/// A verb that did its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All is as it should be: exit code 0.
    Pass,
    /// A verdict is not `pass`, a suite failed, or a comparison found a change or could not compare all: exit code 1.
    NotPassed,
}

impl Outcome {
    /// `Pass` if `passed`.
    pub fn passed(passed: bool) -> Self {
        if passed { Self::Pass } else { Self::NotPassed }
    }

    /// The exit code of a verb. An error, which is always usage, environment or Ctrl-C, is printed with its causes.
    pub fn report(result: anyhow::Result<Self>) -> ExitCode {
        match result {
            Ok(Self::Pass) => ExitCode::SUCCESS,
            Ok(Self::NotPassed) => ExitCode::from(NOT_PASSED),
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::from(code_of(&error))
            }
        }
    }
}

/// The exit code for an error.
fn code_of(error: &anyhow::Error) -> u8 {
    let interrupted = error.downcast_ref::<Interrupted>();
    interrupted.and_then(|by| u8::try_from(EXIT_BASE + by.signal).ok()).unwrap_or(CANNOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_exit_code_2_and_ctrl_c_is_130_whatever_is_said_with_it() {
        let interrupted = anyhow::Error::new(Interrupted { signal: 2 });
        assert_eq!(code_of(&interrupted.context("half of it is written")), 130);
        assert_eq!(code_of(&anyhow::anyhow!("no such file")), 2);
    }
}
