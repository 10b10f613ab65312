//! Taking over a container that pillarbox did not make: which may be, how its declared fields compare, and
//! what is recorded of it. What an apply would do with it then is what [`plan_host`] says of a host on
//! which it is ours.

mod task;

pub use task::{RanBefore, TaskCandidate};

use super::context::PlanContext;
use super::decide::foreign::refusal;
use super::decide::instances::Instances;
use super::decide::networks;
use super::decide::source::Source;
use super::options::Options;
use super::plan_host;
use crate::desired::container_file::field_of;
use crate::desired::{Desired, DesiredContainer, DesiredState, Fingerprint, Item, Spec};
use crate::name::{Digest, ImageRef};
use crate::observed::{Container, Image, Observed, Ownership, Record, instance};
use crate::plan::{HostPlan, keep_tag};
use crate::problem::{Place, Problem, Problems, Result, escaped, quoted};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Spec of a container that differs from the declared one: no fingerprint is like it.
const DIFFERS: &str = "v1:adopted";

/// A container that may be taken over.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The container.
    pub container: &'a Container,
    /// What a state wants in its place.
    pub want: &'a DesiredContainer,
    item: &'a Item,
    desired: &'a Desired,
    observed: &'a Observed,
}

/// A candidate, compared.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// Every declared field, image first.
    pub fields: Vec<Field>,
    /// What would be recorded.
    pub record: Record,
    /// The tag that keeps its image.
    pub keep: Option<String>,
    ownership: Ownership,
}

/// One declared field of a container that pillarbox did not make.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name, `env.LOG`.
    pub name: String,
    /// What is declared; a secret is `(sealed 9f2c)`. What the container has is never shown.
    pub declared: Value,
    /// The line that declares it.
    pub place: Option<Place>,
    /// Whether the container has it so.
    pub agrees: bool,
}

/// Whose container has the name.
#[derive(Debug)]
pub enum Found<'a> {
    /// It is ours already.
    Ours(&'a Container),
    /// It may be taken over.
    Candidate(Candidate<'a>),
}

impl<'a> Candidate<'a> {
    /// Finds the container of a name.
    ///
    /// # Errors
    /// Where no state declares the name, or no container has it that may be taken over; with what to do.
    pub fn find(desired: &'a Desired, observed: &'a Observed, name: &str) -> Result<Found<'a>> {
        let host = &observed.host;
        let declared = desired.items.iter().find_map(|item| match &item.want {
            DesiredState::Container(want) if want.name.as_str() == name => Some((item, want.as_ref())),
            _ => None,
        });
        let Some((item, want)) = declared else {
            let names = desired.items.iter().filter_map(|item| match &item.want {
                DesiredState::Container(want) => Some(want.name.as_str()),
                _ => None,
            });
            let what = format!("no state of host {host} declares a container {}", escaped(name));
            return Err(Problem::failed(what)
                .nearest(name, names)
                .hint("declare it first, with the options that it has: then adopt shows what differs")
                .into());
        };
        let Some(container) = observed.containers.iter().find(|container| container.name == name) else {
            return Err(Problem::failed(format!("there is no container {name} on host {host}"))
                .hint(format!("make it: pillarbox apply --host {}", quoted(host.as_str())))
                .into());
        };
        if container.ours.is_some() {
            return Ok(Found::Ours(container));
        }
        Problems::check(Vec::from_iter(refusal(&desired.workspace, host, container)))?;
        Ok(Found::Candidate(Self { container, want, item, desired, observed }))
    }

    /// Compares it field by field. `image` is the one that it was made from, `sealed` the fields with secrets
    /// (`env.NAME`, `secrets.NAME`) that are not as declared.
    ///
    /// # Errors
    /// Where the wanted image cannot be resolved.
    pub fn compare(&self, image: Option<&Image>, sealed: &BTreeSet<String>) -> Result<Adoption> {
        let (want, container) = (self.want, self.container);
        let options = Options::default();
        let context = PlanContext::new(self.desired, self.observed, &options);
        let source = Source::of(&context, want)?;
        let (service, name) = (want.service().as_str(), want.name.as_str());
        let spec = networks::named(&want.spec, [name, want.alias()]);
        let same_image = is_image(&source, image, container);
        let fixed: BTreeSet<String> =
            spec.drift(&container.inspect).into_iter().chain(sealed.iter().cloned()).collect();
        let live: BTreeSet<String> = spec.live_differences(&container.inspect).into_iter().collect();

        let generation = Instances::of_slot(&context, service, name).highest() + 1;
        let (label, version) = match same_image {
            true => (source.label.clone(), source.version.clone()),
            false => made_from(container, image, &want.image),
        };
        let mut prints = spec.field_fingerprints();
        prints.retain(|field, _| !fixed.contains(field));
        let ownership = Ownership {
            service: service.to_owned(),
            instance: instance(name, generation),
            generation,
            spec: if fixed.is_empty() { spec.fingerprint() } else { Fingerprint(DIFFERS.to_owned()) },
            fields: prints,
            image: label,
            version,
            // What had run before it was made is not known.
            tasks: BTreeMap::new(),
        };
        Ok(Adoption {
            fields: fields(want, &source, same_image, &spec, &fixed, &live),
            record: Record::new(&self.desired.workspace, &container.id, &ownership),
            keep: (!ownership.image.starts_with("id:"))
                .then(|| keep_tag(&self.desired.workspace, name, generation, &ownership.version)),
            ownership,
        })
    }

    /// What an apply would do about it once it is ours.
    ///
    /// # Errors
    /// As for a plan.
    pub fn plan_after(&self, adoption: &Adoption, options: &Options) -> Result<HostPlan> {
        let item = Item { needs: Vec::new(), ..self.item.clone() };
        let desired = Desired { items: vec![item], notes: Vec::new(), partial: true, ..self.desired.clone() };
        let mut observed = self.observed.clone();
        for container in observed.containers.iter_mut().filter(|one| one.id == self.container.id) {
            container.ours = Some(adoption.ownership.clone());
        }
        observed.adopted.insert(self.container.id.clone(), adoption.record.clone());
        plan_host(&desired, &observed, options)
    }

    /// What else manages it, in words.
    pub fn managed_by(&self) -> Option<String> {
        let compose = self.container.compose.as_ref()?;
        let files = compose.files();
        let file = match files.as_slice() {
            [] => "its file".to_owned(),
            files => format!("its file on the host, {}", escaped(&files.join(", "))),
        };
        let (project, service) = (escaped(&compose.project), escaped(&compose.service));
        Some(format!(
            "Docker Compose made it (project {project}, service {service}) and still manages it: \
             'docker compose up' would replace it and 'down' remove it; take the service out of {file}"
        ))
    }
}

