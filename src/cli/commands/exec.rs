//! `pillarbox exec`.

use crate::cli::conversation::{End, Partner, converse};
use crate::cli::environment::passed;
use crate::cli::output::logs::{Printer, Shown};
use crate::cli::{Context, Exit, Selection, failure, on_engines};
use crate::engine::{EngineError, ErrorKind, ExecRequest, ExecState, Process, Streams as _};
use crate::execute::Interrupt;
use crate::logs::Line;
use crate::problem::{Code, Problem, Problems, Result, escaped, quoted};
use crate::session::{Located, NewHosts, Pipeline, Vault, unless_interrupted, without_container};
use futures_util::{StreamExt as _, stream};
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::sleep;

/// Containers in which a command runs at the same time.
const AT_ONCE: usize = 16;

/// How long a command whose output has ended goes on before that is said.
const STILL: Duration = Duration::from_secs(2);

/// Run a command, or a shell, in a running container of a service
///
/// The first replica by host and index is taken, and named on standard error. `~.` at the beginning of a line leaves
/// it, as with ssh.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox exec api                            # bash, else sh
  pillarbox exec api --host web2 --index 3 -- ps aux
  pillarbox exec db -T -- pg_dump shop > shop.sql
  pillarbox exec api --all -- cat /etc/hostname

It ends with the code of the command: 126 if it cannot be run, 127 if there is none, 125 if pillarbox failed.")]
pub(in crate::cli) struct ExecArgs {
    /// The service; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    service: String,
    /// Program and arguments [default: bash, else sh]
    #[arg(value_name = "CMD", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    selection: Selection,
    /// The replica with this number
    #[arg(long, value_name = "N")]
    index: Option<u32>,
    /// In every replica, without input, with the replica before each line; the highest code counts
    #[arg(long, conflicts_with = "detach")]
    all: bool,
    /// Start it and leave it
    #[arg(short, long)]
    detach: bool,
}

/// How a command runs.
#[derive(clap::Args, Clone, Debug)]
pub(in crate::cli) struct How {
    /// No terminal, even where there is one
    #[arg(short = 'T', long)]
    no_tty: bool,
    /// As this user, `USER[:GROUP]`
    #[arg(short, long, value_name = "USER")]
    pub(in crate::cli) user: Option<String>,
    /// In this folder
    #[arg(short, long, value_name = "DIR")]
    pub(in crate::cli) workdir: Option<String>,
    /// A further variable; NAME alone takes it from here. Others on the host may see its value
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Accepted, as it is so anyway
    #[arg(short, hide = true)]
    interactive: bool,
    /// Accepted, as it is so on a terminal
    #[arg(short, hide = true, conflicts_with = "no_tty")]
    tty: bool,
}

impl How {
    /// Whether the command gets a terminal.
    pub(in crate::cli) fn has_terminal(&self, ctx: &Context) -> bool {
        !self.no_tty && ctx.terminal.stdin && ctx.terminal.stdout
    }

    /// Its further variables.
    ///
    /// # Errors
    /// Where one has no name, or is not set here.
    pub(in crate::cli) fn variables(&self) -> Result<Vec<String>> {
        let variable = |text: &String| match text.split_once('=') {
            Some(("", _)) => Err(Problem::usage(format!("-e {}: a variable has a name", quoted(text)))),
            Some(_) => Ok(text.clone()),
            None => match passed(text) {
                Some(value) => Ok(format!("{text}={value}")),
                None => Err(Problem::usage(format!("the variable {} is not set here", escaped(text)))
                    .hint(format!("give it a value: -e {}=VALUE", escaped(text)))),
            },
        };
        Ok(self.env.iter().map(variable).collect::<std::result::Result<_, _>>()?)
    }
}

