//! An Engine's JSON as our types. A field of another type than an Engine gives it is an error, never an empty
//! value: a list that is none must not read as a host without containers. What is left out, or `null`, is empty.

use super::version::{Api, can_update};
use crate::engine::{
    Disk, EngineError, EngineResult, ErrorKind, ImageSize, Inspected, Network, Summary, Tag, Volume,
};
use crate::inspect::Gaps;
use crate::observed::{Facts, Health, HealthCheck, Holds, HostPort, Image, Inspect, Platforms, RunState};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

/// A list may have so many entries: each takes more room here than in the answer.
const MOST: usize = 50_000;

type Labels = BTreeMap<String, String>;

/// `null` as what is left out.
pub(super) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// An object. A list is none: serde would take one for a struct whose fields it has in their order.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(from)).map(Object)
            }
        }
        from.deserialize_map(Fields(PhantomData))
    }
}

/// The fields of an object; `null` as what is left out.
pub(super) fn fields_or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::<Object<T>>::deserialize(from)?.map(|Object(fields)| fields).unwrap_or_default())
}

/// A list with a bounded number of entries; `null` is one without any.
pub(super) struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST} entries")
            }
            fn visit_unit<E>(self) -> Result<List<T>, E> {
                Ok(List(Vec::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<List<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(Object(entry)) = from.next_element()? {
                    if all.len() == MOST {
                        return Err(A::Error::custom("too many entries"));
                    }
                    all.push(entry);
                }
                Ok(List(all))
            }
        }
        from.deserialize_any(Entries(PhantomData))
    }
}

/// A part of an answer that is kept as it came.
fn part<T: DeserializeOwned>(of: &Value, what: &str) -> EngineResult<T> {
    Object::deserialize(of).map(|Object(part)| part).map_err(|_| {
        // Not serde's own words, which quote the answer.
        let words = format!("what it says of {what} is not what an Engine says");
        EngineError::new(ErrorKind::Other, 200, &words)
    })
}

/// The answer of a call that may warn.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Warned {
    /// The id of what was made, where something is.
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) id: String,
    /// `null` where there are none.
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) warnings: Vec<String>,
}

/// `GET /info`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Info {
    #[serde(default, deserialize_with = "or_empty", rename = "ID")]
    id: String,
    #[serde(default, deserialize_with = "or_empty")]
    server_version: String,
    #[serde(default, deserialize_with = "or_empty", rename = "OSType")]
    os: String,
    #[serde(default, deserialize_with = "or_empty")]
    architecture: String,
    #[serde(default, deserialize_with = "or_empty", rename = "NCPU")]
    cpus: i64,
    #[serde(default, deserialize_with = "or_empty")]
    mem_total: i64,
    #[serde(default, deserialize_with = "or_empty")]
    name: String,
    #[serde(default, deserialize_with = "or_empty")]
    labels: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    cgroup_driver: String,
    #[serde(default, deserialize_with = "or_empty")]
    security_options: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    rootless: bool,
}

impl Info {
    /// Whether it runs without root. Docker and newer Podmans say that among the options (5.4.2), older ones in a
    /// field of its own (4.3.1).
    pub(super) fn is_rootless(&self) -> bool {
        let named = |option: &String| option.split(',').any(|part| part == "name=rootless");
        self.rootless || self.security_options.iter().any(named)
    }

    /// `podman` is its version, if it is one.
    pub(super) fn facts(self, api: Api, podman: Option<&str>) -> Facts {
        let split = |label: String| match label.split_once('=') {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => (label, String::new()),
        };
        let rootless = self.is_rootless();
        Facts {
            rootless,
            // Podman makes up another one for each answer.
            engine_id: if podman.is_some() { "podman".to_owned() } else { self.id },
            engine_version: self.server_version,
            api_version: api.to_string(),
            os: self.os,
            arch: architecture(self.architecture),
            cpus: u32::try_from(self.cpus).unwrap_or_default(),
            memory: u64::try_from(self.mem_total).unwrap_or_default(),
            hostname: self.name,
            labels: self.labels.into_iter().map(split).collect(),
            can_update: can_update(podman),
            // It takes systemd for cgroups where that runs, and runs health checks with its timers.
            runs_health_checks: podman.is_none() || self.cgroup_driver == "systemd",
        }
    }
}

