//! Networks and volumes that are there, compared with what is declared of them.

use super::World;
use crate::desired::{Address, Kind, ResourceWish, Spec};
use crate::observed::{Label, Made, Network, Volume, namesake};
use crate::problem::{Place, Problem, Result, escaped};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A body with our labels.
pub(super) fn labelled(world: &World<'_>, mut body: Value, spec: &Spec) -> Value {
    let fields = spec.field_fingerprints();
    let fields: Vec<String> = fields.iter().map(|(field, print)| format!("{field}={print}")).collect();
    for (name, value) in Label::of(&world.desired.workspace) {
        body["Labels"][name] = json!(value);
    }
    body["Labels"][Label::SPEC] = json!(spec.fingerprint());
    body["Labels"][Label::FIELDS] = json!(fields.join(","));
    body
}

/// The fields that are declared otherwise than when it was made, each with its line.
pub(super) fn differing(made: &Made, wish: &ResourceWish) -> Vec<(String, Option<Place>)> {
    if made.spec == wish.spec.fingerprint() {
        return Vec::new();
    }
    let wanted = wish.spec.field_fingerprints();
    let place = |field: &String| wish.sources.get(field).and_then(|lines| lines.first()).cloned();
    let changed = wanted.iter().filter(|(field, print)| made.fields.get(*field) != Some(print));
    let mut fields: Vec<_> = changed.map(|(field, _)| (field.clone(), place(field))).collect();
    let gone = made.fields.keys().filter(|field| !wanted.contains_key(*field));
    fields.extend(gone.map(|field| (escaped(field), None)));
    fields.sort();
    if fields.is_empty() {
        fields.push(("spec".to_owned(), None));
    }
    fields
}

pub(super) fn theirs(
    world: &World<'_>,
    kind: Kind,
    wish: &ResourceWish,
    differences: &[String],
) -> Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    let address = Address { kind, name: wish.name.clone() };
    let what = format!(
        "{address} on host {} was not made by workspace {} and differs: {}",
        world.observed.host,
        world.desired.workspace,
        differences.join(", ")
    );
    let mut problem = Problem::failed(what).cause("what others made is used as it is, and never changed");
    let found = match kind {
        Kind::Network => {
            world.observed.networks.iter().find(|one| one.name == wish.name).map(|one| &one.inspect)
        }
        _ => world.observed.volumes.iter().find(|one| one.name == wish.name).map(|one| &one.inspect),
    };
    let labels = found.and_then(|inspect| inspect.compare("/Labels"));
    if let Some(other) = labels.and_then(|labels| namesake(&world.desired.workspace, labels)) {
        problem = other.hints.into_iter().fold(problem.cause(format!("it {}", other.what)), Problem::hint);
    }
    problem = problem.hint("declare it as it is, or leave those fields out").hint("or give it another name");
    let lines = differences.iter().filter_map(|field| wish.sources.get(field));
    problem.place = lines.flatten().next().cloned();
    Err(problem.into())
}

impl<'a> World<'a> {
    /// The network of a name.
    ///
    /// # Errors
    /// Where several have it, as some Engines let them.
    pub(super) fn network(&self, name: &str) -> Result<Option<&'a Network>> {
        let mut found = self.observed.networks.iter().filter(|network| network.name == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => {
                let host = &self.observed.host;
                let what = format!("host {host} has more than one network of the name {}", escaped(name));
                Err(Problem::failed(what)
                    .hint("remove all but one there: 'docker network ls', 'docker network rm ID'")
                    .into())
            }
            (found, None) => Ok(found),
        }
    }

    pub(super) fn volume(&self, name: &str) -> Option<&'a Volume> {
        self.observed.volumes.iter().find(|volume| volume.name == name)
    }

    /// Networks of ours that no state names.
    pub(in super::super) fn undeclared_networks(&self) -> Vec<&'a Network> {
        let named = self.named_resources(Kind::Network);
        let ours = self.observed.networks.iter().filter(|network| network.ours.is_some());
        let ours = ours.filter(|_| !self.desired.partial);
        ours.filter(|network| !named.contains(network.name.as_str())).collect()
    }

    /// Volumes of ours that no state names.
    pub(in super::super) fn undeclared_volumes(&self) -> Vec<&'a Volume> {
        let named = self.named_resources(Kind::Volume);
        let ours = self.observed.volumes.iter().filter(|volume| volume.ours.is_some());
        let ours = ours.filter(|_| !self.desired.partial);
        ours.filter(|volume| !named.contains(volume.name.as_str())).collect()
    }

    fn named_resources(&self, kind: Kind) -> BTreeSet<&'a str> {
        let items = self.desired.items.iter().filter(|item| item.address.kind == kind);
        items.map(|item| item.address.name.as_str()).collect()
    }
}
