//! Secrets of a run: opened before anything is changed, so that one that does not open changes
//! nothing; joined and encoded just before the call that needs them.

use super::archive::{ArchiveEntry, archive};
use crate::desired::container_file::Content;
use crate::desired::secret_file::LARGEST;
use crate::desired::{ContainerFile, SecretFile};
use crate::inspect::Inspect;
use crate::name::{HostName, ImageName};
use crate::pillar::{Origin, SealId};
use crate::plan::{Action, FileText, HostPlan, mounted_as};
use crate::problem::{Problem, Problems, Result};
use crate::registry::Credential;
use crate::secret::Secret;
use crate::state::{Encoder, SecretRef, Segment, Text};
use futures_util::future::LocalBoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// A credential on its way.
pub type Fetching<'a> = LocalBoxFuture<'a, Result<Option<Credential>>>;

/// Where secrets come from.
pub trait Secrets {
    /// Opens a sealed value; its encoders are not applied.
    ///
    /// # Errors
    /// Where it does not open, or is not what it says it is.
    fn open(&self, secret: &SecretRef) -> Result<Secret>;

    /// The credential for an image on a host, whose pillar decides; `None`: its registry is asked
    /// anonymously. May take as long as a helper takes to answer; locks are renewed meanwhile.
    ///
    /// # Errors
    /// Where one belongs to it and does not open, or its helper fails: never anonymous then.
    fn auth<'a>(&'a self, host: &'a HostName, image: &'a ImageName) -> Fetching<'a>;

    /// Every secret that containers of a host are given by what is written, whether or not this run gives it to
    /// one: a container that was there before prints them as well.
    fn of_host(&self, _host: &HostName) -> Vec<SecretRef> {
        Vec::new()
    }
}

/// All secrets that the containers of a run are given, wiped when the run ends. `Debug` shows none.
#[derive(Debug, Default)]
pub(super) struct Opened(BTreeMap<(Origin, SealId), Secret>);

