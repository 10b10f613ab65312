//! The options of a container, one table: adding one is adding an entry here (and, where it is more
//! than a plain field, a file beside).
//!
//! An option is read from an argument into its canonical form, which alone enters fingerprints, and
//! written from there into the Engine's create body (Docker API 1.41 to 1.51).

mod capabilities;
mod commands;
mod health;
mod labels;
mod limits;
mod logs;
mod mounts;
mod network;
mod ports;
mod restart;
mod signal;
mod simple;

pub(crate) use limits::{FIELD as LIMITS, swap};
pub(crate) use network::{differing as differing_networks, endpoints};
pub(crate) use restart::policy;

use super::compare;
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::Arg;
use serde_json::{Map, Value, json};

/// One option.
pub(crate) struct ContainerOption {
    /// Its name, also of its field in a spec.
    pub(crate) name: &'static str,
    /// Other names that are understood: of Compose, Salt, docker run.
    pub(crate) aliases: &'static [&'static str],
    /// Whether it can be changed in place.
    pub(crate) kind: Kind,
    /// From an argument that is not None to its canonical form, with the name for errors;
    /// `Value::Null`: as if it had not been written.
    pub(crate) read: fn(&str, &Arg) -> Result<Value>,
    /// Where it stands in the Engine's API.
    pub(crate) api: Api,
}

/// What a changed option means for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Fixed when it is created: replaces it.
    Fixed,
    /// Fixed, and each of its parts is a field of its own (`labels.team`).
    FixedParts,
    /// Changed in place. That it is declared at all is fixed: the Engine reads "no limit" as "leave".
    Limit,
    /// Changed in place and always declared: what is not written has the Engine's own default.
    Live,
    /// Written at creation, and a difference changes nothing by itself.
    Aside,
}

/// Where an option stands in `GET /containers/{id}/json`; the create body has the same fields, those
/// of `Config` at its top.
pub(crate) enum Api {
    /// The canonical value stands there as it is.
    Field(&'static str),
    /// Its own shape.
    Own {
        /// Puts the canonical value into a create body.
        write: fn(&Value, &mut Body),
        /// Whether a container differs from the canonical value.
        differs: fn(&Value, &Inspect) -> bool,
    },
}

impl ContainerOption {
    /// Puts a canonical value into a create body.
    pub(crate) fn write(&self, canonical: &Value, body: &mut Body) {
        match self.api {
            Api::Field(pointer) => body.set(pointer, canonical.clone()),
            Api::Own { write, .. } => write(canonical, body),
        }
    }

    /// Whether a container differs from a canonical value.
    pub(crate) fn differs(&self, canonical: &Value, inspect: &Inspect) -> bool {
        match self.api {
            Api::Field(pointer) => !compare::same(canonical, inspect.compare(pointer)),
            Api::Own { differs, .. } => differs(canonical, inspect),
        }
    }
}

/// A create body while it is put together.
#[derive(Default)]
pub(crate) struct Body(Map<String, Value>);

impl Body {
    /// Sets `/Config/User` or `/HostConfig/Memory`.
    pub(crate) fn set(&mut self, pointer: &str, value: Value) {
        match pointer.trim_start_matches('/').split_once('/') {
            Some(("Config", field)) => drop(self.0.insert(field.to_owned(), value)),
            Some((part, fields)) => {
                let mut part = self.0.entry(part).or_insert_with(|| json!({}));
                for field in fields.split('/') {
                    part = &mut part[field];
                }
                *part = value;
            }
            None => {}
        }
    }

