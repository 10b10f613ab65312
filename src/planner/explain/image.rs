//! What a plan says of an image, or of a name of one.

use super::change;
use crate::desired::{Address, Kind};
use crate::name::ImageRef;
use crate::plan::{Cause, Change, Verb};
use crate::planner::decide::image::ImageDecision;
use crate::planner::decide::images::GoingImage;
use crate::planner::decide::users;

/// An image that goes, by each of its digests.
pub(super) fn going(image: &GoingImage) -> impl Iterator<Item = Change> + '_ {
    image.digests.iter().map(|digest| {
        let short = |image: ImageRef| Some(format!("{}@{}", image.name, image.digest.as_ref()?.short()));
        let name = ImageRef::parse(digest).ok().and_then(short).unwrap_or_else(|| digest.clone());
        let address = Address { kind: Kind::Image, name };
        change::plain(&address, Verb::Remove, Cause::Unneeded)
    })
}

/// What becomes of it, and why.
pub(super) fn verb(image: &ImageDecision<'_>) -> (Verb, Cause) {
    match image {
        ImageDecision::Pulled { absent: true, .. } => (Verb::Create, Cause::ImageNeeded),
        ImageDecision::Pulled { tag: true, .. } => (Verb::Update, Cause::TagElsewhere),
        ImageDecision::Pulled { .. } | ImageDecision::NotThere => (Verb::Unchanged, Cause::AsWanted),
        ImageDecision::Untagged { .. } => (Verb::Remove, Cause::Unwanted),
        ImageDecision::InUse(left) => (Verb::Unchanged, Cause::LastName(users::named(left))),
    }
}
