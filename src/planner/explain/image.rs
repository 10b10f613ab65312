//! What a plan says of an image, or of a name of one.

use crate::plan::{Cause, Verb};
use crate::planner::decide::image::ImageDecision;
use crate::planner::decide::users;

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
