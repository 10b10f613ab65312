//! What references stand for: their registries are asked through the host's own Engine, so that what the
//! host can reach is what counts. Every host that will pull is asked, and all must say the same: one Engine
//! must not choose for the others. Each call is a pull in Docker Hub's count, so a host is asked once in a run.

use super::{AT_ONCE, What, what::Need};
use crate::engine::{Engine, EngineError, ErrorKind, Manifest, Patience};
use crate::name::{Digest, HostName, ImageName, ImageRef, RegistryHost};
use crate::observed::{Container, Image, Platforms, Resolution, ResolvedBy};
use crate::problem::{Code, Problem, Problems, Result};
use crate::registry::{AuthHeader, Credential, CredentialId};
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt as _, stream};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tokio::sync::OnceCell;

/// Gets the credential for an image; `None` is anonymous. It may have to ask another program for it.
pub type Keychain<'a> = dyn Fn(&ImageName) -> LocalBoxFuture<'a, Result<Option<Credential>>> + 'a;

/// Whom to ask.
pub struct Ask<'a> {
    /// No registry: what lies or runs on the host counts (`--offline`).
    pub offline: bool,
    /// Called only for an image whose registry is asked.
    pub keychain: &'a Keychain<'a>,
    /// What was asked before in this run.
    pub resolved: &'a Resolved,
    /// Told when a registry is waited for.
    pub waits: &'a dyn Fn(&str),
}

/// What registries said in this run, through each host.
#[derive(Default)]
pub struct Resolved {
    said: RefCell<BTreeMap<Asked, Rc<OnceCell<Answer>>>>,
    patience: RefCell<BTreeMap<(HostName, RegistryHost), Rc<Patience>>>,
}

/// What the wanted references stand for, and those of which a registry did not say it.
#[derive(Default)]
pub(super) struct Resolutions {
    pub(super) resolved: BTreeMap<ImageRef, Resolution>,
    pub(super) unresolved: BTreeMap<ImageRef, Problems>,
}

/// What a registry said.
type Answer = (Digest, Platforms);

/// A reference, the host that was asked, and the credential that was sent.
type Asked = (ImageRef, HostName, Option<CredentialId>);

impl Resolved {
    fn cell(
        &self,
        image: &ImageRef,
        host: &HostName,
        credential: Option<&Credential>,
    ) -> Rc<OnceCell<Answer>> {
        let key = (image.clone(), host.clone(), credential.map(|credential| credential.id.clone()));
        Rc::clone(self.said.borrow_mut().entry(key).or_default())
    }

    fn patience(&self, host: &HostName, registry: &RegistryHost) -> Rc<Patience> {
        let key = (host.clone(), registry.clone());
        Rc::clone(self.patience.borrow_mut().entry(key).or_default())
    }

    /// What was said of a reference so far, through any host.
    fn said(&self, image: &ImageRef) -> Option<Answer> {
        let all = self.said.borrow();
        let mut said = all.iter().filter(|((asked, ..), _)| asked == image);
        said.find_map(|(_, cell)| cell.get().cloned())
    }

    /// References that hosts were told different digests for, with those hosts.
    pub fn disagreements(&self) -> Vec<(BTreeSet<HostName>, Problem)> {
        let mut said: BTreeMap<ImageRef, BTreeMap<Digest, Vec<HostName>>> = BTreeMap::new();
        for ((image, host, _), cell) in self.said.borrow().iter() {
            if let Some((digest, _)) = cell.get() {
                said.entry(image.clone()).or_default().entry(digest.clone()).or_default().push(host.clone());
            }
        }
        let differ = said.into_iter().filter(|(_, digests)| digests.len() > 1);
        differ
            .map(|(image, digests)| {
                let problem = disagreement(&image, &digests);
                (digests.into_values().flatten().collect(), problem)
            })
            .collect()
    }
}

fn disagreement(image: &ImageRef, digests: &BTreeMap<Digest, Vec<HostName>>) -> Problem {
    let problem = Problem::failed(format!("hosts are told different images for {image}"));
    let problem = digests.iter().fold(problem, |problem, (digest, hosts)| {
        let hosts: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
        problem.cause(format!("{}: {digest}", hosts.join(", ")))
    });
    problem
        .cause("a mirror is behind, the tag was just moved, or one of the Engines or registries does not tell the truth")
        .hint("look at what each of them reaches, then try again")
        .hint(format!("or say which one is meant: pin it with a digest ({}@sha256:…), in a gate or in the state", image.name))
}

/// What every wanted reference stands for; those that cannot be told without a registry are left out where
/// none may be asked.
pub(super) async fn all<E: Engine>(
    engine: &E,
    host: &HostName,
    what: &What,
    ask: &Ask<'_>,
    containers: &[Container],
    images: &BTreeMap<ImageRef, Image>,
) -> Result<Resolutions> {
    let Resolutions { mut resolved, mut unresolved } = Resolutions::default();
    let mut open = Vec::new();
    let made = if ask.offline { made_from(containers) } else { BTreeMap::new() };
    for (image, need) in &what.images {
        let known = match (need, &image.digest) {
            (Need::Local, _) => {
                images.get(image).and_then(|found| Digest::parse(&found.id).ok()).map(by(ResolvedBy::ImageId))
            }
            (_, Some(digest)) => Some(by(ResolvedBy::Pinned)(digest.clone())),
            (Need::Presence, None) => None,
            (Need::IfAbsent, None) if images.contains_key(image) => None,
            (_, None) if ask.offline => offline(image, &made, images).map(by(ResolvedBy::Offline)),
            (_, None) => {
                open.push(image);
                None
            }
        };
        if let Some(known) = known {
            resolved.insert(image.clone(), known);
        }
    }
    let asked =
        stream::iter(open).map(|image| async move { (image, registry(engine, host, ask, image).await) });
    let mut found = Vec::new();
    for (image, answer) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
        match answer {
            Ok((digest, platforms)) => {
                let said = Resolution { digest, by: ResolvedBy::Registry, platforms };
                resolved.insert(image.clone(), said);
            }
            Err(Silent::Registry(problems)) => drop(unresolved.insert(image.clone(), problems)),
            Err(Silent::All(problems)) => found.extend(problems.into_vec()),
        }
    }
    Problems::check(found)?;
    Ok(Resolutions { resolved, unresolved })
}

