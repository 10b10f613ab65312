//! Which networks and volumes a container uses by name.

use super::DesiredContainer;
use crate::name::ImageRef;
use serde_json::Value;
use std::collections::BTreeSet;

impl DesiredContainer {
    /// Networks that it joins by name.
    pub fn network_names(&self) -> BTreeSet<String> {
        self.spec.networks().into_keys().collect()
    }

    /// Volumes that it mounts by name.
    pub fn volume_names(&self) -> BTreeSet<String> {
        let body = self.spec.create_body();
        let host = &body["HostConfig"];
        let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let binds = binds.filter_map(|bind| bind.split_once(':').map(|(source, _)| source));
        let mounts = host["Mounts"].as_array().into_iter().flatten();
        let mounts = mounts.filter(|mount| mount["Type"] == "volume");
        let mounts = mounts.filter_map(|mount| mount["Source"].as_str());
        let named = binds.chain(mounts).filter(|source| !source.is_empty() && !source.starts_with('/'));
        named.map(str::to_owned).collect()
    }

    /// Images that it mounts and that registries have; an id names one of the host.
    pub fn mounted_images(&self) -> Vec<ImageRef> {
        let body = self.spec.create_body();
        let mounts = body["HostConfig"]["Mounts"].as_array().into_iter().flatten();
        let sources =
            mounts.filter(|mount| mount["Type"] == "image").filter_map(|one| one["Source"].as_str());
        let sources = sources.filter(|source| !source.starts_with("sha256:"));
        sources.filter_map(|source| ImageRef::parse(source).ok()).collect()
    }
}
