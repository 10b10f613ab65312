//! What Podman says of a container, in Docker's terms. Its answer has Docker's fields, but not Docker's words
//! in them, and some it never fills (4.3.1, 5.4.2, 5.8.6 and 6.1.1 were looked at).

use crate::engine::Inspected;
use crate::inspect::Gaps;
use serde_json::{Map, Value, json};

/// Options that it takes, or passes over, and says nothing of afterwards. The last two are among them without root:
/// it passes over `ulimits` (4.3.1, 5.4.2), and names no `devices`.
static UNSAID: [&str; 15] = [
    "attach_stderr",
    "attach_stdin",
    "attach_stdout",
    "device_cgroup_rules",
    "device_requests",
    "log_options",
    // Before 5 it says no, whatever is so.
    "publish_all_ports",
    "runtime",
    "stdin_once",
    "storage_opt",
    "sysctls",
    "userns_mode",
    "volume_driver",
    "devices",
    "ulimits",
];

/// What its mounts have without being asked for it.
const OWN_WORDS: [&str; 8] = ["rw", "rprivate", "bind", "rbind", "nosuid", "nodev", "noexec", "tmpcopyup"];

/// What its answer leaves out.
pub(super) fn gaps(rootless: bool) -> Gaps {
    let unsaid = if rootless { &UNSAID[..] } else { &UNSAID[..UNSAID.len() - 2] };
    Gaps { unsaid, partial: true, ignores_limits: rootless }
}

/// `GET /containers/{id}/json` as Docker would give it.
pub(super) fn in_dockers_terms(mut answer: Value) -> Value {
    if let Some(host) = answer.get_mut("HostConfig").and_then(Value::as_object_mut) {
        limits(host);
        let anonymous = mounts(host);
        if !anonymous.is_empty()
            && let Some(config) = answer.get_mut("Config").and_then(Value::as_object_mut)
        {
            config.insert("Volumes".to_owned(), Value::Object(anonymous));
        }
    }
    let networks = answer.pointer_mut("/NetworkSettings/Networks").and_then(Value::as_object_mut);
    networks.into_iter().flat_map(Map::values_mut).for_each(addresses);
    answer
}

/// Whether its restart policy has it started again now that its process has ended.
pub(super) fn starts_again(ended: &Inspected) -> bool {
    let policy = ended.inspect.compare("/HostConfig/RestartPolicy/Name").and_then(Value::as_str);
    match policy {
        Some("always" | "unless-stopped") => true,
        Some("on-failure") => ended.state.exit_code != 0,
        _ => false,
    }
}

/// Whether the network of one that ended is taken down, with the rules that lead a port of the host to it. The
/// state says that only before 5.8: later ones call it `exited` at once.
pub(super) fn is_cleaned_up(ended: &Inspected) -> bool {
    let text = |pointer| ended.inspect.compare(pointer).and_then(Value::as_str).unwrap_or_default();
    let borrowed = text("/HostConfig/NetworkMode").starts_with("container:");
    ended.state.status != "stopped" && (borrowed || text("/NetworkSettings/SandboxKey").is_empty())
}

/// `RLIMIT_NOFILE` is `nofile`.
fn limits(host: &mut Map<String, Value>) {
    let limits = host.get_mut("Ulimits").and_then(Value::as_array_mut);
    for limit in limits.into_iter().flatten() {
        if let Some(name) = limit["Name"].as_str().and_then(|name| name.strip_prefix("RLIMIT_")) {
            limit["Name"] = json!(name.to_ascii_lowercase());
        }
    }
}