impl Opened {
    /// Opens what these plans need and tries every text in which it will stand.
    ///
    /// # Errors
    /// All that does not open, is no text, or has a NUL byte in it, which no environment can hold.
    pub(super) fn all<'a>(
        plans: impl IntoIterator<Item = &'a HostPlan> + Clone,
        secrets: &dyn Secrets,
    ) -> Result<Self> {
        let texts = environments(plans.clone()).map(|(_, _, text)| text);
        let opened = Self::these(texts.chain(files(plans.clone()).map(|(_, file)| file.text)), secrets)?;
        let wrong = environments(plans.clone()).filter_map(|(container, name, text)| {
            let field = format!("env.{name} of container {container}");
            opened.text(text, &field).err()
        });
        let wrong = wrong.chain(files(plans).filter_map(|(container, file)| {
            opened.bytes(file.text, &format!("{} of container {container}", file.field)).err()
        }));
        let wrong: Vec<Problem> = wrong.flat_map(Problems::into_vec).collect();
        Problems::check(wrong)?;
        Ok(opened)
    }

    /// Opens what is in these texts.
    fn these<'a>(texts: impl Iterator<Item = &'a Text>, secrets: &dyn Secrets) -> Result<Self> {
        Self::default().and(texts.flat_map(Text::secrets), secrets)
    }

    /// With these as well.
    ///
    /// # Errors
    /// All that does not open.
    pub(super) fn and<'a>(
        &self,
        wanted: impl Iterator<Item = &'a SecretRef>,
        secrets: &dyn Secrets,
    ) -> Result<Self> {
        let mut opened = Self(self.0.clone());
        let mut problems = Vec::new();
        let wanted: BTreeSet<&SecretRef> = wanted.collect();
        for secret in wanted {
            let key = (secret.origin.clone(), secret.id.clone());
            if opened.0.contains_key(&key) {
                continue;
            }
            match secrets.open(secret) {
                Ok(value) => {
                    opened.0.insert(key, value);
                }
                Err(more) => problems.extend(more.into_vec()),
            }
        }
        Problems::check(problems)?;
        Ok(opened)
    }

    /// The text with its secrets in it.
    ///
    /// # Errors
    /// Where it cannot stand in an environment.
    pub(super) fn text(&self, text: &Text, field: &str) -> Result<Zeroizing<String>> {
        let mut out = Zeroizing::new(String::new());
        for segment in text.segments() {
            match segment {
                Segment::Clear(clear) => out.push_str(clear),
                Segment::Secret(secret) => {
                    let key = (secret.origin.clone(), secret.id.clone());
                    let Some(value) = self.0.get(&key) else {
                        return Err(Problem::failed(format!("{} was not opened", secret.origin)).into());
                    };
                    let encoded = encode(value, &secret.encoders)
                        .ok_or_else(|| not_text(&format!("{} for {field}", secret.origin)))?;
                    out.push_str(encoded.reveal_text().unwrap_or_default());
                }
            }
        }
        if out.contains('\0') {
            return Err(Problem::failed(format!("{field} has a NUL byte in it"))
                .cause("no environment variable can hold one")
                .hint("encode it: `{{ … | b64encode }}`")
                .into());
        }
        Ok(out)
    }

    /// The bytes of a file with its secrets in it: any bytes, as they were sealed.
    ///
    /// # Errors
    /// Where they are too many, or an encoder does not fit.
    pub(super) fn bytes(&self, text: &Text, field: &str) -> Result<Secret> {
        let mut parts: Vec<Secret> = Vec::new();
        for segment in text.segments() {
            parts.push(match segment {
                Segment::Clear(clear) => clear.clone().into(),
                Segment::Secret(secret) => {
                    let key = (secret.origin.clone(), secret.id.clone());
                    let Some(value) = self.0.get(&key) else {
                        return Err(Problem::failed(format!("{} was not opened", secret.origin)).into());
                    };
                    let mut encoders = secret.encoders.iter();
                    encoders.try_fold(value.clone(), |value, encoder| encoder.apply(&value)).ok_or_else(
                        || {
                            Problem::failed(format!("{} for {field} is not text", secret.origin))
                                .cause("`tojson` encodes UTF-8 only")
                                .hint("leave it out: a file holds any bytes")
                        },
                    )?
                }
            });
        }
        let length: usize = parts.iter().map(Secret::len).sum();
        if length > LARGEST {
            let what = format!("{field} is {length} bytes long, and may have {LARGEST}");
            return Err(Problem::failed(what).hint("put larger data into a volume").into());
        }
        let mut all = Vec::with_capacity(length);
        for part in &parts {
            all.extend_from_slice(part.reveal());
        }
        Ok(Secret::new(all))
    }

    /// Secrets, and files that are mounted out of the same volume, as an archive of that.
    ///
    /// # Errors
    /// Those of [`Opened::bytes`].
    pub(super) fn archive(
        &self,
        files: &BTreeMap<String, SecretFile>,
        mounted: &BTreeMap<String, ContainerFile>,
        service: &str,
    ) -> Result<Archived> {
        let mut packed = Vec::with_capacity(files.len() + mounted.len());
        for (path, file) in mounted {
            packed.push((
                mounted_as(path),
                self.content(path, file, service)?,
                file.uid,
                file.gid,
                file.mode,
                file.time(),
            ));
        }
        for (name, file) in files {
            let content = self.bytes(&file.value, &format!("secrets.{name} of container {service}"))?;
            packed.push((name.clone(), content, file.uid, file.gid, file.mode, 0));
        }
        let entries: Vec<ArchiveEntry<'_>> = packed.iter().map(entry).collect();
        let last =
            entries.last().map_or((String::new(), 0), |last| (last.name.to_owned(), last.content.len()));
        Ok(Archived { archive: archive(&entries), last })
    }

    /// Files of a container as an archive of its root.
    ///
    /// # Errors
    /// Those of [`Opened::bytes`].
    pub(super) fn root(&self, files: &BTreeMap<String, ContainerFile>, service: &str) -> Result<Secret> {
        let packed = files.iter().map(|(path, file)| {
            let content = self.content(path, file, service)?;
            let relative = path.trim_start_matches('/').to_owned();
            Ok((relative, content, file.uid, file.gid, file.mode, file.time()))
        });
        let packed: Vec<Packed> = packed.collect::<Result<_>>()?;
        Ok(archive(&packed.iter().map(entry).collect::<Vec<_>>()))
    }

    fn content(&self, path: &str, file: &ContainerFile, service: &str) -> Result<Secret> {
        match &file.content {
            Content::Clear(clear) => Ok(Secret::new(clear.bytes().to_vec())),
            Content::Sealed(text) => self.bytes(text, &format!("files.{path} of container {service}")),
        }
    }

    /// The secrets as they were opened.
    pub(super) fn values(&self) -> impl Iterator<Item = &Secret> {
        self.0.values()
    }
}

