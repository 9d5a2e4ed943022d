//! `cargo xtask power`: a command to the power switch of an emulated board.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;

use super::control::Command;
use crate::outcome::Outcome;
use crate::terminal::{printable, say};

/// Time for a connection, and for a whole answer: the board reads its card meanwhile.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);
/// No answer of a switch is longer.
const LONGEST_ANSWER: usize = 4096;

/// Options of `power`.
#[derive(Args, Debug)]
pub struct Options {
    /// Where the switch is: what `emulate --control` said.
    #[arg(value_name = "HOST:PORT")]
    pub address: String,
    /// What to do.
    #[arg(value_enum)]
    pub command: Command,
}

/// Sends the command and says what the board is now.
///
/// # Errors
/// If there is no switch, or it refuses.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    let address = &options.address;
    let answer =
        ask(options, ANSWER).with_context(|| format!("no answer from a power switch at {address}"))?;
    let Some(state) = answer.strip_prefix("ok ") else { bail!("{}", refusal(address, &answer)) };
    if json {
        let (power, state) = state.split_once(' ').unwrap_or((state, ""));
        say!("{}", serde_json::json!({ "power": power, "state": state }));
    } else {
        say!("{}", printable(state));
    }
    Ok(Outcome::Pass)
}

/// What is said of an answer that is no yes. A serial line speaks, too.
fn refusal(address: &str, answer: &str) -> String {
    let said = printable(answer);
    match answer.strip_prefix("error ") {
        Some(_) => format!("the power switch at {address} says: {said}"),
        None => format!("there is no power switch at {address}, but something that says `{said}`"),
    }
}

fn ask(options: &Options, limit: Duration) -> Result<String> {
    let mut stream = connect(&options.address)?;
    writeln!(stream, "{}", options.command.name())?;
    let deadline = Instant::now() + limit;
    let mut answer = Vec::new();
    let mut piece = [0; 256];
    loop {
        if let Some(end) = answer.iter().position(|byte| *byte == b'\n') {
            return Ok(String::from_utf8_lossy(&answer[..end]).trim_end().to_owned());
        }
        ensure!(answer.len() <= LONGEST_ANSWER, "it says more than a power switch does");
        let left = deadline.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "it has not answered within {} s", limit.as_secs());
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut piece) {
            Ok(0) => bail!("it has hung up"),
            Ok(some) => answer.extend(&piece[..some]),
            Err(error) if is_worth_another_try(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A name may have several addresses, and the switch one of them.
fn connect(address: &str) -> Result<TcpStream> {
    let mut refused = None;
    for address in address.to_socket_addrs().context("an address is HOST:PORT")? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.map_or_else(|| anyhow!("the name has no address"), Into::into))
}

fn is_worth_another_try(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Asks a peer that sends these bytes again and again.
    fn asked_of(said: &'static [u8], limit: Duration) -> String {
        let peer = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = peer.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let (mut stream, _) = peer.accept().unwrap();
            while stream.write_all(said).is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        });
        let options = Options { address, command: Command::Status };
        ask(&options, limit).map_err(|error| format!("{error:#}")).unwrap_or_else(|error| error)
    }

    #[test]
    fn a_peer_that_never_comes_to_the_end_of_its_line_is_not_listened_to_for_ever() {
        let error = asked_of(b"x", Duration::from_secs(1));
        assert_eq!(error, "it has not answered within 1 s");
        let error = asked_of(&[b'x'; 1000], ANSWER);
        assert_eq!(error, "it says more than a power switch does");
        assert_eq!(asked_of(b"ok off\r\n", ANSWER), "ok off");
    }

    #[test]
    fn whatever_is_no_power_switch_is_shown_and_does_not_command_the_terminal() {
        let said = refusal("localhost:1", "\0machine: emulated\x1b[2J");
        assert!(said.contains("no power switch at localhost:1") && !said.contains('\x1b'), "{said}");
        let said = refusal("localhost:1", "error the board is gone");
        assert_eq!(said, "the power switch at localhost:1 says: error the board is gone");
    }
}
