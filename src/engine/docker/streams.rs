//! Answers that go on, each over a connection of its own: logs, news, and processes that are talked to. For the
//! last the Engine gives up HTTP after its answer (`101 UPGRADED`), and the bytes go both ways.

use super::bounds::Bounds;
use super::call::{query, segment};
use super::connection::{Body, Opened};
use super::frames::Frames;
use super::{Docker, answer};
use crate::engine::{
    Channel, Conversation, DETACH_KEYS, EngineError, EngineResult, ErrorKind, ExecRequest, ExecState,
    LogPart, Piece, Pieces, Process, Streams,
};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, LocalBoxStream, StreamExt as _};
use hyper::Method;
use jiff::Timestamp;
use serde_json::json;
use std::collections::VecDeque;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes that are read at once of a process.
const ONCE: usize = 32 << 10;

impl Streams for Docker {
    async fn log(&self, id: &str, tty: bool, part: &LogPart) -> EngineResult<Pieces> {
        let (since, until) = (part.since.map(seconds), part.until.map(seconds));
        let tail = part.tail.map(|lines| lines.to_string());
        let mut asked = vec![("stdout", "1"), ("stderr", "1"), ("timestamps", "1")];
        asked.extend(part.follow.then_some(("follow", "1")));
        asked.extend(since.as_deref().map(|since| ("since", since)));
        asked.extend(until.as_deref().map(|until| ("until", until)));
        asked.extend(tail.as_deref().map(|tail| ("tail", tail)));
        let path = format!("/containers/{}/logs{}", segment(id), query(&asked));
        let call = self.call(Method::GET, &path).within(Bounds::of_stream(part.follow));
        let body = self.http.alone(call).await?.body()?;
        Ok(pieces_of_body(body, (!tty).then(Frames::default)))
    }

