//! A desired network: its options in canonical form, in the form of the Engine, and compared with an existing
//! one. The Engine chooses what is not declared, also an address range.

mod pool;

use super::fields::Fields;
use super::resource::{ResourceWish, part, part_differs};
use super::volume::{labels, put, table};
use super::{compare, read};
use crate::inspect::Inspect;
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};

/// Arguments of `network.present`; Compose's `ipam`, and Salt's flat ones.
pub(crate) const ARGUMENTS: [&str; 17] = [
    "attachable",
    "aux_addresses",
    "driver",
    "driver_opts",
    "enable_ipv6",
    "gateway",
    "internal",
    "ip_range",
    "ipam",
    "ipam_driver",
    "ipam_opts",
    "ipam_pools",
    "ipv6",
    "labels",
    "options",
    "scope",
    "subnet",
];

/// Arguments that are one address range by themselves.
const POOL: [&str; 4] = ["aux_addresses", "gateway", "ip_range", "subnet"];

/// The fields that arguments declare.
pub(crate) fn fields<'a>(
    args: impl IntoIterator<Item = (&'a str, &'a Arg)>,
    problems: &mut Vec<Problem>,
) -> Fields {
    let mut fields = Fields::new();
    let (mut flat, mut listed) = (Vec::new(), None);
    for (name, arg) in args {
        let one = |field: &str, value: Value| vec![(field.to_owned(), value)];
        let read = match name {
            "driver" => read::word(name, arg).map(|word| one("driver", json!(word))),
            "driver_opts" | "options" => table("driver_opts", name, arg),
            "internal" | "attachable" => read::boolean(name, arg).map(|truth| one(name, json!(truth))),
            "ipv6" | "enable_ipv6" => read::boolean(name, arg).map(|truth| one("ipv6", json!(truth))),
            "labels" => labels(arg),
            "scope" => scope(arg).map(|word| one("scope", json!(word))),
            "ipam_driver" => read::word(name, arg).map(|word| one("ipam.driver", json!(word))),
            "ipam_opts" => table("ipam.options", name, arg),
            "ipam_pools" => pool::list(name, arg).map(|pools| one("ipam.pools", pools)),
            "ipam" => ipam(arg),
            _ if POOL.contains(&name) => {
                flat.push((name, arg));
                continue;
            }
            _ => continue,
        };
        if matches!(name, "ipam" | "ipam_pools") {
            listed = Some(arg);
        }
        put(&mut fields, read, arg, problems);
    }
    if let Some((_, first)) = flat.first() {
        let first = *first;
        if listed.is_some() && fields.contains_key("ipam.pools") {
            let what = "address ranges are declared twice, in a list and by themselves";
            problems.push(Problem::failed(what).at(&first.place).hint("put them all into `ipam`"));
        } else {
            let pool = pool::flat(first, &flat).map(|pool| vec![("ipam.pools".to_owned(), json!([pool]))]);
            put(&mut fields, pool, first, problems);
        }
    }
    fields
}

fn scope(arg: &Arg) -> Result<String> {
    let word = read::word("scope", arg)?;
    if matches!(word.as_str(), "local" | "swarm" | "global") {
        return Ok(word);
    }
    let why = format!("is `{}`, but can be local, swarm or global", escaped(&word));
    Err(read::wrong("scope", arg, &why).into())
}

/// `{ driver, options, config = [{ subnet, gateway, ip_range, aux_addresses }] }`.
fn ipam(arg: &Arg) -> Result<Vec<(String, Value)>> {
    // Salt has `ipam` for a list of ranges, too.
    if matches!(arg.value, ArgValue::Array(_)) {
        return Ok(vec![("ipam.pools".to_owned(), pool::list("ipam", arg)?)]);
    }
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (name, arg) in read::fields("ipam", arg, &["config", "driver", "options", "pools"])? {
        let written = format!("ipam.{name}");
        let read = match name {
            "driver" => read::word(&written, arg).map(|word| vec![("ipam.driver".to_owned(), json!(word))]),
            "options" => table("ipam.options", &written, arg),
            _ => pool::list(&written, arg).map(|pools| vec![("ipam.pools".to_owned(), pools)]),
        };
        match read {
            Ok(more) => found.extend(more),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    crate::problem::Problems::check(problems)?;
    Ok(found)
}

/// Canonical fields and where the Engine has them, in a create body and in what it says.
const PLAIN: [(&str, &str); 5] = [
    ("attachable", "Attachable"),
    ("driver", "Driver"),
    ("internal", "Internal"),
    ("ipv6", "EnableIPv6"),
    ("scope", "Scope"),
];

impl ResourceWish {
    /// The body of `POST /networks/create`, without labels of pillarbox.
    pub fn network_body(&self) -> Value {
        // Without it Engines before 25 make a second network of the same name.
        let mut body = json!({ "Name": self.name, "CheckDuplicate": true, "Labels": self.parts("labels") });
        for (field, key) in PLAIN {
            if let Some(value) = self.spec.fixed.get(field) {
                body[key] = value.clone();
            }
        }
        let options = self.parts("driver_opts");
        if !options.is_empty() {
            body["Options"] = json!(options);
        }
        let mut ipam = Map::new();
        if let Some(driver) = self.spec.fixed.get("ipam.driver") {
            ipam.insert("Driver".to_owned(), driver.clone());
        }
        let options = self.parts("ipam.options");
        if !options.is_empty() {
            ipam.insert("Options".to_owned(), json!(options));
        }
        if let Some(pools) = self.spec.fixed.get("ipam.pools") {
            ipam.insert("Config".to_owned(), pool::config(pools));
        }
        if !ipam.is_empty() {
            body["IPAM"] = Value::Object(ipam);
        }
        body
    }

    /// The declared fields in which a network differs.
    pub fn network_differences(&self, network: &Inspect) -> Vec<String> {
        self.differences(network, |field, wanted, network| {
            for (table, pointer) in
                [("driver_opts", "/Options"), ("labels", "/Labels"), ("ipam.options", "/IPAM/Options")]
            {
                if let Some(key) = part(field, table) {
                    return part_differs(key, wanted, network.compare(pointer));
                }
            }
            if field == "ipam.pools" {
                return pool::differ(wanted, network.compare("/IPAM/Config"));
            }
            let key = PLAIN.iter().find(|(name, _)| *name == field).map(|(_, key)| format!("/{key}"));
            let pointer = key.unwrap_or_else(|| "/IPAM/Driver".to_owned());
            !compare::same(wanted, network.compare(&pointer))
        })
    }
}
