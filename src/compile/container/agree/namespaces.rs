//! Options that are not allowed with a namespace of another container or the host, and limits that are
//! declared twice.

use crate::desired::fields::{Canonical, Field, Fields};
use crate::problem::Problem;
use serde_json::Value;

/// Options of the network of the other container (the Engine refuses them as "conflicting options").
const OF_A_NETWORK: [&str; 9] = [
    "dns",
    "dns_options",
    "dns_search",
    "expose",
    "extra_hosts",
    "hostname",
    "links",
    "mac_address",
    "publish_all_ports",
];

/// Reports them.
pub(super) fn check(fields: &Fields, problems: &mut Vec<Problem>) {
    let get = |name: &str| match fields.get(name) {
        Some(field @ Field { canonical: Canonical::Option(value), .. }) => Some((field, value)),
        _ => None,
    };
    let text = |name: &str| get(name).and_then(|(_, value)| value.as_str()).unwrap_or_default();
    let mut wrong = |field: &Field, what: String, hint: String| {
        problems.push(Problem::failed(what).at(&field.place).hint(hint));
    };
    let mode = text("network_mode");
    if mode.starts_with("container:") {
        let declared =
            OF_A_NETWORK.iter().chain(["ports"].iter()).filter_map(|name| Some((name, get(name)?.0)));
        for (name, field) in declared {
            let what = format!("`{name}` is declared with network mode {mode}, whose network has its own");
            wrong(field, what, format!("declare it for the container that is shared, or leave `{name}` out"));
        }
    }
    for name in ["links", "mac_address"] {
        let Some((field, _)) = get(name) else { continue };
        if matches!(mode, "host" | "none") {
            let what = format!("`{name}` is declared in network mode {mode}, which has none");
            wrong(field, what, format!("leave `{name}` or `network_mode` out"));
        } else if get("networks").is_some() {
            let what = format!("`{name}` is for the default network, and `networks` are declared");
            wrong(field, what, format!("write it in the network: networks.NAME.{name}"));
        }
    }
    if let ("host", Some((field, _))) = (text("uts"), get("hostname")) {
        let what = "`hostname` is declared with `uts` host, where the host has its own".to_owned();
        wrong(field, what, "leave one of them out".to_owned());
    }
    for name in ["cpu_period", "cpu_quota"] {
        if let (Some((field, _)), Some(_)) = (get(name), get("cpus")) {
            let what = format!("`{name}` and `cpus` are both declared, and say the same");
            wrong(field, what, "leave one of them out".to_owned());
        }
    }
    let disabled = |value: &Value| *value == Value::Bool(true);
    if let (Some((field, value)), None) = (get("oom_kill_disable"), get("memory"))
        && disabled(value)
    {
        let what = "`oom_kill_disable` is declared without `memory`: the host would run out of it".to_owned();
        wrong(field, what, "declare `memory` too".to_owned());
    }
}