/// As images name it. Docker prints what the kernel calls the machine, Podman what Go calls it.
fn architecture(name: String) -> String {
    match name.as_str() {
        "x86_64" => "amd64",
        "aarch64" | "aarch64_be" => "arm64",
        "i386" | "i486" | "i586" | "i686" => "386",
        "loongarch64" => "loong64",
        other if other.starts_with("arm") && other != "arm64" => "arm",
        _ => return name,
    }
    .to_owned()
}

/// One of `GET /containers/json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    id: String,
    #[serde(default, deserialize_with = "or_empty")]
    names: Vec<String>,
    #[serde(default, deserialize_with = "or_empty", rename = "ImageID")]
    image_id: String,
    #[serde(default, deserialize_with = "or_empty")]
    labels: Labels,
    #[serde(default, deserialize_with = "or_empty")]
    state: String,
    #[serde(default, deserialize_with = "fields_or_empty")]
    network_settings: Joined,
    #[serde(default, deserialize_with = "fields_or_empty")]
    host_config: NetworkMode,
    #[serde(default, deserialize_with = "or_empty")]
    mounts: List<Mount>,
    #[serde(default, deserialize_with = "or_empty")]
    ports: List<ListedPort>,
}

/// One of its ports; without a public one it is not published.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedPort {
    #[serde(default, deserialize_with = "or_empty", rename = "IP")]
    ip: String,
    #[serde(default, deserialize_with = "or_empty")]
    public_port: u16,
    #[serde(default, deserialize_with = "or_empty", rename = "Type")]
    protocol: String,
}