pub(in crate::cli) fn run(args: &ExecArgs, ctx: &Context) -> Result<Exit> {
    let env = args.how.variables()?;
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    on_engines(async |interrupt| {
        let pipeline = Pipeline::new(&vault, NewHosts::Ask, interrupt);
        let chosen = args.selection.chosen(ctx, &vault)?;
        let hosts = pipeline.live(&chosen.terms).await?;
        chosen.say_paused(ctx);
        let mut away = hosts.problems();
        let services = match pipeline.named(&hosts, &chosen.terms, std::slice::from_ref(&args.service)).await
        {
            Ok(services) => services,
            Err(problems) => {
                away.extend(problems.into_vec());
                return Problems::check(away).map(|()| Exit::Done);
            }
        };
        let mut found: Vec<Located> = hosts.of_services(&services);
        found.retain(|one| one.replica.running && args.index.is_none_or(|index| index == one.replica.index));
        if found.iter().any(|one| one.replica.is_current()) {
            found.retain(|one| one.replica.is_current());
        }
        let Some(first) = found.first() else {
            away.push(without_container(&services, "running container"));
            return Problems::check(away).map(|()| Exit::Done);
        };
        if args.all {
            // In every replica, or it is not done.
            Problems::check(away)?;
            return everywhere(args, ctx, &found, env, interrupt).await;
        }
        for problem in &away {
            ctx.out.warn(problem);
        }
        ctx.out.say(format_args!("in {}", first.title()));
        let tty = args.how.has_terminal(ctx) && !args.detach;
        let request = request(args, tty, !args.detach, env);
        in_one(ctx, first, &request, args.detach, interrupt).await
    })
}

fn request(args: &ExecArgs, tty: bool, input: bool, env: Vec<String>) -> ExecRequest {
    let shell = ["sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh"];
    let command = match args.command.is_empty() {
        true => shell.map(str::to_owned).to_vec(),
        false => args.command.clone(),
    };
    ExecRequest { command, tty, input, user: args.how.user.clone(), folder: args.how.workdir.clone(), env }
}

async fn in_one(
    ctx: &Context,
    at: &Located,
    request: &ExecRequest,
    detach: bool,
    interrupt: &Interrupt,
) -> Result<Exit> {
    let engine = &*at.engine;
    let failed = |error: &EngineError| failed(at, error);
    let starting = async {
        let exec = engine.create_exec(&at.replica.id, request).await.map_err(|error| failed(&error))?;
        if detach {
            let started = engine.start_exec_alone(&exec, request.tty).await;
            return Ok((exec, started.map(|()| None)));
        }
        let started = engine.start_exec(&exec, request.tty).await;
        Ok((exec, started.map(Some)))
    };
    let (exec, started) = unless_interrupted(interrupt, starting).await?;
    let conversation = match started {
        Ok(Some(conversation)) => conversation,
        Ok(None) => return Ok(Exit::Done),
        Err(error) => return refused(ctx, at, request, &error.message).ok_or_else(|| failed(&error).into()),
    };
    let partner = Partner { engine, process: Process::Exec(&exec), tty: request.tty, input: request.input };
    let interrupted = async {
        interrupt.heard(1).await;
        End::Interrupted
    };
    let goes_on = async |why: &str| {
        let state = engine.exec_state(&exec).await;
        let pid = match state {
            Ok(ExecState { running: false, .. }) => return,
            Ok(ExecState { pid, .. }) if pid > 0 => format!(", as process {pid} of the host"),
            _ => String::new(),
        };
        ctx.out.warn(format_args!("{why}: the command goes on in {}{pid}", at.title()));
    };
    match converse(&partner, conversation, interrupted, async { Ok(()) }).await? {
        End::Closed { not_started } => {
            let code = code(ctx, at, &exec, interrupt).await?;
            match not_started.and_then(|words| refused(ctx, at, request, &words)) {
                Some(exit) => Ok(exit),
                None => Ok(Exit::Of(code)),
            }
        }
        End::Left => {
            goes_on("left").await;
            Ok(Exit::Of(125))
        }
        End::Unread => {
            goes_on("standard output was closed").await;
            Ok(Exit::Of(141))
        }
        End::Interrupted => {
            goes_on("interrupted").await;
            Ok(Exit::interrupted())
        }
        End::Lost(error) => Err(lost(at, &error).into()),
    }
}

/// Where the Engine does not answer any more.
fn lost(at: &Located, error: &EngineError) -> Problem {
    let problem = Problem::failed(format!("the connection to {} was lost", at.title()));
    problem.cause(&error.message).cause("the command may go on there")
}

