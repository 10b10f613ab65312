//! What becomes of each key of a service: the 93 of the Compose specification and of compose-go.

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// An option of ours with the same name and the same forms.
    Same,
    /// One that holds a text: a number is refused, as Compose does.
    Text,
    /// One that is true or false, in Compose's words too.
    Truth,
    /// A table of ours, written as a mapping or as a list of `NAME=value`.
    Pairs,
    /// It has a meaning of its own (`service.rs` and the files below it).
    Own,
    /// It means nothing here, and a note says so.
    Ignored(&'static str),
    /// It cannot be done: why, and what to do instead.
    Refused(&'static str, &'static str),
}

use Rule::{Ignored, Own, Pairs, Refused, Same, Text, Truth};

/// Every key of a service.
pub(super) const SERVICE: [(&str, Rule); 95] = [
    ("annotations", Pairs),
    ("attach", Ignored("`docker compose up` alone shows logs")),
    ("blkio_config", Same),
    ("build", Own),
    ("cap_add", Same),
    ("cap_drop", Same),
    ("cgroup", Text),
    ("cgroup_parent", Text),
    ("command", Own),
    ("configs", Own),
    ("container_name", Own),
    ("cpu_count", Ignored("it is for Windows")),
    ("cpu_percent", Ignored("it is for Windows")),
    ("cpu_period", Same),
    ("cpu_quota", Same),
    ("cpu_rt_period", Same),
    ("cpu_rt_runtime", Same),
    ("cpu_shares", Same),
    ("cpus", Same),
    ("cpuset", Text),
    ("credential_spec", Refused("it is for Windows", "take it out")),
    ("depends_on", Own),
    ("deploy", Own),
    ("develop", Ignored("it is for `docker compose watch`")),
    ("device_cgroup_rules", Same),
    ("devices", Same),
    ("dns", Same),
    ("dns_opt", Same),
    ("dns_search", Same),
    ("domainname", Text),
    ("entrypoint", Own),
    ("env_file", Own),
    ("environment", Own),
    ("expose", Same),
    ("extends", Own),
    (
        "external_links",
        Refused(
            "links to containers of others are no part of a network",
            "let both join one network, and use its names",
        ),
    ),
    ("extra_hosts", Own),
    ("gpus", Same),
    ("group_add", Same),
    ("healthcheck", Own),
    ("hostname", Text),
    ("image", Own),
    ("init", Truth),
    ("ipc", Own),
    ("isolation", Text),
    ("label_file", Own),
    ("labels", Pairs),
    ("links", Own),
    ("logging", Same),
    ("mac_address", Own),
    ("mem_limit", Same),
    ("mem_reservation", Same),
    ("mem_swappiness", Same),
    ("memswap_limit", Same),
    ("models", Refused("it wants a model runner", "run the model as a service of its own")),
    ("network_mode", Own),
    ("networks", Own),
    ("oom_kill_disable", Truth),
    ("oom_score_adj", Same),
    ("pid", Own),
    ("pids_limit", Same),
    ("platform", Text),
    ("ports", Own),
    (
        "post_start",
        Refused(
            "nothing is run in a container after it started",
            "do it in the image, or in a service that ends (service_completed_successfully)",
        ),
    ),
    (
        "pre_start",
        Refused(
            "nothing is run in a container before it starts",
            "do it in the image, or in a service that ends (service_completed_successfully)",
        ),
    ),
    ("pre_stop", Own),
    ("privileged", Truth),
    ("profiles", Own),
    ("provider", Refused("it starts a program on this machine", "declare what it provides")),
    ("pull_policy", Own),
    ("pull_refresh_after", Ignored("a tag is asked for at each plan")),
    ("read_only", Truth),
    ("restart", Own),
    ("runtime", Text),
    ("scale", Own),
    ("secrets", Own),
    ("security_opt", Same),
    ("shm_size", Same),
    ("stdin_open", Truth),
    ("stop_grace_period", Own),
    ("stop_signal", Text),
    ("storage_opt", Pairs),
    ("sysctls", Pairs),
    ("tmpfs", Same),
    ("tty", Truth),
    ("ulimits", Same),
    (
        "use_api_socket",
        Refused(
            "it would give the container this machine's docker login",
            "mount the host's socket, and seal a login for it",
        ),
    ),
    ("user", Text),
    ("userns_mode", Text),
    ("uts", Text),
    ("volumes", Own),
    ("volumes_from", Own),
    ("working_dir", Text),
    ("name", Refused("it is a key of the project", "write it at the top level")),
    ("version", Refused("it is a key of the project", "take it out: Compose reads none")),
];

/// Keys that may stand without a value (measured with Compose 2.40.3); `command:` takes back what was said before.
pub(super) const MAY_BE_NULL: [&str; 4] = ["command", "deploy", "develop", "entrypoint"];

/// The rule of a key.
pub(super) fn of_service(key: &str) -> Option<Rule> {
    SERVICE.iter().find(|(name, _)| *name == key).map(|(_, rule)| *rule)
}