/// Files packed, and which is the last of them with its length.
pub(super) struct Archived {
    pub(super) archive: Secret,
    pub(super) last: (String, usize),
}

/// Name, content, owner, group, mode and time.
type Packed = (String, Secret, u32, u32, u32, i64);

fn entry(packed: &Packed) -> ArchiveEntry<'_> {
    let (name, content, uid, gid, mode, time) = packed;
    ArchiveEntry { name, content, uid: *uid, gid: *gid, mode: *mode, time: *time }
}

fn files<'a>(plans: impl IntoIterator<Item = &'a HostPlan>) -> impl Iterator<Item = (&'a str, FileText<'a>)> {
    let steps = plans.into_iter().flat_map(|plan| &plan.steps);
    steps
        .filter_map(|step| step.action.texts())
        .flat_map(|(service, files)| files.into_iter().map(move |file| (service, file)))
}

/// Names of the variables with secrets that a container does not have as declared. The values are opened
/// for this alone and wiped.
///
/// # Errors
/// All that does not open, or cannot stand in an environment.
pub fn differing_env(
    env: &BTreeMap<String, Text>,
    container: &str,
    inspect: &Inspect,
    secrets: &dyn Secrets,
) -> Result<BTreeSet<String>> {
    let sealed: BTreeMap<&String, &Text> = env.iter().filter(|(_, text)| text.as_clear().is_none()).collect();
    let opened = Opened::these(sealed.values().copied(), secrets)?;
    let lines = inspect.compare("/Config/Env").and_then(serde_json::Value::as_array);
    let (mut differ, mut problems) = (BTreeSet::new(), Vec::new());
    for (name, text) in sealed {
        match opened.text(text, &format!("env.{name} of container {container}")) {
            Ok(value) => {
                let is = |line: &&str| line.split_once('=') == Some((name, value.as_str()));
                let there = lines.into_iter().flatten().filter_map(serde_json::Value::as_str);
                if !there.into_iter().any(|line| is(&line)) {
                    differ.insert(name.clone());
                }
            }
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems).map(|()| differ)
}

/// What is to be in the files of secrets of a container, by name. Opened for this alone.
///
/// # Errors
/// All that does not open.
pub fn wanted_files(
    files: &BTreeMap<String, SecretFile>,
    container: &str,
    secrets: &dyn Secrets,
) -> Result<BTreeMap<String, Secret>> {
    let opened = Opened::these(files.values().map(|file| &file.value), secrets)?;
    let each = files.iter().map(|(name, file)| {
        let field = format!("secrets.{name} of container {container}");
        Ok((name.clone(), opened.bytes(&file.value, &field)?))
    });
    each.collect()
}

fn environments<'a>(
    plans: impl IntoIterator<Item = &'a HostPlan>,
) -> impl Iterator<Item = (&'a str, &'a str, &'a Text)> {
    plans
        .into_iter()
        .flat_map(|plan| &plan.steps)
        .filter_map(|step| match &step.action {
            Action::Create(create) => Some(create),
            _ => None,
        })
        .flat_map(|create| {
            create.env.iter().map(|(name, text)| (create.service.as_str(), name.as_str(), text))
        })
}

fn not_text(what: &str) -> Problem {
    Problem::failed(format!("{what} is not text"))
        .cause("an environment variable holds UTF-8 only")
        .hint("encode it: `{{ … | b64encode }}`")
}

/// A secret with its encoders applied in order; `None` where what results, or an encoder needs, is not
/// UTF-8.
fn encode(secret: &Secret, encoders: &[Encoder]) -> Option<Secret> {
    let encoded = encoders.iter().try_fold(secret.clone(), |secret, encoder| encoder.apply(&secret))?;
    encoded.reveal_text().is_some().then_some(encoded)
}
