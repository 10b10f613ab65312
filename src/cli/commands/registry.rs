//! `pillarbox registry`: credentials of registries in the pillar.

mod add;
mod check;
mod export;
mod helper;
mod import;
mod lifetime;
mod list;
mod remove;

pub(super) use helper::{Client, Files, home_shown, how_to_find, registries};
pub(super) use lifetime::{is_over, shown};

use crate::cli::target::stem;
use crate::cli::{Context, Exit};
use crate::name::{KeyPath, punycode};
use crate::pillar::{Origin, document};
use crate::problem::{Code, Problem, Result, escaped, quoted};
use crate::registry::{Scope, TABLE};
use crate::session::Vault;

/// Credentials of registries: add, import, export, check; docker and podman ask for them
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct RegistryArgs {
    #[command(subcommand)]
    action: RegistryCommand,
}

#[derive(clap::Subcommand, Debug)]
enum RegistryCommand {
    Add(add::RegistryAddArgs),
    /// List the entries; needs no private key
    List,
    Remove(remove::RegistryRemoveArgs),
    Check(check::RegistryCheckArgs),
    Helper(helper::RegistryHelperArgs),
    Import(import::RegistryImportArgs),
    Export(export::RegistryExportArgs),
}

pub(in crate::cli) fn run(args: &RegistryArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        RegistryCommand::Add(args) => add::run(args, ctx),
        RegistryCommand::List => list::run(ctx),
        RegistryCommand::Remove(args) => remove::run(args, ctx),
        RegistryCommand::Check(args) => check::run(args, ctx),
        RegistryCommand::Helper(args) => helper::run(args, ctx),
        RegistryCommand::Import(args) => import::run(args, ctx),
        RegistryCommand::Export(args) => export::run(args, ctx),
    }
}

/// Where the entry of a registry stands, however its key is spelled; the first is that of `file` or of
/// the only file that has one.
fn existing(vault: &Vault<'_>, scope: &Scope, file: Option<&str>, verb: &str) -> Result<Option<Origin>> {
    let mut found: Vec<Origin> = Vec::new();
    for document in vault.documents() {
        let wanted = match file {
            Some(file) => document.file() == file,
            None => !document.file().starts_with("hosts/"),
        };
        let table = KeyPath::from_parts(vec![TABLE.to_owned()]).filter(|_| wanted);
        let Some(table) = table else { continue };
        for key in
            document.get(&table).and_then(|node| node.as_table()).into_iter().flat_map(|table| table.keys())
        {
            if Scope::parse(key).is_ok_and(|found| found == *scope) {
                found.push(Origin { file: document.file().to_owned(), key: table.child(key.as_str()) });
            }
        }
    }
    if found.len() > 1 {
        let mut problem = Problem::usage(format!("several files have an entry for {scope}"));
        for origin in &found {
            problem = problem.cause(format!("pillar/{} has `{}`", escaped(&origin.file), origin.key));
        }
        for origin in &found {
            let file = stem(&origin.file);
            problem =
                problem.hint(format!("pillarbox registry {verb} --in {file} {}", quoted(&scope.to_string())));
        }
        return Err(problem.into());
    }
    Ok(found.pop())
}

/// A registry as it is typed: a host with letters outside of ASCII is taken as its punycode.
fn scope(typed: &str) -> Result<Scope> {
    let wrong = |problem| Problem { code: Code::Usage, ..problem };
    let bare = typed.strip_prefix("https://").or_else(|| typed.strip_prefix("http://")).unwrap_or(typed);
    let (host, rest) = bare.split_at(bare.find('/').unwrap_or(bare.len()));
    let ascii = punycode(host).map(|host| format!("{host}{rest}"));
    Scope::parse(ascii.as_deref().unwrap_or(typed)).map_err(|problems| problems.map(wrong))
}

/// The file that `--in` names.
fn named(file: Option<&str>) -> Result<Option<String>> {
    file.map(|file| document::file_name(file.strip_prefix("pillar/").unwrap_or(file))).transpose()
}
