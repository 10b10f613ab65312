//! Gates that name what is rolled back to, so that the next apply does not undo it.

use super::host::Host;
use crate::cli::Context;
use crate::cli::commands::gate::own_file;
use crate::cli::commands::gate::write::{effective_everywhere, field};
use crate::history::{Generation, current};
use crate::name::HostName;
use crate::pillar::gate::{Gate, key};
use crate::problem::{Place, Problem, Problems, Result, escaped, quoted};
use crate::session::{Vault, declared};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What names the image of a service.
#[derive(Clone, Debug)]
pub(super) enum Gating {
    /// A gate of this name.
    Gate(String),
    /// This line of a state.
    Line(Option<Place>),
}

/// What is written into one file.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// Relative to `pillar/`.
    pub(super) file: String,
    app: String,
    /// Hosts that get it from there and are rolled back.
    hosts: Vec<HostName>,
    /// Where it is not the one that the gate names already.
    image: Option<String>,
    version: Option<String>,
    digest: String,
    /// Why it is held.
    hold: Option<String>,
}

/// What is to be written so that every host's gate names its target.
///
/// # Errors
/// Where no gate names the image of a service.
pub(super) fn changes(
    vault: &Vault<'_>,
    service: &str,
    hosts: &[Host],
    targets: &[&Generation],
) -> Result<Vec<Change>> {
    Problems::check(
        hosts.iter().zip(targets).filter_map(|(host, target)| ungated(service, host, target)).collect(),
    )?;
    let mut changes: Vec<Change> = Vec::new();
    for (host, target) in hosts.iter().zip(targets) {
        let Gating::Gate(app) = &host.gating else { continue };
        let Some(image) = target.reference() else { continue };
        let Some((file, gate)) = file(vault, app, host, hosts)? else { continue };
        let named = gate.image.as_ref().map(|said| said.value.to_string());
        let change = Change {
            file,
            app: app.clone(),
            hosts: vec![host.name.clone()],
            image: Some(image.name.to_string()).filter(|name| named.as_ref() != Some(name)),
            digest: image.digest.as_ref().map(ToString::to_string).unwrap_or_default(),
            version: image.tag,
            hold: None,
        };
        match changes.iter_mut().find(|other| other.file == change.file && other.app == change.app) {
            Some(other) => other.hosts.extend(change.hosts),
            None => changes.push(change),
        }
    }
    Ok(changes)
}

/// What no gate names cannot be held, and the next apply brings back what the state says: its version, or what
/// else differs.
fn ungated(service: &str, host: &Host, target: &Generation) -> Option<Problem> {
    let Gating::Line(line) = &host.gating else { return None };
    let once = format!("or roll back until the next apply: pillarbox rollback {} --once", quoted(service));
    // What a tag stands for is not known here: it is the same while the image is the one in service.
    let in_service = current(&host.generations).map(|current| &current.image);
    let same_image = host.wanted.image.digest.is_some() || in_service == Some(&target.image);
    let other_version = !(same_image && host.wanted.is_version_of(target));
    let fields = host.goal(service, target).differences(&host.desired);
    if !other_version && fields.is_empty() {
        return None;
    }
    let mut problem = if other_version {
        let what = format!("no gate names the version of {} on {}", escaped(service), host.name);
        let problem = Problem::failed(what).cause(
            "the next apply would deploy the state's version again, and without a gate it cannot be held",
        );
        let version = target.reference();
        let version =
            version.map_or_else(|| "the version to roll back to".to_owned(), |it| escaped(&it.to_string()));
        let problem = problem.hint(format!("name {version} in that line, and then: pillarbox apply"));
        match line {
            Some(place) => problem.at(place),
            None => problem,
        }
    } else {
        let what = format!(
            "{} on {} was declared otherwise in {}, and no gate can hold that",
            escaped(service),
            host.name,
            target.in_words()
        );
        Problem::failed(what).cause("the next apply would bring today's declaration back")
    };
    for field in fields {
        let places = host.sources(&field);
        let at = places.last().map(|place| format!(": {place}")).unwrap_or_default();
        problem = problem.hint(format!("change {} back in the state{at}", escaped(&field)));
    }
    Some(problem.hint(once))
}

/// The file in which a host's gate is written: the one that says it now, if all hosts that get it from
/// there are rolled back; else the host's own.
fn file(vault: &Vault<'_>, app: &str, host: &Host, hosts: &[Host]) -> Result<Option<(String, Gate)>> {
    let everywhere = effective_everywhere(vault, app)?;
    let said_in = |gate: &Gate| {
        let version = gate.version.as_ref().map(|said| &said.place);
        let place = version.or(gate.digest.as_ref().map(|said| &said.place));
        place.and_then(|place| place.file.strip_prefix("pillar/").map(str::to_owned))
    };
    let of = |name: &HostName| everywhere.iter().find(|(one, _)| one.name == *name);
    let Some((found, gate)) = of(&host.name) else { return Ok(None) };
    let Some(shared) = said_in(gate) else { return Ok(None) };
    let users = users(vault, app);
    let rolled = |name: &HostName| hosts.iter().any(|host| host.name == *name);
    let mut others = everywhere.iter().filter(|(one, gate)| {
        said_in(gate).as_ref() == Some(&shared)
            && users.as_ref().is_none_or(|users| users.contains(&one.name))
    });
    let file = if others.all(|(one, _)| rolled(&one.name)) { shared } else { own_file(found) };
    Ok(Some((file, gate.clone())))
}

