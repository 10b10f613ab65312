//! `service.deployed`: one state for pulled, installed, running and absent.
//!
//! Its containers are called `NAME`, `NAME-2`, `NAME-3` …: so a container that `container.running` created
//! is the first of them, and another number of replicas changes only the difference. `instances` gives them other
//! names, those of Compose for example.

use super::container::{self, agree};
use super::{Checked, Draft};
use crate::desired::fields::{Canonical, Field, Fields};
use crate::desired::{
    Address, BeforeStop, DesiredContainer, DesiredState, Item, Kind, Order, Replica, Requisites, Run, fields,
    read,
};
use crate::name::ContainerName;
use crate::pillar::gate::Gates;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::state::{Arg, ArgValue, Function};
use serde_json::Value;
use std::collections::BTreeSet;

/// Most containers of one service on one host.
const MOST: i64 = 100;

/// Seconds that a container without a health check must stay up.
const MONITOR: u32 = 10;

/// Seconds for clients to learn the address of a new container.
const DRAIN: u32 = 5;

/// Generations that are kept for a rollback.
const RETAIN: u32 = 3;

/// Most generations that are kept.
const MOST_RETAINED: i64 = 100;

/// The items of every service: its containers, and what is left over.
pub(super) fn drafts(checked: &[Checked], gates: &Gates, problems: &mut Vec<Problem>) -> Vec<Draft> {
    let services = checked.iter().filter(|checked| checked.function() == Function::ServiceDeployed);
    services.flat_map(|checked| service(checked, gates, problems)).collect()
}

fn service(checked: &Checked, gates: &Gates, problems: &mut Vec<Problem>) -> Vec<Draft> {
    let before = problems.len();
    let Some(name) = &checked.common.name else { return Vec::new() };
    let place = checked.arg("name").map_or(&checked.declaration.place, |arg| &arg.place);
    let service = ContainerName::parse(name).map_err(|found| found.map(|problem| problem.at(place)));
    let policy = Policy::of(checked, problems);
    let mut fields = container::fields_of(checked, gates, problems);
    restarts(checked, &mut fields);
    agree::check(&fields, problems);
    agree::secrets_and_files(&fields, false, problems);
    let service = match service {
        Ok(service) => service,
        Err(found) => {
            problems.extend(found.into_vec());
            return Vec::new();
        }
    };
    let image = container::image(&service, &fields, &[checked], problems);
    let names = names(&service, &policy, checked, problems);
    let Some(image) = image.filter(|_| problems.len() == before) else { return Vec::new() };
    let gate = container::gated(&fields, gates);
    let want = |name: &ContainerName| DesiredContainer {
        monitor: policy.monitor.unwrap_or(MONITOR),
        replica: Some(policy.replica(&service)),
        ..container::container(name.clone(), Run::Running, image.clone(), &fields)
    };
    let address = |name: &ContainerName| Address { kind: Kind::Container, name: name.to_string() };
    let draft = |address: Address, want: DesiredState, after: Vec<Address>| {
        let declared = vec![checked.declared()];
        let requisites = Requisites::default();
        let item = Item { address, want, declared, needs: Vec::new(), gate: gate.clone(), requisites };
        Draft { after, ..Draft::new(item, &[checked]) }
    };
    let mut drafts = Vec::new();
    for (index, name) in names.iter().enumerate() {
        // At most a batch at a time: each waits for the one that is a batch before it.
        let before = index.checked_sub(policy.batch).and_then(|index| names.get(index));
        let after = before.map(address).into_iter().collect();
        drafts.push(draft(address(name), DesiredState::Container(Box::new(want(name))), after));
    }
    let stop_timeout = container::seconds(&fields, "stop_timeout");
    let keep = names.iter().cloned().collect();
    let surplus = DesiredState::Surplus { service: service.clone(), keep, stop_timeout };
    let itself = Address { kind: Kind::Service, name: service.to_string() };
    drafts.push(draft(itself, surplus, names.iter().map(address).collect()));
    drafts
}

