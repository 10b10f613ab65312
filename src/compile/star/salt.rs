//! Functions of other modules of Salt, which files written for Salt contain.

use crate::problem::{Place, Problem, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

/// How a function of another module is treated.
pub(super) enum Foreign {
    /// It is ignored, with a note.
    Ignored(String),
    /// It is an error.
    Refused(Problem),
    /// The article's command that stops and removes a container whose image is not the pulled one: that is
    /// `container.absent` with `when = "outdated"`.
    Absent(BTreeMap<String, Arg>, String),
}

/// Modules of Salt that prepare the machine.
const PREPARE: [&str; 9] = ["file", "git", "group", "pip", "pkg", "pkgrepo", "service", "user", "virtualenv"];

/// How a function is treated, if it is one of another module of Salt.
pub(super) fn foreign(word: &str, args: &BTreeMap<String, Arg>, place: &Place) -> Option<Foreign> {
    let (module, name) = word.split_once('.')?;
    if PREPARE.contains(&module)
        && word != "service.deployed"
        && crate::state::Function::parse(word).is_none()
    {
        // A misspelt function of pillarbox is not a function of Salt.
        let near = crate::problem::nearest(word, crate::state::Function::names());
        if near.is_some() {
            return None;
        }
        return Some(Foreign::Ignored(format!(
            "{place}: {} is not managed by pillarbox and was ignored: pillarbox deploys containers and does not configure the machine",
            escaped(word)
        )));
    }
    if module != "cmd" {
        return None;
    }
    if let Some((container, timeout)) = stopped_and_removed(args) {
        let mut taken: BTreeMap<String, Arg> =
            args.iter().filter(|(key, _)| matches!(key.as_str(), "require" | "order")).map(owned).collect();
        let text = |text: &str| Arg {
            value: ArgValue::Text(Text::clear(text)),
            place: place.clone(),
            read: Vec::new(),
        };
        taken.insert("name".to_owned(), text(&container));
        taken.insert("when".to_owned(), text("outdated"));
        if let Some(seconds) = timeout {
            let value = ArgValue::Integer(seconds);
            taken.insert("stop_timeout".to_owned(), Arg { value, place: place.clone(), read: Vec::new() });
        }
        return Some(Foreign::Absent(
            taken,
            format!(
                "{place}: cmd.{} was read as container.absent of {} with when = \"outdated\"",
                escaped(name),
                escaped(&container)
            ),
        ));
    }
    let problem = Problem::failed(format!("`{}` is not available: pillarbox runs no commands on hosts", escaped(word)))
        .at(place)
        .hint("a container that is stopped and removed when its image changed is `container.absent` with `\"when\": \"outdated\"`");
    Some(Foreign::Refused(problem))
}

fn owned((key, arg): (&String, &Arg)) -> (String, Arg) {
    (key.clone(), arg.clone())
}

/// `docker stop -t 10 NAME && docker rm -f NAME`, done unless it runs the right image: the container, and
/// the seconds it has to stop.
fn stopped_and_removed(args: &BTreeMap<String, Arg>) -> Option<(String, Option<i64>)> {
    let text = |name: &str| match &args.get(name)?.value {
        ArgValue::Text(text) => text.as_clear(),
        _ => None,
    };
    // Only under a condition: without one it would always go.
    text("unless").or_else(|| text("onlyif"))?;
    let (stop, remove) = text("name")?.split_once("&&")?;
    let is_docker = |word: &str| word == "docker" || word.ends_with("/docker");
    let words: Vec<&str> = stop.split_whitespace().collect();
    let (stopped, timeout) = match words.as_slice() {
        [docker, "stop", name] if is_docker(docker) => (*name, None),
        [docker, "stop", "-t" | "--time", seconds, name] if is_docker(docker) => {
            (*name, Some(seconds.parse().ok()?))
        }
        _ => return None,
    };
    let words: Vec<&str> = remove.split_whitespace().collect();
    let removed = match words.as_slice() {
        [docker, "rm", name] | [docker, "rm", "-f" | "--force", name] if is_docker(docker) => *name,
        _ => return None,
    };
    (stopped == removed && !stopped.starts_with('-')).then(|| (stopped.to_owned(), timeout))
}
