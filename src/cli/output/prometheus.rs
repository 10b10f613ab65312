//! The status of hosts in the text format of Prometheus, as the textfile collector of its node exporter reads it.

use super::status::HostStatus;
use std::fmt::Write as _;

/// All metrics; `unread` are hosts that could not be read. Values of containers and pillars are not among them.
pub(in crate::cli) fn text(workspace: &str, hosts: &[HostStatus], unread: &[String]) -> String {
    let mut out = String::new();
    let read = hosts.iter().map(|host| (host.host(), 1)).chain(unread.iter().map(|host| (host.as_str(), 0)));
    head(&mut out, "pillarbox_host_read", "Whether the host could be read.");
    for (host, value) in read {
        line(&mut out, "pillarbox_host_read", &[("workspace", workspace), ("host", host)], value);
    }
    head(
        &mut out,
        "pillarbox_container_works",
        "Whether a container that is to run does so and is not unhealthy.",
    );
    for host in hosts {
        for one in &host.wanted {
            let labels = [
                ("workspace", workspace),
                ("host", host.host()),
                ("service", &one.service),
                ("container", &one.container),
                ("version", &one.version),
            ];
            line(&mut out, "pillarbox_container_works", &labels, usize::from(one.works));
        }
    }
    head(&mut out, "pillarbox_pending_changes", "Resources that an apply would change.");
    for host in hosts {
        let labels = [("workspace", workspace), ("host", host.host())];
        line(&mut out, "pillarbox_pending_changes", &labels, host.changes);
    }
    head(&mut out, "pillarbox_not_compared", "Resources that could not be compared with what is declared.");
    for host in hosts {
        let labels = [("workspace", workspace), ("host", host.host())];
        line(&mut out, "pillarbox_not_compared", &labels, host.not_compared());
    }
    out
}

fn head(out: &mut String, name: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn line(out: &mut String, name: &str, labels: &[(&str, &str)], value: usize) {
    let labels: Vec<String> =
        labels.iter().map(|(label, value)| format!("{label}=\"{}\"", quoted(value))).collect();
    let _ = writeln!(out, "{name}{{{}}} {value}", labels.join(","));
}

/// The three characters that have a meaning in a value; a version comes from a host, which may say anything.
fn quoted(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_value_ends_its_line_or_its_quotes() {
        assert_eq!(quoted("1.0\"} 1\nx \\"), r#"1.0\"} 1\nx \\"#);
    }
}
