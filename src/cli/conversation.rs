//! Talking to a process in a container: keys or standard input there, its output here, until one side ends it.

use super::raw_terminal::{Escape, RawMode, input, size};
use crate::engine::{Channel, Conversation, EngineError, Process, Streams};
use crate::problem::{Problem, Result};
use futures_util::StreamExt as _;
use std::io::{self, Write as _};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    /// The process ended, or closed its output.
    Closed {
        /// What stands instead of its output where a container runtime could not start it.
        not_started: Option<String>,
    },
    /// The person left it with `~.`.
    Left,
    /// The connection broke.
    Lost(EngineError),
    /// Ctrl-C, where that is no key of the process, or SIGTERM; or its time was over.
    Interrupted,
    /// What reads our output went away.
    Unread,
}

/// What a conversation is held with.
pub(super) struct Partner<'a, E> {
    pub(super) engine: &'a E,
    pub(super) process: Process<'a>,
    /// It has a terminal: ours is lent to it.
    pub(super) tty: bool,
    /// It gets our input.
    pub(super) input: bool,
}

/// So begins what an Engine puts into the output of a command that it could not start.
const NOT_STARTED: &[u8] = b"OCI runtime exec failed";

/// Output that may be such a message is held back until that is known.
struct Output {
    held: Option<Vec<u8>>,
}

impl Output {
    fn write(&mut self, from: Channel, bytes: &[u8]) -> io::Result<()> {
        if let Some(mut held) = self.held.take() {
            held.extend_from_slice(bytes);
            if held.starts_with(NOT_STARTED) || NOT_STARTED.starts_with(&held) {
                self.held = Some(held);
                return Ok(());
            }
            return written(from, &held);
        }
        written(from, bytes)
    }

    /// The message that the whole output was, if it was one.
    fn end(self) -> io::Result<Option<String>> {
        match self.held {
            Some(held) if held.starts_with(NOT_STARTED) => {
                Ok(Some(String::from_utf8_lossy(&held).trim().to_owned()))
            }
            Some(held) => written(Channel::Stdout, &held).map(|()| None),
            None => Ok(None),
        }
    }
}

fn written(to: Channel, bytes: &[u8]) -> io::Result<()> {
    match to {
        Channel::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()
        }
        // That nothing reads errors is no reason to end.
        Channel::Stderr => {
            let _ = io::stderr().lock().write_all(bytes);
            Ok(())
        }
    }
}

/// Holds it, until `ends` at the latest. `begin` starts what is talked to, if it is not started yet.
///
/// # Errors
/// Those of `begin`; where the terminal cannot be lent, or standard output cannot be written.
pub(super) async fn converse<E: Streams>(
    partner: &Partner<'_, E>,
    conversation: Conversation,
    ends: impl Future<Output = End>,
    begin: impl Future<Output = Result<()>>,
) -> Result<End> {
    let raw = match partner.tty {
        true => Some(RawMode::begin().map_err(|error| {
            Problem::failed("the terminal cannot be lent to the process")
                .because(&error)
                .hint("without one: -T")
        })?),
        false => None,
    };
    let Conversation { input: mut there, mut output } = conversation;
    begin.await?;
    let mut out = Output { held: Some(Vec::new()) };
    let reading = async {
        loop {
            match output.next().await {
                None => return Ok(End::Closed { not_started: None }),
                Some(Err(error)) => return Ok(End::Lost(error)),
                Some(Ok(piece)) => out.write(piece.from, &piece.bytes)?,
            }
        }
    };
    let typing = async {
        if partner.input {
            let (mut here, mut escape) = (input(), partner.tty.then(Escape::new));
            while let Some(keys) = here.recv().await {
                let keys = match &mut escape {
                    Some(escape) => escape.pass(&keys),
                    None => Some(keys),
                };
                let Some(keys) = keys else { return End::Left };
                // It reads no more: what it still says is shown.
                if there.write_all(&keys).await.is_err() || there.flush().await.is_err() {
                    break;
                }
            }
        }
        let _ = there.shutdown().await;
        std::future::pending().await
    };
    let ended: io::Result<End> = tokio::select! {
        biased;
        ended = reading => ended,
        left = typing => Ok(left),
        end = fitting(partner) => Ok(end),
        end = ends => Ok(end),
    };
    drop(raw);
    let ended = match ended {
        Ok(End::Closed { .. }) => out.end().map(|not_started| End::Closed { not_started }),
        other => other,
    };
    match ended {
        Ok(end) => Ok(end),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(End::Unread),
        Err(error) => Err(Problem::failed("could not write to standard output").because(&error).into()),
    }
}

/// Gives the terminal over there the size of ours, now and each time that it changes; never ends. An Engine refuses it
/// until the process runs.
async fn fitting<E: Streams>(partner: &Partner<'_, E>) -> End {
    let changes = signal(SignalKind::window_change());
    if let (true, Ok(mut changes)) = (partner.tty, changes) {
        let mut pause = Duration::from_millis(10);
        while pause <= Duration::from_millis(500) && !fitted(partner).await {
            sleep(pause).await;
            pause *= 2;
        }
        while changes.recv().await.is_some() {
            fitted(partner).await;
        }
    }
    std::future::pending().await
}

async fn fitted<E: Streams>(partner: &Partner<'_, E>) -> bool {
    match size() {
        Some((rows, columns)) => partner.engine.resize(partner.process, rows, columns).await.is_ok(),
        None => true,
    }
}
