//! Connections to one Engine, kept open between calls.

use super::answer::Object;
use super::bounds::Bounds;
use super::call::{Call, Names};
use super::dial::{Dial, Stream};
use super::refusal;
use crate::engine::{EngineError, EngineResult, ErrorKind};
use http_body_util::{BodyExt as _, Full};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::DATE;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

type Sender = SendRequest<Full<Bytes>>;

/// For how long reads are repeated of an Engine that answered before: it may just be restarted.
const RESTART: Duration = Duration::from_secs(10);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Idle connections, and how to make more.
pub(super) struct Http {
    dial: Dial,
    idle: Mutex<Vec<Sender>>,
    /// It has answered, and nothing is changed yet: reads may wait.
    patient: AtomicBool,
}

/// The head of an answer that was good; its body is still to come.
pub(super) struct Answer<'a> {
    http: &'a Http,
    sender: Sender,
    response: Response<Incoming>,
    bounds: Bounds,
    /// When its time is over.
    until: Instant,
    /// Of a call with a secret: as [`Call::names`].
    names: Option<Names>,
}

impl Http {
    pub(super) fn new(dial: Dial) -> Self {
        Self { dial, idle: Mutex::default(), patient: AtomicBool::new(false) }
    }

    /// From now on reads are repeated over a restart of the Engine.
    pub(super) fn be_patient(&self) {
        self.patient.store(true, Ordering::Relaxed);
    }

