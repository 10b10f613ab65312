//! The table itself.

use super::Kind::{Aside, Fixed, FixedParts, Limit, Live};
use super::*;

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

const fn any(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    read: fn(&str, &Arg) -> Result<Value>,
    api: Api,
) -> ContainerOption {
    ContainerOption { name, aliases, kind, read, api }
}

/// One of the namespaces, which may be another container's.
macro_rules! namespace {
    ($name:literal, $aliases:expr, $read:path, $pointer:literal, $empty:expr) => {
        own(
            $name,
            $aliases,
            Fixed,
            $read,
            |canonical, body| namespaces::write(canonical, body, $pointer),
            |canonical, inspect| namespaces::differs(canonical, inspect, $pointer, $empty),
        )
    };
}

/// What a container may do with each of some block devices.
macro_rules! per_device {
    ($name:literal, $aliases:expr, $read:path, $pointer:literal, $field:literal) => {
        own(
            $name,
            $aliases,
            Fixed,
            $read,
            |canonical, body| blkio::write(canonical, body, $pointer, $field),
            |canonical, inspect| blkio::differs(canonical, inspect, $pointer, $field),
        )
    };
}

/// Every option but `image` and `env`, by name.
#[rustfmt::skip]
pub(crate) const OPTIONS: &[ContainerOption] = &[
    any("annotations", &["annotation"], Fixed, simple::table, Api::Table("/HostConfig/Annotations")),
    field("attach_stderr", &[], Fixed, simple::truth, "/Config/AttachStderr"),
    field("attach_stdin", &[], Fixed, simple::truth, "/Config/AttachStdin"),
    field("attach_stdout", &[], Fixed, simple::truth, "/Config/AttachStdout"),
    any("blkio_weight", &[], Limit, blkio::weight, Api::Weak("/HostConfig/BlkioWeight")),
    per_device!("blkio_weight_device", &[], blkio::weights, "/HostConfig/BlkioWeightDevice", "Weight"),
    own("cap_add", &["capabilities"], Fixed, capabilities::read, capabilities::write_add, capabilities::add_differs),
    own("cap_drop", &[], Fixed, capabilities::read, capabilities::write_drop, capabilities::drop_differs),
    field("cgroup_parent", &[], Fixed, simple::word, "/HostConfig/CgroupParent"),
    namespace!("cgroupns", &["cgroupns_mode", "cgroup"], namespaces::cgroup, "/HostConfig/CgroupnsMode", &[]),
    own("command", &["cmd", "args"], Fixed, commands::read, commands::write_command, commands::command_differs),
    any("cpu_period", &["cpu_group"], Limit, limits::period, Api::Field("/HostConfig/CpuPeriod")),
    any("cpu_quota", &[], Limit, limits::quota, Api::Field("/HostConfig/CpuQuota")),
    any("cpu_rt_period", &["cpu_realtime_period"], Limit, limits::real_time, Api::Weak("/HostConfig/CpuRealtimePeriod")),
    any("cpu_rt_runtime", &["cpu_realtime_runtime"], Limit, limits::real_time, Api::Weak("/HostConfig/CpuRealtimeRuntime")),
    field("cpu_shares", &["cpu_weight"], Limit, limits::shares, "/HostConfig/CpuShares"),
    field("cpus", &["nano_cpus"], Limit, limits::cpus, "/HostConfig/NanoCpus"),
    own("cpuset", &["cpuset_cpus"], Limit, limits::cpuset, |canonical, body| body.set("/HostConfig/CpusetCpus", canonical.clone()), |canonical, inspect| limits::cpuset_differs(canonical, inspect, "/HostConfig/CpusetCpus")),
    own("cpuset_mems", &[], Limit, limits::cpuset, |canonical, body| body.set("/HostConfig/CpusetMems", canonical.clone()), |canonical, inspect| limits::cpuset_differs(canonical, inspect, "/HostConfig/CpusetMems")),
    any("device_cgroup_rules", &["device_cgroup_rule"], Fixed, devices::rules, Api::Set("/HostConfig/DeviceCgroupRules")),
    per_device!("device_read_bps", &["blkio_device_read_bps"], blkio::bytes, "/HostConfig/BlkioDeviceReadBps", "Rate"),
    per_device!("device_read_iops", &["blkio_device_read_iops"], blkio::operations, "/HostConfig/BlkioDeviceReadIOps", "Rate"),
    own("device_requests", &["gpus"], Fixed, requests::read, requests::write, requests::differ),
    per_device!("device_write_bps", &["blkio_device_write_bps"], blkio::bytes, "/HostConfig/BlkioDeviceWriteBps", "Rate"),
    per_device!("device_write_iops", &["blkio_device_write_iops"], blkio::operations, "/HostConfig/BlkioDeviceWriteIOps", "Rate"),
    own("devices", &["device"], Fixed, devices::read, devices::write, devices::differ),
    field("dns", &["dns_servers"], Fixed, simple::addresses, "/HostConfig/Dns"),
    field("dns_options", &["dns_opt", "dns_opts", "dns_option"], Fixed, simple::texts, "/HostConfig/DnsOptions"),
    field("dns_search", &["dns_search_domains"], Fixed, simple::texts, "/HostConfig/DnsSearch"),
    field("domainname", &[], Fixed, simple::hostname, "/Config/Domainname"),
    own("entrypoint", &[], Fixed, commands::read, commands::write_entrypoint, commands::entrypoint_differs),
    own("expose", &["exposed_ports", "exposed"], Fixed, ports::exposed, ports::write_exposed, ports::exposed_differ),
    own("extra_hosts", &["add_host", "etc_hosts"], Fixed, network::extra_hosts, network::write_extra_hosts, network::extra_hosts_differ),
    any("group_add", &["groups"], Fixed, simple::set, Api::Set("/HostConfig/GroupAdd")),
    own("healthcheck", &["health"], Fixed, health::read, health::write, health::differs),
    field("hostname", &[], Fixed, simple::hostname, "/Config/Hostname"),
    field("init", &[], Fixed, simple::truth, "/HostConfig/Init"),
    namespace!("ipc", &["ipc_mode"], namespaces::ipc, "/HostConfig/IpcMode", &[]),
    namespace!("isolation", &[], namespaces::isolation, "/HostConfig/Isolation", &["default"]),
    own("labels", &["label"], FixedParts, labels::read, labels::write, labels::differs),
    own("links", &["link"], Fixed, references::links, references::write_links, references::links_differ),
    own("log_driver", &[], Fixed, simple::word, logs::write_driver, logs::driver_differs),
    own("log_options", &["log_opt", "log_opts"], Fixed, logs::options, logs::write_options, logs::options_differ),
    field("mac_address", &[], Fixed, endpoint::mac, "/Config/MacAddress"),
    field("memory", &["mem_limit"], Limit, limits::memory, "/HostConfig/Memory"),
    field("memory_reservation", &["mem_reservation"], Limit, limits::memory, "/HostConfig/MemoryReservation"),
    field("memory_swap", &["memswap_limit", "mem_swap"], Limit, limits::memory_swap, "/HostConfig/MemorySwap"),
    any("memory_swappiness", &["mem_swappiness"], Fixed, simple::swappiness, Api::Weak("/HostConfig/MemorySwappiness")),
    own("mounts", &["mount"], Fixed, mounts::read, mounts::write, mounts::differs),
    namespace!("network_mode", &["net"], namespaces::network, "/HostConfig/NetworkMode", &["bridge", "default"]),
    own("networks", &["network"], Limit, network::read, network::write, network::differs),
    any("oom_kill_disable", &[], Fixed, simple::truth, Api::Weak("/HostConfig/OomKillDisable")),
    field("oom_score_adj", &[], Fixed, simple::oom_score, "/HostConfig/OomScoreAdj"),
    namespace!("pid", &["pid_mode"], namespaces::pid, "/HostConfig/PidMode", &[]),
    own("pids_limit", &[], Limit, limits::pids, limits::write_pids, limits::pids_differ),
    own("platform", &[], Fixed, platform::read, platform::write, platform::differs),
    own("ports", &["port_bindings", "published_ports"], Fixed, ports::read, ports::write, ports::differs),
    field("privileged", &[], Fixed, simple::truth, "/HostConfig/Privileged"),
    field("publish_all_ports", &["publish_all"], Fixed, simple::truth, "/HostConfig/PublishAllPorts"),
    field("read_only", &[], Fixed, simple::truth, "/HostConfig/ReadonlyRootfs"),
    own("restart", &["restart_policy"], Live, restart::read, restart::write, restart::differs),
    field("runtime", &[], Fixed, simple::word, "/HostConfig/Runtime"),
    own("security_opt", &["security_opts"], Fixed, security::read, security::write, security::differ),
    field("shm_size", &[], Fixed, limits::size, "/HostConfig/ShmSize"),
    field("stdin_once", &[], Fixed, simple::truth, "/Config/StdinOnce"),
    field("stdin_open", &["interactive"], Fixed, simple::truth, "/Config/OpenStdin"),
    own("stop_signal", &[], Fixed, signal::read, signal::write, signal::differs),
    field("stop_timeout", &["stop_grace_period", "shutdown_timeout"], Aside, simple::seconds, "/Config/StopTimeout"),
    any("storage_opt", &["storage_opts"], Fixed, simple::table, Api::Table("/HostConfig/StorageOpt")),
    field("sysctls", &["sysctl"], Fixed, simple::table, "/HostConfig/Sysctls"),
    own("tmpfs", &[], Fixed, volumes::tmpfs, volumes::write_tmpfs, volumes::tmpfs_differ),
    field("tty", &[], Fixed, simple::truth, "/Config/Tty"),
    own("ulimits", &["ulimit"], Fixed, ulimits::read, ulimits::write, ulimits::differ),
    field("user", &[], Fixed, simple::word, "/Config/User"),
    namespace!("userns_mode", &["userns"], namespaces::host, "/HostConfig/UsernsMode", &[]),
    namespace!("uts", &["uts_mode"], namespaces::host, "/HostConfig/UTSMode", &[]),
    field("volume_driver", &[], Fixed, simple::word, "/HostConfig/VolumeDriver"),
    own("volumes", &["binds", "volume"], Fixed, volumes::read, volumes::write, volumes::differ),
    own("volumes_from", &[], Fixed, references::volumes_from, references::write_from, references::from_differs),
    field("working_dir", &["workdir"], Fixed, simple::absolute_path, "/Config/WorkingDir"),
];

/// Tables that combine several options: `stop = { signal = "SIGQUIT", timeout = "30s" }`.
#[rustfmt::skip]
pub(crate) const GROUPS: &[(&str, &[(&str, &str)])] = &[
    ("blkio_config", &[
        ("weight", "blkio_weight"),
        ("weight_device", "blkio_weight_device"),
        ("device_read_bps", "device_read_bps"),
        ("device_read_iops", "device_read_iops"),
        ("device_write_bps", "device_write_bps"),
        ("device_write_iops", "device_write_iops"),
    ]),
    ("log", &[("driver", "log_driver"), ("options", "log_options")]),
    ("logging", &[("driver", "log_driver"), ("options", "log_options")]),
    ("log_config", &[("type", "log_driver"), ("config", "log_options")]),
    ("stop", &[("signal", "stop_signal"), ("timeout", "stop_timeout")]),
];

/// Names under which the environment is written; it is not an option of the table because only it may
/// hold secrets.
pub(crate) const ENV: &[&str] = &["env", "environment"];
