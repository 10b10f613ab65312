//! Files that cannot be at their path, or cannot be rewritten there.

use crate::desired::container_file::{FOLDER as OURS, LARGEST_ALL, lies_in};
use crate::desired::fields::{self, Canonical, Field, Fields};
use crate::desired::secret_file::FOLDER as OF_SECRETS;
use crate::desired::{ContainerFile, OnChange, Spec, Store};
use crate::problem::{Problem, escaped};
use std::collections::BTreeMap;

/// Reports files that are not compatible with the rest. `ends`: the container is never started again.
pub(super) fn check(declared: &Fields, ends: bool, problems: &mut Vec<Problem>) {
    let files = declared.iter().filter_map(|(name, field)| match &field.canonical {
        Canonical::File(file) => Some((name.strip_prefix("files.")?, (field, file))),
        _ => None,
    });
    let files: BTreeMap<&str, (&Field, &ContainerFile)> = files.collect();
    let Some((first, _)) = files.first_key_value() else { return };
    let spec = fields::spec(declared);
    for (path, (field, file)) in &files {
        let shown = escaped(path);
        let mut wrong = |what: String, cause: &str, hint: &str| {
            let problem = Problem::failed(what).at(&field.place);
            let problem = if cause.is_empty() { problem } else { problem.cause(cause) };
            problems.push(problem.hint(hint));
        };
        if let Some(option) = mounted_at(&spec, path) {
            wrong(
                format!("`{option}` and `files` both have something at {shown}"),
                "",
                "leave one of them out",
            );
        }
        let of_secrets = !spec.secrets.is_empty() && lies_in(path, OF_SECRETS);
        if of_secrets || lies_in(path, OURS) {
            let what = format!("the file {shown} lies where the volume of `secrets` and `files` is mounted");
            wrong(what, "", "give it another path");
        }
        if let Some((above, _)) = files.iter().find(|(above, _)| lies_in(path, above)) {
            let what = format!("{} is a file and the folder of {shown}", escaped(above));
            wrong(what, "", "give one of them another path");
        }
        match &file.on_change {
            OnChange::Replace => {}
            _ if ends => wrong(
                format!("`on_change` of {shown} is \"{}\" in a task", file.on_change),
                "a task runs again when a file of it changes, in a new container",
                "leave `on_change` out",
            ),
            OnChange::Signal(_) if spec.is_mounted(path) => wrong(
                format!("{shown} cannot be rewritten while its container runs"),
                why_mounted(&spec, path),
                "write on_change = \"restart\", or leave it out to replace the container",
            ),
            OnChange::Signal(_) | OnChange::Restart => {}
        }
        if spec.store() == Some(Store::Memory) && spec.is_mounted(path) {
            wrong(
                format!("{shown} cannot be mounted beside secrets with store = \"memory\""),
                why_mounted(&spec, path),
                "leave `store` out",
            );
        }
    }
    let total: usize = files.values().filter_map(|(_, file)| file.clear()).map(|clear| clear.len()).sum();
    if total > LARGEST_ALL {
        let what =
            format!("the files of one container are {total} bytes long, and may have {LARGEST_ALL} together");
        let place = files.get(first).map(|(field, _)| field.place.clone());
        let mut problem = Problem::failed(what).hint("put larger data into the image or a volume");
        problem.place = place;
        problems.push(problem);
    }
}

/// The option that mounts something at the very path.
fn mounted_at(spec: &Spec, path: &str) -> Option<&'static str> {
    let options = ["volumes", "mounts", "tmpfs"];
    options.into_iter().find(|option| {
        spec.fixed
            .get(*option)
            .and_then(|value| value.as_object())
            .is_some_and(|places| places.contains_key(path))
    })
}

/// Why a file is mounted.
fn why_mounted(spec: &Spec, path: &str) -> &'static str {
    if spec.files.get(path).is_some_and(|file| file.sealed().is_some()) {
        "it holds a secret, so that it is mounted out of a volume, of which a running container sees no new file"
    } else if spec.fixed.get("read_only").is_some_and(|value| value == true) {
        "its root is read-only, so that the file is mounted, and a running container sees no new one"
    } else {
        "something is mounted over its folder, so that the file is mounted too, and a running container sees no new one"
    }
}