/// A service should always run: its containers are restarted unless another policy is declared.
fn restarts(checked: &Checked, fields: &mut Fields) {
    let place = checked.declaration.place.clone();
    let canonical = Canonical::Option(Value::from("unless-stopped"));
    let default = || Field { canonical, sources: vec![place.clone()], place };
    fields.entry("restart".to_owned()).or_insert_with(default);
}

/// `NAME`, `NAME-2`, `NAME-3` …, or what `instances` says.
fn names(
    service: &ContainerName,
    policy: &Policy,
    checked: &Checked,
    problems: &mut Vec<Problem>,
) -> Vec<ContainerName> {
    let place = checked.arg("instances").map_or(&checked.declaration.place, |arg| &arg.place);
    if let Some(pattern) = &policy.instances
        && policy.replicas > 1
        && !pattern.contains(NUMBER)
    {
        let what = format!("{} containers cannot all be called `{}`", policy.replicas, escaped(pattern));
        problems
            .push(Problem::failed(what).at(place).hint(format!("write {NUMBER} where the number stands")));
        return Vec::new();
    }
    let mut names = Vec::new();
    for number in 1..=policy.replicas {
        let name = match &policy.instances {
            Some(pattern) => pattern.replace(NUMBER, &number.to_string()),
            None if number == 1 => service.to_string(),
            None => format!("{service}-{number}"),
        };
        match ContainerName::parse(&name) {
            Ok(name) => names.push(name),
            Err(found) => {
                problems.extend(found.map(|problem| problem.at(place)).into_vec());
                break;
            }
        }
    }
    names
}

/// Stands for the number of a container, from 1, in `instances`.
const NUMBER: &str = "{}";

/// How many containers, what they are called, how many generations of each are kept, and how they are replaced:
/// `replicas`, `instances`, `alias`, `retain`, `images`, `shared` and
/// `update = { order, batch, monitor, drain, before_stop, on_failure }`.
struct Policy {
    replicas: i64,
    instances: Option<String>,
    alias: Option<String>,
    shared: BTreeSet<String>,
    order: Order,
    batch: usize,
    monitor: Option<u32>,
    drain: u32,
    before_stop: Option<BeforeStop>,
    retain: u32,
    images: Option<u32>,
}

impl Policy {
    fn of(checked: &Checked, problems: &mut Vec<Problem>) -> Self {
        let mut policy = Self {
            replicas: 1,
            instances: None,
            alias: None,
            shared: BTreeSet::new(),
            order: Order::StartFirst,
            batch: 1,
            monitor: None,
            drain: DRAIN,
            before_stop: None,
            retain: RETAIN,
            images: None,
        };
        // An argument that contains a secret was reported.
        let clear = |name: &str| checked.arg(name).filter(|arg| arg.first_with_secret().is_none());
        let mut take =
            |done: Result<()>| problems.extend(done.err().into_iter().flat_map(Problems::into_vec));
        if let Some(arg) = clear("replicas") {
            take(read::integer("replicas", arg, 0, MOST).map(|number| policy.replicas = number));
        }
        if let Some(arg) = clear("instances") {
            take(read::word("instances", arg).map(|pattern| policy.instances = Some(pattern)));
        }
        if let Some(arg) = clear("alias") {
            take(read::word("alias", arg).map(|alias| policy.alias = Some(alias)));
        }
        if let Some(arg) = clear("retain") {
            let retain = read::integer("retain", arg, 0, MOST_RETAINED);
            take(retain.map(|number| policy.retain = u32::try_from(number).unwrap_or(RETAIN)));
        }
        if let Some(arg) = clear("images") {
            take(images(arg, policy.retain).map(|number| policy.images = number));
        }
        if let Some(arg) = clear("shared") {
            let path = |path: &String| path.trim_end_matches('/').to_owned();
            take(read::list("shared", arg).map(|paths| policy.shared = paths.iter().map(path).collect()));
        }
        if let Some(arg) = clear("update") {
            take(policy.read(arg));
        }
        policy
    }

