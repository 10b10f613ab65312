//! For which system and processor an image is made, and whether the host can run it.

use super::source::Source;
use crate::desired::{DesiredContainer, PullPolicy};
use crate::observed::{Image, Platforms};
use crate::planner::context::PlanContext;
use crate::problem::{Problem, escaped};

/// Whether an image on the host is the wanted one of its platforms; an image may say nothing of it.
pub(in crate::planner) fn is(image: &Image, platform: Option<&str>) -> bool {
    let (Some(there), Some(wanted)) = (image.platform.as_deref(), platform) else { return true };
    // The variant that a processor has anyway is left out by some (arm64 is v8).
    let bare = |platform: &str| {
        let parts: Vec<&str> = platform.splitn(3, '/').collect();
        match parts.as_slice() {
            [os, "arm64", "v8"] => format!("{os}/arm64"),
            [os, "arm"] => format!("{os}/arm/v7"),
            _ => platform.to_owned(),
        }
    };
    bare(there) == bare(wanted)
}

/// Why a container cannot be made from the image that is on the host: it is for another processor, and
/// no state says that the host can run it.
pub(in crate::planner) fn unfit(
    context: &PlanContext<'_>,
    desired: &DesiredContainer,
    source: &Source,
) -> Vec<Problem> {
    let Some(image) = source.on_host(context) else { return Vec::new() };
    let (host, facts) = (context.host(), context.facts());
    let Some(there) = image.platform.as_deref() else { return Vec::new() };
    let from = |what: String| {
        let mut problem = Problem::failed(what);
        problem.place = desired.sources.get("image").and_then(|places| places.last()).cloned();
        problem
    };
    match desired.spec.platform() {
        // It is pulled for the wanted one.
        Some(_) if desired.pull == PullPolicy::Missing && source.pull.is_some() => Vec::new(),
        Some(wanted) if !is(image, Some(wanted)) => vec![
            from(format!(
                "image {} of container {} on host {host} is for {}, and {wanted} is declared",
                desired.image,
                desired.name,
                escaped(there)
            ))
            .hint("load the image for that platform there, or change `platform`"),
        ],
        None if !Platforms::new([there.to_owned()]).fit(&facts.os, &facts.arch) => vec![
            from(format!(
                "image {} of container {} is for {}, and host {host} is {}/{}",
                desired.image,
                desired.name,
                escaped(there),
                escaped(&facts.os),
                escaped(&facts.arch)
            ))
            .hint("name an image that is made for the host too")
            .hint(format!(
                "if the host can run it all the same (binfmt), write platform = \"{}\"",
                escaped(there)
            )),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_that_goes_without_saying_is_no_difference() {
        let image = |platform: &str| Image {
            id: String::new(),
            repo_digests: Vec::new(),
            repo_tags: Vec::new(),
            labels: std::collections::BTreeMap::new(),
            volumes: Vec::new(),
            health_check: None,
            platform: Some(platform.to_owned()),
        };
        assert!(is(&image("linux/arm64"), Some("linux/arm64/v8")));
        assert!(is(&image("linux/arm64/v8"), Some("linux/arm64")));
        assert!(is(&image("linux/arm64"), None));
        assert!(!is(&image("linux/arm64"), Some("linux/amd64")));
        assert!(!is(&image("linux/arm/v6"), Some("linux/arm/v7")));
    }
}
