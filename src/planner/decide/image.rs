//! What is to become of an image, or of a name of one.

use super::source::{is_last, tag_stands_for};
use crate::name::ImageRef;
use crate::observed::User;
use crate::planner::context::PlanContext;
use crate::problem::{Problem, Result};

/// The decision for one reference.
pub(in crate::planner) enum ImageDecision<'a> {
    /// It is to be on the host.
    Pulled {
        image: &'a ImageRef,
        by_digest: Option<ImageRef>,
        /// It is not on the host.
        absent: bool,
        /// Its tag stands for another image, or is not there.
        tag: bool,
    },
    /// A name is to go, and is not there.
    NotThere,
    /// A name is to go.
    Untagged {
        image: &'a ImageRef,
        /// It is the last name of the image.
        last: bool,
        /// Containers made from the image.
        users: Vec<User>,
    },
    /// A name is to go, but it is the last one of an image that these containers use by then.
    InUse(Vec<User>),
}

impl<'a> ImageDecision<'a> {
    /// An image that is to be on the host, under its tag.
    ///
    /// # Errors
    /// Where it is not known what the reference stands for.
    pub(in crate::planner) fn pulled(
        context: &PlanContext<'a>,
        image: &'a ImageRef,
        force: bool,
    ) -> Result<Self> {
        let digest = context.resolution(image).map(|resolution| &resolution.digest).or(image.digest.as_ref());
        if let Some(digest) = digest {
            let wanted = image.by_digest(digest);
            let absent = context.by_digest(image, digest).is_none();
            let tag = image.tag.is_some() && !tag_stands_for(context, image, &wanted);
            return Ok(Self::Pulled { image, by_digest: Some(wanted), absent, tag });
        }
        if !force && context.by_tag(image).is_some() {
            return Ok(Self::Pulled { image, by_digest: None, absent: false, tag: false });
        }
        Err(Problem::failed(format!("cannot resolve image {image} on host {}", context.host()))
            .hint("pin it with a digest (NAME:TAG@sha256:…), or ask its registry: plan without --offline")
            .into())
    }

    /// A name that is not to be on the host.
    pub(in crate::planner) fn absent(context: &PlanContext<'a>, image: &'a ImageRef) -> Self {
        let found = match (&image.tag, &image.digest) {
            (None, Some(digest)) => context.by_digest(image, digest),
            _ => context.by_tag(image),
        };
        let Some(found) = found else { return Self::NotThere };
        Self::Untagged { image, last: is_last(found, image), users: context.made_from(found) }
    }
}