impl ListedPort {
    fn held(&self) -> Option<HostPort> {
        HostPort::read(&self.ip, &self.public_port.to_string(), &self.protocol)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Joined {
    #[serde(default, deserialize_with = "or_empty")]
    networks: BTreeMap<String, Option<Object<Endpoint>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    #[serde(default, deserialize_with = "or_empty", rename = "IPAddress")]
    ip: String,
    #[serde(default, deserialize_with = "or_empty", rename = "GlobalIPv6Address")]
    ip6: String,
}

impl Endpoint {
    fn addresses(&self) -> Vec<IpAddr> {
        [&self.ip, &self.ip6].into_iter().filter_map(|text| text.parse().ok()).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkMode {
    #[serde(default, deserialize_with = "or_empty")]
    network_mode: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mount {
    #[serde(default, deserialize_with = "or_empty", rename = "Type")]
    kind: String,
    #[serde(default, deserialize_with = "or_empty")]
    name: String,
}

/// `GET /containers/json`.
pub(super) fn summaries(List(all): List<Listed>) -> Vec<Summary> {
    all.into_iter().map(Listed::summary).collect()
}

impl Listed {
    fn summary(self) -> Summary {
        // A container also goes by the names that others link it by, `/other/alias`.
        let mut names = self.names.iter().map(|name| name.strip_prefix('/').unwrap_or(name));
        let name = names.find(|name| !name.contains('/')).unwrap_or_default().to_owned();
        let volumes =
            self.mounts.0.into_iter().filter(|mount| mount.kind == "volume").map(|mount| mount.name);
        let mut addresses = BTreeMap::new();
        for (network, endpoint) in &self.network_settings.networks {
            let all = endpoint.as_ref().map(|one| one.0.addresses()).unwrap_or_default();
            if !all.is_empty() {
                addresses.insert(network.clone(), all);
            }
        }
        let holds = Holds { ports: self.ports.0.iter().filter_map(ListedPort::held).collect(), addresses };
        Summary {
            holds,
            id: self.id,
            name,
            image_id: self.image_id,
            labels: self.labels,
            status: self.state,
            networks: self.network_settings.networks.into_keys().collect(),
            network_mode: self.host_config.network_mode,
            volumes: volumes.filter(|name| !name.is_empty()).collect::<BTreeSet<_>>(),
        }
    }
}

/// What is read of a network; the rest is kept as it came.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkHead {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "or_empty")]
    labels: Labels,
    #[serde(default, deserialize_with = "or_empty")]
    created: String,
}

/// One of `GET /networks`, and `GET /networks/{id}`.
pub(super) fn network(answer: Value) -> EngineResult<Network> {
    let head: NetworkHead = part(&answer, "a network")?;
    Ok(Network {
        id: head.id,
        name: head.name,
        labels: head.labels,
        created_at: head.created,
        inspect: Inspect::new(answer),
    })
}

/// `GET /networks`.
pub(super) fn networks(List(all): List<Value>) -> EngineResult<Vec<Network>> {
    all.into_iter().map(network).collect()
}

/// What is read of a container; the rest is kept as it came, and has the form that is looked for later.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerHead {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "or_empty")]
    image: String,
    #[serde(default, deserialize_with = "fields_or_empty")]
    config: ContainerConfig,
    state: Object<State>,
    #[serde(default, deserialize_with = "or_empty")]
    restart_count: i64,
    #[serde(default, deserialize_with = "or_empty")]
    created: String,
    #[serde(default, rename = "HostConfig")]
    _host_config: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(default, deserialize_with = "fields_or_empty", rename = "NetworkSettings")]
    _network_settings: Joined,
    #[serde(default, deserialize_with = "or_empty", rename = "Mounts")]
    _mounts: List<Mount>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerConfig {
    #[serde(default, deserialize_with = "or_empty")]
    labels: Labels,
    #[serde(default, deserialize_with = "or_empty", rename = "Env")]
    _env: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    #[serde(default, deserialize_with = "or_empty")]
    status: String,
    #[serde(default, deserialize_with = "or_empty")]
    running: bool,
    #[serde(default, deserialize_with = "or_empty")]
    restarting: bool,
    #[serde(default, deserialize_with = "or_empty")]
    started_at: String,
    #[serde(default, deserialize_with = "or_empty")]
    finished_at: String,
    #[serde(default, deserialize_with = "or_empty")]
    exit_code: i64,
    #[serde(default, deserialize_with = "or_empty")]
    error: String,
    #[serde(default, deserialize_with = "fields_or_empty")]
    health: HealthState,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthState {
    #[serde(default, deserialize_with = "or_empty")]
    status: String,
}

/// `GET /containers/{id}/json`.
pub(super) fn inspected(answer: Value, gaps: Gaps) -> EngineResult<Inspected> {
    let head: ContainerHead = part(&answer, "a container")?;
    Ok(Inspected {
        id: head.id,
        name: head.name.strip_prefix('/').unwrap_or(&head.name).to_owned(),
        image_id: head.image,
        labels: head.config.labels,
        state: run_state(head.state.0, head.restart_count, head.created),
        inspect: Inspect::with_gaps(answer, gaps),
    })
}

fn run_state(state: State, restart_count: i64, created_at: String) -> RunState {
    let health = match state.health.status.as_str() {
        "starting" => Some(Health::Starting),
        "healthy" => Some(Health::Healthy),
        "unhealthy" => Some(Health::Unhealthy),
        // `none`, or empty with Podman: it has no health check.
        _ => None,
    };
    RunState {
        status: state.status,
        running: state.running,
        restarting: state.restarting,
        restart_count,
        started_at: state.started_at,
        finished_at: state.finished_at,
        created_at,
        exit_code: state.exit_code,
        error: state.error,
        health,
    }
}

/// `GET /exec/{id}/json`; no code while it runs.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Execution {
    #[serde(default)]
    pub(super) exit_code: Option<i64>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) running: bool,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) pid: i64,
}

/// `POST /containers/{id}/wait`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Ended {
    pub(super) status_code: i64,
}

/// `GET /images/{name}/json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ImageInspect {
    id: String,
    #[serde(default, deserialize_with = "or_empty")]
    repo_digests: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "fields_or_empty")]
    config: ImageConfig,
    #[serde(default, deserialize_with = "or_empty")]
    os: String,
    #[serde(default, deserialize_with = "or_empty")]
    architecture: String,
    #[serde(default, deserialize_with = "or_empty")]
    variant: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageConfig {
    #[serde(default, deserialize_with = "or_empty")]
    labels: Labels,
    #[serde(default)]
    healthcheck: Value,
    #[serde(default, deserialize_with = "or_empty")]
    volumes: BTreeMap<String, IgnoredAny>,
}

impl ImageInspect {
    pub(super) fn image(self) -> Image {
        let platform = platform(&self);
        Image {
            id: self.id,
            repo_digests: self.repo_digests,
            labels: self.config.labels,
            repo_tags: self.repo_tags,
            volumes: self.config.volumes.into_keys().collect(),
            health_check: HealthCheck::read(&self.config.healthcheck, None),
            platform,
        }
    }
}

/// `linux/arm/v7`; images that were imported may say nothing of it.
fn platform(image: &ImageInspect) -> Option<String> {
    if image.os.is_empty() || image.architecture.is_empty() {
        return None;
    }
    let variant = if image.variant.is_empty() { String::new() } else { format!("/{}", image.variant) };
    Some(format!("{}/{}{variant}", image.os, image.architecture))
}

