//! Connecting to the Engines of all hosts at once, asking each what it is, and compiling what could not be
//! compiled without its facts.

use super::address::dialled;
use super::declared::{Content, Declared};
use super::hosts::{Hosts, at_once};
use super::pipeline::{Pipeline, unless_interrupted};
use super::vault::Vault;
use super::{evaluate, known_hosts};
use crate::desired::Desired;
use crate::engine::docker::Docker;
use crate::engine::{Engine as _, EngineError};
use crate::inventory::Host;
use crate::observe::{Read, What, read};
use crate::observed::Facts;
use crate::pillar::known::KnownHost;
use crate::problem::{Problem, Problems, Result};
use crate::registry::Credentials;
use futures_util::future::join;

/// A host that answers, and what is wanted there.
pub struct Connected<'v> {
    /// The host.
    pub host: &'v Host,
    /// Credentials of its pillar.
    pub credentials: Credentials,
    /// What is wanted.
    pub desired: Desired,
    pub(super) engine: Docker,
    pub(super) facts: Facts,
    /// What decides who answers there.
    pub(super) seen: KnownHost,
    /// What was read of it already.
    pub(super) read: Option<Early>,
}

/// What was read of a host before it was known what it is.
pub(super) struct Early {
    what: What,
    found: Result<Read>,
}

impl Early {
    /// What was found, if it is what is wanted now.
    pub(super) fn of(self, what: &What) -> Option<Result<Read>> {
        (self.what == *what).then_some(self.found)
    }
}

/// Of so few hosts all is read while they say what they are, which takes an Engine as long as the rest together.
/// What is read is kept until the host is planned, so not of many.
const FEW: usize = 4;

/// What is asked of hosts when they are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// What they are.
    Facts,
    /// Where it takes no facts to know what is wanted, and hosts are few, what is there as well.
    All,
}

impl<'p> Pipeline<'p> {
    /// All hosts that answer and compile.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn connected(&self, declared: Vec<Declared<'p>>) -> Result<Hosts<Connected<'p>>> {
        unless_interrupted(self.interrupt, async { Ok(self.connect(declared, Reading::Facts).await) }).await
    }

    pub(super) async fn connect(
        &self,
        declared: Vec<Declared<'p>>,
        reading: Reading,
    ) -> Hosts<Connected<'p>> {
        let early = reading == Reading::All && declared.len() <= FEW;
        let names: Vec<_> = declared.iter().map(|one| one.host.name.clone()).collect();
        let dialling = declared.into_iter().map(|one| async {
            let what = one.desired().filter(|_| early).map(What::of);
            let (engine, mut facts, seen, read) = dial_and_read(self.vault, one.host, what).await?;
            facts.labels.extend(one.host.labels.clone());
            Ok(Answering { declared: one, engine, facts, seen, read })
        });
        let mut answering = Hosts::of(names.into_iter().zip(at_once(dialling).await));
        self.run_starlark(&mut answering).await;
        let compiled =
            answering.ready.into_iter().map(|one| (one.declared.host.name.clone(), self.compile(one)));
        let mut connected = Hosts::of(compiled.collect::<Vec<_>>());
        connected.failed.splice(0..0, answering.failed);
        connected
    }

    fn compile(&self, one: Answering<'p>) -> Result<Connected<'p>> {
        let Answering { declared: Declared { host, credentials, content }, engine, facts, seen, read } = one;
        let desired = match content {
            Content::Desired(desired) => desired,
            Content::Sources(sources) => sources.compile(self.vault, host, Some(&facts))?,
        };
        Ok(Connected { host, credentials, desired, engine, facts, seen, read })
    }

    /// Runs the states in Starlark that want facts, of all hosts in one child.
    async fn run_starlark(&self, answering: &mut Hosts<Answering<'p>>) {
        let waiting = |one: &Answering<'_>| one.declared.is_to_be_run();
        let hosts: Vec<_> = answering
            .ready
            .iter()
            .filter(|one| waiting(one))
            .map(|one| (&one.declared, Some(&one.facts)))
            .collect();
        if hosts.is_empty() {
            return;
        }
        match run_states(self.vault, &hosts).await {
            Ok(evaluated) => {
                let waiting = answering.ready.iter_mut().filter(|one| waiting(one));
                for (one, came) in waiting.collect::<Vec<_>>().into_iter().zip(evaluated) {
                    one.declared.take(came);
                }
            }
            Err(problems) => {
                let all = std::mem::take(&mut answering.ready);
                let (without, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| waiting(one));
                answering.ready = rest;
                answering.fail(without.iter().map(|one| &one.declared.host.name), &problems);
            }
        }
    }
}

/// A host that answers.
struct Answering<'v> {
    declared: Declared<'v>,
    engine: Docker,
    facts: Facts,
    seen: KnownHost,
    read: Option<Early>,
}

async fn run_states(
    vault: &Vault<'_>,
    hosts: &[(&Declared<'_>, Option<&Facts>)],
) -> Result<evaluate::Evaluated> {
    let request = evaluate::request(vault, hosts)?;
    let program = vault.session().own_program()?;
    let evaluated = tokio::task::spawn_blocking(move || evaluate::evaluate(&program, request)).await;
    evaluated.map_err(|_| -> Problems { Problem::failed("Starlark could not be run").into() })
}

/// The Engine of a host, what it says of itself, and what decides who answers there.
pub(super) async fn dial(vault: &Vault<'_>, host: &Host) -> Result<(Docker, Facts, KnownHost)> {
    let (engine, facts, seen, _) = dial_and_read(vault, host, None).await?;
    Ok((engine, facts, seen))
}

/// The same, and meanwhile what is to be read of it: no secret goes there for that.
async fn dial_and_read(
    vault: &Vault<'_>,
    host: &Host,
    what: Option<What>,
) -> Result<(Docker, Facts, KnownHost, Option<Early>)> {
    let (address, mut seen) = dialled(vault.session(), vault.workspace().root(), host)?;
    // Nothing is asked of a host that is not the known one.
    known_hosts::check(vault, host, &seen)?;
    let engine = Docker::connect(&address).await.map_err(|error| silent(host, &error))?;
    let reading = async {
        match what {
            Some(what) => Some(Early { found: read(&engine, &host.name, &what).await, what }),
            None => None,
        }
    };
    let (facts, read) = join(engine.facts(), reading).await;
    let facts = facts.map_err(|error| silent(host, &error))?;
    // Another Engine behind a socket of this machine is no stranger.
    if !known_hosts::is_own_socket(host, &seen) {
        seen.daemon = Some(facts.engine_id.clone());
    }
    Ok((engine, facts, seen, read))
}

/// A host whose Engine does not answer.
pub(super) fn silent(host: &Host, error: &EngineError) -> Problem {
    error
        .problem(format!("host {}: its Engine at {} does not answer", host.name, host.engine))
        .at(&host.place)
}
