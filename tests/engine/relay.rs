//! A socket before the Engine's that can lose the link.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Passes everything on, until it is told to stop.
pub(crate) struct Relay {
    socket: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Requests that are passed on; `None`: all.
    left: Option<usize>,
    /// When the link is back; `None`: not by itself.
    away: Option<Duration>,
    /// The link was lost at some time.
    was_lost: bool,
    /// The link is lost.
    lost: bool,
    open: Vec<UnixStream>,
}

impl State {
    /// One more request; answers whether it is passed on.
    fn request(&mut self, shared: &Arc<Mutex<Self>>) -> bool {
        match &mut self.left {
            _ if self.lost => false,
            None => true,
            Some(0) => {
                (self.lost, self.was_lost, self.left) = (true, true, None);
                if let Some(away) = self.away {
                    let shared = Arc::clone(shared);
                    thread::spawn(move || {
                        thread::sleep(away);
                        shared.lock().expect("its state").lost = false;
                    });
                }
                for stream in self.open.drain(..) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

impl Relay {
    /// Before the Engine's socket, with its own in this folder.
    pub(crate) fn new(engine: &Path, folder: &Path) -> Self {
        let socket = folder.join("relay.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let state = Arc::new(Mutex::new(State::default()));
        let (shared, engine) = (Arc::clone(&state), engine.to_owned());
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { break };
                if shared.lock().expect("its state").lost {
                    continue;
                }
                let server = UnixStream::connect(&engine).expect("the Engine");
                let clone = |stream: &UnixStream| stream.try_clone().expect("a socket");
                shared.lock().expect("its state").open.extend([clone(&client), clone(&server)]);
                let (from, to, state) = (clone(&client), clone(&server), Arc::clone(&shared));
                thread::spawn(move || pass(from, to, Some(&state)));
                thread::spawn(move || pass(server, client, None));
            }
        });
        Self { socket, state }
    }

    /// `unix://…`.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Loses the link at the request after so many, for so long.
    pub(crate) fn cut_after(&self, requests: usize, away: Option<Duration>) {
        let mut state = self.state.lock().expect("its state");
        (state.left, state.away) = (Some(requests), away);
    }

    /// Loses the link now, until it is restored.
    pub(crate) fn cut(&self) {
        let mut state = self.state.lock().expect("its state");
        (state.lost, state.was_lost, state.left) = (true, true, None);
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// The link is there again; answers whether it was lost.
    pub(crate) fn restore(&self) -> bool {
        let mut state = self.state.lock().expect("its state");
        (state.left, state.lost) = (None, false);
        std::mem::take(&mut state.was_lost)
    }
}

/// Copies bytes; what a client sends is counted by the first lines of its requests.
fn pass(mut from: UnixStream, mut to: UnixStream, count: Option<&Arc<Mutex<State>>>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let begins =
            [b"GET ".as_slice(), b"POST", b"DELE", b"HEAD"].iter().any(|verb| buffer.starts_with(verb));
        if let Some(state) = count.filter(|_| begins)
            && !state.lock().expect("its state").request(state)
        {
            break;
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
