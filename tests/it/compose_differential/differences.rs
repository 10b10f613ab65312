//! What pillarbox does otherwise than Compose, and why. Each entry has a case (`every_difference_is_there`).

/// A difference: what shows it, and why it is meant.
pub(super) struct Difference {
    /// A part of the error that one of them gives.
    pub(super) said: &'static str,
    /// A service that shows it: what stands below `image`.
    pub(super) case: &'static str,
    /// Why it is so.
    pub(super) why: &'static str,
}

const fn of(said: &'static str, case: &'static str, why: &'static str) -> Difference {
    Difference { said, case, why }
}

/// What Compose takes and we refuse.
pub(super) const REFUSED_HERE: [Difference; 36] = [
    of(
        "has two mounts at",
        "volumes: [\"data:/data\", \"data:/data:ro\"]",
        "Compose drops the first without a word",
    ),
    of(
        "`device_requests` is declared twice",
        "gpus: all\n    deploy: {resources: {reservations: {devices: [{capabilities: [gpu], count: 2}]}}}",
        "one of them is enough",
    ),
    of("`hostname` is declared with `uts` host", "hostname: web\n    uts: host", "the Engine refuses it"),
    of(
        "`cpu_quota` and `cpus` are both declared",
        "cpu_quota: 50000\n    cpus: 0.5",
        "the Engine refuses it",
    ),
    of(
        "is built, not pulled: it has no image",
        "deploy: {replicas: 1}\n  built:\n    build: .",
        "nothing is built on hosts",
    ),
    of(
        "whose network has its own",
        "network_mode: \"service:base\"\n    ports: [\"80:80\"]",
        "the Engine refuses it",
    ),
    of("is published twice", "ports: [\"8080:80\", \"8080:81\"]", "the Engine refuses the second one"),
    of(
        "`cpu_period` and `cpus` are both declared",
        "cpu_period: 100000\n    cpus: 0.5",
        "the Engine refuses it",
    ),
    of("where the Engine drops them", "network_mode: none\n    ports: [\"80:80\"]", "nothing is published"),
    of(
        "is read as a drive of Windows by Compose",
        "volumes: [\"d:/d\"]",
        "Compose makes it an anonymous volume",
    ),
    of("is no mode of a mount", "volumes: [\"data:/d:foo\"]", "Compose drops the word"),
    of("holds `|`, and no shell runs it", "command: a | b", "Compose drops what follows"),
    of("`restart`", "restart: never", "the Engine refuses it when the container is made"),
    of(
        "has no value",
        "environment: {A: \"${NOWHERE}\"}",
        "Compose fills in nothing, and a password is empty",
    ),
    of("`memory_swap` is declared without `memory`", "memswap_limit: 1g", "the Engine refuses it"),
    of(
        "`oom_kill_disable` is declared without `memory`",
        "oom_kill_disable: true",
        "the host would run out of memory",
    ),
    of(
        "log options are declared without a driver",
        "logging: {options: {max-size: 1m}}",
        "which options there are depends on the driver",
    ),
    of(
        "which no state of this host declares",
        "network_mode: \"container:x\"",
        "what it would share can go at any time",
    ),
    of("which is not a mode", "network_mode: back", "networks are joined with `networks`, which has aliases"),
    of(
        "a port is a number from 1 to 65535",
        "ports: [\"0:80\"]",
        "a port that the Engine chooses is left out",
    ),
    of("is no mount", "volumes: [data]", "a path in a container is absolute"),
    of("something follows a quoted value", "env_file: quoted.env", "Compose drops what follows"),
    of("is a path in a home folder", "volumes: [\"~/x:/x\"]", "the hosts do not have this home"),
    of("pull_policy `build` cannot be done", "pull_policy: build", "nothing is built on hosts"),
    of("must be six bytes like", "mac_address: nothing", "the Engine refuses it"),
    of(
        "`interface_name` cannot be chosen",
        "networks: {back: {interface_name: eth7}}",
        "Engines before 28.1 do not have it, and say nothing",
    ),
    of("`models` cannot be done", "init: true\nmodels: {llm: {model: ai/small}}", "it wants a model runner"),
    of("`security_opt` has", "security_opt: [\"x:y\"]", "the Engine refuses it"),
    of(
        "`memory_swap` is less than `memory`",
        "memswap_limit: 128m\n    mem_limit: 1g",
        "the Engine refuses it",
    ),
    of(
        "`volumes` and `mounts` both mount",
        "volumes: [\"data:/data\", {type: volume, source: data, target: /data, volume: {nocopy: true}}]",
        "Compose drops the first without a word",
    ),
    of(
        "`external_links` of the service",
        "external_links: [other]",
        "a link to a stranger ends with it, and networks do not need it",
    ),
    of(
        "`post_start` of the service",
        "post_start: [{command: [a]}]",
        "nothing is run in a started container",
    ),
    of("`credential_spec` of the service", "credential_spec: {file: a.json}", "it is for Windows"),
    of("`provider` of the service", "provider: {type: other}", "it starts a program on this machine"),
    of(
        "`use_api_socket` of the service",
        "use_api_socket: true",
        "the container would have this machine's login",
    ),
    of(
        "`user` of `pre_stop` cannot be done",
        "pre_stop: [{command: [a], user: root}]",
        "the Engine's user of the container runs it",
    ),
];

