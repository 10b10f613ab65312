//! The declarations of one container, merged: `installed`, `running`, `stopped` and `absent` with
//! `when = "outdated"` need not repeat each other.

pub(super) mod agree;
pub(super) mod shares;
mod taken;

use super::{Checked, Draft, gate};
use crate::desired::fields::{self, Canonical, Field, Fields};
use crate::desired::{
    Address, DesiredContainer, DesiredState, Gated, Item, Kind, PullPolicy, Requisites, Run, read,
};
use crate::name::{ContainerName, ImageRef};
use crate::pillar::gate::Gates;
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{Arg, Function};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// Seconds that a container without a health check must stay up.
const MONITOR: u32 = 3;

/// One item for each container name.
pub(super) fn drafts(checked: &[Checked], gates: &Gates, problems: &mut Vec<Problem>) -> Vec<Draft> {
    let mut by_name: BTreeMap<ContainerName, Vec<&Checked>> = BTreeMap::new();
    for checked in checked {
        if !matches!(
            checked.function(),
            Function::ContainerInstalled
                | Function::ContainerRunning
                | Function::ContainerStopped
                | Function::ContainerAbsent
        ) {
            continue;
        }
        let Some(name) = &checked.common.name else { continue };
        let place = checked.arg("name").map_or(&checked.declaration.place, |arg| &arg.place);
        match ContainerName::parse(name) {
            Ok(name) => by_name.entry(name).or_default().push(checked),
            Err(found) => problems.extend(found.map(|problem| problem.at(place)).into_vec()),
        }
    }
    by_name.into_iter().filter_map(|(name, from)| draft(name, &from, gates, problems)).collect()
}

/// Reports what two containers use and only one can have: a name, a port of the host.
pub(super) fn taken(drafts: &[Draft], problems: &mut Vec<Problem>) {
    taken::check(drafts, problems);
    let mut named: BTreeMap<&Address, &Draft> = BTreeMap::new();
    for draft in drafts {
        let Some(other) = named.insert(&draft.item.address, draft) else { continue };
        let place = |draft: &Draft| draft.item.declared.first().map(|(_, place)| place.clone());
        let mut problem = Problem::failed(format!("{} is declared twice", draft.item.address));
        problem.place = place(draft);
        let cause = place(other).map(|place| format!("the other one is in {place}"));
        problems.push(match cause {
            Some(cause) => problem.cause(cause),
            None => problem,
        });
    }
}

/// What a declaration says about the run state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Installed,
    Running,
    Stopped,
    Absent,
    AbsentIfOutdated,
}

fn draft(
    name: ContainerName,
    from: &[&Checked],
    gates: &Gates,
    problems: &mut Vec<Problem>,
) -> Option<Draft> {
    let before = problems.len();
    let says: Vec<(Says, &Checked)> =
        from.iter().map(|checked| (says(checked, problems), *checked)).collect();
    contradictions(&name, &says, problems);
    let mut fields = Fields::new();
    for checked in from {
        let more = fields_of(checked, gates, problems);
        merge(&mut fields, more, problems);
    }
    let of = |wanted: Says| says.iter().find(|(says, _)| *says == wanted).map(|(_, checked)| *checked);
    let address = Address { kind: Kind::Container, name: name.to_string() };
    let declared = from.iter().map(|checked| checked.declared()).collect();
    let want = if of(Says::Absent).is_some() {
        if let Some(field) = fields.get("stop_signal") {
            let what = "a signal cannot be chosen for `absent`: the Engine sends the signal of the container";
            problems.push(Problem::failed(what).at(&field.place));
        }
        DesiredState::ContainerAbsent { name, stop_timeout: seconds(&fields, "stop_timeout") }
    } else {
        let run = match (of(Says::Running), of(Says::Stopped), of(Says::Installed)) {
            (Some(_), _, _) => Run::Running,
            (_, Some(_), _) => Run::Stopped,
            (_, _, Some(_)) => Run::Created,
            _ => {
                if problems.len() == before {
                    problems.push(alone(&name, &from.first()?.declaration.place));
                }
                return None;
            }
        };
        agree::check(&fields, problems);
        agree::secrets_and_files(&fields, false, problems);
        let image = image(&name, &fields, from, problems);
        if problems.len() > before {
            return None;
        }
        DesiredState::Container(Box::new(container(name, run, image?, &fields)))
    };
    let (gate, requisites) = (gated(&fields, gates), Requisites::default());
    (problems.len() == before)
        .then(|| Draft::new(Item { address, want, declared, needs: Vec::new(), gate, requisites }, from))
}

