//! `pillarbox logs`.

use crate::cli::output::logs::{Printer, Shown};
use crate::cli::{Context, Exit, Selection, on_engines};
use crate::engine::LogPart;
use crate::execute::{Interrupt, Redactor};
use crate::logs::{Dial, News, Source, Wanted, read};
use crate::observe::Replica;
use crate::observed::InstanceRole;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::{
    Hosts, LiveHost, Located, NewHosts, Pipeline, Vault, engine_of, secrets_at_hand, without_container,
};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use regex::bytes::Regex;
use std::ops::ControlFlow;
use std::rc::Rc;

/// So many logs are read at once without a question.
const MANY: usize = 50;

/// Show the logs of services, of all replicas on all hosts in the order of time
///
/// No key is needed and nothing is compiled. With -f it goes on over a rollout and a lost connection.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox logs api                            # the last 100 lines of each replica
  pillarbox logs -f api worker --since 10m
  pillarbox logs api --index 2 --host web1 -t --grep 'status=5..'
  pillarbox logs api --previous                 # what an earlier version or a failed attempt said")]
pub(in crate::cli) struct LogsArgs {
    /// Services, or tasks; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    #[arg(required = true, value_name = "SERVICE")]
    services: Vec<String>,
    /// Go on; containers that start later join
    #[arg(short, long, conflicts_with_all = ["until", "previous"])]
    follow: bool,
    /// Only from then on: 10m, 2026-11-29T10:00 (UTC), 2026-11-29T10:00:00+01:00
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only until then, as --since
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Put the time before each line
    #[arg(short, long)]
    timestamps: bool,
    /// Last lines of each replica, or `all` [default: 100, and all with --since]
    #[arg(short = 'n', long, value_name = "N", value_parser = tail)]
    tail: Option<Tail>,
    #[command(flatten)]
    selection: Selection,
    /// Only the replica with this number
    #[arg(long, value_name = "N")]
    index: Option<u32>,
    /// Only lines that match a regular expression
    #[arg(long, value_name = "RE", value_parser = |text: &str| Regex::new(text))]
    grep: Option<Regex>,
    /// Do not put host and replica before each line
    #[arg(long)]
    no_prefix: bool,
    /// Kept containers of earlier versions and failed attempts instead of the current ones
    #[arg(long)]
    previous: bool,
    /// Do not ask before more than 50 logs are read
    #[arg(short, long)]
    yes: bool,
}

/// How many lines of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    All,
    Lines(u64),
}

fn tail(text: &str) -> std::result::Result<Tail, String> {
    match text {
        "all" => Ok(Tail::All),
        _ => text.parse().map(Tail::Lines).map_err(|_| "it is a number, or `all`".to_owned()),
    }
}

/// A duration before now, or a time; without an offset that of Engines, UTC.
fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        let ago = jiff::SignedDuration::try_from(ago).map_err(|error| error.to_string())?;
        return Timestamp::now().checked_sub(ago).map_err(|error| error.to_string());
    }
    let civil = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let time = text.parse::<Timestamp>().ok().or_else(|| text.parse::<DateTime>().ok().and_then(civil));
    let seconds = || text.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.or_else(seconds).ok_or_else(|| {
        "it is a duration (10m, 1h30m), a time (2026-11-29T10:00:00Z, 2026-11-29), or seconds since 1970"
            .to_owned()
    })
}

pub(in crate::cli) fn run(args: &LogsArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    on_engines(async |interrupt| {
        let pipeline = Pipeline::new(&vault, NewHosts::Ask, interrupt);
        let chosen = args.selection.chosen(ctx, &vault)?;
        let hosts = pipeline.live(&chosen.terms).await?;
        chosen.say_paused(ctx);
        let away = hosts.problems();
        // One of them may be the only one that has the service.
        let services = match pipeline.named(&hosts, &chosen.terms, &args.services).await {
            Err(problems) if away.is_empty() => return Err(problems),
            Err(problems) => {
                return Err(Problems::check(away).err().map_or(problems.clone(), |away| away.and(problems)));
            }
            Ok(services) => services,
        };
        let found: Vec<Located> =
            hosts.of_services(&services).into_iter().filter(|one| args.wants(&one.replica)).collect();
        if found.is_empty() && !(args.follow && away.is_empty()) {
            let what = if args.previous { "earlier or failed container" } else { "container" };
            let mut problems = away;
            problems.push(without_container(&services, what));
            return Problems::check(problems).map(|()| Exit::Done);
        }
        if found.len() > MANY && !args.yes {
            let question =
                format!("Read {} logs at once? --host and --index choose some of them", found.len());
            ctx.session.operator.confirm(&question, interrupt).await?;
        }
        for problem in &away {
            ctx.out.warn(problem_in_words(problem));
        }
        let secrets = secrets_at_hand(&vault, &chosen.terms, &services).unwrap_or_else(|problems| {
            ctx.out.detail(format_args!("secrets in these logs are not replaced: {problems}"));
            Vec::new()
        });
        let redactor = (!secrets.is_empty()).then(|| Redactor::of(&secrets));
        show(args, ctx, &vault, interrupt, Chosen { hosts, services, found, redactor }, away).await
    })
}

