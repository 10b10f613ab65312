//! What an Engine streams: the log of a container, news of containers, and a process that a person talks to.

use super::{Engine, EngineResult};
use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;
use jiff::Timestamp;
use tokio::io::AsyncWrite;

/// Which of its two outputs a process wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Standard output, and all of a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of output as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it was written.
    pub from: Channel,
    /// Whether it begins what was written at once: in a log with times, there is one.
    pub first: bool,
    /// What was written.
    pub bytes: Vec<u8>,
}

/// Output as it comes, until it ends.
pub type Pieces = LocalBoxStream<'static, EngineResult<Piece>>;

/// Both ways to a process. Its input ends when it is shut down; its output ends with the process.
pub struct Conversation {
    /// What it reads.
    pub input: Box<dyn AsyncWrite + Unpin + Send>,
    /// What it writes.
    pub output: Pieces,
}

/// Which part of a log is wanted; each line comes with its time before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPart {
    /// It goes on while the container runs.
    pub follow: bool,
    /// Not what was written before.
    pub since: Option<Timestamp>,
    /// Not what was written after.
    pub until: Option<Timestamp>,
    /// Only so many lines of its end.
    pub tail: Option<u64>,
}

/// A command that is to be run in a container.
#[derive(Clone, Default)]
pub struct ExecRequest {
    /// Program and arguments.
    pub command: Vec<String>,
    /// It gets a terminal.
    pub tty: bool,
    /// It gets input.
    pub input: bool,
    /// As whom it runs, if not as the container.
    pub user: Option<String>,
    /// In which folder, if not in that of the container.
    pub folder: Option<String>,
    /// Further variables, `NAME=VALUE`; they may be secret.
    pub env: Vec<String>,
}

/// How a command in a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecState {
    /// It has not ended.
    pub running: bool,
    /// Its exit code, once it has.
    pub code: Option<i64>,
    /// Its process on the host; 0 if there is none.
    pub pid: i64,
}

/// What has a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process<'a> {
    /// The first process of a container.
    Container(&'a str),
    /// A command in a container.
    Exec(&'a str),
}

/// The keys that end an attachment in an Engine: it holds back the first of them until it knows the next, so they
/// begin with one that is hardly typed and go on with what is not typed by chance.
pub const DETACH_KEYS: &str = "ctrl-@,ctrl-_,ctrl-@,ctrl-^,ctrl-_,ctrl-@,ctrl-^,ctrl-_";

/// The calls whose answers go on.
#[expect(async_fn_in_trait, reason = "one thread waits for Engines; no future crosses threads")]
pub trait Streams: Engine {
    /// The log of a container; `tty` as it was created.
    async fn log(&self, id: &str, tty: bool, part: &LogPart) -> EngineResult<Pieces>;
    /// Comes each time a container starts.
    async fn starts(&self) -> EngineResult<LocalBoxStream<'static, EngineResult<()>>>;
    /// Prepares a command in a running container; answers its id.
    async fn create_exec(&self, id: &str, request: &ExecRequest) -> EngineResult<String>;
    /// Starts it and talks to it.
    async fn start_exec(&self, exec: &str, tty: bool) -> EngineResult<Conversation>;
    /// Starts it and leaves it.
    async fn start_exec_alone(&self, exec: &str, tty: bool) -> EngineResult<()>;
    /// How it is.
    async fn exec_state(&self, exec: &str) -> EngineResult<ExecState>;
    /// Talks to the first process of a container, which may not have been started yet.
    async fn attach(&self, id: &str, tty: bool, input: bool) -> EngineResult<Conversation>;
    /// Gives a terminal its size.
    async fn resize(&self, process: Process<'_>, rows: u16, columns: u16) -> EngineResult<()>;
    /// The exit code of a container's next run, once that has ended; asked for before it is started, as it may be
    /// removed at its end.
    async fn next_end(&self, id: &str) -> EngineResult<LocalBoxFuture<'static, EngineResult<i64>>>;
}