    fn read(&mut self, arg: &Arg) -> Result<()> {
        let known = ["order", "batch", "monitor", "drain", "before_stop", "on_failure"];
        let mut problems = Vec::new();
        for (name, arg) in read::fields("update", arg, &known)? {
            let option = format!("update.{name}");
            let done = match name {
                "order" => one_of(&option, arg, &["start-first", "stop-first"]).map(|word| {
                    self.order = if word == "stop-first" { Order::StopFirst } else { Order::StartFirst };
                }),
                "batch" => read::integer(&option, arg, 1, MOST)
                    .map(|number| self.batch = usize::try_from(number).unwrap_or(1)),
                "monitor" => read::seconds(&option, arg).map(|seconds| self.monitor = Some(seconds)),
                "drain" => read::seconds(&option, arg).map(|seconds| self.drain = seconds),
                "before_stop" => before_stop(&option, arg).map(|what| self.before_stop = Some(what)),
                // A failed replacement is always rolled back.
                _ => one_of(&option, arg, &["rollback"]).map(drop),
            };
            problems.extend(done.err().into_iter().flat_map(Problems::into_vec));
        }
        Problems::check(problems)
    }

    fn replica(&self, service: &ContainerName) -> Replica {
        Replica {
            service: service.clone(),
            alias: self.alias.clone(),
            order: self.order,
            shared: self.shared.clone(),
            drain: self.drain,
            before_stop: self.before_stop.clone(),
            retain: self.retain,
            images: self.images.unwrap_or(self.retain),
            back: None,
        }
    }
}

/// `{ keep = 5 }` or `{ keep = "all" }`: of how many versions the image stays. A kept container needs its own.
fn images(arg: &Arg, retain: u32) -> Result<Option<u32>> {
    let fields = read::fields("images", arg, &["keep"])?;
    let Some(keep) = fields.get("keep") else { return Ok(None) };
    let is_all = matches!(&keep.value, ArgValue::Text(text) if text.as_clear() == Some("all"));
    if is_all {
        return Ok(Some(Replica::ALL));
    }
    let number = read::integer("images.keep", keep, 0, MOST_RETAINED)
        .map_err(|problems| problems.map(|problem| problem.hint("every image stays with: keep = \"all\"")))?;
    let number = u32::try_from(number).unwrap_or(RETAIN);
    if number < retain {
        let why = format!("is {number}, but `retain` keeps the containers of {retain} versions");
        return Err(read::wrong("images.keep", keep, &why)
            .cause("a kept container needs the image that it was created from")
            .hint(format!("keep fewer containers as well: retain = {number}"))
            .into());
    }
    Ok(Some(number))
}

fn one_of(option: &str, arg: &Arg, words: &[&str]) -> Result<String> {
    let word = read::word(option, arg)?;
    if words.contains(&word.as_str()) {
        return Ok(word);
    }
    let why = format!("is `{}`, but can be {}", escaped(&word), words.join(" or "));
    Err(read::wrong(option, arg, &why).into())
}

/// `{ signal = "USR1" }` or `{ exec = ["nginx", "-s", "quit"] }`.
fn before_stop(option: &str, arg: &Arg) -> Result<BeforeStop> {
    let parts = read::fields(option, arg, &["exec", "signal"])?;
    match (parts.get("exec"), parts.get("signal")) {
        (Some(exec), None) => {
            let words = read::words(&format!("{option}.exec"), exec)?;
            match words.is_empty() {
                true => Err(read::wrong(option, exec, "has an empty command").into()),
                false => Ok(BeforeStop::Exec(words)),
            }
        }
        (None, Some(signal)) => Ok(BeforeStop::Signal(fields::signal(&format!("{option}.signal"), signal)?)),
        _ => Err(read::wrong(option, arg, "needs either `exec` or `signal`").into()),
    }
}
