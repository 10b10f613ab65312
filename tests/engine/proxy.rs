//! A proxy before the open registry that fails as it is told to: it refuses, limits, is overloaded, or cuts an
//! answer off.

use crate::testbed::testbed_var;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// It ends with the tests.
pub(crate) struct Proxy {
    /// `HOST:PORT`.
    pub(crate) registry: String,
    state: Arc<Mutex<State>>,
}

/// What it does instead of passing on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Answers with this status, further lines of its head, and a body.
    Status(u16, &'static str, &'static str),
    /// Passes on so many bytes of an answer to a request for a layer.
    Cut(u64),
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    /// So many times; `None`: always.
    left: Option<usize>,
    asked: usize,
}

impl State {
    fn next(&mut self, request: &str) -> Option<Fault> {
        self.asked += 1;
        let fault = self.fault?;
        let counts = match (fault, self.left) {
            (Fault::Cut(_), _) => request.contains("/blobs/"),
            // The Engine greets a registry before it asks, and minds no answer to that but a challenge.
            (Fault::Status(..), Some(_)) => request.contains("/manifests/"),
            (Fault::Status(..), None) => true,
        };
        if !counts {
            return None;
        }
        match &mut self.left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(fault)
    }
}

impl Proxy {
    /// Before the open registry, at an address that the Engine takes without TLS.
    pub(crate) fn new() -> Self {
        let address = testbed_var("PILLARBOX_TEST_OUTSIDE");
        let listener = TcpListener::bind((address.as_str(), 0)).expect("a port");
        let registry = listener.local_addr().expect("its address").to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || drop(serve(client, &state)));
            }
        });
        Self { registry, state }
    }

    /// From now on; `times`: only so often.
    pub(crate) fn fails(&self, fault: Fault, times: Option<usize>) {
        let mut state = self.state.lock().expect("its state");
        (state.fault, state.left) = (Some(fault), times);
    }

    /// Passes everything on again.
    pub(crate) fn recovers(&self) {
        self.state.lock().expect("its state").fault = None;
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().expect("its state").asked
    }

    /// The same repository as it is called here.
    pub(crate) fn here(&self, repository: &str) -> String {
        let (_, path) = repository.split_once('/').expect("HOST/PATH");
        format!("{}/{path}", self.registry)
    }
}

/// One request of a connection, which ends with its answer.
fn serve(mut client: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        // The Engine tries TLS first. With containerd's store it goes on without only after an answer in clear.
        if head.is_empty() && byte[0] == 0x16 {
            client.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n")?;
            client.shutdown(Shutdown::Write)?;
            return std::io::copy(&mut client, &mut std::io::sink()).map(drop);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let fault = state.lock().expect("its state").next(&head);
    let most = match fault {
        Some(Fault::Status(status, more, body)) => {
            let length = body.len();
            write!(
                client,
                "HTTP/1.1 {status} {}\r\n{more}Content-Type: application/json\r\n\
                 Docker-Distribution-Api-Version: registry/2.0\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
                words(status)
            )?;
            return client.shutdown(Shutdown::Write);
        }
        Some(Fault::Cut(most)) => most,
        None => u64::MAX,
    };
    let mut server = TcpStream::connect(testbed_var("PILLARBOX_TEST_OPEN_REGISTRY"))?;
    let (line, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
    let rest: String =
        rest.split_inclusive("\r\n").filter(|line| !line.to_lowercase().starts_with("connection:")).collect();
    write!(server, "{line}\r\nConnection: close\r\n{rest}")?;
    std::io::copy(&mut server.take(most), &mut client)?;
    client.shutdown(Shutdown::Both)
}

fn words(status: u16) -> &'static str {
    match status {
        401 => "Unauthorized",
        403 => "Forbidden",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Whatever",
    }
}
