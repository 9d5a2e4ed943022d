//! `cargo xtask power`: a command to the power switch of an emulated board.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::control::Command;
use crate::outcome::Outcome;
use crate::terminal::say;

/// Time for a connection, and for an answer: the board reads its card meanwhile.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);

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
    let answer = ask(options).with_context(|| format!("no answer from the power switch at {address}"))?;
    let Some(state) = answer.trim_end().strip_prefix("ok ") else {
        bail!("the power switch at {address} says: {}", answer.trim_end());
    };
    if json {
        let (power, state) = state.split_once(' ').unwrap_or((state, ""));
        say!("{}", serde_json::json!({ "power": power, "state": state }));
    } else {
        say!("{state}");
    }
    Ok(Outcome::Pass)
}

fn ask(options: &Options) -> Result<String> {
    let mut addresses = options.address.to_socket_addrs().context("an address is HOST:PORT")?;
    let address = addresses.next().context("the name has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
    stream.set_read_timeout(Some(ANSWER))?;
    writeln!(stream, "{}", options.command.name())?;
    let mut answer = String::new();
    match BufReader::new(stream).read_line(&mut answer) {
        Ok(0) => bail!("it has hung up"),
        Ok(_) => Ok(answer),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            bail!("it has been silent for {} s", ANSWER.as_secs())
        }
        Err(error) => Err(error.into()),
    }
}