/// `GET /distribution/{name}/json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Distribution {
    descriptor: Object<Descriptor>,
    #[serde(default, deserialize_with = "or_empty")]
    platforms: List<ImagePlatform>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

#[derive(Deserialize)]
struct ImagePlatform {
    #[serde(default, deserialize_with = "or_empty")]
    os: String,
    #[serde(default, deserialize_with = "or_empty")]
    architecture: String,
    #[serde(default, deserialize_with = "or_empty")]
    variant: String,
}

impl Distribution {
    /// The digest, and for which platforms it is.
    pub(super) fn read(self) -> (String, Platforms) {
        let named = self.platforms.0.iter().map(|one| match one.variant.as_str() {
            "" => format!("{}/{}", one.os, one.architecture),
            variant => format!("{}/{}/{variant}", one.os, one.architecture),
        });
        (self.descriptor.0.digest, Platforms::new(named))
    }
}

/// One of `GET /images/json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedImage {
    id: String,
    #[serde(default, deserialize_with = "or_empty")]
    repo_tags: Vec<String>,
}

/// `GET /images/json`; an Engine that takes the filter in its own way may answer more than was asked for.
pub(super) fn tags(List(images): List<ListedImage>, folder: &str) -> Vec<Tag> {
    let below = |name: &String| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let named = images.into_iter().flat_map(|image| {
        let id = image.id;
        image.repo_tags.into_iter().filter(below).map(move |name| Tag { name, image_id: id.clone() })
    });
    named.collect()
}

