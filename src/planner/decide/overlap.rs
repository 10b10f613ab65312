//! Whether two containers of one desired can run beside each other.

use super::choice::Choice;
use super::data::Data;
use crate::desired::{DesiredContainer, Order, Replica};
use crate::observed::Container;
use crate::problem::escaped;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why the old container of a service has to stop before the new one starts, although it is declared
/// start-first; `None` where it need not, or is not declared so.
pub(in crate::planner) fn obstacle(desired: &DesiredContainer) -> Option<String> {
    let replica = desired.replica.as_ref().filter(|replica| replica.order == Order::StartFirst)?;
    found(replica, &desired.spec.create_body()["HostConfig"], &desired.spec.networks())
}

/// The same for a container that is there, and was made from another declaration.
pub(in crate::planner) fn obstacle_of(
    desired: &DesiredContainer,
    networks: &BTreeMap<String, Value>,
    container: &Container,
) -> Option<String> {
    let replica = desired.replica.as_ref().filter(|replica| replica.order == Order::StartFirst)?;
    found(replica, container.inspect.compare("/HostConfig").unwrap_or(&Value::Null), networks)
}

/// The same for the data in its anonymous volumes.
pub(in crate::planner) fn data(
    desired: &DesiredContainer,
    choice: &Choice<'_>,
    running: &[&Container],
    data: &Data<'_>,
) -> Option<String> {
    let replica = desired.replica.as_ref().filter(|replica| replica.order == Order::StartFirst)?;
    let path = data.in_common(choice, running, |path| replica.shared.contains(path))?;
    Some(format!("the data in the anonymous volume at {}, which is not `shared`", escaped(&path)))
}

fn found(replica: &Replica, host: &Value, networks: &BTreeMap<String, Value>) -> Option<String> {
    port(&host["PortBindings"])
        .or_else(|| mode(&host["NetworkMode"]))
        .or_else(|| address(networks))
        .or_else(|| namespace(host))
        .or_else(|| device(host))
        .or_else(|| volume(host, |path| replica.shared.contains(path.trim_end_matches('/'))))
        .or_else(|| volumes_from(host))
}

fn port(bindings: &Value) -> Option<String> {
    bindings.as_object()?.values().flat_map(|bound| bound.as_array().into_iter().flatten()).find_map(|one| {
        let number = one["HostPort"]
            .as_str()
            .filter(|number| !number.is_empty() && *number != "0" && !number.contains('-'))?;
        Some(format!("port {number} of the host"))
    })
}

fn mode(mode: &Value) -> Option<String> {
    let mode = mode.as_str()?;
    (mode == "host" || mode.starts_with("container:")).then(|| format!("network mode {mode}"))
}

fn address(networks: &BTreeMap<String, Value>) -> Option<String> {
    networks.iter().find_map(|(network, endpoint)| {
        let fields = [
            &endpoint["IPAMConfig"]["IPv4Address"],
            &endpoint["IPAMConfig"]["IPv6Address"],
            &endpoint["MacAddress"],
        ];
        let fixed = fields.into_iter().find_map(Value::as_str)?;
        Some(format!("address {fixed} in network {network}"))
    })
}

/// Another container's: two of one kind in it would see, and could disturb, each other.
fn namespace(host: &Value) -> Option<String> {
    let of = |field: &str| host[field].as_str().filter(|mode| mode.starts_with("container:"));
    [("IpcMode", "ipc"), ("PidMode", "pid")]
        .into_iter()
        .find_map(|(field, option)| Some(format!("{option} {}", of(field)?)))
}

fn volumes_from(host: &Value) -> Option<String> {
    let from = host["VolumesFrom"].as_array()?.iter().filter_map(Value::as_str);
    let mut writable = from.filter(|from| !from.ends_with(":ro"));
    writable.next().map(|name| format!("the writable volumes of {name}"))
}

fn device(host: &Value) -> Option<String> {
    let any = |field: &str| host[field].as_array().is_some_and(|list| !list.is_empty());
    (any("Devices") || any("DeviceRequests")).then(|| "a device".to_owned())
}

/// The first writable volume that two containers may not have at the same time.
fn volume(host: &Value, shared: impl Fn(&str) -> bool) -> Option<String> {
    let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let binds = binds.filter_map(|bind| {
        let mut parts = bind.split(':').skip(1);
        let (path, options) = (parts.next()?, parts.next().unwrap_or_default());
        (!options.split(',').any(|option| option == "ro")).then_some(path)
    });
    let mounts = host["Mounts"].as_array().into_iter().flatten().filter(|mount| {
        matches!(mount["Type"].as_str(), Some("volume" | "bind"))
            && mount["ReadOnly"] != Value::Bool(true)
            && mount["Source"].as_str().is_some_and(|source| !source.is_empty())
    });
    let paths = binds.chain(mounts.filter_map(|mount| mount["Target"].as_str()));
    paths
        .into_iter()
        .find(|path| !shared(path))
        .map(|path| format!("the writable volume {path}, which is not `shared`"))
}