/// Why it is not known what a reference stands for.
enum Silent {
    /// Its registry, or the program that has the credential for it, does not say: what is of others goes on.
    Registry(Problems),
    /// Nothing can be said of the host.
    All(Problems),
}

fn by(by: ResolvedBy) -> impl Fn(Digest) -> Resolution {
    move |digest| Resolution { digest, by, platforms: Platforms::default() }
}

async fn registry<E: Engine>(
    engine: &E,
    host: &HostName,
    ask: &Ask<'_>,
    image: &ImageRef,
) -> Result<Answer, Silent> {
    let credential = (ask.keychain)(&image.name).await.map_err(|problems| {
        let problems = problems.map(|problem| unopened(problem, image));
        // A seal that does not hold, or no identity at all, is more than one registry.
        let of_one = problems.iter().all(|problem| problem.code == Code::Failed);
        if of_one { Silent::Registry(problems) } else { Silent::All(problems) }
    })?;
    let answer = match asked(engine, host, ask, image, credential.as_ref()).await {
        // It cannot ask: what the others were told counts, if there are any.
        Err(error) if error.kind == ErrorKind::Unsupported => ask.resolved.said(image).ok_or(error),
        answer => answer,
    };
    answer.map_err(|error| {
        let problems = error.registry_problem(host, image, credential.as_ref()).into();
        if error.is_of_registry() { Silent::Registry(problems) } else { Silent::All(problems) }
    })
}

/// What a tag stands for now, and for which platforms it is; `None` where the Engine cannot ask a registry (Podman).
///
/// # Errors
/// Where the credential cannot be had, or the registry does not say.
pub async fn ask_tag<E: Engine>(
    engine: &E,
    host: &HostName,
    ask: &Ask<'_>,
    image: &ImageRef,
) -> Result<Option<(Digest, Platforms)>> {
    let credential = (ask.keychain)(&image.name).await?;
    match asked(engine, host, ask, image, credential.as_ref()).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error.registry_problem(host, image, credential.as_ref()).into()),
    }
}

async fn asked<E: Engine>(
    engine: &E,
    host: &HostName,
    ask: &Ask<'_>,
    image: &ImageRef,
    credential: Option<&Credential>,
) -> Result<Answer, EngineError> {
    let cell = ask.resolved.cell(image, host, credential);
    let asking = cell.get_or_try_init(|| async {
        let header = credential.map(|credential| &credential.header);
        let Manifest { digest, platforms } = patiently(engine, host, ask, image, header).await?;
        let digest = Digest::parse(&digest);
        digest
            .map(|digest| (digest, platforms))
            .map_err(|_| EngineError::new(ErrorKind::Other, 200, "it named no sha256 digest"))
    });
    asking.await.cloned()
}

/// Asks again where a registry gives nothing for now.
async fn patiently<E: Engine>(
    engine: &E,
    host: &HostName,
    ask: &Ask<'_>,
    image: &ImageRef,
    header: Option<&AuthHeader>,
) -> Result<Manifest, EngineError> {
    let registry = image.name.host();
    let patience = ask.resolved.patience(host, registry);
    let mut waited = None;
    loop {
        let error = match engine.resolve(image, header).await {
            Err(error) => error,
            answer => return answer,
        };
        let Some(wait) = patience.wait(&error, waited) else { return Err(error) };
        (ask.waits)(&error.waiting(host, registry, wait));
        tokio::time::sleep(wait).await;
        waited = Some(wait);
    }
}

/// Without an identity a tag of a private registry stays unknown: say which, and the ways on.
fn unopened(problem: Problem, image: &ImageRef) -> Problem {
    if problem.code != Code::NoIdentity {
        return problem;
    }
    problem.cause(format!("its registry must be asked what {image} stands for: no digest pins it")).hint(
        "pin what is asked for (IMAGE@sha256:…, or a digest in its gate), give an identity (--identity FILE), or plan \
         with --offline",
    )
}

/// What lies on the host under the tag, else what a container of ours was made from under that tag.
fn offline(image: &ImageRef, made: &Made<'_>, images: &BTreeMap<ImageRef, Image>) -> Option<Digest> {
    let of_name = |text: &String| {
        let found = ImageRef::parse(text).ok().filter(|found| found.name == image.name)?;
        found.digest
    };
    let lying = images.get(image).and_then(|held| held.repo_digests.iter().find_map(of_name));
    lying.or_else(|| Some(made.get(&(image.name.clone(), image.tag.as_deref()?))?.1.clone()))
}

/// For each image and tag, the digest that the latest container of ours was made from, and its generation.
type Made<'c> = BTreeMap<(ImageName, &'c str), (u64, Digest)>;

fn made_from(containers: &[Container]) -> Made<'_> {
    let mut made = Made::new();
    for ours in containers.iter().filter_map(|container| container.ours.as_ref()) {
        let Ok(ImageRef { name, digest: Some(digest), .. }) = ImageRef::parse(&ours.image) else { continue };
        let latest = made.entry((name, ours.version.as_str())).or_insert_with(|| (0, digest.clone()));
        if ours.generation >= latest.0 {
            *latest = (ours.generation, digest);
        }
    }
    made
}
