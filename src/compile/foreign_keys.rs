//! Keys that other tools have and states do not: what is written here instead.

use crate::problem::{Problem, escaped};

/// Names, why not, and what to do instead.
type Foreign = (&'static [&'static str], &'static str, &'static str);

/// Keys of Compose, Kamal, Salt and Ansible.
const FOREIGN: [Foreign; 24] = [
    (
        &["auto_remove", "rm", "remove", "cleanup"],
        "the Engine would remove the container when it stops, so it could not be rolled back to",
        "leave it out; `container.absent` removes a container",
    ),
    (
        &["env_file", "label_file"],
        "no file of this machine is read: everything that a container gets is in the states and the pillar, where it is reviewed",
        "write the variables under `env`, and secret ones as '{{ pillar.KEY }}' after 'pillarbox seal KEY'",
    ),
    (
        &["kernel_memory", "kernel_memory_tcp"],
        "kernels ignore it, and the Engine has removed it (API 1.52)",
        "`memory` also limits what the kernel uses for the container",
    ),
    (
        &["network_disabled"],
        "the Engine does not distinguish it from the network mode",
        "write network_mode = \"none\"",
    ),
    (
        &["scale", "deploy", "replicas"],
        "it is not an option of a container",
        "declare a `service.deployed` with `replicas`; limits are options of it: `memory`, `cpus`",
    ),
    (
        &["depends_on", "after"],
        "the order of states is declared with `require`",
        "write require = [\"ID\"], with the id of the other state; its container is then up, and healthy if it has a health check",
    ),
    (&["container_name"], "a state says it with `name`", "write name = \"…\"; without it the id is the name"),
    (
        &["pull_policy", "image_pull_policy"],
        "a state says it with `pull`",
        "write pull = \"missing\" or \"never\"; a tag is resolved at its registry by each plan, so `always` is not needed",
    ),
    (
        &["build", "builder", "dockerfile", "context"],
        "images are built and pushed elsewhere, and deployed by their digest",
        "write image = \"REGISTRY/NAME:TAG\", and push it with your build, for example 'docker buildx build --push'",
    ),
    (
        &["profiles", "roles", "servers"],
        "which host gets which states is said in pillarbox.toml",
        "list the file of the states in the groups or hosts that get it, [groups.NAME] states = […]; or write `onlyif`",
    ),
    (
        &["configs", "config"],
        "files of a container are `files`",
        "write files.\"/etc/app.conf\" = { source = \"files/app.conf\" }, or content = \"…\"; a volume is for a file of the host",
    ),
    (
        &["extends", "include", "use", "anchors"],
        "a state is whole where it stands",
        "put what several states have in common into the pillar, or into a function of a .star file",
    ),
    (
        &["post_start", "pre_stop", "hooks", "develop", "exec"],
        "pillarbox runs no commands in containers that serve",
        "declare a `task.ran` for what runs once for a version; `healthcheck` and `stop_signal` for start and stop",
    ),
    (
        &["external_links"],
        "containers find each other in a network",
        "put both into one: networks = [\"NAME\"]",
    ),
    (&["credential_spec"], "it is for Windows", "leave it out"),
    (
        &["attach", "detach", "detached", "foreground"],
        "containers run in the background, and their logs are the Engine's",
        "leave it out",
    ),
    (
        &["state", "present", "started", "start"],
        "the state is the function of the declaration",
        "write [ID.container.running], container.stopped, container.installed or container.absent",
    ),
    (
        &[
            "recreate",
            "force_recreate",
            "force_kill",
            "image_name_mismatch",
            "comparisons",
            "container_default_behavior",
            "networks_cli_compatible",
        ],
        "what differs from its declaration is replaced, and nothing else",
        "leave it out; what was changed by hand is set back with 'pillarbox apply --fix-drift'",
    ),
    (&["kill_signal"], "a state says it with `stop_signal`", "write stop_signal = \"SIGQUIT\""),
    (
        &["restart_retries", "max_retries"],
        "a state says it with `restart`",
        "write restart = \"on-failure:3\"",
    ),
    (
        &["purge_networks", "keep_volumes", "remove_volumes", "remove_orphans", "prune"],
        "networks that are not declared are left, and a volume goes only with its own `volume.absent`",
        "leave it out; unused containers and networks of this workspace go with 'pillarbox apply --prune'",
    ),
    (
        &["proxy", "traefik", "ssl"],
        "a proxy is a container like any other",
        "declare it as a `service.deployed`, and give the others `labels` or a network that it reads",
    ),
    (
        &["deploy_timeout", "drain_timeout", "readiness_delay", "boot_timeout", "wait", "wait_timeout"],
        "a state says it with `start_timeout`, `monitor` and `stop_timeout`",
        "write start_timeout = \"2m\" for the time until it is healthy, stop_timeout = \"30s\" for the time to end",
    ),
    (
        &[
            "docker_host",
            "tls_hostname",
            "ca_cert",
            "client_cert",
            "client_key",
            "validate_certs",
            "api_version",
            "client_timeout",
            "insecure_registry",
        ],
        "how a host is reached is said in pillarbox.toml",
        "write it at the host: [hosts.NAME] engine = \"ssh://USER@HOST\"",
    ),
];

/// What to say of a key that other tools have.
pub(super) fn refused(key: &str) -> Option<Problem> {
    let plain = key.replace('-', "_");
    let (_, why, hint) = FOREIGN.iter().find(|(names, _, _)| names.contains(&plain.as_str()))?;
    Some(Problem::failed(format!("`{}` is refused", escaped(key))).cause(*why).hint(*hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::fields;

    #[test]
    fn no_key_of_ours_is_refused_as_foreign() {
        for key in FOREIGN.iter().flat_map(|(names, _, _)| names.iter()) {
            assert!(!fields::is_option(key), "{key}");
        }
    }

    #[test]
    fn each_key_stands_once() {
        let mut keys: Vec<&str> = FOREIGN.iter().flat_map(|(names, _, _)| names.iter().copied()).collect();
        keys.sort_unstable();
        let before = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), before);
    }
}
