//! A Secret of type `kubernetes.io/dockerconfigjson`
//! (kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry).

use crate::problem::{Problem, Result, escaped};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The longest name of an object, and of a namespace, in bytes (RFC 1123).
const LONGEST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// What a Secret is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// `None`: that of the one who applies it.
    pub namespace: Option<String>,
}

impl Manifest {
    /// The manifest around a configuration of docker. Every text in it is one that YAML reads as it is: names are
    /// quoted, because `1` or `no` would be none.
    pub(super) fn text(&self, config: &Secret) -> Secret {
        let data = Zeroizing::new(STANDARD.encode(config.reveal()));
        let namespace = self.namespace.as_ref();
        let namespace = namespace.map(|name| format!("  namespace: \"{name}\"\n")).unwrap_or_default();
        Secret::from(format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{}\"\n{namespace}\
             type: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {}\n",
            self.name,
            data.as_str(),
        ))
    }
}

/// Checks the name of a Secret: parts with dots between them.
///
/// # Errors
/// Where Kubernetes would refuse it.
pub fn check_name(name: &str) -> Result<()> {
    let fine = name.len() <= LONGEST && name.split('.').all(is_label);
    if fine { Ok(()) } else { Err(wrong("the name of a Secret", name)) }
}

/// Checks the name of a namespace.
///
/// # Errors
/// Where Kubernetes would refuse it.
pub fn check_namespace(name: &str) -> Result<()> {
    let fine = name.len() <= LONGEST_LABEL && is_label(name);
    if fine { Ok(()) } else { Err(wrong("a namespace", name)) }
}

fn is_label(part: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !part.is_empty() && !part.starts_with('-') && !part.ends_with('-') && part.bytes().all(inside)
}

fn wrong(what: &str, name: &str) -> crate::problem::Problems {
    Problem::usage(format!("`{}` cannot be {what}", escaped(name)))
        .cause("Kubernetes takes lower-case letters, digits and `-` (RFC 1123)")
        .into()
}
