//! The end of the serial line as a TCP port: raw bytes, as ser2net offers them in its mode `raw`.

use std::io;
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

use anyhow::{Context, Result};
use rustix::net::sockopt::set_socket_send_buffer_size;

use super::backlog::{Backlog, Standing, tell};
use super::line::{Attended, drain};

/// Listeners at the same time; a further one is sent away.
const MOST_CLIENTS: usize = 8;
/// What the system may keep for a listener. A wire keeps nothing: with the megabytes that it would keep by itself, a board
/// without power would go on speaking.
const SEND_BUFFER: usize = 4 << 10;

/// A port, and who has connected to it. Everybody gets every byte.
pub struct Tcp {
    listener: TcpListener,
    clients: Vec<Client>,
    /// What whoever joins hears first.
    greeting: Vec<u8>,
    /// Bytes sent that no listener has taken yet.
    untaken: u64,
}

struct Client {
    stream: TcpStream,
    from: SocketAddr,
    backlog: Backlog,
}

impl Client {
    /// Sends what it takes. False if it is not to listen any longer.
    fn flush(&mut self) -> bool {
        let standing = self.backlog.flush(&mut self.stream, Instant::now());
        tell(self.from, &standing, "it is cut off the serial line");
        matches!(standing, Ok(Standing::Fine | Standing::Behind))
    }

