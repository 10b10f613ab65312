//! `pillarbox run`.

use super::exec::{How, not_run};
use crate::cli::conversation::{End, Partner, converse};
use crate::cli::{Context, Exit, LockWaitArgs, NewHostsArgs, Selection, on_engines};
use crate::engine::{Engine as _, EngineError, ErrorKind, Process, Streams as _};
use crate::execute::Interrupt;
use crate::observe::Replica;
use crate::planner::OneOff;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::{
    Located, NewHosts, Pipeline, PreparedOneOff, Vault, declared, unless_interrupted, without_container,
};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long the end of a container that was stopped is waited for.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Run a one-off command in a new container that is made like those of a service
///
/// The image that runs, with the environment, secrets, networks and volumes that are declared; without ports, health
/// check, restarts and the service's name in its networks. It is removed at its end, also when it is interrupted.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox run api -- bin/migrate --check
  pillarbox run db -T -- psql -f - < fix.sql
  pillarbox run api --image-of 3 -- bin/console   # with the image of an earlier generation

Ctrl-C without a terminal, SIGTERM, `~.` at the beginning of a line, and the end of --timeout send its stop signal, and
kill it when its stop timeout is over. It ends with the code of the command: 126 if it cannot be run, 127 if there is
none, 124 after --timeout, 125 if pillarbox failed.")]
pub(in crate::cli) struct RunArgs {
    /// The service; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    service: String,
    /// Program and arguments [default: what is declared]
    #[arg(value_name = "CMD", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    selection: Selection,
    /// With the image of this generation, of which a container is kept
    #[arg(long, value_name = "GENERATION")]
    image_of: Option<u64>,
    /// Start it and leave it; its name is printed
    #[arg(short, long, conflicts_with = "timeout")]
    detach: bool,
    /// Stop it after so long: 30s, 10m
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Do not remove it at its end
    #[arg(long)]
    keep: bool,
    /// Accepted, as it is so anyway
    #[arg(long, hide = true, conflicts_with = "keep")]
    rm: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    lock_wait: LockWaitArgs,
}

pub(in crate::cli) fn run(args: &RunArgs, ctx: &Context) -> Result<Exit> {
    let env = args.how.variables()?;
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    on_engines(async |interrupt| {
        let lock_wait = args.lock_wait.begin();
        let pipeline = Pipeline::new(&vault, args.new_hosts.beside(false), interrupt).waiting(&lock_wait);
        let (service, like) = like(args, ctx, &vault, interrupt).await?;
        let asked = OneOff {
            token: token()?,
            command: args.command.clone(),
            tty: args.how.has_terminal(ctx) && !args.detach,
            input: !args.detach,
            user: args.how.user.clone(),
            folder: args.how.workdir.clone(),
            env: variables(&env),
            remove: !args.keep,
        };
        let declared = declared(&vault, &[like.host.to_string()])?;
        let prepared = pipeline.prepare_one_off(declared, &service, &like.replica.image, &asked).await?;
        if args.detach {
            if let Err(problems) = prepared.start().await {
                return ended(ctx, args, &prepared, Err(problems)).await;
            }
            ctx.out.data(prepared.name());
            return Ok(Exit::Done);
        }
        ctx.out.say(format_args!("in {}", prepared.title()));
        let done = talk(args, ctx, &prepared, &asked, interrupt).await;
        ended(ctx, args, &prepared, done).await
    })
}

/// The service, and a container whose image is taken: the first one that runs.
async fn like(
    args: &RunArgs,
    ctx: &Context,
    vault: &Vault<'_>,
    interrupt: &Interrupt,
) -> Result<(String, Located)> {
    let pipeline = Pipeline::new(vault, NewHosts::Ask, interrupt);
    let chosen = args.selection.chosen(ctx, vault)?;
    let hosts = pipeline.live(&chosen.terms).await?;
    chosen.say_paused(ctx);
    let mut away = hosts.problems();
    let services = match pipeline.named(&hosts, &chosen.terms, std::slice::from_ref(&args.service)).await {
        Ok(services) => services,
        Err(problems) => {
            away.extend(problems.into_vec());
            return Err(Problems::check(away)
                .err()
                .unwrap_or_else(|| Problem::failed("nothing to run").into()));
        }
    };
    let all: Vec<Located> =
        hosts.of_services(&services).into_iter().filter(|one| !one.replica.image.is_empty()).collect();
    let wanted = |replica: &Replica| match args.image_of {
        Some(generation) => replica.generation == generation,
        None => replica.is_current(),
    };
    let found: Vec<&Located> = all.iter().filter(|one| wanted(&one.replica)).collect();
    let first = found.iter().find(|one| one.replica.running).or_else(|| found.first());
    match (first, services.into_iter().next()) {
        (Some(first), Some(service)) => Ok((service, (*first).clone())),
        (_, service) => {
            let services: Vec<String> = service.into_iter().collect();
            away.push(match args.image_of {
                Some(generation) => generations(&services, generation, &all),
                None => without_container(&services, "container"),
            });
            Err(Problems::check(away).err().unwrap_or_else(|| Problem::failed("nothing to run").into()))
        }
    }
}

