//! Many Engines in one process, a socket each, that answer every call that reads a host, and refuse all
//! others.

use crate::recording::{Answers, Recording};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;

/// Engines that answer as long as this is there.
pub(crate) struct Engines {
    folder: tempfile::TempDir,
    count: usize,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What all of them answer.
struct Shared {
    api: String,
    answers: BTreeMap<String, Vec<u8>>,
    info: Value,
    delay: Duration,
}

impl Engines {
    /// So many Engines that all answer this, `delay` after they were asked; each says another id of itself.
    pub(crate) fn start(recording: &Recording, answers: &Answers, count: usize, delay: Duration) -> Self {
        let folder = tempfile::Builder::new().prefix("pillarbox-bench-").tempdir().expect("a folder");
        let api = recording.api.clone();
        let whole = answers.iter().map(|(path, body)| (path.clone(), answer(&api, "200 OK", body))).collect();
        let shared = Shared { answers: whole, info: answers["/info"].clone(), api, delay };
        let sockets: Vec<PathBuf> = (0..count).map(|number| socket(folder.path(), number)).collect();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let tasks = tokio::task::LocalSet::new();
            tasks.block_on(&runtime.expect("a runtime"), async move {
                let shared = Arc::new(shared);
                for (number, path) in sockets.iter().enumerate() {
                    let listener = UnixListener::bind(path).expect("a socket");
                    tokio::task::spawn_local(listen(listener, number, Arc::clone(&shared)));
                }
                ready.send(()).expect("it is waited for");
                let _ = stopped.await;
            });
        });
        is_ready.recv().expect("they listen");
        Self { folder, count, stop: Some(stop), thread: Some(thread) }
    }

    /// `[hosts.…]` of all of them, each in this group.
    pub(crate) fn hosts(&self, group: &str) -> String {
        let mut text = String::new();
        for number in 0..self.count {
            let engine = socket(self.folder.path(), number);
            let _ = writeln!(
                text,
                "[hosts.web{number}]\nengine = \"unix://{}\"\ngroups = [\"{group}\"]",
                engine.display()
            );
        }
        text
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn socket(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number}.sock"))
}

async fn listen(listener: UnixListener, number: usize, shared: Arc<Shared>) {
    let mut info = shared.info.clone();
    info["ID"] = json!(format!("SIMULATED:{number:04}"));
    let info: Rc<[u8]> = answer(&shared.api, "200 OK", &info).into();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(serve(stream, Rc::clone(&info), Arc::clone(&shared)));
    }
}

/// What reads has no body: a request ends with its head.
async fn serve(mut stream: UnixStream, info: Rc<[u8]>, shared: Arc<Shared>) {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = Vec::new();
    while stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
        while let Some(end) = head.windows(END.len()).position(|bytes| bytes == END) {
            let request: Vec<u8> = head.drain(..end + END.len()).collect();
            let answered = shared.answered(&String::from_utf8_lossy(&request));
            if !shared.delay.is_zero() {
                tokio::time::sleep(shared.delay).await;
            }
            let bytes = match &answered {
                Answered::Info => &*info,
                Answered::Known(bytes) => bytes,
                Answered::Said(bytes) => bytes.as_slice(),
            };
            if stream.write_all(bytes).await.is_err() {
                return;
            }
        }
    }
}

enum Answered<'a> {
    Info,
    Known(&'a [u8]),
    Said(Vec<u8>),
}

impl Shared {
    fn answered(&self, request: &str) -> Answered<'_> {
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = path.split('?').next().unwrap_or_default();
        let versioned = path.strip_prefix("/v").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
        let path = versioned.unwrap_or(path);
        let refused = |status: &str, why: &str| answer(&self.api, status, &json!({ "message": why }));
        match (method, path) {
            ("GET", "/_ping") => Answered::Said(answer(&self.api, "200 OK", &json!("OK"))),
            ("GET", "/info") => Answered::Info,
            ("GET", path) => match self.answers.get(path) {
                Some(bytes) => Answered::Known(bytes),
                None => Answered::Said(refused("404 Not Found", &format!("there is no {path}"))),
            },
            _ => Answered::Said(refused("405 Method Not Allowed", "only what reads is answered")),
        }
    }
}

fn answer(api: &str, status: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nApi-Version: {api}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
