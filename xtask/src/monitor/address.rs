//! The address of a TCP port, as a person writes it.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};

/// A host and a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// Reads `HOST:PORT`; a numeric address with colons stands in brackets.
    ///
    /// # Errors
    /// With what is wrong with it, and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((scheme, rest)) = text.split_once("://") {
            return Err(format!("it is an address without {scheme}://, as {}", example(rest)));
        }
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, rest))) => (host, rest.strip_prefix(':').ok_or_else(|| no_port(text))?),
            Some(None) => return Err("the bracket is not closed, as in [::1]:7901".to_owned()),
            None => text.rsplit_once(':').ok_or_else(|| no_port(text))?,
        };
        if host.is_empty() {
            return Err("there is no host before the colon, as in 127.0.0.1:7901".to_owned());
        }
        if host.contains(':') && !text.starts_with('[') {
            return Err(format!("an address with colons stands in brackets, as in [{host}]:{port}"));
        }
        if host.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '/') {
            return Err("the host is no name and no address: HOST:PORT, as in 127.0.0.1:7901".to_owned());
        }
        match port.parse() {
            Ok(port @ 1..) => Ok(Self { host: host.to_owned(), port }),
            _ => Err(format!("the port {port:?} is not a number from 1 to 65535")),
        }
    }

    /// What it stands for, by the system's resolver.
    ///
    /// # Errors
    /// If the host is unknown to it.
    pub fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        (self.host.as_str(), self.port).to_socket_addrs().map(Iterator::collect)
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        &self.host
    }
}

fn no_port(text: &str) -> String {
    if text.is_empty() {
        return "it is empty: HOST:PORT, as in 127.0.0.1:7901".to_owned();
    }
    format!("there is no port behind the host, as in {}", example(text))
}

/// The same with a port, where that makes sense.
fn example(text: &str) -> String {
    let text = text.trim_end_matches(['/', ':']);
    let is_plain = !text.is_empty() && !text.contains(|letter: char| letter == '/' || letter.is_whitespace());
    match (is_plain, text.contains(':')) {
        (true, true) => text.to_owned(),
        (true, false) => format!("{text}:7901"),
        (false, _) => "127.0.0.1:7901".to_owned(),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_is_written() {
        for text in ["127.0.0.1:7901", "board-7.lab:1", "[::1]:65535"] {
            assert_eq!(Address::parse(text).map(|address| address.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_with_one_that_is_right() {
        for (text, expected) in [
            ("", "it is empty"),
            ("board-7", "as in board-7:7901"),
            ("board-7:", "the port \"\""),
            ("board-7:http", "the port \"http\""),
            ("board-7:99999", "\"99999\" is not a number from 1 to 65535"),
            ("board-7:0", "1 to 65535"),
            ("board-7:-1", "1 to 65535"),
            (":7901", "no host before the colon"),
            ("tcp://board-7:7901", "without tcp://, as board-7:7901"),
            ("http://", "without http://"),
            ("::1:7901", "in brackets, as in [::1]:7901"),
            ("[::1:7901", "not closed"),
            ("[::1]", "no port behind the host"),
            ("board 7:7901", "no name and no address"),
            ("/dev/ttyUSB0:1", "no name and no address"),
        ] {
            let why = Address::parse(text).unwrap_err();
            assert!(why.contains(expected), "{text:?}: {why}");
        }
    }
}