fn generations(services: &[String], generation: u64, all: &[Located]) -> Problem {
    let problem = without_container(services, &format!("container of generation {generation}"));
    let mut there: Vec<u64> = all.iter().map(|one| one.replica.generation).collect();
    there.sort_unstable();
    there.dedup();
    let there: Vec<String> = there.iter().map(ToString::to_string).collect();
    problem.cause(format!("there are containers of: {}", there.join(", ")))
}

/// Eight digits that tell this run from others.
fn token() -> Result<String> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|error| Problem::failed("the system gives no random numbers").cause(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn variables(env: &[String]) -> BTreeMap<String, String> {
    env.iter().filter_map(|text| text.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// Why it was ended before it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    No,
    Interrupted,
    TimedOut,
}

async fn talk(
    args: &RunArgs,
    ctx: &Context,
    prepared: &PreparedOneOff<'_>,
    asked: &OneOff,
    interrupt: &Interrupt,
) -> Result<Exit> {
    let (engine, id) = (&prepared.engine, prepared.id.as_str());
    let failed = |error: EngineError| error.problem(format!("{} cannot be talked to", prepared.title()));
    let lost = |error: &EngineError| {
        let problem = Problem::failed(format!("the connection to {} was lost", prepared.title()));
        problem.cause(&error.message).hint("see what is left of it: pillarbox status")
    };
    let attaching = async {
        let end = engine.next_end(id).await.map_err(failed)?;
        let conversation = engine.attach(id, asked.tty, asked.input).await.map_err(failed)?;
        Ok((end, conversation))
    };
    let (end, conversation) = unless_interrupted(interrupt, attaching).await?;
    let partner = Partner { engine, process: Process::Container(id), tty: asked.tty, input: asked.input };
    let stopped = Cell::new(Stopped::No);
    let stops = async {
        let over = async {
            match args.timeout {
                Some(limit) => sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        stopped.set(tokio::select! {
            () = interrupt.heard(1) => Stopped::Interrupted,
            () = over => Stopped::TimedOut,
        });
        stop(prepared, interrupt).await;
        // Its output ends with it.
        sleep(LAST_WORDS).await;
        End::Interrupted
    };
    let ended = converse(&partner, conversation, stops, prepared.start()).await?;
    match (ended, stopped.get()) {
        (_, Stopped::TimedOut) => {
            ctx.out.warn(format_args!("it did not end within the time of --timeout and was stopped"));
            Ok(Exit::Of(124))
        }
        (_, Stopped::Interrupted) | (End::Interrupted, _) => Ok(Exit::interrupted()),
        (End::Left, Stopped::No) => {
            ctx.out.say("left: it is stopped");
            stop(prepared, interrupt).await;
            Ok(Exit::interrupted())
        }
        (End::Unread, Stopped::No) => {
            stop(prepared, interrupt).await;
            Ok(Exit::Of(141))
        }
        (End::Lost(error), Stopped::No) => Err(lost(&error).into()),
        (End::Closed { .. }, Stopped::No) => {
            // A process may close its output and go on.
            let code = tokio::select! {
                code = end => code.map_err(|error| match error.kind {
                    // A broken connection looks like the end of the output.
                    ErrorKind::Unreachable => lost(&error),
                    _ => failed(error),
                })?,
                () = interrupt.heard(1) => {
                    stop(prepared, interrupt).await;
                    return Ok(Exit::interrupted());
                }
            };
            Ok(Exit::Of(u8::try_from(code).unwrap_or(255)))
        }
    }
}

/// Stops it as a service is stopped; a further Ctrl-C kills it.
async fn stop(prepared: &PreparedOneOff<'_>, interrupt: &Interrupt) {
    let stopping = prepared.engine.stop(&prepared.id, prepared.stop_timeout());
    tokio::select! {
        _ = stopping => {}
        () = interrupt.heard(2) => drop(prepared.engine.signal(&prepared.id, "KILL").await),
    }
}

/// Removes what is left, whatever became of it.
async fn ended(
    ctx: &Context,
    args: &RunArgs,
    prepared: &PreparedOneOff<'_>,
    done: Result<Exit>,
) -> Result<Exit> {
    let kept = args.keep && done.is_ok();
    let removed = match kept {
        true => Ok(()),
        false => timeout(Duration::from_secs(60), prepared.remove()).await.unwrap_or_else(|_| {
            Err(Problem::failed(format!("{} may be left: its Engine does not answer", prepared.title()))
                .into())
        }),
    };
    if kept {
        ctx.out.say(format_args!("kept: {}", prepared.title()));
    }
    match (done, removed) {
        (Ok(exit), Ok(())) => Ok(exit),
        (Ok(exit), Err(problems)) => {
            ctx.out.warn(&problems);
            Ok(exit)
        }
        (Err(problems), removed) => {
            if let Err(more) = removed {
                ctx.out.warn(&more);
            }
            let words: String =
                problems.iter().flat_map(|problem| &problem.causes).map(String::as_str).collect();
            match not_run(&words) {
                Some(code) => {
                    ctx.out.stderr(crate::cli::failure::text(
                        &problems.map(|problem| Problem { what: escaped(&problem.what), ..problem }),
                    ));
                    Ok(Exit::Of(code))
                }
                None => Err(problems),
            }
        }
    }
}
