//! What is written for each host: its pillar files laid over each other, its states, its credentials.

use super::evaluate;
use super::hosts::{all_or_nothing, each_once};
use super::vault::{Vault, merged};
use crate::compile::{Inputs, compile, is_starlark, needs_facts};
use crate::desired::Desired;
use crate::inventory::{FILE, Host, state_files};
use crate::observed::Facts;
use crate::pillar::Node;
use crate::problem::{Problem, Problems, Result};
use crate::registry::Credentials;
use crate::sandbox::EvalResult;
use crate::script::Ran;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One host and what is written for it; compiled already, unless some state asks for facts.
pub struct Declared<'v> {
    /// The host.
    pub host: &'v Host,
    /// Credentials of its pillar.
    pub credentials: Credentials,
    pub(super) content: Content,
}

/// What is wanted, or what it is compiled from. Sources are dropped once they are compiled: there may be a
/// thousand hosts.
pub(super) enum Content {
    /// Compiled.
    Desired(Desired),
    /// Not to be compiled without asking the host for facts, or before its files in Starlark were run.
    Sources(Sources),
}

/// Files of one host.
pub(super) struct Sources {
    pillar: Arc<Node>,
    states: Vec<(String, String)>,
    /// What its states in Starlark gave.
    ran: BTreeMap<String, Result<Ran>>,
    needs_facts: bool,
}

/// What is written for the hosts that terms choose and that are not paused, in the order of their names.
///
/// # Errors
/// Where the terms choose no host, and everything that is wrong in files of any of the hosts; where a box is older
/// than this machine knows, with `strict`.
pub fn declared<'v>(vault: &'v Vault<'_>, terms: &[String]) -> Result<Vec<Declared<'v>>> {
    let mut hosts = vault.inventory().select(terms)?;
    let all_paused = !hosts.is_empty() && hosts.iter().all(|host| host.paused.is_some());
    hosts.retain(|host| host.paused.is_none());
    if all_paused { Ok(Vec::new()) } else { declared_for(vault, hosts) }
}

/// What is written for these hosts.
///
/// # Errors
/// As [`declared`].
pub fn declared_for<'v>(vault: &'v Vault<'_>, hosts: Vec<&'v Host>) -> Result<Vec<Declared<'v>>> {
    vault.meet_older_boxes()?;
    if hosts.is_empty() {
        return Err(Problem::failed(format!("{FILE} has no hosts"))
            .hint("add one: [hosts.web1] with engine = \"ssh://deploy@web1.example.com\"")
            .into());
    }
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for result in hosts.into_iter().map(|host| Declared::read(vault, host)) {
        match result {
            Ok(one) => all.push(one),
            Err(problems) => wrong.push(problems),
        }
    }
    let run: Vec<usize> = (0..all.len()).filter(|index| all[*index].runs_without_facts()).collect();
    if !run.is_empty() {
        let hosts: Vec<_> = run.iter().map(|index| (&all[*index], None)).collect();
        let request = evaluate::request(vault, &hosts);
        let evaluated =
            request.and_then(|request| Ok(evaluate::evaluate(&vault.session().own_program()?, request)));
        match evaluated {
            Ok(evaluated) => {
                for (index, came) in run.into_iter().zip(evaluated) {
                    all[index].take(came);
                }
            }
            // That they were not run would be said of each.
            Err(problems) => {
                wrong.push(problems);
                return Problems::check(each_once(wrong)).map(|()| Vec::new());
            }
        }
    }
    let mut declared = Vec::with_capacity(all.len());
    for result in all.into_iter().map(|one| one.compiled(vault)) {
        match result {
            Ok(one) => declared.push(one),
            Err(problems) => wrong.push(problems),
        }
    }
    Problems::check(each_once(wrong)).map(|()| declared)
}

