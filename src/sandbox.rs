//! Programs in Starlark are run in a child of the same program that has no key, an empty environment and
//! limits of the system: what an interpreter limits by itself is best-effort. Blocking, with threads.
//!
//! The child reads one request ([`crate::script::Request`]) from standard input and answers in lines. It
//! says which file it begins, so that whatever ends it has a name; the other files are then run again
//! without that one.

mod child;
mod pillar;
mod serve;

pub use pillar::pillar;
pub use serve::serve;

use crate::problem::{Place, Problem, Problems, Result, escaped};
use crate::process::{End, Output};
use crate::script::{Fault, Line, Outcome, Ran, Request};
use child::{ended, is_processor_time, last_words, run};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// The argument that makes the program the child.
pub const WORD: &str = "evaluate-starlark";

/// How long a child may take.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Bytes of memory that the child may map.
pub const MEMORY: u64 = 512 << 20;

/// Seconds of processor time that the child may use.
pub const PROCESSOR: u64 = 10;

/// Hosts that one child runs files for.
const HOSTS: usize = 100;

/// What became of a file.
#[derive(Clone, Debug)]
pub enum Came {
    /// It ran, or it is wrong.
    Of(Result<Ran>),
    /// It wants to know what only the host's Engine knows.
    NeedsFacts,
}

/// Runs all files of a request, `program` with [`WORD`] being the child. The answer has every file of
/// every host, by the index of the host.
pub fn evaluate(program: &Path, request: Request, limit: Duration) -> Vec<BTreeMap<String, Came>> {
    let Request { files, hosts } = request;
    let mut all = Vec::new();
    for hosts in hosts.chunks(HOSTS) {
        let request = Request { files: files.clone(), hosts: hosts.to_vec() };
        all.extend(some(program, request, limit));
    }
    all
}

fn some(program: &Path, mut request: Request, limit: Duration) -> Vec<BTreeMap<String, Came>> {
    let deadline = Instant::now() + limit;
    let mut came: Vec<BTreeMap<String, Came>> = vec![BTreeMap::new(); request.hosts.len()];
    loop {
        let (end, said) = run(program, &request, deadline.saturating_duration_since(Instant::now()));
        let mut outcomes = vec![BTreeMap::new(); request.hosts.len()];
        let heard = hear(&said, &mut outcomes);
        for (came, outcomes) in came.iter_mut().zip(outcomes) {
            came.extend(outcomes.into_iter().map(|(file, outcome)| {
                let came = of(&file, outcome);
                (file, came)
            }));
        }
        if let (End::Exit(0), Heard { done: true, .. }) = (&end, &heard) {
            break;
        }
        let problem = why(&end, &heard);
        let guilty = heard.begun.map(|(_, file)| file);
        let over = matches!(end, End::TookTooLong) || guilty.is_none();
        for (host, came) in request.hosts.iter_mut().zip(&mut came) {
            host.runs.retain(|file| !came.contains_key(file));
            for file in &host.runs {
                if guilty.as_ref() == Some(file) {
                    let problem = problem.clone().at(&Place::new(file.as_str(), 0));
                    came.insert(file.clone(), Came::Of(Err(problem.into())));
                } else if over {
                    let mut problem = Problem::failed("it was not run").at(&Place::new(file.as_str(), 0));
                    problem.causes = match &guilty {
                        Some(guilty) => vec![format!("{} took the time that there is", escaped(guilty))],
                        None => std::iter::once(ended(&end)).chain(last_words(&said)).collect(),
                    };
                    came.insert(file.clone(), Came::Of(Err(problem.into())));
                }
            }
            host.runs.retain(|file| !came.contains_key(file));
        }
        if request.hosts.iter().all(|host| host.runs.is_empty()) {
            break;
        }
    }
    came
}

/// What was heard of a child.
#[derive(Debug, Default)]
struct Heard {
    done: bool,
    /// The file that it was at.
    begun: Option<(usize, String)>,
    /// It said what is no line of an answer.
    rubbish: bool,
    last_words: Vec<String>,
}

fn hear(said: &Output, came: &mut [BTreeMap<String, Outcome>]) -> Heard {
    let mut heard = Heard { last_words: last_words(said), ..Heard::default() };
    for line in said.out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(Line::Begin { host, file }) if host < came.len() && !heard.done => {
                heard.begun = Some((host, file));
            }
            Ok(Line::End(outcome)) => {
                let Some((host, file)) = heard.begun.take() else {
                    heard.rubbish = true;
                    return heard;
                };
                came[host].insert(file, outcome);
            }
            Ok(Line::Done) if heard.begun.is_none() => heard.done = true,
            _ => {
                heard.rubbish = true;
                return heard;
            }
        }
    }
    heard
}

fn of(file: &str, outcome: Outcome) -> Came {
    match outcome {
        Outcome::Ran(ran) => Came::Of(Ok(ran)),
        Outcome::NeedsFacts => Came::NeedsFacts,
        Outcome::Failed(faults) => {
            let wrong = Problems::check(faults.into_iter().map(problem).collect());
            Came::Of(Err(wrong
                .err()
                .unwrap_or_else(|| Problem::failed("it failed, and does not say why").into())))
        }
        Outcome::NotBuiltIn => Came::Of(Err(not_built_in().at(&Place::new(file, 0)).into())),
    }
}

/// What a file is told that this build cannot run.
fn not_built_in() -> Problem {
    Problem::failed("Starlark is not supported by this build: it was made without the feature `starlark`")
        .hint("install pillarbox with its default features: cargo install --locked --path .")
}

fn problem(fault: Fault) -> Problem {
    let mut problem = Problem::failed(escaped(&fault.what));
    if let Some((file, line)) = fault.at {
        problem = problem.at(&Place::new(file, line));
    }
    problem.causes = fault.causes.iter().map(|cause| escaped(cause)).collect();
    problem.hints = fault.hints.iter().map(|hint| escaped(hint)).collect();
    problem
}

/// What a process says whose memory is gone: Rust's allocator, the interpreter's own, and collections.
const OUT_OF_MEMORY: [&str; 4] =
    ["memory allocation of", "annot allocate memory", "out of memory", "capacity overflow"];

/// What ended a child before it was done.
fn why(end: &End, heard: &Heard) -> Problem {
    let words = heard.last_words.join(" ");
    let problem = match end {
        _ if OUT_OF_MEMORY.iter().any(|sign| words.contains(sign)) => {
            Problem::failed(format!("it needs too much memory: {} MiB is the limit", MEMORY >> 20))
        }
        _ if words.contains("overflowed its stack") => Problem::failed("it nests too deep to be read"),
        End::TookTooLong => Problem::failed(format!("it takes too long: {} s is the limit", LIMIT.as_secs())),
        end if is_processor_time(end) => {
            Problem::failed(format!("it computes too long: {PROCESSOR} s is the limit"))
        }
        End::TooMuch => Problem::failed(format!("it gives too much: {} MiB is the limit", child::MOST >> 20)),
        _ if heard.rubbish => Problem::failed("it was run, and what came back is no answer"),
        End::Exit(70) => Problem::failed("it makes the interpreter fail").cause(words),
        _ => Problem::failed("it could not be run to its end"),
    };
    match end {
        End::Exit(0 | 70) | End::TookTooLong | End::TooMuch => problem,
        end if is_processor_time(end) => problem,
        end => problem.cause(ended(end)),
    }
}

#[cfg(test)]
mod tests;
