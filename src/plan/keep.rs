//! Names of the tags that keep our images from being pruned.

use super::KEEP;
use crate::name::Owner;
use sha2::{Digest as _, Sha256};

/// The part of the names that all tags of a workspace begin with: `pillarbox.invalid/<workspace>`, for
/// one that always had an id `pillarbox.invalid/<workspace>.<id>`.
pub fn keep_folder(owner: &Owner) -> String {
    format!("{KEEP}/{}", part(&owner.scope()))
}

/// The tag that keeps the image of an instance: `pillarbox.invalid/<workspace>/<service>:g<generation>`.
/// Names that are no part of an image path (`Web`, `a..b`) are replaced by a hash of them.
pub fn keep_tag(owner: &Owner, service: &str, generation: u64) -> String {
    format!("{}:g{generation}", keep_repository(owner, service))
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

/// The repository of a tag that keeps an image, and the generation; `None` where it is no such tag.
pub fn kept_by(tag: &str) -> Option<(&str, u64)> {
    let (repository, number) = tag.rsplit_once(":g")?;
    let generation: u64 = number.parse().ok()?;
    (generation.to_string() == number).then_some((repository, generation))
}

/// The generation in a tag that keeps an image for this slot; `None` where it is another's.
pub fn kept_generation(owner: &Owner, slot: &str, tag: &str) -> Option<u64> {
    let (repository, generation) = kept_by(tag)?;
    (repository == keep_repository(owner, slot)).then_some(generation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{ImageRef, WorkspaceName};
    use crate::plan::Action;

    #[test]
    fn tags_that_keep_images_are_references_for_every_container_name() {
        let workspace = Owner::from(WorkspaceName::parse("shop-").expect("a name"));
        for service in ["nginx", "Nginx", "a..b", "a_b-c.d", "x-", &"y".repeat(200)] {
            let tag = keep_tag(&workspace, service, 7);
            let image = ImageRef::parse(&tag).expect("a reference");
            assert_eq!(image.to_string(), tag);
            assert!(Action::Tag { source: String::new(), name: tag }.prepares());
        }
    }

    #[test]
    fn different_names_have_different_tags() {
        let workspace = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let names = ["nginx", "Nginx", "NGINX", "nginx-", "nginx.", "n.ginx", "n_ginx"];
        let tags: std::collections::BTreeSet<String> =
            names.iter().map(|name| keep_tag(&workspace, name, 1)).collect();
        assert_eq!(tags.len(), names.len());
    }

    #[test]
    fn a_tag_says_whose_generation_it_keeps() {
        let workspace = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        for slot in ["api", "api-2", "Web"] {
            let tag = keep_tag(&workspace, slot, 12);
            assert_eq!(kept_generation(&workspace, slot, &tag), Some(12));
            assert_eq!(kept_generation(&workspace, "other", &tag), None);
        }
        assert_eq!(kept_generation(&workspace, "api", "pillarbox.invalid/shop/api:g01"), None);
        assert_eq!(kept_generation(&workspace, "api", "pillarbox.invalid/shop/api-2:g1"), None);
    }
}
