//! Which argument of which command takes which names.

use super::values::{Names, Values};
use clap::ValueHint;
use clap_complete::engine::ArgValueCandidates;
use std::path::PathBuf;

/// The tree of commands, with the names of the workspace at their arguments.
pub(super) fn with_values(command: clap::Command, workspace: &Option<PathBuf>) -> clap::Command {
    below(command, "", workspace)
}

fn below(command: clap::Command, path: &str, workspace: &Option<PathBuf>) -> clap::Command {
    let command = command.mut_args(|arg| match names(path, arg.get_id().as_str(), arg.get_long()) {
        Some(Wanted::File) => arg.value_hint(ValueHint::AnyPath),
        Some(Wanted::Names(names)) => {
            let workspace = workspace.clone();
            arg.add(ArgValueCandidates::new(move || Values::of(workspace.clone()).candidates(names)))
        }
        None => arg,
    });
    command.mut_subcommands(|one| {
        let path = format!("{path} {}", one.get_name());
        below(one, path.trim_start(), workspace)
    })
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Names(Names),
    File,
}

fn names(command: &str, arg: &str, long: Option<&str>) -> Option<Wanted> {
    let names = match (command, arg) {
        (_, "host") | ("gate promote", "from") => Names::Hosts,
        ("gate list" | "gate set" | "gate hold" | "gate unhold" | "gate promote", "app") => Names::Gates,
        ("adopt", "compose") | ("compose show", "project") => Names::ComposeProjects,
        (
            "apply" | "down" | "exec" | "history" | "plan" | "restart" | "rollback" | "run" | "start"
            | "stop",
            "service",
        )
        | ("logs", "services")
        | ("adopt", "names") => Names::Services,
        ("reveal" | "who-can-read", "key") => Names::SealedKeys,
        (_, "key") if !command.starts_with("reader") => Names::Keys,
        ("move", "from" | "to") => Names::KeysAndFiles,
        ("edit", "file") => Names::Files,
        ("show", "file") | (_, "host_file") => return Some(Wanted::File),
        (_, "boxes") | ("box new", "folder") => Names::Boxes,
        ("box new", "readers") => Names::ReadersAndGroups,
        ("reader add" | "reader remove" | "reader leavers", "name") => Names::Readers,
        ("registry add" | "registry remove" | "registry export", "registry") => Names::Registries,
        ("known accept" | "known forget", "name") => Names::BoxesAndHosts,
        _ if matches!(long, Some("in" | "to-in")) => Names::Files,
        _ => return None,
    };
    Some(Wanted::Names(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arguments that take a text of one's own.
    const OWN_WORDS: &str = "\
adopt: lock_wait
apply: only batch_size batch_wait batches max_failures lock_wait connections pulls
box new: accept_readers
clean: older lock_wait
compose add: name group profile folder seal clear
down: yes_remove lock_wait
exec: command user workdir env index
gate hold: why
gate set: version digest image
identity unlock: time
import salt: seal clear
init: name group profile folder seal clear
known forget: of_workspace
known rename: old new
logs: since until tail index grep
merge-driver: path
plan: only batch_size connections
reader add: key accept_readers
reader rekey: also accept_readers
registry add: username helper email
registry check: images
registry export: name namespace
registry import: only
restart: lock_wait connections batch_size batch_wait batches max_failures
rollback: to batch_size batch_wait batches max_failures lock_wait connections pulls
run: command user workdir env image_of timeout lock_wait
seal: slot
set: value
start: lock_wait
status: prometheus
stop: time why lock_wait
verify: against
who-can-read: at
";

    #[test]
    fn every_argument_has_names_or_files_or_takes_a_text_of_ones_own() {
        let own: Vec<(&str, Vec<&str>)> = OWN_WORDS
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(command, args)| (command, args.split_whitespace().collect()))
            .collect();
        let mut undecided = Vec::new();
        let mut open = vec![(String::new(), crate::cli::command())];
        while let Some((path, command)) = open.pop() {
            for arg in command.get_arguments() {
                let id = arg.get_id().as_str();
                let is_decided = names(&path, id, arg.get_long()).is_some()
                    || !arg.get_action().takes_values()
                    || !arg.get_possible_values().is_empty()
                    || arg.get_value_hint() == ValueHint::AnyPath
                    || own.iter().any(|(command, ids)| *command == path && ids.contains(&id));
                if !is_decided {
                    undecided.push(format!("{path}: {id}"));
                }
            }
            open.extend(
                command
                    .get_subcommands()
                    .map(|one| (format!("{path} {}", one.get_name()).trim_start().to_owned(), one.clone())),
            );
        }
        assert!(undecided.is_empty(), "decide in `names`, or list them here: {undecided:#?}");
    }
}
