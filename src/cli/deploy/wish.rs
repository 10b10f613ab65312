//! What is written for each host: its pillar files laid over each other, its states, its credentials.

use super::{all_or_nothing, evaluate, sorted_out};
use crate::cli::place;
use crate::cli::vault::Vault;
use crate::compile::{Inputs, compile, is_starlark, needs_facts};
use crate::desired::Desired;
use crate::inventory::{FILE, Host, state_files};
use crate::observed::Facts;
use crate::pillar::Node;
use crate::problem::{Problem, Problems, Result};
use crate::registry::Credentials;
use crate::sandbox::Came;
use crate::script::Ran;
use std::collections::BTreeMap;

/// One host and what is written for it; compiled already, unless some state asks for facts.
pub(in crate::cli) struct Wished<'v> {
    /// The host.
    pub host: &'v Host,
    /// Credentials of its pillar.
    pub credentials: Credentials,
    /// What is wanted, if that could be said without asking the host.
    pub desired: Option<Desired>,
    pillar: Node,
    states: Vec<(String, String)>,
    /// What its states in Starlark gave.
    ran: BTreeMap<String, Result<Ran>>,
    needs_facts: bool,
}

/// What is written for the hosts that the globs match, in the order of their names.
///
/// # Errors
/// Where a glob matches nothing, and everything that is wrong in files of any of the hosts.
pub(in crate::cli) fn wishes<'v>(vault: &'v Vault<'_>, globs: &[String]) -> Result<Vec<Wished<'v>>> {
    let hosts = vault.inventory().select(globs)?;
    if hosts.is_empty() {
        return Err(Problem::failed(format!("{FILE} has no hosts"))
            .hint("add one: [hosts.web1] with engine = \"ssh://deploy@web1.example.com\"")
            .into());
    }
    let (mut wishes, mut wrong) = sorted_out(hosts.into_iter().map(|host| Wished::of(vault, host)));
    let run: Vec<usize> = (0..wishes.len()).filter(|index| wishes[*index].runs_without_facts()).collect();
    if !run.is_empty() {
        let hosts: Vec<_> = run.iter().map(|index| (&wishes[*index], None)).collect();
        match evaluate::request(vault, &hosts).and_then(evaluate::evaluate) {
            Ok(evaluated) => {
                for (index, came) in run.into_iter().zip(evaluated) {
                    wishes[index].take(came);
                }
            }
            // That they were not run would be said of each.
            Err(found) => {
                return Problems::check(with(wrong, found.into_vec())).map(|()| Vec::new());
            }
        }
    }
    let (wishes, found) = sorted_out(wishes.into_iter().map(|wished| wished.compiled(vault)));
    wrong = with(wrong, found);
    Problems::check(wrong).map(|()| wishes)
}

impl<'v> Wished<'v> {
    fn of(vault: &'v Vault<'_>, host: &'v Host) -> Result<Self> {
        let (inventory, workspace) = (vault.inventory(), vault.workspace());
        let texts = state_files(inventory, host, &workspace.state_files()?).and_then(|states| {
            all_or_nothing(states.into_iter().map(|file| {
                let path = format!("states/{file}");
                Ok((path.clone(), workspace.read(&path)?))
            }))
        });
        let (pillar, states) = both(place::merged(vault, host), texts)?;
        let needs_facts = needs_facts(&states);
        Ok(Self {
            host,
            credentials: Credentials::default(),
            desired: None,
            pillar,
            states,
            ran: BTreeMap::new(),
            needs_facts,
        })
    }

    /// Its files in Starlark.
    pub(super) fn starlark(&self) -> impl Iterator<Item = &str> {
        self.states.iter().map(|(file, _)| file.as_str()).filter(|file| is_starlark(file))
    }

    pub(super) fn pillar(&self) -> &Node {
        &self.pillar
    }

    fn runs_without_facts(&self) -> bool {
        !self.needs_facts && self.starlark().next().is_some()
    }

    /// Whether it has files that must be run before it can be compiled.
    pub(super) fn is_to_be_run(&self) -> bool {
        self.desired.is_none() && self.starlark().next().is_some()
    }

    /// Takes what its files gave.
    pub(super) fn take(&mut self, came: BTreeMap<String, Came>) {
        for (file, came) in came {
            match came {
                Came::Of(result) => {
                    self.ran.insert(file, result);
                }
                Came::NeedsFacts => self.needs_facts = true,
            }
        }
    }

    fn compiled(mut self, vault: &Vault<'_>) -> Result<Self> {
        let credentials = Credentials::read(&self.pillar);
        if self.needs_facts {
            self.credentials = credentials?;
            return Ok(self);
        }
        let (credentials, desired) = both(credentials, self.compile(vault, None))?;
        (self.credentials, self.desired) = (credentials, Some(desired));
        Ok(self)
    }

    /// The groups that it is in, each with the number of its hosts.
    pub(super) fn groups(&self, vault: &Vault<'_>) -> Vec<(String, u64)> {
        let hosts = &vault.inventory().hosts;
        let size = |group: &String| {
            let members = hosts.values().filter(|host| host.groups.contains(group)).count();
            (group.clone(), u64::try_from(members).unwrap_or(u64::MAX))
        };
        self.host.groups.iter().map(size).collect()
    }

    /// What is wanted.
    ///
    /// # Errors
    /// Everything that is wrong in its states.
    pub(in crate::cli) fn compile(&self, vault: &Vault<'_>, facts: Option<&Facts>) -> Result<Desired> {
        compile(&Inputs {
            workspace: vault.owner(),
            host: &self.host.name,
            groups: &self.groups(vault),
            states: &self.states,
            ran: &self.ran,
            pillar: &self.pillar,
            facts,
        })
    }
}

/// Both, or what is wrong with either.
fn both<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => {
            let mut wrong = a.err().map(Problems::into_vec).unwrap_or_default();
            wrong.extend(b.err().map(Problems::into_vec).unwrap_or_default());
            Problems::check(wrong)?;
            Err(Problem::failed("nothing is wrong").into())
        }
    }
}

/// All problems, each once.
fn with(mut wrong: Vec<Problem>, more: Vec<Problem>) -> Vec<Problem> {
    for problem in more {
        if !wrong.contains(&problem) {
            wrong.push(problem);
        }
    }
    wrong
}
