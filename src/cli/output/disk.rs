//! What takes room on the disk of each host.

use crate::observed::{HelperContainer, InstanceRole};
use crate::session::DiskUse;
use indicatif::BinaryBytes;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A host and its disk.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct HostDisk {
    host: String,
    engine: String,
    /// Bytes of all image layers of the host, each counted once.
    layers: u64,
    /// Images on the host, of whomever.
    all_images: usize,
    images: Part,
    containers: Part,
    /// Of the containers: those that run, are kept, and failed.
    running: usize,
    kept: usize,
    failed: usize,
    /// Of one-off commands, whether they run or not.
    one_offs: usize,
    volumes: Part,
    /// What `clean` would remove.
    clean: Part,
    removes: Vec<String>,
}

/// How many of this workspace there are, and their bytes.
#[derive(Debug, Default, Serialize)]
struct Part {
    count: usize,
    bytes: u64,
}

impl Part {
    fn of(sizes: impl IntoIterator<Item = u64>) -> Self {
        sizes.into_iter().fold(Self::default(), |part, bytes| Self {
            count: part.count + 1,
            bytes: part.bytes.saturating_add(bytes),
        })
    }
}

impl HostDisk {
    /// From what was read.
    pub(in crate::cli) fn of(found: &DiskUse) -> Self {
        let DiskUse { host, observed, disk, clean } = found;
        let ours: Vec<_> =
            observed.containers.iter().filter(|one| one.ours.is_some() && !one.impostor).collect();
        let kept = observed.keeps.values().map(|kept| kept.image_id.as_str());
        let ids: BTreeSet<&str> = ours.iter().map(|one| one.image_id.as_str()).chain(kept).collect();
        let own = |id: &str| disk.images.get(id).map_or(0, |image| image.own());
        let written = |id: &str| disk.written.get(id).copied().unwrap_or_default();
        let size = |name: &str| disk.volumes.get(name).copied().unwrap_or_default();
        let volumes = observed.volumes.iter().filter(|one| one.ours.is_some());
        let role = |wanted: InstanceRole| {
            ours.iter().filter(|one| one.role() == wanted && !one.state.running).count()
        };
        let commands = || {
            let all = observed.containers.iter();
            all.filter(|one| matches!(one.helper, Some(HelperContainer::Run { .. })))
        };
        let gone = &clean.removed;
        Self {
            host: host.clone(),
            engine: observed.facts.engine(),
            layers: disk.layers,
            all_images: disk.images.len(),
            images: Part::of(ids.iter().map(|id| own(id))),
            containers: Part::of(ours.iter().copied().chain(commands()).map(|one| written(&one.id))),
            running: ours.iter().filter(|one| one.state.running).count(),
            kept: role(InstanceRole::Kept),
            failed: role(InstanceRole::Attempt),
            one_offs: commands().count(),
            volumes: Part::of(volumes.map(|one| size(&one.name))),
            clean: Part::of(
                gone.containers.iter().map(|id| written(id)).chain(gone.images.iter().map(|id| own(id))),
            ),
            removes: clean.changes.clone(),
        }
    }
}

/// Some lines a host.
pub(in crate::cli) fn text(hosts: &[HostDisk]) -> String {
    let mut out = String::new();
    for one in hosts {
        let size = |bytes: u64| BinaryBytes(bytes).to_string();
        let HostDisk { host, engine, layers, all_images, images, containers, volumes, clean, .. } = one;
        let (running, kept, failed) = (one.running, one.kept, one.failed);
        let commands =
            if one.one_offs == 0 { String::new() } else { format!(", {} one-off commands", one.one_offs) };
        let _ = writeln!(
            out,
            "{host}  {engine}: {all_images} images, {} in layers, each counted once",
            size(*layers)
        );
        let _ = writeln!(
            out,
            "  images      {:>4}  {:>12}  of this workspace, without layers that other images share",
            images.count,
            size(images.bytes)
        );
        let _ = writeln!(
            out,
            "  containers  {:>4}  {:>12}  {running} running, {kept} kept, {failed} failed attempts{commands}",
            containers.count,
            size(containers.bytes)
        );
        let _ = writeln!(
            out,
            "  volumes     {:>4}  {:>12}  of this workspace",
            volumes.count,
            size(volumes.bytes)
        );
        let _ = writeln!(
            out,
            "  clean       {:>4}  {:>12}  would be removed by 'pillarbox clean'",
            clean.count,
            size(clean.bytes)
        );
        for what in &one.removes {
            let _ = writeln!(out, "    - {what}");
        }
    }
    out
}
