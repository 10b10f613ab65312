//! Which ports a container opens, and to whom, in words.

use super::Spec;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a port is open: the address of the host (empty is all) and the protocol. Ports of the host and of
/// the container with the same distance are one line.
type Line<'a> = (&'a str, &'a str);

impl Spec {
    /// One line for each port, or range of ports, that the container opens on its host.
    pub fn publishes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let ports = self.fixed.get("ports").and_then(Value::as_object);
        let mut by_address: BTreeMap<Line<'_>, Vec<(String, u16)>> = BTreeMap::new();
        for (target, hosts) in ports.into_iter().flatten() {
            let Some((target, protocol)) = target.split_once('/') else { continue };
            let Ok(target) = target.parse() else { continue };
            for host in hosts.as_array().into_iter().flatten() {
                let text = |key: &str| host[key].as_str().unwrap_or_default();
                let port = text("HostPort").to_owned();
                by_address.entry((text("HostIp"), protocol)).or_default().push((port, target));
            }
        }
        for ((address, protocol), mut pairs) in by_address {
            pairs.sort_by_key(|(port, target)| (*target, port.parse::<u16>().unwrap_or(0)));
            for run in runs(&pairs) {
                lines.push(line(address, protocol, run));
            }
        }
        if self.fixed.get("publish_all_ports") == Some(&Value::Bool(true)) {
            lines.push("every exposed port, at free ports of all interfaces".to_owned());
        }
        if self.fixed.get("network_mode").and_then(Value::as_str) == Some("host") {
            lines.push("whatever it listens on: it has the network of the host".to_owned());
        }
        lines
    }
}

/// Parts in which both ports count up by one.
fn runs(pairs: &[(String, u16)]) -> impl Iterator<Item = &[(String, u16)]> {
    pairs.chunk_by(|(port, target), (next, next_target)| {
        let number = |port: &str| port.parse::<u32>().ok();
        number(port).is_some_and(|port| number(next) == Some(port + 1))
            && u32::from(*next_target) == u32::from(*target) + 1
    })
}

fn line(address: &str, protocol: &str, run: &[(String, u16)]) -> String {
    let (Some((first, target)), Some((last, last_target))) = (run.first(), run.last()) else {
        return String::new();
    };
    let host = match (address, address.contains(':')) {
        ("", _) => "0.0.0.0".to_owned(),
        (_, true) => format!("[{address}]"),
        (_, false) => address.to_owned(),
    };
    let (ports, targets) = match run.len() {
        1 if first.is_empty() => ("(a free port)".to_owned(), target.to_string()),
        1 if first.contains('-') => (format!("(one of {first})"), target.to_string()),
        1 => (first.clone(), target.to_string()),
        _ => (format!("{first}-{last}"), format!("{target}-{last_target}")),
    };
    let whom = match address.parse::<std::net::IpAddr>() {
        Ok(ip) if ip.is_loopback() => "this host only",
        Ok(ip) if !ip.is_unspecified() => "at this address",
        Ok(ip) if ip.is_ipv4() => "all interfaces, IPv4",
        _ => "all interfaces",
    };
    format!("{host}:{ports} -> {targets}/{protocol}, {whom}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_port_says_to_whom_it_is_open_and_a_range_is_one_line() {
        let binding = |ip: &str, port: &str| json!([{ "HostIp": ip, "HostPort": port }]);
        let ports = json!({
            "80/tcp": binding("", "8080"),
            "81/tcp": binding("", "8081"),
            "90/tcp": binding("127.0.0.1", "9090"),
            "53/udp": binding("10.0.0.5", "53"),
            "54/udp": binding("::1", "54"),
            "55/udp": binding("", ""),
            "56/udp": binding("0.0.0.0", "5600-5609"),
        });
        let fixed = BTreeMap::from([("ports".to_owned(), ports)]);
        let spec = Spec { fixed, ..Spec::default() };
        insta::assert_snapshot!(spec.publishes().join("\n"), @r"
        0.0.0.0:8080-8081 -> 80-81/tcp, all interfaces
        0.0.0.0:(a free port) -> 55/udp, all interfaces
        0.0.0.0:(one of 5600-5609) -> 56/udp, all interfaces, IPv4
        10.0.0.5:53 -> 53/udp, at this address
        127.0.0.1:9090 -> 90/tcp, this host only
        [::1]:54 -> 54/udp, this host only
        ");
    }
}
