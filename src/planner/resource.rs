//! Networks and volumes: made before the containers that use them, gone after them. What is there and not
//! ours is used as it is where it agrees, and never changed. A volume is never made anew: its data
//! would be lost. A network is made anew only while nothing that runs is in it.

mod found;

use super::context::PlanContext;
use super::steps::{Group, Steps};
use super::{change, users};
use crate::desired::{Address, Kind, ResourceWish};
use crate::observed::{Network, User, Volume};
use crate::plan::{Action, Cause, Change, Verb};
use crate::problem::{Problem, Problems, Result};
use found::{differing, labelled, theirs};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is to become of a network or a volume.
pub(super) struct ResourceCourse<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) deed: Deed<'a>,
    causes: Vec<Cause>,
    note: Option<String>,
}

/// What is done.
pub(super) enum Deed<'a> {
    Nothing,
    Make(Action),
    /// The old network goes, and a new one takes its name.
    MakeAnew(&'a Network, Action),
    RemoveNetwork(&'a Network),
    RemoveVolume(&'a Volume),
}

impl<'a> ResourceCourse<'a> {
    /// A network that shall be there.
    ///
    /// # Errors
    /// Where somebody else's differs, or ours cannot be made anew.
    pub(super) fn network(context: &PlanContext<'a>, wish: &'a ResourceWish) -> Result<Self> {
        let course = |deed, cause| Self::new(Kind::Network, &wish.name, deed, vec![cause]);
        let body = labelled(context, wish.network_body(), &wish.spec);
        let create = || Action::CreateNetwork { name: wish.name.clone(), body: body.clone() };
        let Some(found) = context.network(&wish.name)? else {
            return Ok(course(Deed::Make(create()), Cause::Missing));
        };
        let Some(made) = &found.ours else {
            theirs(context, Kind::Network, wish, &wish.network_differences(&found.inspect))?;
            return Ok(course(Deed::Nothing, Cause::Theirs));
        };
        let fields = differing(made, wish);
        if fields.is_empty() {
            return Ok(course(Deed::Nothing, Cause::AsWanted));
        }
        let in_it = found.users.iter().filter(|user| !context.goes(&user.id));
        let in_the_way = in_it.filter(|user| user.running || !users::is_ours(context, user));
        let in_the_way: Vec<User> = in_the_way.cloned().collect();
        if in_the_way.is_empty() {
            let deed = Deed::MakeAnew(found, create());
            return Ok(Self::new(Kind::Network, &wish.name, deed, vec![Cause::Fields(fields)]));
        }
        if fields.iter().all(|(field, _)| field.starts_with("labels.")) {
            return Ok(course(Deed::Nothing, Cause::AsWanted).noted(format!(
                "network {}: labels of a network cannot change while containers are in it; it keeps its old ones",
                wish.name
            )));
        }
        let names = users::named(&in_the_way);
        let what = format!(
            "network {} on host {} is declared differently now, and containers are in it: {names}",
            wish.name,
            context.host()
        );
        let mut problem = Problem::failed(what)
            .cause(Cause::Fields(fields.clone()).to_string())
            .cause("a network cannot be changed, and making it anew would cut their connections")
            .hint(format!(
                "declare the new network under another name and let the containers join that one; \
                 {} goes when nothing is in it: network.absent, or --prune",
                wish.name
            ))
            .hint(format!("or stop them on the host, and apply again: {names}"));
        problem.place = fields.into_iter().find_map(|(_, place)| place);
        Err(problem.into())
    }

    /// A network that shall not be there.
    pub(super) fn no_network(context: &PlanContext<'a>, name: &'a str) -> Result<Self> {
        let Some(found) = context.network(name)? else {
            return Ok(Self::new(Kind::Network, name, Deed::Nothing, vec![Cause::AsWanted]));
        };
        if found.ours.is_none() {
            return Ok(Self::not_ours(context, Kind::Network, name));
        }
        Ok(Self::new(Kind::Network, name, Deed::RemoveNetwork(found), vec![Cause::Unwanted]))
    }

    /// A network of ours that no state declares.
    pub(super) fn undeclared(found: &'a Network) -> Self {
        Self::new(Kind::Network, &found.name, Deed::RemoveNetwork(found), vec![Cause::Undeclared])
    }

    /// A volume that shall be there.
    ///
    /// # Errors
    /// Where one is there and differs, whoever made it.
    pub(super) fn volume(context: &PlanContext<'a>, wish: &'a ResourceWish) -> Result<Self> {
        let course = |deed, cause| Self::new(Kind::Volume, &wish.name, deed, vec![cause]);
        let Some(found) = context.volume(&wish.name) else {
            let body = labelled(context, wish.volume_body(), &wish.spec);
            let create = Action::CreateVolume { name: wish.name.clone(), body };
            return Ok(course(Deed::Make(create), Cause::Missing));
        };
        let Some(made) = &found.ours else {
            theirs(context, Kind::Volume, wish, &wish.volume_differences(&found.inspect))?;
            return Ok(course(Deed::Nothing, Cause::Theirs));
        };
        let fields = differing(made, wish);
        if fields.iter().all(|(field, _)| field.starts_with("labels.")) {
            let as_wanted = course(Deed::Nothing, Cause::AsWanted);
            let note =
                || format!("volume {}: labels of a volume cannot change; it keeps its old ones", wish.name);
            return Ok(if fields.is_empty() { as_wanted } else { as_wanted.noted(note()) });
        }
        let host = context.host();
        let mut problem =
            Problem::failed(format!("volume {} on host {host} is declared differently now", wish.name))
                .cause(Cause::Fields(fields.clone()).to_string())
                .cause("a volume cannot be changed, and is never made anew by itself: its data would be lost")
                .hint("declare the new volume under another name, and copy the data")
                .hint(format!(
                    "if the data may be lost: 'docker volume rm {}' on the host when nothing uses it",
                    wish.name
                ));
        problem.place = fields.into_iter().find_map(|(_, place)| place);
        Err(problem.into())
    }

    /// A volume that shall not be there.
    pub(super) fn no_volume(context: &PlanContext<'a>, name: &'a str) -> Self {
        match context.volume(name) {
            None => Self::new(Kind::Volume, name, Deed::Nothing, vec![Cause::AsWanted]),
            Some(found) if found.ours.is_none() => Self::not_ours(context, Kind::Volume, name),
            Some(found) => Self::new(Kind::Volume, name, Deed::RemoveVolume(found), vec![Cause::DataLost]),
        }
    }

    fn not_ours(context: &PlanContext<'_>, kind: Kind, name: &'a str) -> Self {
        let address = Address { kind, name: name.to_owned() };
        Self::new(kind, name, Deed::Nothing, vec![Cause::AsWanted]).noted(format!(
            "{address}: declared absent, but workspace {} did not make it; it is left alone",
            context.workspace()
        ))
    }

    fn new(kind: Kind, name: &'a str, deed: Deed<'a>, causes: Vec<Cause>) -> Self {
        Self { kind, name, deed, causes, note: None }
    }

    fn noted(self, note: String) -> Self {
        Self { note: Some(note), ..self }
    }

    /// Whether it makes it, for the first time or anew.
    pub(super) fn makes(&self) -> bool {
        matches!(self.deed, Deed::Make(_) | Deed::MakeAnew(..))
    }

    /// Whether anything is done.
    pub(super) fn changes(&self) -> bool {
        !matches!(self.deed, Deed::Nothing)
    }

    /// Whether there is one already.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self.deed, Deed::Make(_))
    }

    /// The containers that use what goes.
    pub(super) fn users(&self) -> &'a [User] {
        match self.deed {
            Deed::MakeAnew(network, _) | Deed::RemoveNetwork(network) => &network.users,
            Deed::RemoveVolume(volume) => &volume.users,
            Deed::Nothing | Deed::Make(_) => &[],
        }
    }

    fn address(&self) -> Address {
        Address { kind: self.kind, name: self.name.to_owned() }
    }

    /// Adds its steps; answers the last one, and what there is to tell.
    pub(super) fn lower(
        &self,
        context: &PlanContext<'_>,
        steps: &mut Steps,
        needs: Vec<u32>,
    ) -> Result<Lowered> {
        let cause = self.causes.first().cloned().unwrap_or(Cause::AsWanted);
        let mut notes = Vec::from_iter(self.note.clone());
        if let Some(kept) = self.in_use(context, steps)? {
            notes.push(kept);
            let change = change::plain(&self.address(), Verb::Unchanged, Cause::AsWanted);
            return Ok(Lowered { end: None, change, notes });
        }
        let (verb, word) = match self.deed {
            Deed::Nothing => (Verb::Unchanged, "keep"),
            Deed::Make(_) => (Verb::Create, "create"),
            Deed::MakeAnew(..) => (Verb::ReplaceStopFirst, "replace"),
            Deed::RemoveNetwork(_) | Deed::RemoveVolume(_) => (Verb::Remove, "remove"),
        };
        let mut group = Group::new(steps, format!("{word} {}", self.address()), cause, needs);
        match &self.deed {
            Deed::Nothing => {}
            Deed::Make(create) => drop(group.push(create.clone(), Vec::new())),
            Deed::MakeAnew(old, create) => {
                let back = again(old);
                group.push(removal(old), vec![back.clone()]);
                group.push(create.clone(), vec![back]);
            }
            Deed::RemoveNetwork(old) => drop(group.push(removal(old), Vec::new())),
            Deed::RemoveVolume(old) => {
                let (name, created_at) = (old.name.clone(), old.created_at);
                group.push(Action::RemoveVolume { name, created_at }, Vec::new());
            }
        }
        let end = group.end();
        Ok(Lowered { end, change: self.change(verb), notes })
    }

    /// Why it cannot go: an error where a state wants it away, words where nobody asks for it.
    fn in_use(&self, context: &PlanContext<'_>, steps: &Steps) -> Result<Option<String>> {
        let (network, counts): (_, fn(&PlanContext<'_>, &User) -> bool) = match self.deed {
            // A predecessor that is kept joins again, where it can, before it is started.
            Deed::RemoveNetwork(_) => {
                (Some(self.name), |context, user| user.running || !users::is_kept(context, user))
            }
            Deed::RemoveVolume(_) => (None, |_, _| true),
            _ => return Ok(None),
        };
        let left = users::left(steps, self.users(), network);
        let left: Vec<User> = left.into_iter().filter(|user| counts(context, user)).collect();
        if left.is_empty() {
            return Ok(None);
        }
        let (address, names) = (self.address(), users::named(&left));
        if self.causes == [Cause::Undeclared] {
            return Ok(Some(format!(
                "{address}: no state declares it any more, and it is in use: {names}; it stays"
            )));
        }
        let host = context.host();
        let how = if self.kind == Kind::Network {
            "in it, or were created in it"
        } else {
            "using it, running or not"
        };
        Err(Problem::failed(format!("{address} on host {host} is declared absent and in use"))
            .cause(format!("these containers are {how}: {names}"))
            .hint("let a state say that they are absent, or that they do without it; or wait with this one")
            .into())
    }

    fn change(&self, verb: Verb) -> Change {
        let mut change = change::plain(&self.address(), verb, Cause::AsWanted);
        change.cause.clone_from(&self.causes);
        if let Deed::Make(create) | Deed::MakeAnew(_, create) = &self.deed {
            change.after = Some(shown(create));
        }
        change
    }
}

/// What came of a course.
pub(super) struct Lowered {
    pub(super) end: Option<u32>,
    pub(super) change: Change,
    pub(super) notes: Vec<String>,
}

fn removal(network: &Network) -> Action {
    Action::RemoveNetwork { id: network.id.clone(), name: network.name.clone() }
}

/// Makes a network again as it was.
fn again(network: &Network) -> Action {
    let kept = ["Driver", "EnableIPv6", "Internal", "Attachable", "Scope", "Options", "Labels", "IPAM"];
    let found = |key: &&str| {
        let value = network.inspect.compare(&format!("/{key}")).filter(|value| !value.is_null())?;
        Some(((*key).to_owned(), value.clone()))
    };
    let mut body = Map::from_iter(kept.iter().filter_map(found));
    body.insert("Name".to_owned(), json!(network.name));
    body.insert("CheckDuplicate".to_owned(), json!(true));
    Action::CreateNetwork { name: network.name.clone(), body: Value::Object(body) }
}

/// A create body for people, without what is ours or bookkeeping.
fn shown(create: &Action) -> BTreeMap<String, Value> {
    let (Action::CreateNetwork { body, .. } | Action::CreateVolume { body, .. }) = create else {
        return BTreeMap::new();
    };
    let fields = body.as_object().into_iter().flatten();
    let fields = fields.filter(|(key, _)| !matches!(key.as_str(), "Name" | "CheckDuplicate" | "Labels"));
    let labels = body["Labels"].as_object().into_iter().flatten();
    let labels = labels.filter(|(key, _)| !key.starts_with("io.pillarbox."));
    let labels = labels.map(|(key, value)| (format!("labels.{key}"), value.clone()));
    fields.map(|(key, value)| (key.to_lowercase(), value.clone())).chain(labels).collect()
}

/// Errors of several things at once.
pub(super) fn collect<T>(result: Result<T>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|found: Problems| problems.extend(found.into_vec())).ok()
}
