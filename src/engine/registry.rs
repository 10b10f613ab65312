//! What a registry's answer means for people: which image, which host, which entry of the pillar.

use super::{EngineError, ErrorKind};
use crate::name::{HostName, ImageRef};
use crate::problem::{Problem, quoted};
use crate::registry::Credential;

impl EngineError {
    /// As a problem of pulling or resolving an image; `used` is the credential that was sent.
    pub fn registry_problem(&self, host: &HostName, image: &ImageRef, used: Option<&Credential>) -> Problem {
        let registry = image.name.host();
        let problem = match self.kind {
            ErrorKind::Refused => self.problem(format!(
                "the registry {registry} refused the credential for {image} on host {host}"
            )),
            ErrorKind::CredentialDropped => {
                self.problem(format!("the Engine of host {host} dropped the credential for {image}"))
            }
            ErrorKind::CredentialMissing => self
                .problem(format!(
                    "the registry {registry} wants a credential for {image}, host {host} has none"
                ))
                .hint(format!("pillarbox registry add {} -u USER", quoted(registry.as_str())))
                .hint("its pillar file must be among those of the host: `pillar = [\"registries/*\"]`"),
            ErrorKind::RegistryUnreachable => {
                self.problem(format!("host {host} cannot reach the registry {registry} for {image}"))
            }
            ErrorKind::NoSuchImage => self
                .problem(format!("the registry {registry} has no image {image}"))
                .hint("is the tag pushed?"),
            ErrorKind::Unsupported => self
                .problem(format!("the Engine of host {host} cannot tell which image {image} stands for"))
                .hint(format!("pin it with a digest: {}", quoted(&format!("{}@sha256:…", image.name)))),
            _ => self.problem(format!("getting image {image} failed on host {host}")),
        };
        let Some(used) = used else { return problem };
        let sent = problem.cause(format!("{} was sent, from {}", used.key, used.place));
        match self.kind {
            ErrorKind::Refused | ErrorKind::CredentialDropped => sent
                .at(&used.place)
                .hint(format!("if it changed at the registry: pillarbox seal {}", quoted(&used.key)))
                .hint("see it from every host: pillarbox registry check"),
            _ => sent,
        }
    }
}
