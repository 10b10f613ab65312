//! Images of the Engine in memory, on the host and in registries.

use super::Behaviour;
use super::world::{World, refused};
use crate::engine::{EngineResult, ErrorKind, Tag};
use crate::name::{Digest, ImageName, ImageRef, RegistryHost};
use crate::observed;
use crate::registry::AuthHeader;
use sha2::Digest as _;

/// An image in a registry.
#[derive(Clone)]
pub(super) struct Published {
    pub(super) name: ImageName,
    pub(super) tag: Option<String>,
    pub(super) digest: Digest,
    pub(super) behaviour: Behaviour,
}

/// An image on the host.
#[derive(Clone)]
pub(super) struct FakeImage {
    pub(super) id: String,
    pub(super) tags: Vec<String>,
    pub(super) digests: Vec<String>,
    pub(super) behaviour: Behaviour,
}

impl FakeImage {
    pub(super) fn seen(&self) -> observed::Image {
        observed::Image {
            id: self.id.clone(),
            repo_digests: self.digests.clone(),
            labels: self.behaviour.labels.clone(),
            repo_tags: self.tags.clone(),
            volumes: self.behaviour.volumes.clone(),
            health_check: self.behaviour.has_health_check.then(observed::HealthCheck::default),
            platform: self.behaviour.platform.clone(),
        }
    }

    fn is_called(&self, reference: &str) -> bool {
        if self.id == reference || self.id.strip_prefix("sha256:") == Some(reference) {
            return true;
        }
        let Ok(image) = ImageRef::parse(reference) else { return false };
        // A reference with both is found by its digest; the tag is for people.
        match &image.digest {
            Some(digest) => self.digests.contains(&image.by_digest(digest).to_string()),
            None => self.tags.contains(&image.to_string()),
        }
    }
}