    /// Closes all idle connections but one; who changes something waits in another way.
    pub(super) fn end_reading(&self) {
        self.patient.store(false, Ordering::Relaxed);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).truncate(1);
    }

    /// Sends and reads a JSON answer.
    ///
    /// # Errors
    /// Those of the call; where the answer is no JSON, or other JSON than an Engine's.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: Call) -> EngineResult<T> {
        let name = call.name();
        let bytes = self.send(call).await?.bytes().await?;
        read(&name, &bytes)
    }

    /// Sends and reads an answer that is a JSON object.
    ///
    /// # Errors
    /// Those of [`Self::json`].
    pub(super) async fn object<T: DeserializeOwned>(&self, call: Call) -> EngineResult<T> {
        self.json(call).await.map(|Object(fields)| fields)
    }

    /// The same, with seconds since 1970 by the Engine's clock.
    ///
    /// # Errors
    /// Those of [`Self::json`]; within, those of [`Answer::date`].
    pub(super) async fn object_at<T: DeserializeOwned>(
        &self,
        call: Call,
    ) -> EngineResult<(T, EngineResult<i64>)> {
        let name = call.name();
        let answer = self.send(call).await?;
        let date = answer.date();
        let Object(fields) = read(&name, &answer.bytes().await?)?;
        Ok((fields, date))
    }

    /// Sends and passes over the answer.
    ///
    /// # Errors
    /// Those of the call.
    pub(super) async fn done(&self, call: Call) -> EngineResult<()> {
        self.send(call).await?.drain().await
    }

    /// Sends; an answer that is not good is an error with the Engine's words.
    pub(super) async fn send(&self, call: Call) -> EngineResult<Answer<'_>> {
        let bounds = call.bounds();
        let began = Instant::now();
        let sent = timeout_at(began + bounds.silence.min(bounds.total), self.patiently(&call)).await;
        let sent = sent.unwrap_or_else(|_| Err(silent(bounds.silence.min(bounds.total))));
        let (sender, response) = sent.map_err(|error| self.dial.explain(error))?;
        let names = call.names().cloned();
        Answer { http: self, sender, response, bounds, until: began + bounds.total, names }.good().await
    }

    /// Sends over a connection of its own, which goes with the answer: that may go on for hours.
    pub(super) async fn alone(&self, call: Call) -> EngineResult<Opened> {
        let bounds = call.bounds();
        let began = Instant::now();
        let exchange = async {
            let mut sender = self.open().await?;
            let response = sender.send_request(call.request()?).await.map_err(|error| lost(&error))?;
            Ok((sender, response))
        };
        let limit = bounds.silence.min(Bounds::SHORT.silence);
        let sent = timeout_at(began + limit, exchange).await.unwrap_or_else(|_| Err(silent(limit)));
        let (sender, response) = sent.map_err(|error| self.dial.explain(error))?;
        let names = call.names().cloned();
        let until = began + bounds.total;
        let answer = Answer { http: self, sender, response, bounds, until, names }.good().await?;
        Ok(Opened { sender: answer.sender, response: answer.response, bounds, until })
    }

    /// Sends; a read again and again while an Engine is restarted that answered before.
    async fn patiently(&self, call: &Call) -> EngineResult<(Sender, Response<Incoming>)> {
        let began = Instant::now();
        loop {
            match self.exchange(call).await {
                Err(error)
                    if error.kind == ErrorKind::Unreachable
                        && call.may_repeat()
                        && self.patient.load(Ordering::Relaxed)
                        && began.elapsed() < RESTART =>
                {
                    sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn exchange(&self, call: &Call) -> EngineResult<(Sender, Response<Incoming>)> {
        while let Some(mut sender) = self.reuse().await {
            match sender.try_send_request(call.request()?).await {
                Ok(response) => return Ok((sender, response)),
                // The Engine closed the idle connection: what was not sent, or may be repeated, is sent again.
                Err(mut failed) => {
                    if failed.take_message().is_none() && !call.may_repeat() {
                        return Err(lost(&failed.into_error()));
                    }
                }
            }
        }
        let mut sender = self.open().await?;
        let response = sender.send_request(call.request()?).await.map_err(|error| lost(&error))?;
        Ok((sender, response))
    }

    async fn reuse(&self) -> Option<Sender> {
        loop {
            let mut sender = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if sender.ready().await.is_ok() {
                return Some(sender);
            }
        }
    }

    /// A bare stream, for a request whose body ends when something else was done.
    pub(super) async fn stream(&self) -> EngineResult<Box<dyn Stream>> {
        self.dial.open().await.map_err(|error| self.dial.explain(error))
    }

    async fn open(&self) -> EngineResult<Sender> {
        let stream = TokioIo::new(self.dial.open().await?);
        let (sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(|error| lost(&error))?;
        // It ends when the sender is dropped or the Engine hangs up; what fails is seen by the call.
        drop(tokio::spawn(connection.with_upgrades()));
        Ok(sender)
    }
}

/// Reads the JSON that a call was answered with.
fn read<T: DeserializeOwned>(call: &str, answer: &[u8]) -> EngineResult<T> {
    serde_json::from_slice(&harmless(answer)).map_err(|error| {
        // Not serde's own words, which quote the answer.
        let place = format!("line {}, column {}", error.line(), error.column());
        let words = match error.classify() {
            serde_json::error::Category::Data => {
                format!("its answer to {call} is not what an Engine says, at {place}")
            }
            _ => format!("its answer to {call} is not JSON, at {place}: is it an Engine?"),
        };
        EngineError::new(ErrorKind::Other, 200, &words)
    })
}

/// An answer in which no key is the one that serde_json keeps for numbers of any size, which the interpreter
/// of states switches on for the whole program: a label of that name, which any image can have, would spoil
/// the answer. It is the only thing that is read otherwise than it is written.
fn harmless(answer: &[u8]) -> Cow<'_, [u8]> {
    const KEY: &str = "\"$serde_json::private::Number\"";
    match std::str::from_utf8(answer) {
        Ok(text) if text.contains(KEY) => Cow::Owned(text.replace(KEY, "\"$serde_json\"").into_bytes()),
        _ => Cow::Borrowed(answer),
    }
}

impl<'a> Answer<'a> {
    /// Itself, if it is good; else an error with the Engine's words.
    async fn good(mut self) -> EngineResult<Answer<'a>> {
        let status = self.response.status();
        if status.is_success() || matches!(status.as_u16(), 101 | 304) {
            return Ok(self);
        }
        self.bounds.bytes = Bounds::WORDS;
        let (bytes, answer) = self.up_to().await?;
        let text = String::from_utf8_lossy(&bytes);
        let words = serde_json::from_str::<Value>(&text).ok();
        let words = words.as_ref().and_then(|json| json["message"].as_str()).unwrap_or(&text);
        let error = answer.refused(status.as_u16(), words);
        // A refusal that was read to its end leaves the connection for the next call.
        if bytes.len() <= Bounds::WORDS {
            answer.keep();
        }
        Err(error)
    }
}

/// A good answer with the connection that it came over.
pub(super) struct Opened {
    sender: Sender,
    response: Response<Incoming>,
    bounds: Bounds,
    until: Instant,
}

/// The body of such an answer.
pub(super) struct Body(Opened);

impl Opened {
    /// Its body.
    ///
    /// # Errors
    /// Where it has none.
    pub(super) fn body(self) -> EngineResult<Body> {
        match self.response.status().as_u16() {
            101 => Err(EngineError::new(ErrorKind::Other, 101, "it answers with another protocol")),
            _ => Ok(Body(self)),
        }
    }

    /// The connection, which is HTTP no more.
    ///
    /// # Errors
    /// Where the Engine did not agree to that.
    pub(super) async fn upgraded(mut self) -> EngineResult<TokioIo<Upgraded>> {
        if self.response.status().as_u16() != 101 {
            let words = "it gives no connection to the process: is there a proxy before it?";
            return Err(EngineError::new(ErrorKind::Unsupported, self.response.status().as_u16(), words));
        }
        let upgraded = hyper::upgrade::on(&mut self.response).await.map_err(|error| lost(&error))?;
        drop(self.sender);
        Ok(TokioIo::new(upgraded))
    }
}

impl Body {
    /// The next piece; `None` at its end.
    pub(super) async fn next(&mut self) -> EngineResult<Option<Bytes>> {
        piece(&mut self.0.response, self.0.bounds, self.0.until).await
    }
}

/// The next piece of a body; `None` at its end.
async fn piece(
    response: &mut Response<Incoming>,
    bounds: Bounds,
    until: Instant,
) -> EngineResult<Option<Bytes>> {
    loop {
        let at = (Instant::now() + bounds.silence).min(until);
        let frame = timeout_at(at, response.body_mut().frame()).await;
        match frame.map_err(|_| if at == until { slow(bounds.total) } else { silent(bounds.silence) })? {
            None => return Ok(None),
            Some(Err(error)) => return Err(lost(&error)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

impl Answer<'_> {
    /// Seconds since 1970 by the Engine's clock.
    ///
    /// # Errors
    /// Where it does not say.
    pub(super) fn date(&self) -> EngineResult<i64> {
        let date = self.header(DATE.as_str()).and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        date.map(|date| date.timestamp().as_second())
            .ok_or_else(|| EngineError::new(ErrorKind::Other, 200, "its answer has no Date header"))
    }

    /// Whether the call did something: not where all was so before.
    pub(super) fn did_something(&self) -> bool {
        self.response.status().as_u16() != 304
    }

    /// A header, if it is there and text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The next piece of the body; `None` at its end.
    pub(super) async fn next(&mut self) -> EngineResult<Option<Bytes>> {
        piece(&mut self.response, self.bounds, self.until).await
    }

    /// The whole body; the connection is kept for the next call.
    pub(super) async fn bytes(self) -> EngineResult<Vec<u8>> {
        let most = self.bounds.bytes;
        let (bytes, rest) = self.up_to().await?;
        if bytes.len() > most {
            return Err(too_long(most));
        }
        rest.keep();
        Ok(bytes)
    }

    /// The body, and one byte more than its bound where it is longer: then the connection must not be kept.
    pub(super) async fn up_to(mut self) -> EngineResult<(Vec<u8>, Self)> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            let room = self.bounds.bytes.saturating_add(1) - all.len();
            all.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if all.len() > self.bounds.bytes {
                break;
            }
        }
        Ok((all, self))
    }

    /// Reads to the end and keeps nothing; the connection is kept for the next call.
    pub(super) async fn drain(mut self) -> EngineResult<()> {
        let mut left = self.bounds.bytes;
        while let Some(bytes) = self.next().await? {
            left = left.checked_sub(bytes.len()).ok_or_else(|| too_long(self.bounds.bytes))?;
        }
        self.keep();
        Ok(())
    }

    /// The bytes that may come.
    pub(super) fn most(&self) -> usize {
        self.bounds.bytes
    }

    /// What it says is no. Of the words of an answer to a secret only those are kept that are known.
    pub(super) fn refused(&self, status: u16, words: &str) -> EngineError {
        let error = EngineError::new(kind_of(status, words), status, words);
        match &self.names {
            Some(names) => refusal::without_secrets(error, names),
            None => error,
        }
    }

    fn keep(self) {
        self.http.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.sender);
    }
}

/// What a status means that a call does not know better. Engines tell of taken ports with a 500.
pub(super) fn kind_of(status: u16, words: &str) -> ErrorKind {
    let words = words.to_ascii_lowercase();
    let taken = [
        "port is already allocated",
        "address already in use",
        "already in use by",
        "already exists in network",
    ];
    match status {
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        400 if words.contains("client version") && words.contains("too") => ErrorKind::TooOld,
        400..=599 if taken.iter().any(|taken| words.contains(taken)) => ErrorKind::Conflict,
        _ => ErrorKind::Other,
    }
}

fn silent(silence: Duration) -> EngineError {
    let words = format!("it did not answer within {} seconds", silence.as_secs());
    EngineError::new(ErrorKind::Unreachable, 0, &words)
}

fn slow(total: Duration) -> EngineError {
    let words = format!("its answer was not complete within {} seconds", total.as_secs());
    EngineError::new(ErrorKind::Unreachable, 0, &words)
}

pub(super) fn too_long(most: usize) -> EngineError {
    let words = match most {
        0..0x10_0000 => format!("its answer is longer than {} KiB", most >> 10),
        _ => format!("its answer is longer than {} MiB", most >> 20),
    };
    EngineError::new(ErrorKind::Other, 200, &words)
}

/// The connection broke: the innermost reason says most.
fn lost(error: &hyper::Error) -> EngineError {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    EngineError::new(ErrorKind::Unreachable, 0, &format!("the connection was lost: {inner}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_a_conflict_whatever_the_status() {
        let words = "driver failed programming external connectivity on endpoint a (0123): Bind for \
                     0.0.0.0:8080 failed: port is already allocated";
        assert_eq!(kind_of(500, words), ErrorKind::Conflict);
        assert_eq!(kind_of(500, "oci runtime error"), ErrorKind::Other);
        assert_eq!(kind_of(404, "no such container"), ErrorKind::NotFound);
    }

    #[test]
    fn an_engine_that_wants_a_newer_client_says_so() {
        let words = "client version 1.51 is too old. Minimum supported API version is 1.60, please upgrade \
                     your client to a newer version";
        assert_eq!(kind_of(400, words), ErrorKind::TooOld);
    }

    /// An Engine that answers `head` and then one byte every five seconds, for ever.
    async fn dripping(head: &'static str) -> (tempfile::TempDir, Http) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
        drop(tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(b"1\r\n \r\n").await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        }));
        let dial = Dial::new(&crate::engine::Address::Unix(path)).await.expect("a socket");
        (folder, Http::new(dial))
    }

    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_drop_by_drop_ends_when_its_time_is_over() {
        let (_folder, http) = dripping(CHUNKED).await;
        for bounds in [Bounds::SHORT, Bounds::WHOLE, Bounds::LIST, Bounds::REGISTRY] {
            let began = Instant::now();
            let call = Call::new(hyper::Method::GET, "/v1.41/x").within(bounds);
            let error = http.json::<Value>(call).await.expect_err("it never ends");
            assert_eq!(
                (error.kind, began.elapsed().as_secs()),
                (ErrorKind::Unreachable, bounds.total.as_secs())
            );
            assert!(error.message.contains("was not complete within"), "{}", error.message);
        }
        let began = Instant::now();
        let limit = Duration::from_secs(60);
        let call = Call::new(hyper::Method::POST, "/v1.41/exec/1/start").within(Bounds::of_output(limit));
        assert!(http.done(call).await.is_err());
        assert_eq!(began.elapsed(), limit);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_never_ends_is_cut_off_too() {
        let (_folder, http) = dripping("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        let began = Instant::now();
        assert!(http.done(Call::new(hyper::Method::GET, "/v1.41/x")).await.is_err());
        assert_eq!(began.elapsed(), Bounds::SHORT.total);
    }

    #[test]
    fn the_date_of_http_is_read() {
        let parsed = jiff::fmt::rfc2822::parse("Mon, 23 Nov 2026 05:33:46 GMT").expect("a date");
        assert_eq!(parsed.timestamp().as_second(), 1_795_412_026);
    }
}
