//! Which field receives which secret.

use crate::desired::DesiredContainer;
use crate::desired::secret_file::FOLDER;
use crate::plan::Receiver;

/// Which field of a container that is created receives which secret.
pub(super) fn of(desired: &DesiredContainer) -> Vec<Receiver> {
    let env = desired.spec.env.iter().map(|(name, text)| (format!("env {name}"), text));
    let secrets =
        desired.spec.secrets.iter().map(|(name, file)| (format!("file {FOLDER}/{name}"), &file.value));
    let files = desired.spec.files.iter();
    let files = files.filter_map(|(path, file)| Some((format!("file {path}"), file.sealed()?)));
    env.chain(secrets)
        .chain(files)
        .flat_map(|(field, text)| text.secrets().map(move |secret| (field.clone(), secret)))
        .map(|(field, secret)| Receiver {
            secret: secret.origin.key.to_string(),
            container: desired.name.to_string(),
            field,
        })
        .collect()
}
