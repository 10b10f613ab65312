//! Functions of other modules of Salt, which files written for Salt contain.

use crate::problem::{Place, Problem, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

/// How a function of another module is treated.
pub(crate) enum Foreign {
    /// It is ignored, with a note.
    Ignored(String),
    /// It is an error.
    Refused(Problem),
    /// The article's command that stops and removes a container whose image is not the pulled one: that is
    /// `container.absent` with `when = "outdated"`.
    Absent(BTreeMap<String, Arg>, String),
}

/// Modules of Salt that prepare the machine, and what becomes of their states.
const PREPARE: [(&[&str], &str); 9] = [
    (
        &["pkg", "pkgrepo", "pip", "virtualenv", "npm", "gem", "snap"],
        "packages of the host stay with Salt; what a container needs is in its image",
    ),
    (
        &[
            "service",
            "systemd",
            "supervisord",
            "module",
            "kmod",
            "sysctl",
            "timezone",
            "locale",
            "host",
            "hosts",
            "system",
            "ntp",
            "alternatives",
        ],
        "the host itself stays with Salt",
    ),
    (&["user", "group", "ssh_auth", "ssh_known_hosts", "sudo"], "users of the host stay with Salt"),
    (
        &["cron", "at", "schedule"],
        "what the host runs at a time stays with Salt; what runs once for a version is `task.ran`",
    ),
    (
        &["file", "archive", "git", "augeas", "ini", "zip"],
        "files of the host stay with Salt; one that a container mounts is written as its `files.PATH`",
    ),
    (
        &[
            "iptables",
            "nftables",
            "firewalld",
            "ufw",
            "mount",
            "lvm",
            "blockdev",
            "raid",
            "selinux",
            "apparmor",
        ],
        "networks, disks and security of the host stay with Salt",
    ),
    (
        &["x509", "acme", "pki", "vault", "gpg"],
        "certificates and keys of the host stay with Salt; a secret of a container is sealed in the pillar",
    ),
    (
        &["grains", "saltmod", "salt", "event", "beacon", "environ", "mine", "minion", "test", "pillar"],
        "it is about Salt itself",
    ),
    (
        &[
            "mysql_database",
            "mysql_user",
            "mysql_grants",
            "postgres_database",
            "postgres_user",
            "postgres_extension",
            "rabbitmq_user",
            "rabbitmq_vhost",
        ],
        "what is inside of a server stays with Salt",
    ),
];

/// Whether a word is a module of Salt for something that is not managed here.
fn is_foreign(module: &str) -> bool {
    module == "cmd" || PREPARE.iter().any(|(modules, _)| modules.contains(&module))
}

/// Why the states of a module are not managed here, and what stands in their place.
pub(crate) fn stays_with_salt(module: &str) -> &'static str {
    let known = PREPARE.iter().find(|(modules, _)| modules.contains(&module));
    match (known, module) {
        (Some((_, why)), _) => why,
        (None, "cmd") => {
            "pillarbox runs no commands on hosts; what runs once for a version, in a container, is `task.ran`"
        }
        (None, _) => "it is no state of containers, images, networks or volumes, and stays with Salt",
    }
}

/// How a function is treated, if it is one of another module of Salt.
pub(crate) fn foreign(word: &str, args: &BTreeMap<String, Arg>, place: &Place) -> Option<Foreign> {
    let (module, name) = word.split_once('.')?;
    if let ("docker_container" | "dockerng", "run") = (module, name) {
        return Some(Foreign::Refused(
            Problem::failed(format!("`{word}` is not available"))
                .at(place)
                .hint("a container that runs to its end, once for a version, is `task.ran`: [ID.task.ran] image = \"…\""),
        ));
    }
    if module != "cmd" && is_foreign(module) && crate::state::Function::parse(word).is_none() {
        // A misspelt function of pillarbox is not a function of Salt.
        let near = crate::problem::nearest(word, crate::state::Function::names());
        if near.is_some() {
            return None;
        }
        return Some(Foreign::Ignored(format!(
            "{place}: {} is not managed by pillarbox and was ignored: {}",
            escaped(word),
            stays_with_salt(module)
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
