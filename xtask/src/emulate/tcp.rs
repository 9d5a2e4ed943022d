//! The end of the serial line as a TCP port: raw bytes, as ser2net offers them in its mode `raw`.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use anyhow::{Context, Result};

use super::line::{PATIENCE, drain, write_all};

/// Listeners at the same time; a further one is sent away.
const MOST_CLIENTS: usize = 8;

/// A port, and who has connected to it. Everybody gets every byte.
pub struct Tcp {
    listener: TcpListener,
    clients: Vec<Client>,
    /// What whoever joins hears first.
    greeting: Vec<u8>,
}

struct Client {
    stream: TcpStream,
    from: SocketAddr,
}

impl Tcp {
    /// Opens the port; the system picks one for port 0.
    ///
    /// # Errors
    /// If the address is none of this PC, or the port is taken.
    pub fn open(address: &str) -> Result<Self> {
        let listener =
            TcpListener::bind(address).with_context(|| format!("the serial line cannot be at {address}"))?;
        listener.set_nonblocking(true).context("preparing the serial line's port")?;
        Ok(Self { listener, clients: Vec::new(), greeting: Vec::new() })
    }

    /// Where it is.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().context("finding out the serial line's port")
    }

    /// Whoever joins from now on hears this before anything else; nothing if it is empty.
    pub fn greet(&mut self, greeting: &[u8]) {
        self.greeting = greeting.to_vec();
    }

    /// Accepts who knocks, and reads away what they send: how many bytes that was. Whoever connected before the board
    /// was powered on is therefore there for its first byte.
    pub fn attend(&mut self) -> u64 {
        while let Ok((stream, from)) = self.listener.accept() {
            if let Err(error) = self.accept(stream, from) {
                eprintln!("{from} cannot listen: {error}");
            }
        }
        let mut all = 0;
        self.clients.retain_mut(|client| match drain(&mut client.stream) {
            Ok(bytes) => {
                all += bytes;
                true
            }
            Err(_) => {
                eprintln!("{} has left the serial line", client.from);
                false
            }
        });
        all
    }

    fn accept(&mut self, mut stream: TcpStream, from: SocketAddr) -> io::Result<()> {
        if self.clients.len() == MOST_CLIENTS {
            return Err(io::Error::other(format!("{MOST_CLIENTS} others do already")));
        }
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        write_all(&mut stream, &self.greeting, PATIENCE)?;
        eprintln!("{from} listens to the serial line");
        self.clients.push(Client { stream, from });
        Ok(())
    }

    /// Sends to everybody. False if there is nobody.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.clients.retain_mut(|client| match write_all(&mut client.stream, bytes, PATIENCE) {
            Ok(()) => true,
            Err(error) => {
                eprintln!("{} is cut off the serial line: {error}", client.from);
                false
            }
        });
        !self.clients.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn everybody_hears_everything_and_what_they_say_is_counted() {
        let mut tcp = Tcp::open("127.0.0.1:0").unwrap();
        let address = tcp.address().unwrap();
        assert!(!tcp.send(b"lost"));
        let mut clients = [0, 1].map(|_| TcpStream::connect(address).unwrap());
        clients[0].write_all(b"hello").unwrap();
        let mut ignored = tcp.attend();
        while ignored < 5 {
            ignored += tcp.attend();
        }
        assert_eq!(ignored, 5);
        assert!(tcp.send(b"heard"));
        for client in &mut clients {
            let mut bytes = [0; 5];
            client.read_exact(&mut bytes).unwrap();
            assert_eq!(&bytes, b"heard");
        }
        drop(clients);
        while !tcp.clients.is_empty() {
            tcp.attend();
        }
        assert!(!tcp.send(b"lost again"));
    }

    #[test]
    fn whoever_joins_late_is_greeted_and_nobody_else() {
        let mut tcp = Tcp::open("127.0.0.1:0").unwrap();
        let address = tcp.address().unwrap();
        let mut join = |greeting: &[u8]| {
            tcp.greet(greeting);
            let before = tcp.clients.len();
            let client = TcpStream::connect(address).unwrap();
            while tcp.clients.len() == before {
                tcp.attend();
            }
            client
        };
        let clients = [join(b""), join(b"emulated "), join(b"")];
        assert!(tcp.send(b"heard"));
        drop(tcp);
        let heard = clients.map(|mut client| {
            let mut bytes = String::new();
            client.read_to_string(&mut bytes).unwrap();
            bytes
        });
        assert_eq!(heard, ["heard", "emulated heard", "heard"]);
    }

    #[test]
    fn a_taken_port_is_named() {
        let tcp = Tcp::open("127.0.0.1:0").unwrap();
        let address = tcp.address().unwrap().to_string();
        let error = Tcp::open(&address).err().unwrap();
        assert!(format!("{error:#}").contains(&address), "{error:#}");
    }
}
