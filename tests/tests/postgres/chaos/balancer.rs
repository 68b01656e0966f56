//! A TCP balancer in the process of the test: it passes each connection to the next host that accepts it, and can cut
//! all connections.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where connections may go.
#[derive(Clone)]
pub(super) enum Place {
    /// `host:port`.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn connect(place: &Place) -> io::Result<Self> {
        match place {
            Place::Tcp(authority) => {
                let stream = TcpStream::connect(authority)?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
            Place::Unix(path) => UnixStream::connect(path).map(Self::Unix),
        }
    }

    fn read(&self, part: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).read(part),
            Self::Unix(stream) => (&mut &*stream).read(part),
        }
    }

    fn write_all(&self, part: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write_all(part),
            Self::Unix(stream) => (&mut &*stream).write_all(part),
        }
    }

    fn close(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

/// The balancer. It takes connections until the test's process ends.
#[derive(Clone)]
pub(super) struct Balancer {
    address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    places: Mutex<Vec<Place>>,
    turn: AtomicUsize,
    /// Both ends of the connections that are open, by number.
    open: Mutex<HashMap<usize, [Arc<Stream>; 2]>>,
}

impl Balancer {
    /// Starts one on a free port of localhost.
    pub(super) fn start(places: Vec<Place>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("the port");
        let inner = Arc::new(Inner { places: Mutex::new(places), ..Inner::default() });
        let balancer = Self { address, inner: Arc::clone(&inner) };
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                let inner = Arc::clone(&inner);
                thread::spawn(move || inner.carry(client));
            }
        });
        balancer
    }

    /// `host:port` of the balancer.
    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// From now on new connections that would have gone to the place of this number go to this one.
    pub(super) fn move_place(&self, number: usize, place: Place) {
        self.inner.places.lock().unwrap()[number] = place;
    }

    /// Breaks all connections that are open; returns how many.
    pub(super) fn cut(&self) -> usize {
        let open: Vec<_> = self.inner.open.lock().unwrap().drain().collect();
        open.iter().flat_map(|(_, ends)| ends).for_each(|end| end.close());
        open.len()
    }
}

impl Inner {
    fn carry(&self, client: TcpStream) {
        let number = self.turn.fetch_add(1, Ordering::SeqCst);
        let places = self.places.lock().unwrap().clone();
        let server = (0..places.len()).find_map(|next| Stream::connect(&places[(number + next) % places.len()]).ok());
        // Where nobody is there, the client finds its connection closed.
        let Some(server) = server else { return };
        let _ = client.set_nodelay(true);
        let (client, server) = (Arc::new(Stream::Tcp(client)), Arc::new(server));
        self.open.lock().unwrap().insert(number, [Arc::clone(&client), Arc::clone(&server)]);
        let (from, to) = (Arc::clone(&server), Arc::clone(&client));
        let back = thread::spawn(move || copy(&from, &to));
        copy(&client, &server);
        let _ = back.join();
        self.open.lock().unwrap().remove(&number);
    }
}

/// Copies until one of them ends, and then ends the other.
fn copy(from: &Stream, to: &Stream) {
    let mut part = vec![0; 32 << 10];
    while let Ok(length @ 1..) = from.read(&mut part) {
        if to.write_all(&part[..length]).is_err() {
            break;
        }
    }
    from.close();
    to.close();
}