/// What is read.
struct Chosen<'v> {
    hosts: Hosts<LiveHost<'v>>,
    services: Vec<String>,
    found: Vec<Located>,
    redactor: Option<Redactor>,
}

async fn show(
    args: &LogsArgs,
    ctx: &Context,
    vault: &Vault<'_>,
    interrupt: &Interrupt,
    chosen: Chosen<'_>,
    away: Vec<Problem>,
) -> Result<Exit> {
    let sources = chosen.hosts.ready.iter().map(|one| {
        let host = one.host;
        let dial: Dial<'_, _> =
            Rc::new(move || async move { engine_of(vault, host).await.map(Rc::new) }.boxed_local());
        let of_host = chosen.found.iter().filter(|found| found.host == host.name);
        Source {
            host: host.name.clone(),
            engine: Rc::clone(&one.engine),
            replicas: of_host.map(|found| found.replica.clone()).collect(),
            dial,
        }
    });
    let part = LogPart { follow: args.follow, since: args.since, until: args.until, tail: args.lines() };
    let joins = |replica: &Replica| {
        chosen.services.contains(&replica.service) && args.index.is_none_or(|index| index == replica.index)
    };
    let wanted = Wanted { part, joins: &joins, owner: vault.owner() };
    let shown = Shown {
        times: args.timestamps,
        prefix: !args.no_prefix,
        json: ctx.out.json,
        terminal: ctx.terminal.stdout,
        grep: args.grep.clone(),
        redactor: chosen.redactor,
    };
    let mut printer = Printer::new(shown);
    let mut tell = |news: News<'_>| {
        match news {
            News::Line(at, line) => printer.line(at, line),
            News::Stream(host, replica) => printer.stream(host, replica),
            News::Pause => printer.flush(),
            News::Unreadable(problem) => {
                printer.flush();
                if args.follow {
                    ctx.out.warn(problem_in_words(problem));
                }
            }
            News::Lost(host, problems) => {
                printer.flush();
                ctx.out.warn(format_args!("host {host} is lost and dialled again: {problems}"));
            }
            News::Back(host) => {
                printer.flush();
                ctx.out.say(format_args!("host {host} is back"));
            }
        }
        if printer.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let ended = tokio::select! {
        biased;
        () = interrupt.heard(1) => None,
        ended = read(sources.collect(), &wanted, &mut tell) => Some(ended),
    };
    printer.flush();
    printer.result()?;
    match ended {
        None => Ok(Exit::interrupted()),
        Some(ended) => {
            let mut problems = away;
            problems.extend(ended.err().map(Problems::into_vec).unwrap_or_default());
            Problems::check(problems).map(|()| Exit::Done)
        }
    }
}

fn problem_in_words(problem: &Problem) -> String {
    let causes = problem.causes.iter().map(|cause| format!(": {}", escaped(cause)));
    std::iter::once(escaped(&problem.what)).chain(causes).collect()
}

impl LogsArgs {
    /// Whether the log of a container is shown.
    fn wants(&self, replica: &Replica) -> bool {
        let earlier = !replica.running
            && replica.role.is_some_and(|role| matches!(role, InstanceRole::Kept | InstanceRole::Attempt));
        let now = replica.is_current() || replica.running;
        self.index.is_none_or(|index| index == replica.index) && if self.previous { earlier } else { now }
    }

    fn lines(&self) -> Option<u64> {
        match self.tail {
            Some(Tail::All) => None,
            Some(Tail::Lines(lines)) => Some(lines),
            None => self.since.is_none().then_some(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_duration_before_now_or_a_time() {
        let before = Timestamp::now();
        let ago = moment("1h30m").expect("a duration");
        assert!((before - ago).get_seconds() <= 5400 + 5 && ago < before);
        assert_eq!(moment("2026-11-29T10:00:00Z").expect("a time").as_second(), 1_795_946_400);
        assert_eq!(moment("1795946400").expect("seconds").as_second(), 1_795_946_400);
        assert!(moment("2026-11-29").is_ok() && moment("2026-11-29T10:00").is_ok());
        for wrong in ["", "yesterday", "10 apples", "-5m", "99999999999999999999"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
