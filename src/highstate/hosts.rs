//! Grains of minions: the labels of a host, and where its Engine is.

use super::looks_secret;
use serde_json::Value;
use std::collections::BTreeMap;

/// Grains that Salt finds by itself, and that are about the machine.
const FOUND: [&str; 93] = [
    "biosreleasedate",
    "biosvendor",
    "biosversion",
    "boardname",
    "cpu_flags",
    "cpu_model",
    "cpuarch",
    "cwd",
    "disks",
    "dns",
    "domain",
    "efi",
    "efi-secure-boot",
    "fibre_channel_host",
    "fqdn",
    "fqdn_ip4",
    "fqdn_ip6",
    "fqdns",
    "gid",
    "gpus",
    "groupname",
    "host",
    "hwaddr_interfaces",
    "id",
    "init",
    "ip4_gw",
    "ip4_interfaces",
    "ip6_gw",
    "ip6_interfaces",
    "ip_gw",
    "ip_interfaces",
    "ipv4",
    "ipv6",
    "iscsi_iqn",
    "kernel",
    "kernelparams",
    "kernelrelease",
    "kernelversion",
    "locale_info",
    "localhost",
    "lsb_distrib_codename",
    "lsb_distrib_description",
    "lsb_distrib_id",
    "lsb_distrib_release",
    "lxd",
    "machine_id",
    "manufacturer",
    "master",
    "mdadm",
    "mem_total",
    "nodename",
    "num_cpus",
    "num_gpus",
    "nvme_nqn",
    "osarch",
    "osbuild",
    "oscodename",
    "osfinger",
    "osfullname",
    "osmajorrelease",
    "osrelease",
    "osrelease_info",
    "package",
    "path",
    "pid",
    "productname",
    "ps",
    "pythonexecutable",
    "pythonpath",
    "pythonversion",
    "saltpath",
    "saltversion",
    "saltversioninfo",
    "selinux",
    "serialnumber",
    "server_id",
    "shell",
    "ssds",
    "swap_total",
    "systemd",
    "systempath",
    "transactional",
    "uid",
    "username",
    "uuid",
    "virtual",
    "virtual_subtype",
    "zfs_feature_flags",
    "zfs_support",
    "zmqversion",
    "cloudprovider",
    "hostname",
    "nodegroup",
];

/// What is known of a host by its grains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grains {
    /// The minion's id.
    pub id: Option<String>,
    /// The name by which it is reached.
    pub fqdn: Option<String>,
    /// `os`, `os_family`, and all grains that were given to it.
    pub labels: BTreeMap<String, String>,
    /// Its roles.
    pub roles: Vec<String>,
    /// Grains that are no labels, and why.
    pub left_out: Vec<(String, &'static str)>,
}

/// The grains of a minion.
pub fn grains(answer: &Value) -> Grains {
    let mut found = Grains::default();
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    found.id = text("id");
    found.fqdn = text("fqdn").filter(|fqdn| fqdn.contains('.') && fqdn != "localhost.localdomain");
    for (name, value) in answer.as_object().into_iter().flatten() {
        if FOUND.contains(&name.as_str()) || name.starts_with("__") {
            continue;
        }
        let Some(label) = label(value) else {
            found.left_out.push((name.clone(), "a label is a text"));
            continue;
        };
        if name == "roles" || name == "role" {
            found.roles = label.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
        }
        if looks_secret(name, &label) {
            found.left_out.push((name.clone(), "it looks like a secret, and a label is in clear"));
        } else if !label.is_empty() {
            found.labels.insert(name.clone(), label);
        }
    }
    found
}

/// A value as a text; a list with commas.
fn label(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(items) => {
            let items = items.iter().map(|item| match item {
                Value::Array(_) | Value::Object(_) => None,
                item => label(item),
            });
            Some(items.collect::<Option<Vec<_>>>()?.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}
