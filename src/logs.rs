//! The logs of several containers read as one: lines with their times, merged by them, and followed while containers
//! come and go.

mod follow;
mod lines;
mod merge;
#[cfg(test)]
mod tests;

use crate::engine::{EngineError, EngineResult, ErrorKind, LogPart, Pieces, Streams};
use crate::name::HostName;
use crate::observe::Replica;
use crate::problem::{Problem, Problems, Result, escaped};
use follow::{HostNews, HostStream, Watched};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, ready};
use futures_util::stream::{self, FuturesUnordered, LocalBoxStream, StreamExt as _};
use jiff::Timestamp;
use lines::Splitter;
use merge::Merge;
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::rc::Rc;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

pub use lines::Line;

/// Dials an Engine, again and again if it is lost.
pub type Dial<'r, E> = Rc<dyn Fn() -> LocalBoxFuture<'r, Result<Rc<E>>> + 'r>;

/// A host whose containers are read.
pub struct Source<'r, E> {
    /// The host.
    pub host: HostName,
    /// Its Engine.
    pub engine: Rc<E>,
    /// The containers that are read from the beginning.
    pub replicas: Vec<Replica>,
    /// How its Engine is dialled again.
    pub dial: Dial<'r, E>,
}

/// What is read.
pub struct Wanted<'r> {
    /// Which part of each log.
    pub part: LogPart,
    /// Which containers join while logs are followed.
    pub joins: &'r dyn Fn(&Replica) -> bool,
    /// Whose containers are ours.
    pub owner: &'r crate::name::Owner,
}