fn says(checked: &Checked, problems: &mut Vec<Problem>) -> Says {
    match checked.function() {
        Function::ContainerRunning => return Says::Running,
        Function::ContainerStopped => return Says::Stopped,
        Function::ContainerAbsent => {}
        _ => return Says::Installed,
    }
    let Some(when) = checked.arg("when") else { return Says::Absent };
    match read::text("when", when) {
        Ok(text) if text == "outdated" => {}
        Ok(text) => {
            let what = format!("`when` is `{}`, but can be \"outdated\" only", escaped(&text));
            problems.push(Problem::failed(what).at(&when.place));
        }
        Err(found) => problems.extend(found.into_vec()),
    }
    Says::AbsentIfOutdated
}

fn contradictions(name: &ContainerName, says: &[(Says, &Checked)], problems: &mut Vec<Problem>) {
    let first = |wanted: Says| says.iter().find(|(says, _)| *says == wanted);
    let mut both = |one: &str, first: &Checked, other: &str, second: &Checked| {
        let what = format!("container {name} is declared both {one} and {other}");
        let mut places = [(one, &first.declaration.place), (other, &second.declaration.place)];
        places.sort_by_key(|(_, place)| *place);
        let [(word, place), (_, last)] = places;
        problems.push(Problem::failed(what).at(last).cause(format!("{word} is in {place}")));
    };
    if let (Some((_, running)), Some((_, stopped))) = (first(Says::Running), first(Says::Stopped)) {
        both("running", running, "stopped", stopped);
    }
    if let Some((_, absent)) = first(Says::Absent) {
        let words = [(Says::Installed, "installed"), (Says::Running, "running"), (Says::Stopped, "stopped")];
        let others = words.into_iter().filter_map(|(says, word)| Some((word, first(says)?)));
        for (word, (_, other)) in others {
            both("absent", absent, word, other);
        }
        if let Some((_, outdated)) = first(Says::AbsentIfOutdated) {
            both("absent", absent, "absent when outdated", outdated);
        }
    }
}

fn alone(name: &ContainerName, place: &Place) -> Problem {
    let what = format!("container {name} is absent when outdated, but no other state says what it should be");
    Problem::failed(what).at(place).hint(format!(
        "declare what it should be created from, for example `[{name}.container.running]` with `image`; \
         or leave `when` out to remove it"
    ))
}

