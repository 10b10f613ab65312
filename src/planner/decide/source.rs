//! Images: which one a reference stands for, and what a container is made from.

use crate::desired::{DesiredContainer, PullPolicy};
use crate::name::{HostName, ImageRef};
use crate::observed::{Facts, Image, Platforms, ResolvedBy};
use crate::planner::context::PlanContext;
use crate::problem::{Problem, Result, escaped};

/// From what a container is created.
#[derive(Clone, Debug)]
pub(in crate::planner) struct Source {
    /// Its `.image` label: `repo@sha256:…` or `id:sha256:…`.
    pub(in crate::planner) label: String,
    /// `repo:1.9.0@sha256:…` or an image id.
    pub(in crate::planner) create_from: String,
    /// What is pulled: `repo@sha256:…`; `None` if no registry is asked.
    pub(in crate::planner) pull: Option<ImageRef>,
    /// The tag, for people; twelve digits of the digest where there is none.
    pub(in crate::planner) version: String,
}

impl Source {
    /// From what a wanted container is made.
    ///
    /// # Errors
    /// Where its image cannot be resolved.
    pub(in crate::planner) fn of(context: &PlanContext<'_>, desired: &DesiredContainer) -> Result<Self> {
        let image = &desired.image;
        let resolution = context.resolution(image);
        let by_id = desired.pull == PullPolicy::Never
            || resolution.is_some_and(|resolution| resolution.by == ResolvedBy::ImageId);
        let digest = resolution.map(|resolution| &resolution.digest);
        let digest = if by_id { digest } else { digest.or(image.digest.as_ref()) };
        let Some(digest) = digest else { return Err(unknown(context, desired).into()) };
        let facts = context.facts();
        let declares = desired.spec.platform().is_some();
        if let Some(said) = resolution.filter(|said| !declares && !said.platforms.fit(&facts.os, &facts.arch))
        {
            let what = format!("image {image} of container {}", desired.name);
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
    pub(in crate::planner) fn on_host<'a>(&self, context: &PlanContext<'a>) -> Option<&'a Image> {
        match &self.pull {
            Some(pull) => pull.digest.as_ref().and_then(|digest| context.by_digest(pull, digest)),
            None => context.image(&self.create_from),
        }
    }
}

fn unknown(context: &PlanContext<'_>, desired: &DesiredContainer) -> Problem {
    let host = context.host();
    match desired.pull {
        PullPolicy::Never => Problem::failed(format!(
            "image {} of container {} is not on host {host}, and no registry may be asked for it",
            desired.image, desired.name
        ))
        .hint(format!(
            "load it there ('docker load'), or take `pull = \"never\"` out of container {}",
            desired.name
        )),
        PullPolicy::Missing => Problem::failed(format!(
            "cannot resolve image {} of container {} on host {host}",
            desired.image, desired.name
        ))
        .hint("pin it with a digest (NAME:TAG@sha256:…), or ask its registry: plan without --offline"),
    }
}

/// An image that a host cannot run.
pub fn unfit(what: &str, host: &HostName, facts: &Facts, platforms: &Platforms) -> Problem {
    unfit_for(what, host, &format!("{}/{}", facts.os, facts.arch), platforms)
}

/// The same of a host that is `linux/amd64`, or another.
pub fn unfit_for(what: &str, host: &HostName, own: &str, platforms: &Platforms) -> Problem {
    let own = escaped(own);
    Problem::failed(format!("{what} is not made for host {host}"))
        .cause(format!("the host is {own}, the image is for {}", escaped(&platforms.to_string())))
        .hint(format!("push one that is for {own} too (docker buildx build --platform {own} …)"))
        .hint("if the host can run it all the same (binfmt), declare it: platform = \"linux/…\"")
}

/// Whether the tag of a reference stands for this image already.
pub(in crate::planner) fn tag_stands_for(
    context: &PlanContext<'_>,
    image: &ImageRef,
    wanted: &ImageRef,
) -> bool {
    let Some(tagged) = context.by_tag(image) else { return false };
    let same = wanted.digest.as_ref().and_then(|digest| context.by_digest(wanted, digest));
    same.is_some_and(|same| same.id == tagged.id) || has_digest(tagged, wanted)
}

/// Whether a name is the last one of an image, so that the image goes with it. Digests of the same
/// repository go with its last tag.
pub(in crate::planner) fn is_last(found: &Image, name: &ImageRef) -> bool {
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