impl Adoption {
    /// Whether all that is declared is so.
    pub fn agrees(&self) -> bool {
        self.fields.iter().all(|field| field.agrees)
    }
}

/// Whether a container was made from the wanted image: by the digest that a registry names; by id only
/// where no registry is asked.
fn is_image(source: &Source, image: Option<&Image>, container: &Container) -> bool {
    match &source.pull {
        Some(pull) => digests(image).any(|found| found.digest == pull.digest),
        None => source.create_from == container.image_id,
    }
}

fn digests(image: Option<&Image>) -> impl Iterator<Item = ImageRef> + '_ {
    let names = image.into_iter().flat_map(|image| &image.repo_digests);
    names.filter_map(|name| ImageRef::parse(name).ok()).filter(|name| name.digest.is_some())
}

/// The label and version of another image than the wanted one.
fn made_from(container: &Container, image: Option<&Image>, wanted: &ImageRef) -> (String, String) {
    let named = digests(image).find(|found| found.name == wanted.name).or_else(|| digests(image).next());
    let label = named.map_or_else(|| format!("id:{}", container.image_id), |named| named.to_string());
    let written = container.inspect.compare("/Config/Image").and_then(Value::as_str);
    let tag = written.and_then(|text| ImageRef::parse(text).ok()?.tag);
    let short = || {
        let digest = Digest::parse(&container.image_id);
        digest.map_or_else(|_| escaped(&container.image_id), |digest| digest.short().to_owned())
    };
    (label, tag.unwrap_or_else(short))
}

fn fields(
    want: &DesiredContainer,
    source: &Source,
    same_image: bool,
    spec: &Spec,
    fixed: &BTreeSet<String>,
    live: &BTreeSet<String>,
) -> Vec<Field> {
    let place = |field: &str| {
        let whole = || field.split('.').next().and_then(|whole| want.sources.get(whole));
        want.sources.get(field).or_else(whole).and_then(|places| places.first()).cloned()
    };
    let field = |name: &str, declared: Value, agrees: bool| Field {
        name: name.to_owned(),
        declared,
        place: place(name),
        agrees,
    };
    let mut found = vec![field("image", source.create_from.clone().into(), same_image)];
    let options = want.spec.fixed.iter().filter(|(name, _)| !name.starts_with("limits."));
    found.extend(options.map(|(name, value)| field(name, value.clone(), !fixed.contains(name))));
    found.extend(want.spec.env.iter().map(|(name, text)| {
        let name = format!("env.{name}");
        field(&name, text.to_string().into(), !fixed.contains(&name))
    }));
    found.extend(want.spec.secrets.iter().map(|(name, file)| {
        let name = format!("secrets.{name}");
        field(&name, file.value.to_string().into(), !fixed.contains(&name))
    }));
    found.extend(want.spec.files.iter().map(|(path, file)| {
        let name = field_of(path);
        field(&name, file.shown(), !fixed.contains(&name))
    }));
    let networks = spec.networks();
    for (name, value) in want.spec.live.iter().filter(|(name, _)| *name != "networks") {
        found.push(field(name, value.clone(), !live.contains(name)));
    }
    for name in networks.keys() {
        let name = format!("networks.{name}");
        found.push(field(&name, "joined".into(), !live.contains(&name)));
    }
    // In a network that is not declared; a policy where none is declared.
    let seen: BTreeSet<String> = found.iter().map(|field| field.name.clone()).collect();
    for name in live.iter().chain(fixed).filter(|name| !seen.contains(*name)) {
        let declared = match name.as_str() {
            "restart" => "no".into(),
            _ => Value::Null,
        };
        found.push(field(name, declared, false));
    }
    found
}
