//! The states in Starlark of several hosts, run in one child.

use super::Wished;
use crate::cli::vault::Vault;
use crate::compile::{facts_trees, is_starlark};
use crate::observed::Facts;
use crate::problem::{Problem, Result};
use crate::sandbox::{self, Came};
use crate::script::{Host, Request, given};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the files in Starlark of each host gave.
pub(super) type Evaluated = Vec<BTreeMap<String, Came>>;

/// What is to be run for hosts, with their facts where they are known.
///
/// # Errors
/// Where a file of states cannot be read.
pub(super) fn request(vault: &Vault<'_>, hosts: &[(&Wished<'_>, Option<&Facts>)]) -> Result<Request> {
    let workspace = vault.workspace();
    let mut request = Request::default();
    let files = workspace.state_files()?;
    for file in super::all_or_nothing(files.into_iter().filter(|file| is_starlark(file)).map(|file| {
        let path = format!("states/{file}");
        let text = workspace.read(&path)?;
        Ok((path, text))
    }))? {
        request.files.insert(file.0, file.1);
    }
    request.hosts = super::all_or_nothing(hosts.iter().map(|(wished, facts)| host(vault, wished, *facts)))?;
    Ok(request)
}

fn host(vault: &Vault<'_>, wished: &Wished<'_>, facts: Option<&Facts>) -> Result<Host> {
    let name = &wished.host.name;
    let (about, grains) = facts_trees(name, facts, &wished.groups(vault));
    let too_deep = |_| {
        Problem::failed(format!("the pillar of {name} nests too deep for states in Starlark"))
            .at(&wished.host.place)
    };
    Ok(Host {
        name: name.to_string(),
        runs: wished.starlark().map(str::to_owned).collect(),
        pillar: given(wished.pillar()).map_err(too_deep)?,
        host: given(&about).map_err(too_deep)?,
        grains: given(&grains).map_err(too_deep)?,
        asked: facts.is_some(),
    })
}

/// Runs it.
///
/// # Errors
/// Where this program cannot be found again.
pub(super) fn evaluate(request: Request) -> Result<Evaluated> {
    Ok(sandbox::evaluate(&own_program()?, request, sandbox::LIMIT))
}

/// This program, also where an upgrade has put another one into its place meanwhile.
///
/// # Errors
/// Where the system does not tell.
pub(in crate::cli) fn own_program() -> Result<PathBuf> {
    let linked = PathBuf::from("/proc/self/exe");
    if linked.exists() {
        return Ok(linked);
    }
    std::env::current_exe().map_err(|error| {
        Problem::failed("cannot find this program, to run Starlark in").because(&error).into()
    })
}
