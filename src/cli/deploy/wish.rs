//! What is written for each host: its pillar files laid over each other, its states, its credentials.

use super::all_or_nothing;
use crate::cli::place;
use crate::cli::vault::Vault;
use crate::compile::{Inputs, compile, needs_facts};
use crate::desired::Desired;
use crate::inventory::{FILE, Host, state_files};
use crate::observed::Facts;
use crate::pillar::Node;
use crate::problem::{Problem, Problems, Result};
use crate::registry::Credentials;

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
    all_or_nothing(hosts.into_iter().map(|host| Wished::of(vault, host)))
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
        let credentials = Credentials::read(&pillar);
        if needs_facts(&states) {
            return Ok(Self { host, credentials: credentials?, desired: None, pillar, states });
        }
        let mut wished = Self { host, credentials: Credentials::default(), desired: None, pillar, states };
        let (credentials, desired) = both(credentials, wished.compile(vault, None))?;
        (wished.credentials, wished.desired) = (credentials, Some(desired));
        Ok(wished)
    }

    /// What is wanted.
    ///
    /// # Errors
    /// Everything that is wrong in its states.
    pub(in crate::cli) fn compile(&self, vault: &Vault<'_>, facts: Option<&Facts>) -> Result<Desired> {
        let hosts = &vault.inventory().hosts;
        let size = |group: &String| {
            let members = hosts.values().filter(|host| host.groups.contains(group)).count();
            (group.clone(), u64::try_from(members).unwrap_or(u64::MAX))
        };
        let groups: Vec<(String, u64)> = self.host.groups.iter().map(size).collect();
        compile(&Inputs {
            workspace: vault.name(),
            host: &self.host.name,
            groups: &groups,
            states: &self.states,
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
