//! Names of the tags that keep our images from being pruned.

use super::KEEP;
use crate::name::{ImageRef, Owner};
use sha2::{Digest as _, Sha256};

/// The part of the names that all tags of a workspace begin with: `pillarbox.invalid/<workspace>`, for
/// one that always had an id `pillarbox.invalid/<workspace>.<id>`.
pub fn keep_folder(owner: &Owner) -> String {
    format!("{KEEP}/{}", part(&owner.scope()))
}

/// The tag that keeps the image of an instance:
/// `pillarbox.invalid/<workspace>/<service>:g<generation>-<version>`, so that the version is known when the
/// container is gone; without the version where a tag of at most 128 characters has no room for it. Names that
/// are no part of an image path (`Web`, `a..b`) are replaced by a hash of them.
pub fn keep_tag(owner: &Owner, service: &str, generation: u64, version: &str) -> String {
    let repository = keep_repository(owner, service);
    let tag = format!("g{generation}-{version}");
    match ImageRef::check_tag(&tag).is_ok() && !version.is_empty() {
        true => format!("{repository}:{tag}"),
        false => format!("{repository}:g{generation}"),
    }
}

/// What a tag that keeps an image says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The part before the colon, see [`keep_repository`].
    pub repository: &'a str,
    /// The generation that it keeps the image of.
    pub generation: u64,
    /// The version of that generation; `None` in tags of earlier releases, and where there was no room for it.
    pub version: Option<&'a str>,
}

fn part(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let simple = name.split(['.', '_', '-']).all(|word| !word.is_empty() && word.bytes().all(plain));
    if simple && name.len() <= 80 {
        return name.to_owned();
    }
    let hash = Sha256::digest(name.as_bytes());
    format!("x{}", hash.iter().take(20).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The repository of the tags that keep the images of one container of a service, by its plain name.
pub fn keep_repository(owner: &Owner, slot: &str) -> String {
    format!("{}/{}", keep_folder(owner), part(slot))
}

/// What a tag says that keeps an image; `None` where it is no such tag.
pub fn kept_by(tag: &str) -> Option<Kept<'_>> {
    let (repository, tag) = tag.rsplit_once(":g")?;
    let (number, version) = match tag.split_once('-') {
        Some((number, version)) => (number, Some(version)),
        None => (tag, None),
    };
    let generation: u64 = number.parse().ok()?;
    let is_ours = generation.to_string() == number && version != Some("");
    is_ours.then_some(Kept { repository, generation, version })
}

/// What a tag says that keeps an image for this slot; `None` where it is another's.
pub fn kept_for<'a>(owner: &Owner, slot: &str, tag: &'a str) -> Option<Kept<'a>> {
    kept_by(tag).filter(|kept| kept.repository == keep_repository(owner, slot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{ImageRef, WorkspaceName};

    #[test]
    fn tags_that_keep_images_are_references_for_every_container_name() {
        let workspace = Owner::from(WorkspaceName::parse("shop-").expect("a name"));
        for service in ["nginx", "Nginx", "a..b", "a_b-c.d", "x-", &"y".repeat(200)] {
            let tag = keep_tag(&workspace, service, 7, "1.0.0");
            let image = ImageRef::parse(&tag).expect("a reference");
            assert_eq!(image.to_string(), tag);
        }
    }

    #[test]
    fn different_names_have_different_tags() {
        let workspace = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let names = ["nginx", "Nginx", "NGINX", "nginx-", "nginx.", "n.ginx", "n_ginx"];
        let tags: std::collections::BTreeSet<String> =
            names.iter().map(|name| keep_tag(&workspace, name, 1, "1.0.0")).collect();
        assert_eq!(tags.len(), names.len());
    }

    #[test]
    fn a_tag_says_whose_generation_it_keeps() {
        let workspace = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        for slot in ["api", "api-2", "Web"] {
            let tag = keep_tag(&workspace, slot, 12, "1.2.0-rc.1");
            let kept = kept_for(&workspace, slot, &tag).expect("a tag of ours");
            assert_eq!((kept.generation, kept.version), (12, Some("1.2.0-rc.1")));
            assert_eq!(kept_for(&workspace, "other", &tag), None);
        }
        for tag in ["api:g01", "api-2:g1", "api:g", "api:g-1.0", "api:g1-", "api:latest"] {
            assert_eq!(kept_for(&workspace, "api", &format!("pillarbox.invalid/shop/{tag}")), None, "{tag}");
        }
    }

    #[test]
    fn a_version_that_a_tag_has_no_room_for_is_left_out() {
        let workspace = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        for (version, end) in
            [("x".repeat(128), ":g3"), (String::new(), ":g3"), ("1.0".to_owned(), ":g3-1.0")]
        {
            let tag = keep_tag(&workspace, "api", 3, &version);
            assert!(tag.ends_with(end), "{tag}");
            assert_eq!(kept_for(&workspace, "api", &tag).map(|kept| kept.generation), Some(3));
        }
    }
}
