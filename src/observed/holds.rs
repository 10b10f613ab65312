//! What a container holds of its host while it runs, and no other can have then: ports and addresses.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// What a container holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Ports of the host.
    pub ports: Vec<HostPort>,
    /// Addresses, by network.
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
}

/// A port of the host, or some of which one is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// At one address of the host; `None`: at all of them.
    pub ip: Option<IpAddr>,
    /// The first.
    pub first: u16,
    /// The last, which is the first where there is one.
    pub last: u16,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: String,
}

impl HostPort {
    /// A port as Engines print it; `None` where it is not published, or the Engine chooses.
    pub fn read(ip: &str, port: &str, protocol: &str) -> Option<Self> {
        let (first, last) = port.split_once('-').unwrap_or((port, port));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        let ip = ip.trim_matches(['[', ']']).parse::<IpAddr>().ok().filter(|ip| !ip.is_unspecified());
        (first > 0 && first <= last).then(|| Self { ip, first, last, protocol: protocol.to_owned() })
    }

    /// The fixed ports of a `PortBindings`.
    pub fn of_bindings(bindings: Option<&Value>) -> Vec<Self> {
        let bindings = bindings.and_then(Value::as_object).into_iter().flatten();
        let all = bindings.flat_map(|(port, bound)| {
            let protocol = port.rsplit_once('/').map_or("tcp", |(_, protocol)| protocol);
            let bound = bound.as_array().into_iter().flatten();
            let text = |binding: &Value, field: &str| binding[field].as_str().unwrap_or_default().to_owned();
            bound
                .filter_map(|one| Self::read(&text(one, "HostIp"), &text(one, "HostPort"), protocol))
                .collect::<Vec<_>>()
        });
        all.collect()
    }

    /// Whether a container that has this one port keeps another from getting this port of a range.
    pub fn is_taken_by(&self, port: u16, held: &Self) -> bool {
        let alike = match (self.ip, held.ip) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        alike && self.protocol == held.protocol && (held.first..=held.last).contains(&port)
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(IpAddr::V6(ip)) => write!(f, "[{ip}]:")?,
            Some(ip) => write!(f, "{ip}:")?,
            None => {}
        }
        match self.first == self.last {
            true => write!(f, "{}/{}", self.first, self.protocol),
            false => write!(f, "{}-{}/{}", self.first, self.last, self.protocol),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn port(ip: &str, port: &str, protocol: &str) -> HostPort {
        HostPort::read(ip, port, protocol).expect("a port")
    }

    #[test]
    fn an_address_of_the_host_matters_only_between_two_addresses() {
        let taken = |wanted: &HostPort, held: &HostPort| wanted.is_taken_by(wanted.first, held);
        let all = port("0.0.0.0", "80", "tcp");
        let one = port("10.0.0.1", "80", "tcp");
        assert!(taken(&all, &one) && taken(&one, &all) && taken(&one, &one));
        assert!(taken(&port("", "80", "tcp"), &port("::", "80", "tcp")));
        assert!(!taken(&one, &port("10.0.0.2", "80", "tcp")));
        assert!(!taken(&all, &port("", "80", "udp")) && !taken(&all, &port("", "81", "tcp")));
        assert!(taken(&all, &port("", "79-81", "tcp")));
    }

    #[test]
    fn what_the_engine_chooses_is_no_fixed_port() {
        let bindings = json!({
            "80/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "8080" }, { "HostIp": "", "HostPort": "" }],
            "53/udp": [{ "HostPort": "0" }], "90/tcp": null, "91/tcp": [{ "HostPort": "9000-9002" }],
            "92/tcp": [{ "HostPort": "x" }],
        });
        let ports = HostPort::of_bindings(Some(&bindings));
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        assert_eq!(ports, ["127.0.0.1:8080/tcp", "9000-9002/tcp"]);
    }
}
