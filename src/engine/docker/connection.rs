//! Connections to one Engine, kept open between calls.

use super::call::Call;
use super::dial::{Dial, Stream};
use crate::engine::{EngineError, EngineResult, ErrorKind};
use http_body_util::{BodyExt as _, Full};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::DATE;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

type Sender = SendRequest<Full<Bytes>>;

/// An answer that is no JSON document may be this long; container logs are asked for by lines.
const LARGEST: usize = 256 << 20;

/// Idle connections, and how to make more.
pub(super) struct Http {
    dial: Dial,
    idle: Mutex<Vec<Sender>>,
}

/// The head of an answer that was good; its body is still to come.
pub(super) struct Answer<'a> {
    http: &'a Http,
    sender: Sender,
    response: Response<Incoming>,
}

impl Http {
    pub(super) fn new(dial: Dial) -> Self {
        Self { dial, idle: Mutex::default() }
    }

    /// Sends and reads a JSON answer, `null` where it is empty.
    pub(super) async fn json(&self, call: Call, patience: Duration) -> EngineResult<Value> {
        let answer = self.send(call, patience).await?;
        let bytes = answer.bytes(patience).await?;
        // Podman ends empty ones with a newline.
        if bytes.trim_ascii().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&harmless(&bytes))
            .map_err(|_| EngineError::new(ErrorKind::Other, 200, "its answer is not JSON: is it an Engine?"))
    }

    /// Sends; an answer that is not good is an error with the Engine's words.
    pub(super) async fn send(&self, call: Call, patience: Duration) -> EngineResult<Answer<'_>> {
        let sent = timeout(patience, self.exchange(&call)).await.unwrap_or_else(|_| Err(silent(patience)));
        let (sender, response) = sent.map_err(|error| self.dial.explain(error))?;
        let status = response.status();
        let answer = Answer { http: self, sender, response };
        if status.is_success() || status.as_u16() == 304 {
            return Ok(answer);
        }
        let bytes = answer.bytes(patience).await?;
        let text = String::from_utf8_lossy(&bytes);
        let words = serde_json::from_str::<Value>(&text).ok();
        let words = words.as_ref().and_then(|json| json["message"].as_str()).unwrap_or(&text);
        Err(EngineError::new(kind_of(status.as_u16(), words), status.as_u16(), words))
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
        drop(tokio::spawn(connection));
        Ok(sender)
    }
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

impl Answer<'_> {
    /// Seconds since 1970 by the Engine's clock.
    pub(super) fn date(&self) -> Option<i64> {
        Some(jiff::fmt::rfc2822::parse(self.header(DATE.as_str())?).ok()?.timestamp().as_second())
    }

    /// Whether the call did something: not where all was so before.
    pub(super) fn is_new(&self) -> bool {
        self.response.status().as_u16() != 304
    }

    /// A header, if it is there and text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The next piece of the body; `None` at its end.
    pub(super) async fn next(&mut self, patience: Duration) -> EngineResult<Option<Bytes>> {
        loop {
            let frame = timeout(patience, self.response.body_mut().frame()).await;
            match frame.map_err(|_| silent(patience))? {
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

    /// The whole body; the connection is kept for the next call.
    pub(super) async fn bytes(mut self, patience: Duration) -> EngineResult<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next(patience).await? {
            if all.len() + bytes.len() > LARGEST {
                return Err(EngineError::new(ErrorKind::Other, 200, "its answer is too long"));
            }
            all.extend_from_slice(&bytes);
        }
        self.keep();
        Ok(all)
    }

    /// Reads to the end; the connection is kept for the next call.
    pub(super) async fn drain(mut self, patience: Duration) -> EngineResult<()> {
        while self.next(patience).await?.is_some() {}
        self.keep();
        Ok(())
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

fn silent(patience: Duration) -> EngineError {
    let words = format!("it did not answer within {} seconds", patience.as_secs());
    EngineError::new(ErrorKind::Unreachable, 0, &words)
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

    #[test]
    fn the_date_of_http_is_read() {
        let parsed = jiff::fmt::rfc2822::parse("Mon, 23 Nov 2026 05:33:46 GMT").expect("a date");
        assert_eq!(parsed.timestamp().as_second(), 1_795_412_026);
    }
}
