//! Starting a container whose volume in memory is filled meanwhile.
//!
//! A volume in memory exists as long as it is mounted somewhere. An Engine has it mounted while it takes
//! an archive through a container; so the end of the archive is withheld until the container that reads the
//! files has started (measured on Docker 20.10 and 28). That the files are there before, the Engine says
//! of the container that is to start.

use super::bounds::Bounds;
use super::call::{ARCHIVE, Call, query, segment};
use super::connection::kind_of;
use super::file::STAT;
use super::{Docker, refusal};
use crate::engine::{Engine as _, EngineError, EngineResult, ErrorKind, Filling};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::Value;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

/// How long each part of it may take.
const LIMIT: Duration = Bounds::SHORT.silence;

/// What is withheld: an archive ends with two blocks of zeros.
const END: usize = 1024;

/// Between two questions whether the files are there.
const PAUSE: Duration = Duration::from_millis(20);

/// An answer to the archive may be this long.
const LARGEST: usize = 64 << 10;

pub(super) async fn start(docker: &Docker, id: &str, filling: Filling<'_>) -> EngineResult<()> {
    let bytes = filling.archive.reveal();
    let (most, end) = bytes.split_at(bytes.len().saturating_sub(END));
    let path = format!(
        "/v{}/containers/{}/archive{}",
        docker.api,
        segment(filling.filler),
        query(&[("path", filling.folder)])
    );
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: {ARCHIVE}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        bytes.len()
    );
    let stream = docker.http.stream().await?;
    let (mut answer, mut body) = tokio::io::split(stream);
    let mut said = Vec::new();
    let sending = async {
        body.write_all(head.as_bytes()).await?;
        body.write_all(most).await?;
        body.flush().await
    };
    within(timeout(LIMIT, sending).await)?;
    tokio::select! {
        biased;
        there = seen(docker, id, filling) => there?,
        // It is not at its end: whatever it says now is no.
        read = answer.read_buf(&mut said) => {
            read.map_err(|error| lost(&error))?;
            return Err(whole(&mut answer, said).await?.err().unwrap_or_else(|| other("it took half an archive")));
        }
    }
    docker.start(id).await?;
    let ending = async {
        body.write_all(end).await?;
        body.flush().await
    };
    within(timeout(LIMIT, ending).await)?;
    whole(&mut answer, said).await?
}

/// Waits until the container that is to start has the last file in full.
async fn seen(docker: &Docker, id: &str, filling: Filling<'_>) -> EngineResult<()> {
    let path = format!("/containers/{}/archive{}", segment(id), query(&[("path", filling.last)]));
    let began = Instant::now();
    loop {
        let call: Call = docker.call(Method::HEAD, &path);
        match docker.http.send(call).await {
            Ok(answer) => {
                let size = answer.header(STAT).and_then(size);
                answer.drain().await?;
                if size == Some(filling.size) {
                    return Ok(());
                }
            }
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if began.elapsed() > LIMIT {
            return Err(other("the files were not there in time"));
        }
        sleep(PAUSE).await;
    }
}

fn size(stat: &str) -> Option<u64> {
    let json = STANDARD.decode(stat).ok()?;
    serde_json::from_slice::<Value>(&json).ok()?["size"].as_u64()
}

/// The whole answer; `Ok(Err)` where it is no.
async fn whole(
    answer: &mut (impl tokio::io::AsyncRead + Unpin),
    mut said: Vec<u8>,
) -> EngineResult<EngineResult<()>> {
    let reading = async {
        let mut rest = answer.take(LARGEST as u64);
        rest.read_to_end(&mut said).await.map(drop)
    };
    within(timeout(LIMIT, reading).await)?;
    let text = String::from_utf8_lossy(&said);
    let status = text.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    Ok(match status {
        Some(200..=299) => Ok(()),
        Some(status) => {
            let words = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let json = words.find('{').and_then(|at| words.get(at..=words.rfind('}')?));
            let json = json.and_then(|json| serde_json::from_str::<Value>(json).ok());
            let words = json.as_ref().and_then(|json| json["message"].as_str()).unwrap_or(words);
            let error = EngineError::new(kind_of(status, words), status, words);
            Err(refusal::without_secrets(error, &Vec::new()))
        }
        None => Err(other("its answer is not HTTP")),
    })
}

fn within<T>(done: Result<io::Result<T>, tokio::time::error::Elapsed>) -> EngineResult<T> {
    match done {
        Ok(done) => done.map_err(|error| lost(&error)),
        Err(_) => Err(EngineError::new(ErrorKind::Unreachable, 0, "it did not answer in time")),
    }
}

fn lost(error: &io::Error) -> EngineError {
    EngineError::new(ErrorKind::Unreachable, 0, &format!("the connection was lost: {error}"))
}

fn other(words: &str) -> EngineError {
    EngineError::new(ErrorKind::Other, 0, words)
}