    async fn starts(&self) -> EngineResult<LocalBoxStream<'static, EngineResult<()>>> {
        let filters = json!({ "type": ["container"], "event": ["start"] }).to_string();
        let path = format!("/events{}", query(&[("filters", &filters)]));
        let call = self.call(Method::GET, &path).within(Bounds::of_stream(true));
        let body = self.http.alone(call).await?.body()?;
        // How many there are in a piece, and where one is cut, does not matter: who hears of it looks.
        let news = stream::unfold(Some(body), |body| async {
            let mut body = body?;
            match body.next().await {
                Ok(Some(_)) => Some((Ok(()), Some(body))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(news.boxed_local())
    }

    async fn create_exec(&self, id: &str, request: &ExecRequest) -> EngineResult<String> {
        let mut body = json!({
            "Cmd": request.command, "Tty": request.tty, "AttachStdin": request.input, "AttachStdout": true,
            "AttachStderr": true, "DetachKeys": DETACH_KEYS,
        });
        if let Some(user) = &request.user {
            body["User"] = json!(user);
        }
        if let Some(folder) = &request.folder {
            body["WorkingDir"] = json!(folder);
        }
        if !request.env.is_empty() {
            body["Env"] = json!(request.env);
        }
        let call = self.posting(&format!("/containers/{}/exec", segment(id)), &body)?;
        let call = if request.env.is_empty() { call } else { call.secret(Vec::new()) };
        let made: answer::Warned = self.http.object(call).await?;
        match made.id.as_str() {
            "" => Err(EngineError::new(ErrorKind::Other, 201, "it named no exec")),
            _ => Ok(made.id),
        }
    }

    async fn start_exec(&self, exec: &str, tty: bool) -> EngineResult<Conversation> {
        let body = json!({ "Detach": false, "Tty": tty });
        let call = self.posting(&format!("/exec/{}/start", segment(exec)), &body)?;
        conversation(self.http.alone(call.upgrade()).await?, tty).await
    }

    async fn start_exec_alone(&self, exec: &str, tty: bool) -> EngineResult<()> {
        let body = json!({ "Detach": true, "Tty": tty });
        self.post(&format!("/exec/{}/start", segment(exec)), Some(&body)).await
    }

    async fn exec_state(&self, exec: &str) -> EngineResult<ExecState> {
        let found: answer::Execution =
            self.get(&format!("/exec/{}/json", segment(exec)), Bounds::WHOLE).await?;
        Ok(ExecState { running: found.running, code: found.exit_code, pid: found.pid })
    }

    async fn attach(&self, id: &str, tty: bool, input: bool) -> EngineResult<Conversation> {
        let mut asked = vec![("stream", "1"), ("stdout", "1"), ("stderr", "1"), ("detachKeys", DETACH_KEYS)];
        asked.extend(input.then_some(("stdin", "1")));
        let path = format!("/containers/{}/attach{}", segment(id), query(&asked));
        let call = self.call(Method::POST, &path);
        conversation(self.http.alone(call.upgrade()).await?, tty).await
    }

    async fn resize(&self, process: Process<'_>, rows: u16, columns: u16) -> EngineResult<()> {
        let (rows, columns) = (rows.to_string(), columns.to_string());
        let size = query(&[("h", &rows), ("w", &columns)]);
        let path = match process {
            Process::Container(id) => format!("/containers/{}/resize{size}", segment(id)),
            Process::Exec(exec) => format!("/exec/{}/resize{size}", segment(exec)),
        };
        self.post(&path, None).await
    }

    async fn next_end(&self, id: &str) -> EngineResult<LocalBoxFuture<'static, EngineResult<i64>>> {
        let path = format!("/containers/{}/wait{}", segment(id), query(&[("condition", "next-exit")]));
        let call = self.call(Method::POST, &path).within(Bounds::of_stream(true));
        let mut body = self.http.alone(call).await?.body()?;
        let ended = async move {
            let mut text = Vec::new();
            while let Some(bytes) = body.next().await? {
                if text.len() + bytes.len() > Bounds::WORDS {
                    break;
                }
                text.extend_from_slice(&bytes);
            }
            let ended: Result<answer::Ended, _> = serde_json::from_slice(&text);
            let words = "it does not say how the container ended";
            ended.map(|ended| ended.status_code).map_err(|_| EngineError::new(ErrorKind::Other, 200, words))
        };
        Ok(ended.boxed_local())
    }
}

/// Seconds since 1970 with nine digits behind the point, as Engines read times.
fn seconds(time: Timestamp) -> String {
    // `since` and `until` are not negative; what is older is from the beginning.
    let nanoseconds = time.as_nanosecond().max(0);
    format!("{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
}

async fn conversation(opened: Opened, tty: bool) -> EngineResult<Conversation> {
    let (output, input) = tokio::io::split(opened.upgraded().await?);
    let output = pieces_of(output, (!tty).then(Frames::default));
    Ok(Conversation { input: Box::new(input), output })
}

/// Pieces that are there and were not handed on yet.
struct Decoder {
    frames: Option<Frames>,
    ready: VecDeque<Piece>,
    over: bool,
    failed: Option<EngineError>,
}

impl Decoder {
    fn new(frames: Option<Frames>) -> Self {
        Self { frames, ready: VecDeque::new(), over: false, failed: None }
    }

    /// What can be handed on; `None` where something must come before.
    fn next(&mut self) -> Option<Option<EngineResult<Piece>>> {
        match self.ready.pop_front() {
            Some(piece) => Some(Some(Ok(piece))),
            None if self.over => Some(self.failed.take().map(Err)),
            None => None,
        }
    }

    /// Takes what came; nothing more comes after `None` or an error.
    fn take(&mut self, came: EngineResult<Option<&[u8]>>) {
        let taken = match (came, &mut self.frames) {
            (Ok(Some(bytes)), Some(frames)) => frames.feed(bytes, &mut self.ready),
            (Ok(Some(bytes)), None) => {
                self.ready.push_back(Piece { from: Channel::Stdout, first: true, bytes: bytes.to_vec() });
                Ok(())
            }
            (Ok(None), frames) => {
                self.over = true;
                frames.as_ref().map_or(Ok(()), Frames::end)
            }
            (Err(error), _) => Err(error),
        };
        if let Err(error) = taken {
            (self.over, self.failed) = (true, Some(error));
        }
    }
}

fn pieces_of_body(body: Body, frames: Option<Frames>) -> Pieces {
    let begin = (body, Decoder::new(frames));
    let pieces = stream::unfold(begin, |(mut body, mut decoder)| async {
        loop {
            if let Some(next) = decoder.next() {
                return next.map(|next| (next, (body, decoder)));
            }
            match body.next().await {
                Ok(bytes) => decoder.take(Ok(bytes.as_deref())),
                Err(error) => decoder.take(Err(error)),
            }
        }
    });
    pieces.boxed_local()
}

fn pieces_of(output: impl AsyncRead + Unpin + 'static, frames: Option<Frames>) -> Pieces {
    let begin = (output, vec![0; ONCE], Decoder::new(frames));
    let pieces = stream::unfold(begin, |(mut output, mut buffer, mut decoder)| async {
        loop {
            if let Some(next) = decoder.next() {
                return next.map(|next| (next, (output, buffer, decoder)));
            }
            let came = output.read(&mut buffer).await.map_err(|error| {
                EngineError::new(ErrorKind::Unreachable, 0, &format!("the connection was lost: {error}"))
            });
            decoder.take(came.map(|read| (read > 0).then(|| &buffer[..read])));
        }
    });
    pieces.boxed_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_nanoseconds() {
        let time: Timestamp = "2026-11-29T10:00:00.000000042Z".parse().expect("a time");
        assert_eq!(seconds(time), "1795946400.000000042");
        assert_eq!(seconds(Timestamp::MIN), "0.000000000");
    }
}
