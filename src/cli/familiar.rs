//! Commands of other tools that pillarbox has under another name, or leaves to docker.

use super::Exit;
use super::failure;
use crate::problem::{Problem, Problems, escaped};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// Words, what is so here, and the commands to write.
type Familiar = (&'static [&'static str], &'static str, &'static [&'static str]);

/// The table; a word goes when it becomes a command.
const FAMILIAR: [Familiar; 20] = [
    (
        &["up", "deploy", "create", "converge", "sync", "highstate", "site", "redeploy", "install"],
        "states are carried out in two steps: look, then apply",
        &["pillarbox plan", "pillarbox apply"],
    ),
    (
        &["destroy", "rm", "remove", "delete", "uninstall", "kill"],
        "a container goes when no state declares it any more, or a state says `container.absent`; `down` removes it now",
        &[
            "pillarbox apply --prune",
            "pillarbox down SERVICE",
            "pillarbox unset KEY",
            "pillarbox registry remove HOST",
        ],
    ),
    (
        &["ls", "list", "top", "containers", "services", "hosts", "inventory"],
        "what is declared and what runs stands in one list",
        &["pillarbox status"],
    ),
    (
        &["log", "tail"],
        "the logs of all replicas of a service are read together",
        &["pillarbox logs SERVICE", "pillarbox logs -f SERVICE"],
    ),
    (
        &["attach", "shell", "console", "bash", "ssh"],
        "a shell runs in a container of a service",
        &["pillarbox exec SERVICE", "pillarbox exec SERVICE -- COMMAND"],
    ),
    (
        &["inspect", "stats", "port", "cp"],
        "docker does it, also over ssh",
        &["docker -H ssh://USER@HOST inspect NAME"],
    ),
    (
        &["pause", "unpause", "reload", "reboot"],
        "a service is stopped, started or restarted",
        &["pillarbox stop SERVICE", "pillarbox start SERVICE", "pillarbox restart SERVICE"],
    ),
    (
        &["secret", "secrets", "vault", "encrypt", "password"],
        "a secret is sealed into the pillar",
        &["pillarbox seal KEY", "pillarbox reveal KEY"],
    ),
    (&["decrypt", "open", "unseal"], "a sealed value is shown by one command", &["pillarbox reveal KEY"]),
    (
        &["rekey", "rotate", "updatekeys"],
        "the readers of a box are changed together",
        &["pillarbox reader rekey"],
    ),
    (
        &["login", "logins", "credentials"],
        "a credential of a registry is sealed into the pillar",
        &["pillarbox registry add HOST -u USER"],
    ),
    (
        &["logout"],
        "a credential of a registry is taken out of the pillar",
        &["pillarbox registry remove HOST"],
    ),
    (
        &["export"],
        "credentials are written for other clients",
        &["pillarbox registry export --format docker"],
    ),
    (
        &["config", "convert", "render", "template", "output", "validate", "lint"],
        "states and pillar are read without any host",
        &["pillarbox compile"],
    ),
    (
        &["diff", "preview", "test", "dry-run", "refresh", "drift"],
        "what would be changed is a plan",
        &["pillarbox plan"],
    ),
    (
        &["upgrade", "update", "set-image", "promote", "release", "unlock"],
        "which version runs is said by a gate",
        &["pillarbox gate set APP VERSION", "pillarbox gate list"],
    ),
    (
        &["scale"],
        "it is `replicas` of a `service.deployed`",
        &["pillarbox set KEY NUMBER", "pillarbox apply"],
    ),
    (&["undo", "revert"], "what a service ran before is kept", &["pillarbox rollback NAME"]),
    (
        &["pull", "push", "build", "images"],
        "apply pulls what is missing; images are built and pushed elsewhere",
        &["pillarbox apply"],
    ),
    (&["rename", "mv"], "a value is moved to another key or file", &["pillarbox move KEY TO"]),
];

/// What an unknown first word of the command line is answered with, if other tools have it as a command.
pub(super) fn answer(error: &clap::Error, args: &[OsString]) -> Option<Exit> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let first = args.iter().skip(1).filter_map(|arg| arg.to_str()).find(|arg| !arg.starts_with('-'));
    let problem = problem(word).filter(|_| first == Some(word))?;
    let problems = Problems::from(problem);
    let _ = std::io::Write::write_all(&mut anstream::stderr(), failure::text(&problems).as_bytes());
    Some(Exit::of(&problems))
}

fn problem(word: &str) -> Option<Problem> {
    let (_, what, commands) = FAMILIAR.iter().find(|(words, ..)| words.contains(&word))?;
    let problem = Problem::usage(format!("pillarbox has no command `{}`", escaped(word))).cause(*what);
    Some(commands.iter().fold(problem, |problem, command| problem.hint(*command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_a_command_of_ours_or_stands_twice() {
        let mut words: Vec<&str> = FAMILIAR.iter().flat_map(|(words, ..)| words.iter().copied()).collect();
        words.sort_unstable();
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{words:?}");
        let ours = super::super::command();
        let ours: Vec<&str> = ours.get_subcommands().map(clap::Command::get_name).collect();
        assert!(words.iter().all(|word| !ours.contains(word)), "{words:?}");
    }

    #[test]
    fn the_commands_that_are_named_can_be_read() {
        for command in FAMILIAR.iter().flat_map(|(.., commands)| commands.iter()) {
            let words: Vec<&str> = command.split(' ').collect();
            if words[0] == "pillarbox" {
                let found = super::super::command().try_get_matches_from(&words);
                assert!(found.is_ok(), "{command}: {}", found.expect_err("it failed"));
            }
        }
    }
}
