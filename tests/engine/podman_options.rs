//! Each option of a container on Podman: what is declared there is found there, or refused before it is done.

use crate::options_each::{Sample, network, samples, states};
use crate::shop::Shop;

/// What Podman refuses itself, and what the machine of the tests lacks for it.
const NOT_HERE: [(&str, &str); 7] = [
    ("blkio_weight_device", "the sandbox of the tests has no block device"),
    ("init", "the machine of the tests has no catatonit"),
    ("links", "it knows no links"),
    ("privileged", "the sandbox of the tests may not give all capabilities"),
    ("security_opt", "it takes a profile of seccomp as a file of the host alone"),
    ("storage_opt", "the storage of the tests has no quotas"),
    ("volumes_from", "it needs the container while the other one is made"),
];

/// What a user may not give.
const NOT_WITHOUT_ROOT: [(&str, &str); 2] = [
    ("cgroup_parent", "a user's cgroups are not at the root"),
    ("device_cgroup_rules", "from 5 on it refuses them there"),
];

/// What it takes and passes over: refused by the plan.
const PASSED_OVER: [&str; 3] = ["cgroupns", "domainname", "mac_address"];

/// What needs a controller of cgroups.
const LIMITS: [&str; 17] = [
    "blkio_weight",
    "cpu_period",
    "cpu_quota",
    "cpu_shares",
    "cpus",
    "cpuset",
    "cpuset_mems",
    "device_read_bps",
    "device_read_iops",
    "device_write_bps",
    "device_write_iops",
    "memory",
    "memory_reservation",
    "memory_swap",
    "memory_swappiness",
    "oom_kill_disable",
    "pids_limit",
];

fn on_podman() -> Option<(Shop, Vec<Sample>)> {
    let shop = Shop::on_podman()?;
    let network = network(&shop, "back");
    let all = samples(&shop, &network);
    Some((shop, all.into_iter().filter(|sample| sample.fake.is_none()).collect()))
}

#[test]
fn each_option_on_podman_is_found_as_it_was_declared() {
    let Some((shop, mut all)) = on_podman() else { return };
    let (has_limits, rootless) = (shop.has_limits(), shop.is_rootless());
    let listed = |list: &[(&str, &str)], sample: &Sample| list.iter().any(|(name, _)| *name == sample.name);
    all.retain(|sample| {
        let name = sample.name.as_str();
        let left_out = listed(&NOT_HERE, sample)
            || PASSED_OVER.contains(&name)
            || sample.installed.is_some()
            || rootless && listed(&NOT_WITHOUT_ROOT, sample)
            || !has_limits && LIMITS.contains(&name);
        !left_out
    });
    assert!(all.len() > if has_limits { 45 } else { 35 }, "{}", all.len());
    shop.env.write("states/web.toml", states(&shop, &all, 0));
    shop.apply().ok();
    shop.rests();
    shop.env.run(&["plan", "-v", "--detailed-exitcode"]).ok().lacks("drift").lacks("by hand");
    shop.env.run(&["apply", "-y", "--fix-drift"]).ok().says("no changes");
}

#[test]
fn what_podman_passes_over_is_refused_before_anything_is_done() {
    let Some((shop, all)) = on_podman() else { return };
    for option in PASSED_OVER {
        let one: Vec<&Sample> = all.iter().filter(|sample| sample.name == option).collect();
        let (name, image) = (&shop.web, shop.image());
        let state = format!("[web.container.running]\nname = \"{name}\"\nimage = \"{image}\"\n");
        shop.env.write("states/web.toml", format!("{state}{}\n", one[0].spellings[0]));
        let said = shop.apply().exits(1);
        said.explains(&format!("`{option}` of container")).explains("Podman").explains("passes it over");
    }
    assert_eq!(shop.names(), Vec::<String>::new());
}