/// The fields that a declaration sets, also those that are not options of the Engine.
pub(super) fn fields_of(checked: &Checked, gates: &Gates, problems: &mut Vec<Problem>) -> Fields {
    let args = checked.declaration.args.iter();
    // A secret where none is allowed was reported when the arguments were checked.
    let clear = args.filter(|(key, arg)| {
        super::arguments::is_known(checked.function(), key)
            && (fields::may_hold_secrets(key) || arg.first_with_secret().is_none())
            // A file whose value could not be evaluated would be one without a value.
            && !(["secrets", fields::FILES].contains(&key.as_str()) && checked.declaration.unread.contains(*key))
    });
    let named: Vec<(&str, &Arg)> = clear
        .map(|(key, arg)| match (checked.function(), key.as_str()) {
            (Function::ContainerAbsent, "timeout") => ("stop_timeout", arg),
            (_, key) => (key, arg),
        })
        .collect();
    let mut found = fields::read_fields(named, problems);
    for (name, read) in [
        ("image", image_text as fn(&str, &Arg) -> Result<Value>),
        ("pull", pull),
        ("monitor", whole_seconds),
        ("start_timeout", whole_seconds),
    ] {
        let Some(arg) = checked.arg(name).filter(|arg| arg.first_with_secret().is_none()) else { continue };
        match read(name, arg) {
            Ok(value) => {
                let canonical = Canonical::Option(value);
                found.insert(
                    name.to_owned(),
                    Field { canonical, place: arg.place.clone(), sources: arg.sources() },
                );
            }
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    gate_of(checked, gates, &mut found, problems);
    found
}

/// The gate that fields name.
pub(super) fn gated(fields: &Fields, gates: &Gates) -> Option<Gated> {
    match fields.get("gate").map(|field| &field.canonical) {
        Some(Canonical::Option(app)) => {
            app.as_str().and_then(|app| gates.get(app)?.as_ref().ok()).map(gate::gated)
        }
        _ => None,
    }
}

/// The gate of a declaration, as a field, and its image.
fn gate_of(checked: &Checked, gates: &Gates, fields: &mut Fields, problems: &mut Vec<Problem>) {
    let text = |text: &str| Canonical::Option(Value::from(text));
    if let Some((image, gate, lines)) = gate::named(checked, gates, &["image"], problems)
        && let Some(place) = lines.last().cloned()
    {
        let field = |canonical| Field { canonical, place: place.clone(), sources: lines.clone() };
        fields.insert("image".to_owned(), field(text(&image.to_string())));
        fields.insert("gate".to_owned(), field(text(&gate.app)));
    } else if let Some(arg) = checked.arg("image")
        && let Some(Field { canonical: Canonical::Option(written), .. }) = fields.get_mut("image")
        && let Ok(image) = ImageRef::parse(written.as_str().unwrap_or_default())
        && let (image, Some(gate)) = gate::behind(image, &arg.read, gates)
    {
        *written = Value::from(image.to_string());
        let (place, sources) = (arg.place.clone(), arg.sources());
        fields.insert("gate".to_owned(), Field { canonical: text(&gate.app), place, sources });
    }
}

fn image_text(name: &str, arg: &Arg) -> Result<Value> {
    let text = read::word(name, arg)?;
    Ok(Value::from(super::image::parsed(&text, &arg.place)?.to_string()))
}

fn pull(name: &str, arg: &Arg) -> Result<Value> {
    match read::text(name, arg)?.as_str() {
        word @ ("never" | "missing") => Ok(Value::from(word)),
        word => Err(read::wrong(
            name,
            arg,
            &format!("is `{}`, but can be \"missing\" or \"never\"", escaped(word)),
        )
        .hint("to ask the registry each time, declare the image with `image.pulled` and `force = true`")
        .into()),
    }
}

pub(super) fn whole_seconds(name: &str, arg: &Arg) -> Result<Value> {
    Ok(Value::from(read::seconds(name, arg)?))
}

fn merge(fields: &mut Fields, more: Fields, problems: &mut Vec<Problem>) {
    for (name, field) in more {
        match fields.get_mut(&name) {
            Some(before) if before.canonical == field.canonical => {
                let known: HashSet<Place> = before.sources.iter().cloned().collect();
                before.sources.extend(field.sources.into_iter().filter(|place| !known.contains(place)));
            }
            Some(before) => problems.push(fields::contradiction(&name, before, &field)),
            None => drop(fields.insert(name, field)),
        }
    }
}

pub(super) fn image(
    name: &ContainerName,
    fields: &Fields,
    from: &[&Checked],
    problems: &mut Vec<Problem>,
) -> Option<ImageRef> {
    match fields.get("image").map(|field| &field.canonical) {
        Some(Canonical::Option(text)) => ImageRef::parse(text.as_str()?).ok(),
        _ => {
            let tried = from.iter().any(|checked| {
                let unread = &checked.declaration.unread;
                let says = |name: &str| unread.contains(name) || checked.arg(name).is_some();
                says("image") || says("gate")
            });
            if !tried {
                let place = &from.first()?.declaration.place;
                let what = format!("container {name} has no image");
                let hint = "write `image` or `gate` in one of its declarations";
                problems.push(Problem::failed(what).at(place).hint(hint));
            }
            None
        }
    }
}

pub(super) fn container(name: ContainerName, run: Run, image: ImageRef, fields: &Fields) -> DesiredContainer {
    let policy = ["gate", "image", "pull", "monitor", "start_timeout"];
    let options = fields.iter().filter(|(name, _)| !policy.contains(&name.as_str()));
    let spec = fields::spec(&options.map(|(name, field)| (name.clone(), field.clone())).collect());
    let never =
        fields.get("pull").is_some_and(|field| field.canonical == Canonical::Option(Value::from("never")));
    let mut sources: BTreeMap<String, Vec<Place>> =
        fields.iter().map(|(name, field)| (name.clone(), field.sources.clone())).collect();
    // Live differences and limits have more detailed names than the declared fields.
    if let Some(lines) = sources.get("networks").cloned() {
        sources.extend(
            spec.networks().into_keys().map(|network| (format!("networks.{network}"), lines.clone())),
        );
    }
    for limit in spec.fixed.keys().filter(|field| field.starts_with("limits.")) {
        if let Some(lines) = limit.strip_prefix("limits.").and_then(|name| sources.get(name)).cloned() {
            sources.insert(limit.clone(), lines);
        }
    }
    DesiredContainer {
        name,
        run,
        image,
        pull: if never { PullPolicy::Never } else { PullPolicy::Missing },
        spec,
        stop_timeout: seconds(fields, "stop_timeout"),
        monitor: seconds(fields, "monitor").unwrap_or(MONITOR),
        start_timeout: seconds(fields, "start_timeout"),
        sources,
        replica: None,
    }
}

pub(super) fn seconds(fields: &Fields, name: &str) -> Option<u32> {
    match &fields.get(name)?.canonical {
        Canonical::Option(value) => value.as_u64().and_then(|seconds| u32::try_from(seconds).ok()),
        Canonical::Env(_) | Canonical::Secret(_) | Canonical::File(_) => None,
    }
}