    /// Reads away what it sends: how many bytes. None if it has left.
    fn listen(&mut self) -> Option<u64> {
        let heard = drain(&mut self.stream).ok();
        if heard.is_none() {
            eprintln!("{} has left the serial line", self.from);
        }
        heard
    }
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
        Ok(Self { listener, clients: Vec::new(), greeting: Vec::new(), untaken: 0 })
    }

    /// Where it is.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().context("finding out the serial line's port")
    }

    /// Whoever joins from now on hears this before anything else.
    pub fn greet(&mut self, greeting: &[u8]) {
        self.greeting = greeting.to_vec();
    }

    /// Accepts who knocks, reads away what they send, and gives them what they still have to take. Whoever connected
    /// before the board was powered on is therefore there for its first byte.
    pub fn attend(&mut self) -> Attended {
        while let Ok((stream, from)) = self.listener.accept() {
            if let Err(error) = self.accept(stream, from) {
                eprintln!("{from} cannot listen: {error}");
            }
        }
        let mut ignored = 0;
        let lost = self.keep(|client| {
            let heard = client.listen();
            ignored += heard.unwrap_or(0);
            heard.is_some() && client.flush()
        });
        Attended { ignored, lost }
    }

    /// Keeps these clients. Returns how many bytes are lost for that, since nobody is left to take them.
    fn keep(&mut self, mut stays: impl FnMut(&mut Client) -> bool) -> u64 {
        self.clients.retain_mut(|client| {
            let stays = stays(client);
            // Everybody is sent the same: what the foremost has taken was heard. (One that joins while all others are
            // behind is taken for one that has heard what they still have to take.)
            self.untaken = self.untaken.min(client.backlog.len());
            stays
        });
        if self.clients.is_empty() { mem::take(&mut self.untaken) } else { 0 }
    }

    /// The board has lost its power: nobody is sent any more of it, nor greeted. Returns how many bytes are lost, since
    /// nobody had taken them.
    pub fn cut(&mut self) -> u64 {
        self.greeting.clear();
        for client in &mut self.clients {
            client.backlog.clear();
        }
        mem::take(&mut self.untaken)
    }

    /// True while somebody has bytes to take.
    pub fn is_behind(&self) -> bool {
        self.clients.iter().any(|client| !client.backlog.is_empty())
    }

    fn accept(&mut self, stream: TcpStream, from: SocketAddr) -> io::Result<()> {
        if self.clients.len() == MOST_CLIENTS {
            return Err(io::Error::other(format!("{MOST_CLIENTS} others do already")));
        }
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        set_socket_send_buffer_size(&stream, SEND_BUFFER)?;
        eprintln!("{from} listens to the serial line");
        let mut backlog = Backlog::default();
        backlog.push(&self.greeting);
        self.clients.push(Client { stream, from, backlog });
        Ok(())
    }

    /// Sends to everybody what they take now; the rest is theirs to take while the line is looked after. Returns how
    /// many bytes are lost, since there is nobody.
    pub fn send(&mut self, bytes: &[u8]) -> u64 {
        self.untaken += bytes.len() as u64;
        self.keep(|client| {
            client.backlog.push(bytes);
            client.flush()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::Shutdown;
    use std::thread;

    use super::*;

    #[test]
    fn everybody_hears_everything_and_what_they_say_is_counted() {
        let mut tcp = Tcp::open("127.0.0.1:0").unwrap();
        let address = tcp.address().unwrap();
        assert_eq!(tcp.send(b"lost"), 4);
        let mut clients = [0, 1].map(|_| TcpStream::connect(address).unwrap());
        clients[0].write_all(b"hello").unwrap();
        let mut ignored = 0;
        while ignored < 5 {
            ignored += tcp.attend().ignored;
        }
        assert_eq!(ignored, 5);
        assert_eq!(tcp.send(b"heard"), 0);
        for client in &mut clients {
            let mut bytes = [0; 5];
            client.read_exact(&mut bytes).unwrap();
            assert_eq!(&bytes, b"heard");
        }
        drop(clients);
        while !tcp.clients.is_empty() {
            tcp.attend();
        }
        assert_eq!(tcp.send(b"lost again"), 10);
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
        assert_eq!(tcp.send(b"heard"), 0);
        drop(tcp);
        let heard = clients.map(|mut client| {
            let mut bytes = String::new();
            client.read_to_string(&mut bytes).unwrap();
            bytes
        });
        assert_eq!(heard, ["heard", "emulated heard", "heard"]);
    }

    #[test]
    fn a_listener_that_does_not_read_is_behind_and_nobody_waits() {
        let mut tcp = Tcp::open("127.0.0.1:0").unwrap();
        let _deaf = TcpStream::connect(tcp.address().unwrap()).unwrap();
        while tcp.clients.is_empty() {
            tcp.attend();
        }
        let piece = [b'x'; 1 << 16];
        let begun = Instant::now();
        // The other side's buffer grows to some megabytes.
        assert!((0..1000).any(|_| tcp.send(&piece) == 0 && tcp.is_behind()), "a connection without an end");
        assert_eq!(tcp.attend(), Attended::default());
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "it was waited for");
    }

    #[test]
    fn what_one_of_two_listeners_has_taken_is_not_lost() {
        let mut tcp = Tcp::open("127.0.0.1:0").unwrap();
        let address = tcp.address().unwrap();
        let [good, deaf] = [0, 1].map(|_| TcpStream::connect(address).unwrap());
        while tcp.clients.len() < 2 {
            tcp.attend();
        }
        let mut ears = good.try_clone().unwrap();
        let reader = thread::spawn(move || std::io::copy(&mut ears, &mut std::io::sink()));
        let mut sent = 0;
        while !(tcp.clients[0].backlog.is_empty() && tcp.is_behind()) {
            assert_eq!(tcp.attend().lost, 0);
            sent += tcp.send(b"0123456789");
        }
        assert_eq!(sent, 0);
        // The one that has heard everything leaves first.
        good.shutdown(Shutdown::Both).unwrap();
        reader.join().unwrap().unwrap();
        let mut lost = 0;
        while tcp.clients.len() == 2 {
            lost += tcp.attend().lost;
        }
        drop(deaf);
        while !tcp.clients.is_empty() {
            lost += tcp.attend().lost;
        }
        assert_eq!(lost, 0);
    }

    #[test]
    fn a_taken_port_is_named() {
        let tcp = Tcp::open("127.0.0.1:0").unwrap();
        let address = tcp.address().unwrap().to_string();
        let error = Tcp::open(&address).err().unwrap();
        assert!(format!("{error:#}").contains(&address), "{error:#}");
    }
}
