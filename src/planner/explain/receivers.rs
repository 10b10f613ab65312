//! Who gets to see which secret.

use crate::desired::ContainerWish;
use crate::desired::secret_file::FOLDER;
use crate::plan::Receiver;

/// Who gets to see which secret of a container that is created.
pub(super) fn of(desired: &ContainerWish) -> Vec<Receiver> {
    let env = desired.spec.env.iter().map(|(name, text)| (format!("env {name}"), text));
    let files = desired.spec.files.iter().map(|(name, file)| (format!("file {FOLDER}/{name}"), &file.value));
    env.chain(files)
        .flat_map(|(field, text)| text.secrets().map(move |secret| (field.clone(), secret)))
        .map(|(field, secret)| Receiver {
            secret: secret.origin.key.to_string(),
            container: desired.name.to_string(),
            field,
        })
        .collect()
}
