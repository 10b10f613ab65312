//! What an Engine in memory streams: lines that tests let containers write, and commands that say that they ran.

use super::world::World;
use super::{Fake, unreachable};
use crate::engine::{
    Channel, Conversation, EngineError, EngineResult, ErrorKind, ExecRequest, ExecState, LogPart, Piece,
    Pieces, Process, Streams,
};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, LocalBoxStream, StreamExt as _};
use jiff::Timestamp;
use std::time::Duration;

/// How often a stream looks whether there is more.
const GLANCE: Duration = Duration::from_millis(10);

/// A line that a container wrote.
#[derive(Clone, Debug)]
pub(super) struct Written {
    id: String,
    time: Timestamp,
    text: String,
}

impl Fake {
    /// Lets a container write a line now.
    ///
    /// # Panics
    /// Where there is none of that name.
    pub fn write(&self, name: &str, text: &str) {
        let mut world = self.world();
        let Ok(at) = world.find(name) else { panic!("{name}") };
        let id = world.containers[at].id.clone();
        let time = world.time();
        world.written.push(Written { id, time, text: text.to_owned() });
    }

    /// What a container wrote, from a line on, with times before each or without.
    fn written(&self, id: String, part: LogPart, times: bool) -> Pieces {
        let begin = (self.clone(), 0, false);
        let next = move |(fake, mut at, over): (Self, usize, bool)| {
            let (id, part) = (id.clone(), part.clone());
            async move {
                if over {
                    return None;
                }
                loop {
                    {
                        let mut world = fake.world();
                        if world.is_away() {
                            drop(world);
                            return Some((Err(unreachable()), (fake, at, true)));
                        }
                        while let Some(line) = world.written.get(at) {
                            at += 1;
                            if line.id != id || part.since.is_some_and(|since| line.time < since) {
                                continue;
                            }
                            let time = if times { format!("{} ", line.time) } else { String::new() };
                            let bytes = format!("{time}{}\n", line.text).into_bytes();
                            let piece = Piece { from: Channel::Stdout, first: true, bytes };
                            drop(world);
                            return Some((Ok(piece), (fake, at, false)));
                        }
                        if !part.follow || world.runs(&id).is_err() {
                            return None;
                        }
                    }
                    tokio::time::sleep(GLANCE).await;
                }
            }
        };
        stream::unfold(begin, next).boxed_local()
    }
}

impl World {
    /// Now, to the millisecond.
    fn time(&self) -> Timestamp {
        let since = tokio::time::Instant::now().duration_since(self.began);
        let millis = super::EPOCH * 1000 + i64::try_from(since.as_millis()).unwrap_or_default();
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }
}

impl Streams for Fake {
    async fn log(&self, id: &str, _: bool, part: &LogPart) -> EngineResult<Pieces> {
        let id = self
            .read(&self.called("log", id), |world| Ok(world.containers[world.find(id)?].id.clone()))
            .await?;
        Ok(self.written(id, part.clone(), true))
    }

    async fn starts(&self) -> EngineResult<LocalBoxStream<'static, EngineResult<()>>> {
        let seen = self.read("starts", |world| Ok(world.started.len())).await?;
        let begin = (self.clone(), seen, false);
        let news = stream::unfold(begin, |(fake, seen, over)| async move {
            if over {
                return None;
            }
            loop {
                {
                    let mut world = fake.world();
                    if world.is_away() {
                        drop(world);
                        return Some((Err(unreachable()), (fake, seen, true)));
                    }
                    let started = world.started.len();
                    drop(world);
                    if started > seen {
                        return Some((Ok(()), (fake, started, false)));
                    }
                }
                tokio::time::sleep(GLANCE).await;
            }
        });
        Ok(news.boxed_local())
    }

    async fn create_exec(&self, id: &str, request: &ExecRequest) -> EngineResult<String> {
        let call = format!("{} {}", self.called("exec", id), request.command.join(" "));
        let command = request.command.clone();
        self.change(call, |world| {
            world.runs(id)?;
            world.execs.push(command);
            Ok((world.execs.len() - 1).to_string())
        })
        .await
    }

    async fn start_exec(&self, exec: &str, _: bool) -> EngineResult<Conversation> {
        let command = self.read(&format!("start-exec {exec}"), |world| command(world, exec)).await?;
        let bytes = format!("ran {}\n", command.join(" ")).into_bytes();
        let piece = Piece { from: Channel::Stdout, first: true, bytes };
        let output = stream::once(std::future::ready(Ok(piece))).boxed_local();
        Ok(Conversation { input: Box::new(tokio::io::sink()), output })
    }

    async fn start_exec_alone(&self, exec: &str, tty: bool) -> EngineResult<()> {
        self.start_exec(exec, tty).await.map(drop)
    }

    async fn exec_state(&self, exec: &str) -> EngineResult<ExecState> {
        let command = self.read(&format!("exec-state {exec}"), |world| command(world, exec)).await?;
        let code = i64::from(command.iter().any(|word| word == "false"));
        Ok(ExecState { running: false, code: Some(code), pid: 0 })
    }

    async fn attach(&self, id: &str, _: bool, _: bool) -> EngineResult<Conversation> {
        let id = self
            .read(&self.called("attach", id), |world| Ok(world.containers[world.find(id)?].id.clone()))
            .await?;
        let part = LogPart { follow: true, ..LogPart::default() };
        Ok(Conversation { input: Box::new(tokio::io::sink()), output: self.written(id, part, false) })
    }

    async fn resize(&self, process: Process<'_>, _: u16, _: u16) -> EngineResult<()> {
        match process {
            Process::Container(id) => self.read(&self.called("resize", id), |world| world.runs(id)).await,
            Process::Exec(exec) => {
                self.read(&format!("resize {exec}"), |world| command(world, exec).map(drop)).await
            }
        }
    }

    async fn next_end(&self, id: &str) -> EngineResult<LocalBoxFuture<'static, EngineResult<i64>>> {
        let id = self
            .read(&self.called("wait", id), |world| Ok(world.containers[world.find(id)?].id.clone()))
            .await?;
        let fake = self.clone();
        let ended = async move {
            let mut ran = false;
            loop {
                {
                    let world = fake.world();
                    let state = world.run_state(&world.containers[world.find(&id)?]);
                    ran |= state.running;
                    if state.status == "exited" || (ran && !state.running) {
                        return Ok(state.exit_code);
                    }
                }
                tokio::time::sleep(GLANCE).await;
            }
        };
        Ok(ended.boxed_local())
    }
}

fn command(world: &World, exec: &str) -> EngineResult<Vec<String>> {
    let found = exec.parse::<usize>().ok().and_then(|at| world.execs.get(at));
    found.cloned().ok_or_else(|| EngineError::new(ErrorKind::NotFound, 404, "No such exec instance"))
}