/// The exit code of a command whose output has ended. It may go on for a moment; if it goes on for longer, that is said
/// once: it closed its output, or something between here and there closed the connection.
async fn code(ctx: &Context, at: &Located, exec: &str, interrupt: &Interrupt) -> Result<u8> {
    let waiting = async {
        let (mut pause, mut waited) = (Duration::from_millis(10), Duration::ZERO);
        loop {
            match at.engine.exec_state(exec).await {
                Ok(ExecState { running: false, code: Some(code), .. }) => return Ok(code),
                Ok(_) => sleep(pause).await,
                // A broken connection looks like the end of the output.
                Err(error) if error.kind == ErrorKind::Unreachable => return Err(lost(at, &error).into()),
                Err(error) => return Err(failed(at, &error).into()),
            }
            if waited < STILL && waited + pause >= STILL {
                let title = at.title();
                ctx.out.warn(format_args!(
                    "the output of the command has ended, and it still runs in {title}: its end is waited for"
                ));
            }
            waited += pause;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    };
    Ok(u8::try_from(unless_interrupted(interrupt, waiting).await?).unwrap_or(255))
}

/// The exit code of a command that a container runtime could not start, by its words; `None` where it did.
pub(in crate::cli) fn not_run(words: &str) -> Option<u8> {
    let missing = ["executable file not found", "no such file or directory", "not found in $PATH"];
    let not_run = ["OCI runtime exec failed", "permission denied", "unable to start container process"];
    match () {
        () if missing.iter().any(|text| words.contains(text)) => Some(127),
        () if not_run.iter().any(|text| words.contains(text)) => Some(126),
        () => None,
    }
}

/// What is said of a command that could not be started; `None` where something else went wrong.
fn refused(ctx: &Context, at: &Located, request: &ExecRequest, words: &str) -> Option<Exit> {
    let code = not_run(words)?;
    let program = request.command.first().map(String::as_str).unwrap_or_default();
    let what = format!("{} cannot be run in {}", escaped(program), at.title());
    let problem = Problem::failed(what).cause(escaped(words));
    let problem = match program {
        "sh" => problem.hint("its image may have no shell: name a program"),
        _ => problem,
    };
    ctx.out.stderr(failure::text(&problem.into()));
    Some(Exit::Of(code))
}

fn failed(at: &Located, error: &EngineError) -> Problem {
    let problem = error.problem(format!("the command cannot be run in {}", at.title()));
    match error.kind {
        ErrorKind::NotFound => problem.hint("it may just be replaced: run it again"),
        _ => problem,
    }
}

/// The command in several replicas, with the replica before each line.
async fn everywhere(
    args: &ExecArgs,
    ctx: &Context,
    found: &[Located],
    env: Vec<String>,
    interrupt: &Interrupt,
) -> Result<Exit> {
    let request = request(args, false, false, env);
    let mut printer = Printer::new(Shown {
        prefix: true,
        terminal: ctx.terminal.stdout,
        json: ctx.out.json,
        ..Shown::default()
    });
    for one in found {
        printer.stream(&one.host, &one.replica);
    }
    let printer = RefCell::new(printer);
    let all = found.iter().enumerate().map(|(number, at)| {
        let (request, printer) = (&request, &printer);
        async move {
            let engine = &*at.engine;
            let failed = |error: &EngineError| failed(at, error);
            let exec = engine.create_exec(&at.replica.id, request).await.map_err(|error| failed(&error))?;
            let conversation = match engine.start_exec(&exec, false).await {
                Ok(conversation) => conversation,
                Err(error) => {
                    return refused(ctx, at, request, &error.message)
                        .map(Exit::code)
                        .ok_or_else(|| Problems::from(failed(&error)));
                }
            };
            let mut lines = crate::logs::of_output(conversation.output);
            while let Some(line) = lines.next().await {
                let line: Line = line.map_err(|error| failed(&error))?;
                let mut printer = printer.borrow_mut();
                printer.line(number, &line);
                printer.flush();
            }
            code(ctx, at, &exec, interrupt).await
        }
    });
    let ended = unless_interrupted(interrupt, async {
        Ok(stream::iter(all).buffer_unordered(AT_ONCE).collect::<Vec<Result<u8>>>().await)
    });
    let (mut highest, mut problems) = (0, Vec::new());
    for one in ended.await.map_err(|problems| problems.map(in_progress))? {
        match one {
            Ok(code) => highest = highest.max(code),
            Err(wrong) => problems.extend(wrong.into_vec()),
        }
    }
    printer.borrow().result()?;
    Problems::check(problems).map(|()| Exit::Of(highest))
}

/// Where several commands were interrupted.
fn in_progress(problem: Problem) -> Problem {
    match problem.code {
        Code::Interrupted => Problem::new(Code::Interrupted, "interrupted: what was started goes on"),
        _ => problem,
    }
}