/// Hosts that make something by a gate; those whose states want facts are taken to do so. `None` where
/// the states of some host are not sound: then every host may.
fn users(vault: &Vault<'_>, app: &str) -> Option<BTreeSet<HostName>> {
    let declared = declared(vault, &[]).ok()?;
    let uses = declared.iter().filter(|one| {
        let gates = |desired: &crate::desired::Desired| {
            desired.items.iter().any(|item| item.gate.as_ref().is_some_and(|gate| gate.app == app))
        };
        one.desired().is_none_or(gates)
    });
    Some(uses.map(|one| one.host.name.clone()).collect())
}

/// Says in each file that its gate is held, where a host that gets it from there is declared otherwise
/// today than what it goes back to.
pub(super) fn hold(
    changes: &mut [Change],
    service: &str,
    targets: &[&Generation],
    differing: &BTreeMap<HostName, BTreeSet<String>>,
) {
    let version = targets.first().map(|target| target.in_words()).unwrap_or_default();
    for change in changes {
        let of_file = change.hosts.iter().filter_map(|host| differing.get(host));
        let fields: BTreeSet<&String> = of_file.flatten().collect();
        if !fields.is_empty() {
            let fields: Vec<String> = fields.iter().map(|field| escaped(field)).collect();
            let service = escaped(service);
            change.hold = Some(format!(
                "{service} was rolled back to {version}, which was declared otherwise: {}",
                fields.join(", ")
            ));
        }
    }
}

/// Writes them all as one.
///
/// # Errors
/// Where the workspace was changed since the plan was made, or cannot be written.
pub(super) fn commit(ctx: &Context, planned: &Vault<'_>, changes: &[Change]) -> Result<()> {
    if changes.iter().all(|change| change.is_done(planned)) {
        return Ok(());
    }
    let mut vault = Vault::for_change(&ctx.session, planned.workspace())?;
    let texts = |vault: &Vault<'_>| -> BTreeMap<String, String> {
        let documents = vault.documents();
        documents.map(|document| (document.file().to_owned(), document.text().to_owned())).collect()
    };
    if texts(planned) != texts(&vault) {
        return Err(Problem::failed("the workspace was changed meanwhile")
            .hint("nothing was changed, here or on any host: run the same command again")
            .into());
    }
    for change in changes {
        change.write(&mut vault)?;
    }
    vault.commit()?;
    for change in changes {
        ctx.out.say(change.done_in_words());
    }
    Ok(())
}

impl Change {
    /// Writes it.
    ///
    /// # Errors
    /// Where the file does not take it.
    pub(super) fn write(&self, vault: &mut Vault<'_>) -> Result<()> {
        vault.edit(&self.file, |document| {
            if let Some(image) = &self.image {
                field(document, &self.app, "image", Some(image))?;
            }
            field(document, &self.app, "version", self.version.as_deref())?;
            field(document, &self.app, "digest", Some(&self.digest))?;
            match &self.hold {
                Some(why) => field(document, &self.app, "hold", Some(why)),
                None => Ok(()),
            }
        })
    }

    /// Whether the file says so already.
    pub(super) fn is_done(&self, vault: &Vault<'_>) -> bool {
        let said = |name: &str| {
            let key = key(&self.app, Some(name))?;
            vault.document(&self.file)?.get(&key)?.as_str().map(str::to_owned)
        };
        self.image.as_ref().is_none_or(|image| said("image").as_ref() == Some(image))
            && said("version") == self.version
            && said("digest").as_deref() == Some(self.digest.as_str())
            && self.hold.as_ref().is_none_or(|why| said("hold").as_ref() == Some(why))
    }

    fn named(&self) -> String {
        let short = self.digest.strip_prefix("sha256:").and_then(|hex| hex.get(..12)).unwrap_or_default();
        match &self.version {
            Some(version) => format!("{} ({short})", escaped(version)),
            None => short.to_owned(),
        }
    }

    /// For the plan.
    pub(super) fn in_words(&self) -> String {
        let (app, file, named) = (escaped(&self.app), escaped(&self.file), self.named());
        match &self.hold {
            Some(why) => format!("gate {app} becomes {named} in pillar/{file}, and is held: {why}"),
            None => format!("gate {app} becomes {named} in pillar/{file}"),
        }
    }

    fn done_in_words(&self) -> String {
        let (app, file, named) = (escaped(&self.app), escaped(&self.file), self.named());
        match &self.hold {
            Some(_) => format!(
                "{app} is {named} in pillar/{file}, and held: nothing changes before 'pillarbox gate unhold {}'",
                quoted(&self.app)
            ),
            None => format!("{app} is {named} in pillar/{file}"),
        }
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "app": self.app,
            "file": format!("pillar/{}", self.file),
            "hosts": self.hosts,
            "version": self.version,
            "digest": self.digest,
            "hold": self.hold,
        })
    }
}