fn hash(kind: &str, content: &str) -> String {
    let digest = sha2::Sha256::digest(format!("{kind} {content}"));
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

impl World {
    pub(super) fn publish(&mut self, image: &ImageRef, content: &str, behaviour: Behaviour) -> Digest {
        let digest = match Digest::parse(&hash("manifest", content)) {
            Ok(digest) => digest,
            Err(problems) => panic!("{problems}"),
        };
        for published in &mut self.registry {
            if published.name == image.name && published.tag == image.tag {
                published.tag = None;
            }
        }
        let (name, tag) = (image.name.clone(), image.tag.clone());
        self.registry.push(Published { name, tag, digest: digest.clone(), behaviour });
        digest
    }

    pub(super) fn build(&mut self, image: &ImageRef, content: &str, behaviour: Behaviour) -> String {
        let id = hash("config", content);
        self.move_tag(&image.to_string());
        if !self.images.iter().any(|held| held.id == id) {
            self.images.push(FakeImage { id: id.clone(), tags: vec![], digests: vec![], behaviour });
        }
        for held in self.images.iter_mut().filter(|held| held.id == id) {
            held.tags.push(image.to_string());
        }
        id
    }

    pub(super) fn published(&self, image: &ImageRef) -> EngineResult<&Published> {
        let found = self.registry.iter().rev().find(|published| {
            published.name == image.name
                && image.digest.as_ref().map_or(published.tag == image.tag, |d| *d == published.digest)
        });
        match found {
            Some(published) => Ok(published),
            None => {
                let message = format!("manifest for {image} not found: manifest unknown: manifest unknown");
                refused(ErrorKind::NoSuchImage, 404, message)
            }
        }
    }

    /// Whether the registry lets this header in, for an image.
    pub(super) fn admit(&self, image: &ImageRef, auth: Option<&AuthHeader>) -> EngineResult<()> {
        let path = format!("/v2/{}/manifests/…", image.name.path());
        self.admit_to(image.name.host(), &path, auth)
    }

    pub(super) fn admit_to(
        &self,
        host: &RegistryHost,
        path: &str,
        auth: Option<&AuthHeader>,
    ) -> EngineResult<()> {
        let failed =
            |kind, words: &str| refused(kind, 500, format!("Head \"https://{host}{path}\": {words}"));
        match (self.guards.get(host), auth) {
            (None, _) => Ok(()),
            (Some(None), _) => failed(ErrorKind::RegistryUnreachable, "dial tcp: connection refused"),
            (Some(Some(wanted)), Some(given)) if wanted == given.reveal() => Ok(()),
            (Some(Some(_)), Some(_)) => failed(ErrorKind::Refused, "unauthorized: authentication required"),
            (Some(Some(_)), None) => failed(ErrorKind::CredentialMissing, "no basic auth credentials"),
        }
    }

    /// The image of another platform takes the place of the one that was there.
    pub(super) fn pull_for(&mut self, image: &ImageRef, platform: Option<&str>) -> EngineResult<()> {
        self.pull(image)?;
        let Some(platform) = platform else { return Ok(()) };
        let id = self.image(&image.to_string()).map(|held| held.id.clone());
        for held in self.images.iter_mut().filter(|held| Some(&held.id) == id.as_ref()) {
            held.behaviour.platform = Some(platform.to_owned());
        }
        Ok(())
    }

    pub(super) fn pull(&mut self, image: &ImageRef) -> EngineResult<()> {
        let published = self.published(image)?.clone();
        let id = hash("config", published.digest.as_str());
        let digest = image.by_digest(&published.digest).to_string();
        if !self.images.iter().any(|held| held.id == id) {
            let behaviour = published.behaviour;
            self.images.push(FakeImage { id: id.clone(), tags: vec![], digests: vec![], behaviour });
        }
        let tag = image.digest.is_none().then(|| image.to_string());
        if let Some(tag) = &tag {
            self.move_tag(tag);
        }
        for held in self.images.iter_mut().filter(|held| held.id == id) {
            if !held.digests.contains(&digest) {
                held.digests.push(digest.clone());
            }
            held.tags.extend(tag.clone());
        }
        Ok(())
    }

    pub(super) fn image(&self, reference: &str) -> Option<&FakeImage> {
        self.images.iter().find(|held| held.is_called(reference))
    }

    pub(super) fn tags_below(&self, folder: &str) -> Vec<Tag> {
        let tags = self.images.iter().flat_map(|held| held.tags.iter().map(move |tag| (tag, held)));
        let below =
            tags.filter(|(tag, _)| tag.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        below.map(|(tag, held)| Tag { name: tag.clone(), image_id: held.id.clone() }).collect()
    }

    pub(super) fn image_names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.images.iter().flat_map(|held| held.tags.iter().chain(&held.digests).cloned()).collect();
        names.sort();
        names
    }

    pub(super) fn tag(&mut self, source: &str, name: &str) -> EngineResult<()> {
        let Some(id) = self.image(source).map(|held| held.id.clone()) else {
            return refused(ErrorKind::NotFound, 404, format!("No such image: {source}"));
        };
        let Ok(tagged) = ImageRef::parse(name) else {
            return refused(ErrorKind::Other, 400, format!("invalid reference format: {name}"));
        };
        let name = tagged.to_string();
        self.move_tag(&name);
        for held in self.images.iter_mut().filter(|held| held.id == id) {
            held.tags.push(name.clone());
        }
        Ok(())
    }

    fn move_tag(&mut self, name: &str) {
        for held in &mut self.images {
            held.tags.retain(|tag| tag != name);
        }
    }

    pub(super) fn untag(&mut self, name: &str) -> EngineResult<()> {
        let Some(at) = self.images.iter().position(|held| held.is_called(name)) else {
            return refused(ErrorKind::NotFound, 404, format!("No such image: {name}"));
        };
        let held = &self.images[at];
        // What is of another repository counts on its own; a digest of the same one does not.
        let own = repository(name);
        let last = held.tags.iter().all(|tag| tag == name)
            && held.digests.iter().all(|digest| repository(digest) == own);
        // The last tag of a repository takes its digests along.
        let bare = held.tags.iter().any(|tag| tag == name)
            && held.tags.iter().all(|tag| tag == name || repository(tag) != own);
        if last && self.containers.iter().any(|container| container.image_id == held.id) {
            let message = format!("conflict: unable to remove repository reference \"{name}\" (must force)");
            return refused(ErrorKind::Conflict, 409, message);
        }
        let held = &mut self.images[at];
        held.tags.retain(|tag| tag != name);
        held.digests.retain(|digest| digest != name);
        if bare {
            held.digests.retain(|digest| repository(digest) != own);
        }
        if held.tags.is_empty() && held.digests.is_empty() {
            self.images.remove(at);
        }
        Ok(())
    }
}

/// A name without its tag or digest.
fn repository(name: &str) -> &str {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}