/// What we take and Compose refuses in a service that is off: it is not looked into here.
pub(super) const TAKEN_OFF: [Difference; 2] = [
    of(
        "Invalid ip address",
        "profiles: [dev]\n    ports: [\"localhost:80:80\"]",
        "it says nothing of what runs",
    ),
    of("command.1 must be a string", "profiles: [dev]\n    command: [a, 1]", "it says nothing of what runs"),
];

/// What we take and Compose refuses.
pub(super) const TAKEN_HERE: [Difference; 7] = [
    of("cpu_percent must be a string", "cpu_percent: 50.5", "it says nothing on Linux, and is noted"),
    of("build additional properties", "build: {foo: bar}", "nothing is built here, and that is noted"),
    of(
        "can't set distinct values on 'mem_limit'",
        "mem_limit: 1g\n    deploy: {resources: {limits: {cpus: \"0.1\"}}}",
        "Compose compares it with a limit that is not there",
    ),
    of(
        "can't set distinct values on 'cpus'",
        "cpus: 0.5\n    deploy: {resources: {limits: {memory: 64M}}}",
        "Compose compares it with a limit that is not there",
    ),
    of(
        "can't set distinct values on 'pids_limit'",
        "pids_limit: 100\n    deploy: {resources: {limits: {cpus: \"0.1\"}}}",
        "Compose compares it with a limit that is not there",
    ),
    of(
        "cannot override services.",
        "gpus: all\n    extends: {service: other}\n  other:\n    image: other:1\n    gpus: [{count: 1}]",
        "Compose cannot put a word over a list",
    ),
    of(
        "can't set distinct values on 'mem_reservation'",
        "mem_reservation: 32m\n    deploy: {resources: {reservations: {cpus: \"0.1\"}}}",
        "Compose compares it with a reservation that is not there",
    ),
];

pub(super) fn is_refused_here(said: &str) -> bool {
    REFUSED_HERE.iter().any(|known| said.contains(known.said))
}

pub(super) fn is_taken_here(said: &str, is_partly_off: bool) -> bool {
    let off = TAKEN_OFF.iter().filter(|_| is_partly_off);
    TAKEN_HERE.iter().chain(off).any(|known| said.contains(known.said))
}

/// Lines of a difference between trees that are meant.
pub(super) fn is_accepted_in_tree(line: &str) -> bool {
    // Compose takes a variable that is called so for an extension of the file.
    line.contains("/environment/#extensions")
        || line.contains("/environment/x-a")
        // `config --format json` leaves it out, and `config` prints it.
        || (line.contains("/networks/") && line.contains("/mac_address: "))
        // With `!override` before it, a null is a text to Compose.
        || line.ends_with("theirs [\"~\"]")
        || line.ends_with("theirs [\"null\"]")
        // The Engine's clients spell "take it away" so, and each of ours reads it so.
        || (line.contains("ours [], theirs [\"\"]") && (line.contains("/command") || line.contains("/entrypoint")))
}