    /// The whole body.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

const fn field(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    read: fn(&str, &Arg) -> Result<Value>,
    pointer: &'static str,
) -> ContainerOption {
    ContainerOption { name, aliases, kind, read, api: Api::Field(pointer) }
}

const fn own(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    read: fn(&str, &Arg) -> Result<Value>,
    write: fn(&Value, &mut Body),
    differs: fn(&Value, &Inspect) -> bool,
) -> ContainerOption {
    ContainerOption { name, aliases, kind, read, api: Api::Own { write, differs } }
}

use Kind::{Aside, Fixed, FixedParts, Limit, Live};

/// Every option but `image` and `env`, by name.
#[rustfmt::skip]
pub(crate) const OPTIONS: &[ContainerOption] = &[
    own("cap_add", &[], Fixed, capabilities::read, capabilities::write_add, capabilities::add_differs),
    own("cap_drop", &[], Fixed, capabilities::read, capabilities::write_drop, capabilities::drop_differs),
    own("command", &["cmd", "args"], Fixed, commands::read, commands::write_command, commands::command_differs),
    field("cpu_shares", &["cpu_weight"], Limit, limits::shares, "/HostConfig/CpuShares"),
    field("cpus", &["nano_cpus"], Limit, limits::cpus, "/HostConfig/NanoCpus"),
    own("cpuset", &["cpuset_cpus"], Limit, limits::cpuset, limits::write_cpuset, limits::cpuset_differs),
    field("dns", &[], Fixed, simple::addresses, "/HostConfig/Dns"),
    field("dns_search", &[], Fixed, simple::texts, "/HostConfig/DnsSearch"),
    own("entrypoint", &[], Fixed, commands::read, commands::write_entrypoint, commands::entrypoint_differs),
    own("extra_hosts", &["add_host", "etc_hosts"], Fixed, network::extra_hosts, network::write_extra_hosts, network::extra_hosts_differ),
    own("healthcheck", &["health"], Fixed, health::read, health::write, health::differs),
    field("hostname", &[], Fixed, simple::hostname, "/Config/Hostname"),
    field("init", &[], Fixed, simple::truth, "/HostConfig/Init"),
    own("labels", &["label"], FixedParts, labels::read, labels::write, labels::differs),
    own("log_driver", &[], Fixed, simple::word, logs::write_driver, logs::driver_differs),
    own("log_options", &["log_opt", "log_opts"], Fixed, logs::options, logs::write_options, logs::options_differ),
    field("memory", &["mem_limit"], Limit, limits::memory, "/HostConfig/Memory"),
    field("memory_reservation", &["mem_reservation"], Limit, limits::memory, "/HostConfig/MemoryReservation"),
    field("memory_swap", &["memswap_limit", "mem_swap"], Limit, limits::memory_swap, "/HostConfig/MemorySwap"),
    own("mounts", &["mount"], Fixed, mounts::read, mounts::write, mounts::differs),
    own("network_mode", &["net"], Fixed, network::mode, network::write_mode, network::mode_differs),
    own("networks", &["network"], Limit, network::read, network::write, network::differs),
    own("pids_limit", &[], Limit, limits::pids, limits::write_pids, limits::pids_differ),
    own("ports", &["port_bindings", "published_ports"], Fixed, ports::read, ports::write, ports::differs),
    field("privileged", &[], Fixed, simple::truth, "/HostConfig/Privileged"),
    field("read_only", &[], Fixed, simple::truth, "/HostConfig/ReadonlyRootfs"),
    own("restart", &["restart_policy"], Live, restart::read, restart::write, restart::differs),
    field("shm_size", &[], Fixed, limits::memory, "/HostConfig/ShmSize"),
    field("stdin_open", &["interactive"], Fixed, simple::truth, "/Config/OpenStdin"),
    own("stop_signal", &[], Fixed, signal::read, signal::write, signal::differs),
    field("stop_timeout", &["stop_grace_period", "shutdown_timeout"], Aside, simple::seconds, "/Config/StopTimeout"),
    field("sysctls", &["sysctl"], Fixed, simple::table, "/HostConfig/Sysctls"),
    own("tmpfs", &[], Fixed, mounts::tmpfs, mounts::write_tmpfs, mounts::tmpfs_differ),
    field("tty", &[], Fixed, simple::truth, "/Config/Tty"),
    field("user", &[], Fixed, simple::word, "/Config/User"),
    own("volumes", &["binds", "volume"], Fixed, mounts::volumes, mounts::write_volumes, mounts::volumes_differ),
    field("working_dir", &["workdir"], Fixed, simple::absolute_path, "/Config/WorkingDir"),
];

/// Tables that stand for several options: `stop = { signal = "SIGQUIT", timeout = "30s" }`.
pub(crate) const GROUPS: &[(&str, &[(&str, &str)])] = &[
    ("log", &[("driver", "log_driver"), ("options", "log_options")]),
    ("logging", &[("driver", "log_driver"), ("options", "log_options")]),
    ("log_config", &[("type", "log_driver"), ("config", "log_options")]),
    ("stop", &[("signal", "stop_signal"), ("timeout", "stop_timeout")]),
];

/// Names under which the environment is written; it is no option of the table because it alone may
/// hold secrets.
pub(crate) const ENV: &[&str] = &["env", "environment"];

/// An option by its name or an alias.
pub(crate) fn find(name: &str) -> Option<&'static ContainerOption> {
    OPTIONS.iter().find(|option| option.name == name || option.aliases.contains(&name))
}

/// Every name that is understood.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let options =
        OPTIONS.iter().flat_map(|option| std::iter::once(option.name).chain(option.aliases.iter().copied()));
    options.chain(GROUPS.iter().map(|(name, _)| *name)).chain(ENV.iter().copied())
}

#[cfg(test)]
mod tests;
