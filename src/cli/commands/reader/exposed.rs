//! Secrets that a reader could open and should not know any more: each must be changed where it is valid.

use crate::name::KeyPath;
use crate::pillar::boxes::BoxFolder;
use crate::pillar::readership::Trail;
use crate::pillar::{Node, Origin, SealId};
use crate::problem::escaped;
use crate::session::{Holders, Moment, Past, Use, Vault};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;

/// What became of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Fate {
    /// It stands, and is valid as far as the pillar tells.
    Stands,
    /// It is no longer in the pillar, and no other came to its place.
    Gone(When),
    /// Another secret came to its place.
    Replaced(When),
}

/// A moment of the past, by its number; without a commit where it is not committed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct When {
    pub(in crate::cli) at: usize,
    pub(in crate::cli) moment: Option<Moment>,
}

impl When {
    pub(in crate::cli) fn of(past: &Past, at: usize) -> Self {
        Self { at, moment: past.moment(at).cloned() }
    }

    pub(in crate::cli) fn json(&self) -> serde_json::Value {
        match &self.moment {
            Some(moment) => json!({ "commit": moment.commit, "time": moment.time.to_string() }),
            None => json!({ "commit": null, "time": null }),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.moment {
            Some(moment) => {
                let short = moment.commit.get(..12).unwrap_or(&moment.commit);
                write!(f, "{} (commit {short})", moment.time.strftime("%Y-%m-%d"))
            }
            None => f.write_str("now, not committed yet"),
        }
    }
}

/// A secret that someone could read.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Exposed {
    pub(in crate::cli) place: Origin,
    pub(in crate::cli) id: SealId,
    pub(in crate::cli) fate: Fate,
    /// The box that it stands in.
    pub(in crate::cli) folder: Option<BoxFolder>,
    /// Other places where it stood.
    places: Vec<Origin>,
    /// `registry ghcr.io, user deploy`.
    registry: Option<String>,
    hosts: Vec<String>,
    uses: Vec<Use>,
}

impl Exposed {
    /// A secret that stands in the workspace.
    pub(in crate::cli) fn standing(
        vault: &Vault<'_>,
        holders: &Holders,
        place: &Origin,
        id: &SealId,
    ) -> Self {
        Self {
            place: place.clone(),
            id: id.clone(),
            fate: Fate::Stands,
            folder: vault.governing(&place.file).ok().cloned(),
            places: Vec::new(),
            registry: registry(vault, place),
            hosts: holders.hosts(place).into_iter().map(str::to_owned).collect(),
            uses: holders.uses(place).into_iter().cloned().collect(),
        }
    }

    /// A secret of the past; `now` are the places where secrets stand.
    pub(in crate::cli) fn of(
        vault: &Vault<'_>,
        holders: &Holders,
        past: &Past,
        now: &BTreeMap<&SealId, Vec<Origin>>,
        (id, trail): (&SealId, &Trail),
    ) -> Option<Self> {
        let (place, fate) = match (now.get(id).and_then(|places| places.first()), &trail.ended) {
            (Some(place), _) => (place, Fate::Stands),
            (None, Some((at, Some(_)))) => (trail.places.first()?, Fate::Replaced(When::of(past, *at))),
            (None, Some((at, None))) => (trail.places.first()?, Fate::Gone(When::of(past, *at))),
            // It stands on another branch, or came in by a merge that was not followed.
            (None, None) => (trail.places.first()?, Fate::Stands),
        };
        let mut one = Self::standing(vault, holders, place, id);
        one.places = trail.places.iter().filter(|other| *other != place).cloned().collect();
        if fate != Fate::Stands {
            (one.folder, one.hosts, one.uses) = (None, Vec::new(), Vec::new());
        }
        one.fate = fate;
        Some(one)
    }

    /// What was to be changed, with all that is known.
    pub(in crate::cli) fn json(&self) -> serde_json::Value {
        let (state, since) = match &self.fate {
            Fate::Stands => ("stands", None),
            Fate::Gone(when) => ("gone", Some(when.json())),
            Fate::Replaced(when) => ("replaced", Some(when.json())),
        };
        let used = |used: &Use| json!({ "host": used.host, "resource": used.resource, "app": used.app });
        json!({
            "place": escaped(&self.place.to_string()),
            "file": self.place.file,
            "key": self.place.key.to_string(),
            "id": self.id.as_str(),
            "box": self.folder.as_ref().map(ToString::to_string),
            "registry": self.registry,
            "state": state,
            "since": since,
            "hosts": self.hosts,
            "used_by": self.uses.iter().map(used).collect::<Vec<_>>(),
            "earlier_places": self.places.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.place.to_string()))?;
        if let Some(registry) = &self.registry {
            write!(f, "  ({registry})")?;
        }
        match &self.fate {
            Fate::Stands => {}
            Fate::Gone(when) => write!(f, "  gone {when}")?,
            Fate::Replaced(when) => write!(f, "  replaced {when}")?,
        }
        let on: Vec<String> = self.hosts.iter().map(|host| self.on(host)).collect();
        match on.as_slice() {
            [] => Ok(()),
            [one, rest @ ..] if rest.len() < 4 => {
                write!(f, "  on {one}")?;
                rest.iter().try_for_each(|host| write!(f, ", {host}"))
            }
            many => write!(f, "  on {} hosts", many.len()),
        }
    }
}

impl Exposed {
    /// `web1 (container api)`.
    fn on(&self, host: &str) -> String {
        let uses: Vec<&str> =
            self.uses.iter().filter(|used| used.host == host).map(|used| used.resource.as_str()).collect();
        match uses.is_empty() {
            true => escaped(host),
            false => escaped(&format!("{host} ({})", uses.join(", "))),
        }
    }
}

/// The registry of a credential, with its user as the pillar has it now.
fn registry(vault: &Vault<'_>, place: &Origin) -> Option<String> {
    let [top, host, _] = place.key.parts() else { return None };
    if top != "registries" {
        return None;
    }
    let user = KeyPath::from_parts(vec![top.clone(), host.clone(), "username".to_owned()])
        .and_then(|key| vault.document(&place.file)?.get(&key).and_then(Node::as_str));
    Some(match user {
        Some(user) => format!("registry {}, user {}", escaped(host), escaped(user)),
        None => format!("registry {}", escaped(host)),
    })
}
