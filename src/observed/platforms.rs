//! For which systems and processors an image is made.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `linux/arm64`, `linux/arm/v7`, … as a registry's list of manifests has them; empty where it is not known:
/// an Engine names none for one manifest of OCI alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Platforms(Vec<String>);

impl Platforms {
    /// From `os/architecture[/variant]`; `unknown/unknown` is an attestation (BuildKit) and left out.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let known = |name: &String| name.split('/').all(|part| !part.is_empty() && part != "unknown");
        Self(names.into_iter().filter(known).collect())
    }

    /// Whether a host can run one of them. What is not known can be run; variants are the Engine's to judge.
    pub fn fit(&self, os: &str, arch: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|platform| runs(os, arch, platform))
    }
}

/// Whether a processor runs programs of a platform: its own and those of its predecessors.
fn runs(os: &str, arch: &str, platform: &str) -> bool {
    let mut parts = platform.split('/');
    let (its_os, its_arch) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let before = matches!((arch, its_arch), ("amd64", "386") | ("arm64", "arm") | ("s390x", "s390"));
    os.is_empty() || arch.is_empty() || (os == its_os && (arch == its_arch || before))
}

impl fmt::Display for Platforms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_takes_its_own_platform_a_predecessor_s_and_what_is_not_known() {
        let fit = |names: &[&str], arch: &str| {
            Platforms::new(names.iter().map(|name| (*name).to_owned())).fit("linux", arch)
        };
        assert!(fit(&["linux/amd64", "linux/arm64/v8"], "arm64"));
        assert!(fit(&["linux/arm/v6", "linux/arm/v7"], "arm"));
        assert!(fit(&["linux/arm/v7"], "arm64") && fit(&["linux/386"], "amd64"));
        assert!(fit(&[], "amd64") && fit(&["unknown/unknown"], "amd64") && fit(&["linux/arm64"], ""));
        assert!(!fit(&["linux/arm64", "unknown/unknown"], "amd64"));
        assert!(!fit(&["windows/amd64"], "amd64"));
    }
}
