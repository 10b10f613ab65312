//! `pillarbox gate …`: exactly which version of an application runs, and where.

mod hold;
mod list;
mod promote;
mod set;
pub(super) mod write;

use crate::cli::target::{self, stem};
use crate::cli::{Context, Exit};
use crate::inventory::Host;
use crate::name::KeyPath;
use crate::pillar::document::{Document, file_name};
use crate::pillar::gate::{self, Gates};
use crate::problem::{Problem, Result, escaped, quoted};
use crate::session::{Vault, merged};

/// Set exactly which version of an application runs
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct GateArgs {
    #[command(subcommand)]
    action: GateCommand,
}

#[derive(clap::Subcommand, Debug)]
enum GateCommand {
    List(list::GateListArgs),
    Set(set::GateSetArgs),
    Hold(hold::HoldArgs),
    Unhold(hold::UnholdArgs),
    Promote(promote::GatePromoteArgs),
}

pub(in crate::cli) fn run(args: &GateArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        GateCommand::List(args) => list::run(args, ctx),
        GateCommand::Set(args) => set::run(args, ctx),
        GateCommand::Hold(args) => hold::hold(args, ctx),
        GateCommand::Unhold(args) => hold::unhold(args, ctx),
        GateCommand::Promote(args) => promote::run(args, ctx),
    }
}

/// Where a gate is written.
#[derive(clap::Args, Clone, Debug, Default)]
struct Where {
    /// File below pillar/ [default: the one that has the gate]
    #[arg(id = "in", long, value_name = "FILE", conflicts_with = "host")]
    file: Option<String>,
    /// The hosts' own files, pillar/hosts/HOST.toml; terms as of `plan --host`, may be given several times
    #[arg(long, value_name = "TERMS", alias = "limit")]
    host: Vec<String>,
}

impl Where {
    /// The files that are meant. With `new`, files that do not have the gate yet are meant as well.
    fn files(&self, vault: &Vault<'_>, app: &str, verb: &str, new: bool) -> Result<Vec<String>> {
        let key = key(app, None)?;
        if self.host.is_empty() {
            return Ok(vec![shared(vault, app, self.file.as_deref(), verb, new)?]);
        }
        let mut files = Vec::new();
        for host in vault.inventory().select(&self.host)? {
            let tree = merged(vault, host)?;
            if new || tree.at(key.parts().iter().map(String::as_str)).is_some() {
                files.push(own_file(host));
            }
        }
        if files.is_empty() {
            return Err(missing(vault, app));
        }
        Ok(files)
    }
}

/// The file of a host's own values.
pub(super) fn own_file(host: &Host) -> String {
    format!("hosts/{}.toml", host.name)
}

fn key(app: &str, field: Option<&str>) -> Result<KeyPath> {
    gate::key(app, field).ok_or_else(|| Problem::usage("the name of the application is empty").into())
}

/// The file that holds a gate for all hosts.
fn shared(vault: &Vault<'_>, app: &str, file: Option<&str>, verb: &str, new: bool) -> Result<String> {
    let key = key(app, None)?;
    let named = file.map(|file| file_name(file.strip_prefix("pillar/").unwrap_or(file))).transpose()?;
    let has = |document: &&Document| document.get(&key).is_some() && !document.file().starts_with("hosts/");
    let found: Vec<&str> = match &named {
        Some(file) => vault.document(file).filter(has).map(Document::file).into_iter().collect(),
        None => vault.documents().filter(has).map(Document::file).collect(),
    };
    match (found.as_slice(), named) {
        ([one], _) => Ok((*one).to_owned()),
        ([], Some(file)) if new => Ok(file),
        ([], _) if new => {
            let verb = target::Verb(verb, "");
            Ok(target::TargetArgs::default().place(vault, &format!("{key}.version"), verb)?.file)
        }
        ([], _) => Err(missing(vault, app)),
        (several, _) => {
            let what = format!("several files have the gate `{}`", escaped(app));
            let mut problem = Problem::usage(what);
            for file in several {
                problem = problem.cause(format!("pillar/{} has it", escaped(file)));
            }
            for file in several {
                problem = problem.hint(format!("pillarbox {verb} --in {} {} …", stem(file), quoted(app)));
            }
            Err(problem.into())
        }
    }
}

fn missing(vault: &Vault<'_>, app: &str) -> crate::problem::Problems {
    let apps: Vec<String> = vault
        .documents()
        .filter_map(|document| document.tree().ok())
        .filter_map(|tree| Gates::read(tree).ok())
        .flat_map(|gates| gates.apps().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    Problem::usage(format!("there is no gate `{}`", escaped(app)))
        .nearest(app, apps.iter().map(String::as_str))
        .hint(format!("make it: pillarbox gate set {} VERSION --image REGISTRY/NAME", quoted(app)))
        .into()
}

/// The gates of a host as the files say now.
fn of_host(vault: &Vault<'_>, host: &Host) -> Result<Gates> {
    Gates::read(&merged(vault, host)?)
}

/// `pillar/a.toml and pillar/b.toml`, for people.
fn in_words(files: &[String]) -> String {
    let names: Vec<String> = files.iter().map(|file| format!("pillar/{}", escaped(file))).collect();
    names.join(", ")
}
