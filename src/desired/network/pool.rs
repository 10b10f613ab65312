//! Address ranges of a network: checked against each other, in one spelling.

use crate::desired::read;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// An address range, `10.1.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    address: IpAddr,
    length: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.trim().split_once('/')?;
        let (address, length) = (address.parse::<IpAddr>().ok()?, length.parse::<u32>().ok()?);
        (length <= width(address)).then_some(Self { address, length })
    }

    /// The same with all bits after its prefix zero.
    fn masked(self) -> Self {
        let bits = bits(self.address) & self.mask();
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(bits).unwrap_or_default().into()),
            IpAddr::V6(_) => IpAddr::V6(bits.into()),
        };
        Self { address, ..self }
    }

    fn mask(self) -> u128 {
        let free = width(self.address) - self.length;
        let all = if self.address.is_ipv4() { u128::from(u32::MAX) } else { u128::MAX };
        if free >= 128 { 0 } else { (all >> free) << free }
    }

    fn holds(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && bits(address) & self.mask() == bits(self.address) & self.mask()
    }

    fn overlaps(self, other: Self) -> bool {
        self.holds(other.address) || other.holds(self.address)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// A list of tables, one for each range; canonical is sorted by range.
pub(super) fn list(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let known = ["aux_addresses", "gateway", "ip_range", "iprange", "subnet"];
    let pools = read::each(items, |item| {
        let fields: Vec<(&str, &Arg)> = read::fields(option, item, &known)?.into_iter().collect();
        flat(item, &fields)
    })?;
    let ranges: Vec<Range> = pools.iter().filter_map(|pool| Range::parse(pool["subnet"].as_str()?)).collect();
    for (at, range) in ranges.iter().enumerate() {
        if let Some(other) = ranges[..at].iter().find(|other| other.overlaps(*range)) {
            return Err(read::wrong(option, arg, &format!("has {other} and {range}, which overlap")).into());
        }
    }
    let by_range: BTreeMap<String, Value> = pools
        .into_iter()
        .map(|pool| (pool["subnet"].as_str().unwrap_or_default().to_owned(), pool))
        .collect();
    Ok(Value::Array(by_range.into_values().collect()))
}

/// One range from its fields.
pub(super) fn flat(arg: &Arg, fields: &[(&str, &Arg)]) -> Result<Value> {
    let find = |name: &str| fields.iter().find(|(field, _)| *field == name).map(|(_, arg)| *arg);
    let Some(subnet) = find("subnet") else {
        return Err(Problem::failed("an address range of a network has no `subnet`").at(&arg.place).into());
    };
    let range = range("subnet", subnet)?;
    if range.masked() != range {
        let why = format!("is {range}, which is an address within a range");
        return Err(read::wrong("subnet", subnet, &why).hint(format!("write \"{}\"", range.masked())).into());
    }
    let mut pool = Map::from_iter([("subnet".to_owned(), json!(range.to_string()))]);
    let mut problems = Vec::new();
    for (name, arg) in fields {
        let read = match *name {
            "gateway" => address(range, name, arg).map(|address| Some(("gateway", json!(address)))),
            "ip_range" | "iprange" => part(range, name, arg).map(|part| Some(("ip_range", json!(part)))),
            "aux_addresses" => aux(range, name, arg).map(|aux| Some(("aux_addresses", aux))),
            _ => Ok(None),
        };
        match read {
            Ok(found) => pool.extend(found.map(|(name, value)| (name.to_owned(), value))),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems)?;
    Ok(Value::Object(pool))
}

fn range(option: &str, arg: &Arg) -> Result<Range> {
    let text = read::word(option, arg)?;
    Range::parse(&text).ok_or_else(|| {
        let why = format!("is `{}`, which is not an address range", escaped(&text));
        read::wrong(option, arg, &why).hint("write it like \"10.20.0.0/24\"").into()
    })
}

fn part(of: Range, option: &str, arg: &Arg) -> Result<String> {
    let part = range(option, arg)?;
    match of.holds(part.address) && part.length >= of.length {
        true => Ok(part.masked().to_string()),
        false => Err(read::wrong(option, arg, &format!("is {part}, which is not within {of}")).into()),
    }
}

fn address(within: Range, option: &str, arg: &Arg) -> Result<String> {
    let text = read::word(option, arg)?;
    match text.trim().parse::<IpAddr>() {
        Ok(address) if within.holds(address) => Ok(address.to_string()),
        Ok(address) => {
            Err(read::wrong(option, arg, &format!("is {address}, which is not within {within}")).into())
        }
        Err(_) => {
            let why = format!("is `{}`, which is not an IP address", escaped(&text));
            Err(read::wrong(option, arg, &why).into())
        }
    }
}

fn aux(within: Range, option: &str, arg: &Arg) -> Result<Value> {
    let ArgValue::Table(table) = &arg.value else {
        return Err(read::wrong(option, arg, "must be a table of names and addresses").into());
    };
    let mut found = Map::new();
    for (name, arg) in table.iter().filter(|(_, arg)| arg.value != ArgValue::Unset) {
        found.insert(name.clone(), json!(address(within, &format!("{option}.{name}"), arg)?));
    }
    Ok(Value::Object(found))
}

/// Canonical and Engine names of the fields.
const NAMES: [(&str, &str); 4] = [
    ("subnet", "Subnet"),
    ("gateway", "Gateway"),
    ("ip_range", "IPRange"),
    ("aux_addresses", "AuxiliaryAddresses"),
];

/// `IPAM.Config` of a create body.
pub(super) fn config(pools: &Value) -> Value {
    let pools = pools.as_array().into_iter().flatten();
    let config = pools.map(|pool| {
        let fields =
            NAMES.iter().filter_map(|(name, key)| Some(((*key).to_owned(), pool.get(name)?.clone())));
        Value::Object(fields.collect())
    });
    config.collect()
}

/// Whether the ranges of a network differ: a declared one is missing or differs in a declared field, or there
/// is another range of a declared address family (an Engine adds its own range of the other family).
pub(super) fn differ(wanted: &Value, found: Option<&Value>) -> bool {
    let empty = Vec::new();
    let wanted = wanted.as_array().unwrap_or(&empty);
    let found = found.and_then(Value::as_array).unwrap_or(&empty);
    let subnet = |pool: &Value, key: &str| Range::parse(pool[key].as_str()?).map(Range::masked);
    let missing = wanted.iter().any(|pool| {
        let same = found.iter().find(|other| subnet(other, "Subnet") == subnet(pool, "subnet"));
        same.is_none_or(|same| pool_differs(pool, same))
    });
    let extra = found.iter().filter_map(|pool| subnet(pool, "Subnet")).any(|range| {
        let mut declared = wanted.iter().filter_map(|pool| subnet(pool, "subnet"));
        let mut family = declared.clone().filter(|other| other.address.is_ipv4() == range.address.is_ipv4());
        family.next().is_some() && !declared.any(|other| other == range)
    });
    missing || extra
}

fn pool_differs(wanted: &Value, found: &Value) -> bool {
    // Some Engines print the length of the range behind the gateway.
    let plain = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        text.split('/').next().and_then(|text| text.parse::<IpAddr>().ok())
    };
    let gateway = wanted.get("gateway").is_some_and(|gateway| plain(gateway) != plain(&found["Gateway"]));
    let range = |value: &Value| Range::parse(value.as_str()?).map(Range::masked);
    let part = wanted.get("ip_range").is_some_and(|part| range(part) != range(&found["IPRange"]));
    let aux = wanted.get("aux_addresses").and_then(Value::as_object).is_some_and(|wanted| {
        wanted
            .iter()
            .any(|(name, address)| plain(address) != plain(&found["AuxiliaryAddresses"][name.as_str()]))
    });
    gateway || part || aux
}