/// `GET /system/df`. A size that is not known is -1.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DiskUsage {
    #[serde(default, deserialize_with = "or_empty")]
    layers_size: i64,
    #[serde(default, deserialize_with = "or_empty")]
    images: List<ImageUsage>,
    #[serde(default, deserialize_with = "or_empty")]
    containers: List<ContainerUsage>,
    #[serde(default, deserialize_with = "or_empty")]
    volumes: List<VolumeUsage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageUsage {
    id: String,
    #[serde(default, deserialize_with = "or_empty")]
    size: i64,
    #[serde(default)]
    shared_size: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerUsage {
    id: String,
    #[serde(default, deserialize_with = "or_empty")]
    size_rw: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VolumeUsage {
    name: String,
    #[serde(default, deserialize_with = "fields_or_empty")]
    usage_data: VolumeSize,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VolumeSize {
    #[serde(default, deserialize_with = "or_empty")]
    size: i64,
}

impl DiskUsage {
    pub(super) fn disk(self) -> Disk {
        let bytes = |size: i64| u64::try_from(size).unwrap_or_default();
        let image = |image: ImageUsage| {
            let shared = image.shared_size.and_then(|size| u64::try_from(size).ok());
            (image.id, ImageSize { all: bytes(image.size), shared })
        };
        Disk {
            layers: bytes(self.layers_size),
            images: self.images.0.into_iter().map(image).collect(),
            written: self.containers.0.into_iter().map(|one| (one.id, bytes(one.size_rw))).collect(),
            volumes: self.volumes.0.into_iter().map(|one| (one.name, bytes(one.usage_data.size))).collect(),
        }
    }
}

/// `GET /volumes`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Volumes {
    volumes: List<Value>,
}

impl Volumes {
    pub(super) fn read(self) -> EngineResult<Vec<Volume>> {
        self.volumes.0.into_iter().map(volume).collect()
    }
}

/// What is read of a volume; the rest is kept as it came.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VolumeHead {
    name: String,
    #[serde(default, deserialize_with = "or_empty")]
    labels: Labels,
    #[serde(default, deserialize_with = "or_empty")]
    created_at: String,
}

/// `POST /volumes/create`, and each of `GET /volumes`.
pub(super) fn volume(answer: Value) -> EngineResult<Volume> {
    let head: VolumeHead = part(&answer, "a volume")?;
    let Ok(created) = head.created_at.parse::<jiff::Timestamp>() else {
        return Err(EngineError::new(ErrorKind::Other, 200, "it does not say when a volume was created"));
    };
    Ok(Volume {
        name: head.name,
        labels: head.labels,
        created_at: created.as_second(),
        inspect: Inspect::new(answer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_no_object() {
        assert!(serde_json::from_str::<Object<Info>>("{}").is_ok());
        assert!(serde_json::from_str::<Object<Info>>("[]").is_err());
        assert!(network(json!(["1", "a", {}, ""])).is_err());
    }

    fn read<T: DeserializeOwned>(answer: Value) -> T {
        serde_json::from_value(answer).expect("an Engine's")
    }

    #[test]
    fn an_engine_without_root_says_so_among_its_options_or_in_a_field() {
        for (answer, rootless) in [
            (json!({ "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"] }), true),
            (json!({ "SecurityOptions": ["name=seccomp,profile=default"], "Rootless": true }), true),
            (json!({ "SecurityOptions": ["name=seccomp,profile=default"], "Rootless": false }), false),
            (json!({ "SecurityOptions": null }), false),
        ] {
            assert_eq!(read::<Info>(answer.clone()).is_rootless(), rootless, "{answer}");
        }
    }

    #[test]
    fn platforms_are_named_as_people_name_them() {
        let answer = |platforms| json!({ "Descriptor": { "digest": "sha256:0" }, "Platforms": platforms });
        let list = json!([
            { "architecture": "amd64", "os": "linux" },
            { "architecture": "arm", "os": "linux", "variant": "v7" },
            { "architecture": "unknown", "os": "unknown" },
        ]);
        let (digest, platforms) = read::<Distribution>(answer(list)).read();
        assert_eq!(
            (digest.as_str(), platforms.to_string().as_str()),
            ("sha256:0", "linux/amd64, linux/arm/v7")
        );
        assert_eq!(read::<Distribution>(answer(Value::Null)).read().1, Platforms::default());
    }

    #[test]
    fn a_linked_container_keeps_its_own_name() {
        let answer = json!([{ "Id": "1", "Names": ["/web/db", "/db"], "Labels": null }]);
        assert_eq!(summaries(read(answer))[0].name, "db");
    }

    #[test]
    fn volumes_say_when_they_were_made_whatever_the_time_zone() {
        for at in ["2026-11-23T05:33:46Z", "2026-11-23T06:33:46.123+01:00"] {
            let volume = volume(json!({ "Name": "v", "CreatedAt": at, "Labels": { "a": "b" } }));
            assert_eq!(volume.expect("a volume").created_at, 1_795_412_026, "{at}");
        }
        assert!(super::volume(json!({ "Name": "v" })).is_err());
    }

    #[test]
    fn a_health_check_that_is_switched_off_is_none() {
        let with = |test| {
            let answer = json!({ "Id": "i", "Config": { "Healthcheck": { "Test": test } } });
            read::<ImageInspect>(answer).image().health_check.is_some()
        };
        assert!(with(json!(["CMD", "true"])));
        assert!(!with(json!(["NONE"])));
        assert!(!with(json!(null)));
    }

    #[test]
    fn what_is_left_out_or_null_is_empty_and_what_has_another_type_is_an_error() {
        let listed = |text: &str| serde_json::from_str::<List<Listed>>(text).map(summaries);
        assert!(listed("null").expect("an empty list").is_empty());
        assert_eq!(listed(r#"[{"Id":"1","Labels":null}]"#).expect("one").len(), 1);
        for text in [
            r#"{"a":[1]}"#,
            r#"[1]"#,
            r#"[{}]"#,
            r#"[{"Id":1}]"#,
            r#"[{"Id":"1","Labels":["a"]}]"#,
            r#"[{"Id":"1","Labels":{"a":1}}]"#,
            r#"[{"Id":"1","Id":"2"}]"#,
            r#"[{"Id":"1","NetworkSettings":{"Networks":[]}}]"#,
            r#"[{"Id":"1","NetworkSettings":[]}]"#,
            r#"[["1"]]"#,
        ] {
            assert!(listed(text).is_err(), "{text}");
        }
        let container = json!({ "Id": "1", "Name": "/web", "State": { "Running": true } });
        assert!(inspected(container.clone(), Gaps::default()).is_ok());
        for (field, value) in [("/State", json!(null)), ("/State/Running", json!("yes")), ("/Name", json!(1))]
        {
            let mut other = container.clone();
            *other.pointer_mut(field).expect("a field") = value;
            assert!(inspected(other, Gaps::default()).is_err(), "{field}");
        }
        let many = format!("[{}]", vec![r#"{"Id":""}"#; MOST + 1].join(","));
        assert!(listed(&many).is_err());
    }
}
