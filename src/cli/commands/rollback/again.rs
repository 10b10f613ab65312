//! What is to be typed after a rollback that failed on some host.

use super::RollbackArgs;
use super::gates::Change;
use super::host::Host;
use crate::cli::Chosen;
use crate::history::Generation;
use crate::problem::{escaped, quoted};
use crate::session::Vault;
use std::collections::BTreeSet;

/// The command that continues it. It says where to: without that, hosts that are back already would go back
/// once more.
pub(super) fn command(
    args: &RollbackArgs,
    chosen: &Chosen,
    hosts: &[Host],
    targets: &[&Generation],
) -> String {
    let mut command = format!("pillarbox rollback {}", quoted(&args.service));
    let all = hosts.iter().flat_map(|host| &host.generations);
    let to = args.to.clone().or_else(|| targets.first()?.named_among(all));
    if let Some(to) = to {
        command.push_str(&format!(" --to {}", quoted(&to)));
    }
    command.push_str(&args.selection.again(chosen));
    for (flag, given) in [(" --once", args.once), (" -y", args.yes)] {
        command.push_str(if given { flag } else { "" });
    }
    command
}

/// How it is given up, where gates were written: with git, beside which no other edit of these files is lost.
pub(super) fn or_give_up(vault: &Vault<'_>, changes: &[Change]) -> String {
    let files: BTreeSet<String> = changes.iter().map(|change| format!("pillar/{}", change.file)).collect();
    let named: Vec<String> = files.iter().map(|file| escaped(file)).collect();
    let quoted_files: Vec<String> = files.iter().map(|file| quoted(file)).collect();
    format!(
        "{} names what was asked for; to give that up, take the change back and apply: git -C {} diff -- {}",
        named.join(", "),
        quoted(&vault.workspace().root().display().to_string()),
        quoted_files.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::rollback::choose::targets;
    use crate::cli::commands::rollback::host::sample;
    use crate::history::State;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: RollbackArgs,
    }

    #[test]
    fn the_command_that_continues_names_the_version_and_means_the_same_when_some_hosts_are_back() {
        use State::{Kept, Runs};
        let hosts = [
            ("web1", [(3, "1.2", 'c', Runs), (2, "1.1", 'b', Kept), (1, "1.0", 'a', Kept)].as_slice()),
            ("web2", [(8, "1.2", 'c', Runs), (7, "1.1", 'b', Kept)].as_slice()),
        ]
        .map(|(name, rows)| sample(name, "1.2@c", rows));
        let said = |line: &[&str], hosts: &[Host]| {
            let args = Line::parse_from(std::iter::once(&"rollback").chain(line)).args;
            let targets = targets(&args.service, hosts, args.to.as_deref()).expect("they can");
            let chosen = Chosen { terms: Vec::new(), paused: Vec::new() };
            command(&args, &chosen, hosts, &targets)
        };
        assert_eq!(
            said(&["api", "--once", "--host", "web*"], &hosts),
            "pillarbox rollback 'api' --to '1.1' --host 'web*' --once"
        );
        assert_eq!(said(&["api", "-y", "--to", "1.1"], &hosts), "pillarbox rollback 'api' --to '1.1' -y");
        // web1 is back, web2 is not: each goes to the same.
        let half = [
            ("web1", [(3, "1.2", 'c', Kept), (2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)].as_slice()),
            ("web2", [(8, "1.2", 'c', Runs), (7, "1.1", 'b', Kept)].as_slice()),
        ]
        .map(|(name, rows)| sample(name, "1.2@c", rows));
        let then = targets("api", &half, Some("1.1")).expect("they can");
        assert_eq!(then.iter().map(|target| target.number).collect::<Vec<_>>(), [2, 7]);
        // Another image has the version too: the digest says which.
        let moved = [("web1", [(3, "1.1", 'c', Runs), (2, "1.1", 'b', Kept)].as_slice())]
            .map(|(name, rows)| sample(name, "1.2@c", rows));
        assert_eq!(said(&["api"], &moved), "pillarbox rollback 'api' --to 'bbbbbbbbbbbb'");
    }
}