/// What is told of.
pub enum News<'n> {
    /// A line of a stream, by its number.
    Line(usize, &'n Line),
    /// There is a further stream, of a container on a host.
    Stream(&'n HostName, &'n Replica),
    /// A log cannot be read.
    Unreadable(&'n Problem),
    /// A host does not answer any more, and is dialled again.
    Lost(&'n HostName, &'n Problems),
    /// It answers again.
    Back(&'n HostName),
    /// Nothing more is there for now.
    Pause,
}

/// The log of a container, and how far it was read.
struct Stream {
    host: usize,
    open: bool,
    /// It cannot be read.
    broken: bool,
    /// What comes after the line that is to be told next.
    parked: Option<Lines>,
    /// The time of the last line, and how many lines of that time there were.
    last: Option<(Timestamp, u32)>,
    /// Lines of that time that come again.
    again: u32,
}

/// Lines; `None` once, when the Engine has answered.
type Lines = LocalBoxStream<'static, EngineResult<Option<Line>>>;

/// What happens next.
enum Step<'r, E> {
    Line(usize, Option<EngineResult<Option<Line>>>, Lines),
    Host(usize, HostNews<E>, HostStream<'r, E>),
}

type Steps<'r, E> = FuturesUnordered<LocalBoxFuture<'r, Step<'r, E>>>;

/// The lines of a process's output, which come without times.
pub fn of_output(pieces: Pieces) -> LocalBoxStream<'static, EngineResult<Line>> {
    cut(pieces, Splitter::without_times())
}

/// Reads logs until all have ended, or for ever where they are followed; `tell` ends it with a break.
///
/// # Errors
/// Where a log cannot be read; the others were read.
pub async fn read<'r, E: Streams + 'static>(
    sources: Vec<Source<'r, E>>,
    wanted: &'r Wanted<'r>,
    tell: &mut dyn FnMut(News<'_>) -> ControlFlow<()>,
) -> Result<()> {
    let mut reader = Reader {
        hosts: Vec::new(),
        streams: Vec::new(),
        known: BTreeMap::new(),
        merge: Merge::new(wanted.part.follow),
        steps: FuturesUnordered::new(),
        problems: Vec::new(),
        wanted,
    };
    for source in sources {
        let at = reader.hosts.len();
        let notify = Rc::new(Notify::new());
        if wanted.part.follow {
            let watched = Watched {
                host: source.host.clone(),
                owner: wanted.owner.clone(),
                dial: source.dial,
                notify: Rc::clone(&notify),
            };
            reader.watch(at, follow::watch(Rc::clone(&source.engine), watched));
        }
        reader.hosts.push(Host { name: source.host, engine: source.engine, notify, lost: false });
        for replica in source.replicas {
            if reader.begin(at, &replica, wanted.part.clone(), tell).is_break() {
                return Ok(());
            }
        }
    }
    reader.run(tell).await;
    Problems::check(reader.problems)
}

struct Host<E> {
    name: HostName,
    engine: Rc<E>,
    notify: Rc<Notify>,
    lost: bool,
}

struct Reader<'r, E> {
    hosts: Vec<Host<E>>,
    streams: Vec<Stream>,
    /// Streams by host and container.
    known: BTreeMap<(usize, String), usize>,
    merge: Merge,
    steps: Steps<'r, E>,
    problems: Vec<Problem>,
    wanted: &'r Wanted<'r>,
}

impl<'r, E: Streams + 'static> Reader<'r, E> {
    async fn run(&mut self, tell: &mut dyn FnMut(News<'_>) -> ControlFlow<()>) {
        loop {
            while let Some((at, line)) = self.merge.next(Instant::now()) {
                if let Some(lines) = self.streams[at].parked.take() {
                    self.await_line(at, lines);
                }
                if self.streams[at].accepts(&line) && tell(News::Line(at, &line)).is_break() {
                    return;
                }
            }
            let until = self.merge.until();
            // What is there already is taken before anything is written out.
            let step = match self.steps.next().now_or_never() {
                Some(step) => step,
                None => {
                    if tell(News::Pause).is_break() {
                        return;
                    }
                    let wait = async {
                        match until {
                            Some(until) => sleep_until(until).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        biased;
                        step = self.steps.next() => step,
                        () = wait => continue,
                    }
                }
            };
            let told = match step {
                Some(Step::Line(at, came, lines)) => self.came(at, came, lines, tell),
                Some(Step::Host(at, news, stream)) => self.heard(at, news, stream, tell),
                None if until.is_none() => return,
                None => {
                    if let Some(until) = until {
                        sleep_until(until).await;
                    }
                    ControlFlow::Continue(())
                }
            };
            if told.is_break() {
                return;
            }
        }
    }

    /// Begins to read a container that was not read before.
    fn begin(
        &mut self,
        host: usize,
        replica: &Replica,
        part: LogPart,
        tell: &mut dyn FnMut(News<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let at = self.streams.len();
        self.streams.push(Stream { host, open: true, broken: false, parked: None, last: None, again: 0 });
        self.known.insert((host, replica.id.clone()), at);
        self.merge.add(Instant::now());
        let lines = lines(Rc::clone(&self.hosts[host].engine), replica, part);
        self.await_line(at, lines);
        tell(News::Stream(&self.hosts[host].name, replica))
    }

    /// Goes on with one that has ended, or was lost, where it was left.
    fn resume(&mut self, at: usize, replica: &Replica) {
        let stream = &mut self.streams[at];
        stream.open = true;
        stream.again = stream.last.map_or(0, |(_, count)| count);
        let since = stream.last.map(|(time, _)| time).or(self.wanted.part.since);
        let tail = if stream.last.is_some() { None } else { self.wanted.part.tail };
        let part = LogPart { since, tail, ..self.wanted.part.clone() };
        let lines = lines(Rc::clone(&self.hosts[stream.host].engine), replica, part);
        self.merge.reopen(at, Instant::now());
        self.await_line(at, lines);
    }

    fn await_line(&mut self, at: usize, mut lines: Lines) {
        let next = async move {
            let came = lines.next().await;
            Step::Line(at, came, lines)
        };
        self.steps.push(next.boxed_local());
    }

    fn watch(&mut self, at: usize, mut stream: HostStream<'r, E>) {
        let next = async move {
            match stream.next().await {
                Some(news) => Step::Host(at, news, stream),
                // It never ends.
                None => std::future::pending().await,
            }
        };
        self.steps.push(next.boxed_local());
    }

    fn came(
        &mut self,
        at: usize,
        came: Option<EngineResult<Option<Line>>>,
        lines: Lines,
        tell: &mut dyn FnMut(News<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let now = Instant::now();
        match came {
            Some(Ok(None)) => {
                self.merge.spoke(at, now);
                self.await_line(at, lines);
            }
            Some(Ok(Some(line))) => {
                // The next one is asked for when this one is taken: no more than one of each is kept.
                self.merge.put(at, line, now);
                self.streams[at].parked = Some(lines);
            }
            ended => {
                self.merge.end(at);
                let stream = &mut self.streams[at];
                stream.open = false;
                let host = &self.hosts[stream.host];
                host.notify.notify_one();
                let Some(Err(error)) = ended else { return ControlFlow::Continue(()) };
                // It is being removed, or its host is lost, which is said of the host.
                let passes = match error.kind {
                    ErrorKind::NotFound | ErrorKind::Conflict => true,
                    ErrorKind::Unreachable => self.wanted.part.follow,
                    _ => false,
                };
                if !passes {
                    stream.broken = true;
                    let problem = error.problem(format!("a log on host {} cannot be read", host.name));
                    let told = tell(News::Unreadable(&problem));
                    self.problems.push(problem);
                    return told;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn heard(
        &mut self,
        at: usize,
        news: HostNews<E>,
        stream: HostStream<'r, E>,
        tell: &mut dyn FnMut(News<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.watch(at, stream);
        let host = &mut self.hosts[at];
        match news {
            HostNews::Lost(problems) => {
                if std::mem::replace(&mut host.lost, true) {
                    return ControlFlow::Continue(());
                }
                tell(News::Lost(&host.name, &problems))
            }
            HostNews::There(engine, replicas) => {
                host.engine = engine;
                if std::mem::take(&mut host.lost) {
                    tell(News::Back(&host.name))?;
                }
                for replica in replicas {
                    match self.known.get(&(at, replica.id.clone())) {
                        Some(stream) => {
                            let stream = *stream;
                            let ended = !self.streams[stream].open && !self.streams[stream].broken;
                            if ended && replica.running {
                                self.resume(stream, &replica);
                            }
                        }
                        None if (self.wanted.joins)(&replica) => {
                            let part = LogPart { since: None, tail: None, ..self.wanted.part.clone() };
                            self.begin(at, &replica, part, tell)?;
                        }
                        None => {}
                    }
                }
                ControlFlow::Continue(())
            }
        }
    }
}

impl Stream {
    /// Whether a line was not told before.
    fn accepts(&mut self, line: &Line) -> bool {
        let Some(time) = line.time else { return true };
        match self.last {
            Some((last, _)) if self.again > 0 && time <= last => {
                self.again -= u32::from(time == last);
                false
            }
            Some((last, count)) if time == last => {
                self.last = Some((last, count + 1));
                true
            }
            _ => {
                (self.last, self.again) = (Some((time, 1)), 0);
                true
            }
        }
    }
}

/// The lines of a container's log.
fn lines<E: Streams + 'static>(engine: Rc<E>, replica: &Replica, part: LogPart) -> Lines {
    let (id, name) = (replica.id.clone(), replica.name.clone());
    let opening = async move {
        let seen = engine.container(&id).await?;
        let seen = seen.ok_or_else(|| EngineError::new(ErrorKind::NotFound, 404, "it is gone"))?;
        let said = |path: &str| seen.inspect.compare(path).cloned().unwrap_or_default();
        let tty = said("/Config/Tty") == true;
        let pieces = engine.log(&id, tty, &part).await.map_err(|error| {
            let driver = said("/HostConfig/LogConfig/Type");
            let words = driver.as_str().map_or_else(String::new, |driver| format!(" (log driver {driver})"));
            EngineError {
                message: format!("container {}{}: {}", escaped(&name), escaped(&words), error.message),
                ..error
            }
        })?;
        Ok(cut(pieces, Splitter::new(tty)))
    };
    let opened = stream::once(opening).map(|opened| match opened {
        Err(error) => stream::once(ready(Err(error))).boxed_local(),
        Ok(lines) => {
            let lines = lines.map(|line| line.map(Some));
            stream::once(ready(Ok(None))).chain(lines).boxed_local()
        }
    });
    opened.flatten().boxed_local()
}

/// Pieces as lines.
fn cut(pieces: Pieces, splitter: Splitter) -> LocalBoxStream<'static, EngineResult<Line>> {
    let begin = (pieces, splitter, VecDeque::new(), false);
    let lines = stream::unfold(begin, |(mut pieces, mut splitter, mut found, mut over)| async move {
        loop {
            if let Some(line) = found.pop_front() {
                return Some((Ok(line), (pieces, splitter, found, over)));
            }
            if over {
                return None;
            }
            match pieces.next().await {
                Some(Ok(piece)) => splitter.feed(&piece, &mut found),
                Some(Err(error)) => return Some((Err(error), (pieces, splitter, found, true))),
                None => {
                    over = true;
                    splitter.end(&mut found);
                }
            }
        }
    });
    lines.boxed_local()
}