impl<'v> Declared<'v> {
    fn read(vault: &Vault<'_>, host: &'v Host) -> Result<Self> {
        let (inventory, workspace) = (vault.inventory(), vault.workspace());
        let texts = state_files(inventory, host, &workspace.state_files()?).and_then(|states| {
            all_or_nothing(states.into_iter().map(|file| {
                let path = format!("states/{file}");
                Ok((path.clone(), workspace.read(&path)?))
            }))
        });
        let (pillar, states) = both(merged(vault, host), texts)?;
        let needs_facts =
            needs_facts(&states, &inventory.compose_of(host), &|path| vault.source(path), &host.labels);
        let sources = Sources { pillar: Arc::new(pillar), states, ran: BTreeMap::new(), needs_facts };
        let runs = sources.starlark().next().is_some();
        let read = Self { host, credentials: Credentials::default(), content: Content::Sources(sources) };
        if runs { Ok(read) } else { read.compiled(vault) }
    }

    /// What is wanted, if that can be said without asking the host.
    pub fn desired(&self) -> Option<&Desired> {
        match &self.content {
            Content::Desired(desired) => Some(desired),
            Content::Sources(_) => None,
        }
    }

    /// What is wanted, if that can be said without asking the host.
    pub fn into_desired(self) -> Option<Desired> {
        match self.content {
            Content::Desired(desired) => Some(desired),
            Content::Sources(_) => None,
        }
    }

    pub(super) fn sources(&self) -> Option<&Sources> {
        match &self.content {
            Content::Desired(_) => None,
            Content::Sources(sources) => Some(sources),
        }
    }

    fn runs_without_facts(&self) -> bool {
        self.sources().is_some_and(|sources| !sources.needs_facts && sources.starlark().next().is_some())
    }

    /// Whether it has files that must be run before it can be compiled.
    pub(super) fn is_to_be_run(&self) -> bool {
        self.sources().is_some_and(|sources| sources.starlark().next().is_some())
    }

    /// Takes what its files gave.
    pub(super) fn take(&mut self, came: BTreeMap<String, EvalResult>) {
        let Content::Sources(sources) = &mut self.content else { return };
        for (file, came) in came {
            match came {
                EvalResult::Of(result) => {
                    sources.ran.insert(file, result);
                }
                EvalResult::NeedsFacts => sources.needs_facts = true,
            }
        }
    }

    fn compiled(self, vault: &Vault<'_>) -> Result<Self> {
        let Self { host, credentials, content } = self;
        let sources = match content {
            Content::Desired(_) => return Ok(Self { host, credentials, content }),
            Content::Sources(sources) => sources,
        };
        let credentials = Credentials::read(&sources.pillar);
        if sources.needs_facts {
            return Ok(Self { host, credentials: credentials?, content: Content::Sources(sources) });
        }
        let (credentials, desired) = both(credentials, sources.compile(vault, host, None))?;
        Ok(Self { host, credentials, content: Content::Desired(desired) })
    }
}

impl Sources {
    /// Its files in Starlark.
    pub(super) fn starlark(&self) -> impl Iterator<Item = &str> {
        self.states.iter().map(|(file, _)| file.as_str()).filter(|file| is_starlark(file))
    }

    pub(super) fn pillar(&self) -> &Node {
        &self.pillar
    }

    /// What is wanted of a host with these facts.
    ///
    /// # Errors
    /// Everything that is wrong in its states.
    pub(super) fn compile(&self, vault: &Vault<'_>, host: &Host, facts: Option<&Facts>) -> Result<Desired> {
        compile(&Inputs {
            workspace: vault.owner(),
            host: &host.name,
            groups: &groups(vault, host),
            labels: &host.labels,
            states: &self.states,
            ran: &self.ran,
            compose: &vault.inventory().compose_of(host),
            read: &|path| vault.workspace().read_beside(path),
            source: &|path| vault.source(path),
            list: &|path| vault.workspace().files_beside(path),
            pillar: &self.pillar,
            budget: vault.budget(),
            facts,
        })
    }
}

/// The groups that a host is in, each with the number of its hosts.
pub(super) fn groups(vault: &Vault<'_>, host: &Host) -> Vec<(String, u64)> {
    let hosts = &vault.inventory().hosts;
    let size = |group: &String| {
        let members = hosts.values().filter(|host| host.groups.contains(group)).count();
        (group.clone(), u64::try_from(members).unwrap_or(u64::MAX))
    };
    host.groups.iter().map(size).collect()
}

/// Both, or what is wrong with either.
fn both<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(wrong), Err(more)) => Err(wrong.and(more)),
        (Err(wrong), _) | (_, Err(wrong)) => Err(wrong),
    }
}
