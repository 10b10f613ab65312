//! Hosts as commands see them that look into containers: nothing is compiled, no secret is opened, and no more is
//! read than which containers there are.

use super::address::dialled;
use super::connect::{Reading, silent};
use super::declared::declared;
use super::hosts::{Hosts, at_once};
use super::known_hosts;
use super::pipeline::{Pipeline, unless_interrupted};
use super::services::Services;
use super::vault::Vault;
use crate::desired::DesiredState;
use crate::engine::docker::Docker;
use crate::inventory::{FILE, Host};
use crate::name::HostName;
use crate::observe::{Replica, replicas};
use crate::pillar::Value;
use crate::problem::{Problem, Result, escaped};
use crate::secret::Secret;
use crate::state::SecretRef;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A host that answers, and the containers of this workspace there.
pub struct LiveHost<'v> {
    /// The host.
    pub host: &'v Host,
    /// Its Engine.
    pub engine: Rc<Docker>,
    /// Its containers.
    pub replicas: Vec<Replica>,
}

/// A container, and where it is.
#[derive(Clone)]
pub struct Located {
    /// The host.
    pub host: HostName,
    /// Its Engine.
    pub engine: Rc<Docker>,
    /// The container.
    pub replica: Replica,
}

impl Located {
    /// `web1/api-2`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.host, escaped(&self.replica.title()))
    }
}

/// Connects to a host's Engine; nothing is asked of one that is not the known one.
///
/// # Errors
/// Where it is not the known one, or does not answer.
pub async fn engine_of(vault: &Vault<'_>, host: &Host) -> Result<Docker> {
    let (address, seen) = dialled(vault.session(), vault.workspace().root(), host)?;
    known_hosts::check(vault, host, &seen)?;
    Ok(Docker::connect(&address).await.map_err(|error| silent(host, &error))?)
}

impl<'p> Pipeline<'p> {
    /// The hosts that terms choose and that are not paused, and the containers there.
    ///
    /// # Errors
    /// Where the terms choose no host, or only paused ones; [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn live(&self, terms: &[String]) -> Result<Hosts<LiveHost<'p>>> {
        let chosen = self.vault.inventory().select(terms)?;
        let hosts: Vec<&Host> = chosen.iter().copied().filter(|host| host.paused.is_none()).collect();
        if hosts.is_empty() && !chosen.is_empty() {
            return Err(all_paused(&chosen).into());
        }
        let names: Vec<HostName> = hosts.iter().map(|host| host.name.clone()).collect();
        let reading = hosts.into_iter().map(|host| async {
            let engine = engine_of(self.vault, host).await?;
            let replicas = replicas(&engine, &host.name, self.vault.owner()).await?;
            Ok(LiveHost { host, engine: Rc::new(engine), replicas })
        });
        let read = async { Ok(Hosts::of(names.into_iter().zip(at_once(reading).await))) };
        unless_interrupted(self.interrupt, read).await
    }

    /// The names on hosts of the services that texts mean. What is declared is asked only where containers do not
    /// say it: so a service can be looked at whose files are broken, and one that is declared no more.
    ///
    /// # Errors
    /// Where one means none or several; where it is declared and has no container on these hosts.
    pub async fn named(
        &self,
        hosts: &Hosts<LiveHost<'p>>,
        terms: &[String],
        texts: &[String],
    ) -> Result<Vec<String>> {
        let mut services = Services::new(self.vault);
        for replica in hosts.ready.iter().flat_map(|one| &one.replicas) {
            services.see(&replica.service, &replica.slot);
        }
        let unknown = match services.resolve(texts) {
            Ok(names) => return Ok(names),
            Err(problems) => problems,
        };
        let Ok(declared) = declared(self.vault, terms) else { return Err(unknown) };
        if declared.iter().all(|one| one.desired().is_some()) {
            declared.iter().filter_map(|one| one.desired()).for_each(|desired| services.declare(desired));
        } else {
            let connected = unless_interrupted(self.interrupt, async {
                Ok(self.connect(declared, Reading::Facts).await)
            });
            connected.await?.ready.iter().for_each(|one| services.declare(&one.desired));
        }
        services.resolve(texts)
    }
}

impl<'v> Hosts<LiveHost<'v>> {
    /// The containers of services, by host, service and index.
    pub fn of_services(&self, services: &[String]) -> Vec<Located> {
        let mut found = Vec::new();
        for one in &self.ready {
            let replicas = one.replicas.iter().filter(|replica| services.contains(&replica.service));
            found.extend(replicas.map(|replica| Located {
                host: one.host.name.clone(),
                engine: Rc::clone(&one.engine),
                replica: replica.clone(),
            }));
        }
        found
    }
}

/// The secrets that containers of services are given by what is declared, as far as a private key is at hand that opens
/// them and asks nothing; in which no word is lost where there is none.
///
/// # Errors
/// Where what is declared cannot be read.
pub fn secrets_at_hand(vault: &Vault<'_>, terms: &[String], services: &[String]) -> Result<Vec<Secret>> {
    if vault.session().options.no_identity {
        return Ok(Vec::new());
    }
    let declared = declared(vault, terms)?;
    let mut wanted: BTreeSet<&SecretRef> = BTreeSet::new();
    for item in declared.iter().filter_map(|one| one.desired()).flat_map(|desired| &desired.items) {
        let name = match &item.want {
            DesiredState::Container(want) => want.service().as_str(),
            DesiredState::Task(task) => task.container.name.as_str(),
            _ => continue,
        };
        if services.iter().any(|service| service == name) {
            let texts = item.want.container().into_iter().flat_map(|want| want.spec.texts());
            wanted.extend(texts.flat_map(|(_, text)| text.secrets()));
        }
    }
    let sealed = wanted.into_iter().filter_map(|secret| {
        let document = vault.document(&secret.origin.file)?;
        match document.get(&secret.origin.key).map(|node| &node.value) {
            Some(Value::Sealed(sealed)) => vault.open(sealed).ok(),
            _ => None,
        }
    });
    Ok(sealed.map(|opened| opened.secret).collect())
}

/// What to say where all hosts that are chosen are paused.
pub fn all_paused(hosts: &[&Host]) -> Problem {
    let reason = |host: &&Host| host.paused.as_deref().map(|why| (host.name.clone(), why.to_owned()));
    let reasons: Vec<_> = hosts.iter().filter_map(reason).collect();
    let problem = match reasons.as_slice() {
        [(host, _)] => Problem::failed(format!("host {host} is paused")),
        all => Problem::failed(format!("all {} hosts that are chosen are paused", all.len())),
    };
    let problem = match reasons.first() {
        Some((_, why)) if reasons.len() == 1 => problem.cause(escaped(why)),
        _ => problem,
    };
    let problem = problem.hint(format!("take `paused` out of {FILE} where it works again"));
    hosts.first().map_or(problem.clone(), |host| problem.at(&host.place))
}

/// What to say where a service has no container that a command could take.
pub fn without_container(services: &[String], what: &str) -> Problem {
    let names: Vec<String> = services.iter().map(|name| escaped(name)).collect();
    Problem::failed(format!("{} has no {what} on these hosts", names.join(", ")))
        .hint("see what there is: pillarbox status -v")
}
