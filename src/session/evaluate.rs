//! The states in Starlark of several hosts, run in one child.

use super::context::Session;
use super::declared::{Declared, Sources, groups};
use super::hosts::all_or_nothing;
use super::vault::Vault;
use crate::compile::{facts_trees, is_starlark};
use crate::inventory::Host;
use crate::observed::Facts;
use crate::problem::{Problem, Result, conflict};
use crate::sandbox::{self, EvalResult};
use crate::script::{self, Request, given};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the files in Starlark of each host gave.
pub(super) type Evaluated = Vec<BTreeMap<String, EvalResult>>;

/// What is to be run for hosts, with their facts where they are known.
///
/// # Errors
/// Where a file of states cannot be read.
pub(super) fn request(vault: &Vault<'_>, hosts: &[(&Declared<'_>, Option<&Facts>)]) -> Result<Request> {
    let workspace = vault.workspace();
    let mut request = Request::default();
    let files = workspace.state_files()?;
    for file in all_or_nothing(files.into_iter().filter(|file| is_starlark(file)).map(|file| {
        let path = format!("states/{file}");
        let text = workspace.read(&path)?;
        conflict::check(&path, &text)?;
        Ok((path, text))
    }))? {
        request.files.insert(file.0, file.1);
    }
    let with_sources = hosts.iter().filter_map(|(one, facts)| Some((one.host, one.sources()?, *facts)));
    request.hosts =
        all_or_nothing(with_sources.map(|(host, sources, facts)| given_to(vault, host, sources, facts)))?;
    Ok(request)
}

fn given_to(
    vault: &Vault<'_>,
    host: &Host,
    sources: &Sources,
    facts: Option<&Facts>,
) -> Result<script::Host> {
    let name = &host.name;
    let (about, grains) = facts_trees(name, facts, &groups(vault, host), &host.labels);
    let too_deep = |_| {
        Problem::failed(format!("the pillar of {name} nests too deep for states in Starlark")).at(&host.place)
    };
    Ok(script::Host {
        name: name.to_string(),
        runs: sources.starlark().map(str::to_owned).collect(),
        pillar: given(sources.pillar()).map_err(too_deep)?,
        host: given(&about).map_err(too_deep)?,
        grains: given(&grains).map_err(too_deep)?,
        asked: facts.is_some(),
    })
}

/// Runs it; `program` is this one.
pub(super) fn evaluate(program: &Path, request: Request) -> Evaluated {
    sandbox::evaluate(program, request, sandbox::LIMIT)
}

impl Session {
    /// This program, also where an upgrade has put another one into its place meanwhile.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn own_program(&self) -> Result<PathBuf> {
        let linked = PathBuf::from("/proc/self/exe");
        if linked.exists() {
            return Ok(linked);
        }
        self.env
            .program
            .clone()
            .ok_or_else(|| Problem::failed("cannot find this program, to run Starlark in").into())
    }
}