/// Everything that is mounted stands in `Binds` and `Tmpfs`: there it gets Docker's words, and `Mounts` gets
/// all of it once more. Answers the paths of volumes without a name.
fn mounts(host: &mut Map<String, Value>) -> Map<String, Value> {
    let texts = |value: Option<&Value>| -> Vec<String> {
        let texts = value.and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let (mut all, mut binds, mut anonymous) = (Vec::new(), Vec::new(), Map::new());
    for bind in texts(host.get("Binds")) {
        let mut parts = bind.splitn(3, ':');
        let (source, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let words: Vec<&str> = parts.next().unwrap_or_default().split(',').collect();
        if source.len() == 64 && source.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            anonymous.insert(target.to_owned(), json!({}));
            continue;
        }
        all.push(mount(source, target, &words));
        let own = words.iter().filter(|word| !word.is_empty() && !OWN_WORDS.contains(word));
        let own: Vec<&str> = own.copied().collect();
        binds.push(match own.is_empty() {
            true => format!("{source}:{target}"),
            false => format!("{source}:{target}:{}", own.join(",")),
        });
    }
    for (target, words) in host.get_mut("Tmpfs").and_then(Value::as_object_mut).into_iter().flatten() {
        let text = words.as_str().unwrap_or_default().to_owned();
        all.push(in_memory(target, &text));
        let mut own: Vec<&str> =
            text.split(',').filter(|word| !word.is_empty() && !OWN_WORDS.contains(word)).collect();
        own.sort_unstable();
        *words = json!(own.join(","));
    }
    host.insert("Binds".to_owned(), json!(binds));
    host.insert("Mounts".to_owned(), json!(all));
    anonymous
}

fn mount(source: &str, target: &str, words: &[&str]) -> Value {
    let kind = if source.starts_with('/') { "bind" } else { "volume" };
    let mut mount = json!({
        "Type": kind, "Source": source, "Target": target, "ReadOnly": words.contains(&"ro"),
    });
    let propagation = ["shared", "rshared", "slave", "rslave", "private", "rprivate"];
    if let (Some(word), "bind") = (words.iter().find(|word| propagation.contains(*word)), kind) {
        mount["BindOptions"] = json!({ "Propagation": word });
    }
    mount
}

fn in_memory(target: &str, text: &str) -> Value {
    let of = |name: &str| text.split(',').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let mut mount = json!({ "Type": "tmpfs", "Target": target });
    if let Some(size) = of("size").and_then(bytes) {
        mount["TmpfsOptions"]["SizeBytes"] = json!(size);
    }
    if let Some(mode) = of("mode").and_then(|mode| i64::from_str_radix(mode, 8).ok()) {
        mount["TmpfsOptions"]["Mode"] = json!(mode);
    }
    mount
}

/// `1048576`, `1m`.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let factor = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A fixed address is not told apart from one that was given: what it has is what it was to have.
fn addresses(endpoint: &mut Value) {
    if endpoint["IPAMConfig"].is_object() {
        return;
    }
    let fields = [("IPv4Address", "IPAddress"), ("IPv6Address", "GlobalIPv6Address")];
    let has = fields.iter().filter_map(|(ours, theirs)| {
        let address = endpoint[theirs].as_str().filter(|address| !address.is_empty())?;
        Some(((*ours).to_owned(), json!(address)))
    });
    endpoint["IPAMConfig"] = Value::Object(has.collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(host: &Value) -> Value {
        in_dockers_terms(json!({ "Config": { "Volumes": null }, "HostConfig": host }))
    }

    #[test]
    fn one_that_ended_is_cleaned_up_once_it_has_no_network_of_its_own() {
        let is_cleaned_up = |status: &str, mode: &str, sandbox: &str| {
            let said = json!({
                "Id": "a", "Name": "/web", "Image": "sha256:b", "RestartCount": 0, "Created": "",
                "Config": {}, "State": { "Status": status, "Running": false, "ExitCode": 1 },
                "HostConfig": { "NetworkMode": mode }, "NetworkSettings": { "SandboxKey": sandbox },
            });
            is_cleaned_up(&super::super::answer::inspected(said, gaps(false)).expect("a container"))
        };
        let netns = "/run/netns/netns-233608e5-707b-fc69-2f72-7ef7e35120b9";
        assert!(!is_cleaned_up("stopped", "bridge", ""), "4.3.1, 5.4.2");
        assert!(!is_cleaned_up("exited", "bridge", netns), "5.8.6");
        assert!(is_cleaned_up("exited", "bridge", ""));
        assert!(is_cleaned_up("exited", "container:c894c1717818", netns), "that of the other one");
    }

    #[test]
    fn devices_and_ulimits_are_said_with_root_alone() {
        for option in ["devices", "ulimits"] {
            assert!(gaps(true).unsaid.contains(&option) && !gaps(false).unsaid.contains(&option));
        }
        assert!(gaps(false).unsaid.contains(&"volume_driver"));
    }

    #[test]
    fn limits_have_the_names_of_the_option() {
        let said = host(&json!({ "Ulimits": [{ "Name": "RLIMIT_NOFILE", "Hard": 1024, "Soft": 512 }] }));
        assert_eq!(said["HostConfig"]["Ulimits"][0]["Name"], "nofile");
    }

    #[test]
    fn what_is_mounted_is_told_as_docker_tells_it() {
        let anonymous = "d6dfe39742ff80c17aa49ea04a50a38073d9290d83665a630158cb72935fe37d";
        let said = host(&json!({
            "Binds": [
                "/etc/hostname:/etc/outside:ro,rprivate,rbind",
                format!("{anonymous}:/cache:rw,rprivate,nosuid,nodev,rbind"),
                "data:/data:rw,rprivate,nosuid,nodev,rbind",
            ],
            "Tmpfs": { "/run": "mode=1777,size=1m,rw,rprivate,nosuid,nodev,tmpcopyup" },
        }));
        assert_eq!(said["HostConfig"]["Binds"], json!(["/etc/hostname:/etc/outside:ro", "data:/data"]));
        assert_eq!(said["Config"]["Volumes"], json!({ "/cache": {} }));
        assert_eq!(said["HostConfig"]["Tmpfs"], json!({ "/run": "mode=1777,size=1m" }));
        let tmpfs = json!({
            "Type": "tmpfs", "Target": "/run", "TmpfsOptions": { "SizeBytes": 1 << 20, "Mode": 0o1777 },
        });
        assert_eq!(said["HostConfig"]["Mounts"][2], tmpfs);
        assert_eq!(said["HostConfig"]["Mounts"][0]["BindOptions"]["Propagation"], "rprivate");
    }

    #[test]
    fn an_address_that_it_has_is_the_one_that_it_was_to_have() {
        let networks =
            json!({ "back": { "IPAMConfig": null, "IPAddress": "10.89.1.2", "GlobalIPv6Address": "" } });
        let said = in_dockers_terms(json!({ "NetworkSettings": { "Networks": networks } }));
        let endpoint = &said["NetworkSettings"]["Networks"]["back"];
        assert_eq!(endpoint["IPAMConfig"], json!({ "IPv4Address": "10.89.1.2" }));
    }

    #[test]
    fn an_answer_of_another_shape_is_no_panic() {
        for answer in [
            json!(null),
            json!([]),
            json!({ "HostConfig": [] }),
            json!({ "HostConfig": { "Binds": {}, "Ulimits": [1], "Tmpfs": [] }, "NetworkSettings": 1 }),
            json!({ "HostConfig": { "Binds": [1, ""] }, "NetworkSettings": { "Networks": { "a": null } } }),
        ] {
            in_dockers_terms(answer);
        }
    }
}
