//! Images: which one a reference stands for, whether it must be pulled, and the tags it gets.

use super::context::PlanContext;
use super::platform;
use super::steps::Steps;
use crate::desired::{ContainerWish, PullPolicy};
use crate::name::{HostName, ImageRef};
use crate::observed::{Facts, Image, Platforms, ResolvedBy};
use crate::plan::{Action, Cause, Expect};
use crate::problem::{Problem, Result, escaped};
use std::collections::BTreeMap;

/// From what a container is created.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its `.image` label: `repo@sha256:…` or `id:sha256:…`.
    pub(super) label: String,
    /// `repo:1.9.0@sha256:…` or an image id.
    pub(super) create_from: String,
    /// What is pulled: `repo@sha256:…`; `None` if no registry is asked.
    pub(super) pull: Option<ImageRef>,
    /// The tag, for people; twelve digits of the digest where there is none.
    pub(super) version: String,
}

impl Source {
    /// From what a wanted container is made.
    ///
    /// # Errors
    /// Where nobody knows what its image stands for.
    pub(super) fn of(context: &PlanContext<'_>, wish: &ContainerWish) -> Result<Self> {
        let image = &wish.image;
        let resolution = context.resolution(image);
        let by_id = wish.pull == PullPolicy::Never
            || resolution.is_some_and(|resolution| resolution.by == ResolvedBy::ImageId);
        let digest = resolution.map(|resolution| &resolution.digest);
        let digest = if by_id { digest } else { digest.or(image.digest.as_ref()) };
        let Some(digest) = digest else { return Err(unknown(context, wish).into()) };
        let facts = context.facts();
        let declares = wish.spec.platform().is_some();
        if let Some(said) = resolution.filter(|said| !declares && !said.platforms.fit(&facts.os, &facts.arch))
        {
            let what = format!("image {image} of container {}", wish.name);
            return Err(unfit(&what, context.host(), facts, &said.platforms).into());
        }
        let version = image.tag.clone().unwrap_or_else(|| digest.short().to_owned());
        if by_id {
            return Ok(Self {
                label: format!("id:{digest}"),
                create_from: digest.to_string(),
                pull: None,
                version,
            });
        }
        let pull = image.by_digest(digest);
        Ok(Self {
            label: pull.to_string(),
            create_from: image.pinned(digest).to_string(),
            pull: Some(pull),
            version,
        })
    }

    /// The image, if it is on the host.
    pub(super) fn on_host<'a>(&self, context: &PlanContext<'a>) -> Option<&'a Image> {
        match &self.pull {
            Some(pull) => pull.digest.as_ref().and_then(|digest| context.by_digest(pull, digest)),
            None => context.image(&self.create_from),
        }
    }
}

fn unknown(context: &PlanContext<'_>, wish: &ContainerWish) -> Problem {
    let host = context.host();
    match wish.pull {
        PullPolicy::Never => Problem::failed(format!(
            "image {} of container {} is not on host {host}, and no registry may be asked for it",
            wish.image, wish.name
        ))
        .hint(format!(
            "load it there ('docker load'), or take `pull = \"never\"` out of container {}",
            wish.name
        )),
        PullPolicy::Missing => Problem::failed(format!(
            "nobody says which image {} of container {} stands for on host {host}",
            wish.image, wish.name
        ))
        .hint("pin it with a digest (NAME:TAG@sha256:…), or plan with an identity that opens its registry"),
    }
}

/// An image that a host cannot run.
pub fn unfit(what: &str, host: &HostName, facts: &Facts, platforms: &Platforms) -> Problem {
    let own = format!("{}/{}", escaped(&facts.os), escaped(&facts.arch));
    Problem::failed(format!("{what} is not made for host {host}"))
        .cause(format!("the host is {own}, the image is for {}", escaped(&platforms.to_string())))
        .hint(format!("push one that is for {own} too (docker buildx build --platform {own} …)"))
        .hint("if the host can run it all the same (binfmt), declare it: platform = \"linux/…\"")
}

/// Pulls of a host, each image once for each platform.
#[derive(Default)]
pub(super) struct Pulls(BTreeMap<(ImageRef, Option<String>), u32>);

impl Pulls {
    /// Plans that an image will be on the host; answers the step to wait for, if there is one.
    pub(super) fn want(
        &mut self,
        context: &PlanContext<'_>,
        steps: &mut Steps,
        image: &ImageRef,
        platform: Option<&str>,
        cause: &Cause,
    ) -> Option<u32> {
        let digest = image.digest.as_ref()?;
        if context.by_digest(image, digest).is_some_and(|there| platform::is(there, platform)) {
            return None;
        }
        let pull = image.by_digest(digest);
        let wanted = (pull.clone(), platform.map(str::to_owned));
        if let Some(step) = self.0.get(&wanted) {
            return Some(*step);
        }
        let group = format!("pull {pull}");
        let action = Action::Pull { image: pull, platform: wanted.1.clone() };
        let step = steps.push(&group, action, cause, Vec::new());
        self.0.insert(wanted, step);
        Some(step)
    }

    /// Plans the tag that keeps an image for a container to be created; an image that was pulled by
    /// digest alone is taken by the next prune of the host.
    pub(super) fn keep(
        &mut self,
        context: &PlanContext<'_>,
        steps: &mut Steps,
        image: &ImageRef,
        platform: Option<&str>,
        name: String,
        cause: &Cause,
    ) -> u32 {
        let pulled = self.want(context, steps, image, platform, cause);
        let source = image.to_string();
        let group = format!("pull {source}");
        let tag = Action::Tag { source: source.clone(), name };
        let step = steps.push(&group, tag, cause, Vec::from_iter(pulled));
        if let Some(last) = steps.last() {
            last.expects.push(Expect::Image { image: source });
        }
        step
    }
}

/// Whether the tag of a reference stands for this image already.
pub(super) fn tag_stands_for(context: &PlanContext<'_>, image: &ImageRef, wanted: &ImageRef) -> bool {
    let Some(tagged) = context.by_tag(image) else { return false };
    let same = wanted.digest.as_ref().and_then(|digest| context.by_digest(wanted, digest));
    same.is_some_and(|same| same.id == tagged.id) || has_digest(tagged, wanted)
}

/// Whether a name is the last one of an image, so that the image goes with it. Digests of the same
/// repository go with its last tag.
pub(super) fn is_last(found: &Image, name: &ImageRef) -> bool {
    let parsed = |text: &String| ImageRef::parse(text).ok();
    let tag = ImageRef { digest: None, ..name.clone() };
    let tags = found.repo_tags.iter().filter_map(parsed).filter(|other| name.tag.is_none() || *other != tag);
    let mut digests = found.repo_digests.iter().filter_map(parsed);
    tags.count() == 0 && digests.all(|other| other.name == name.name)
}

/// Whether an image was pulled as `repo@digest`; Engines print the repository in their own way.
fn has_digest(image: &Image, wanted: &ImageRef) -> bool {
    let mut digests = image.repo_digests.iter().filter_map(|text| ImageRef::parse(text).ok());
    digests.any(|found| found == *wanted)
}
