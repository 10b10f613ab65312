//! Judging a host against what is known of it: secrets are sent only to known hosts.

use super::{Known, KnownHost};
use crate::name::{HostName, WorkspaceName};
use crate::problem::{Code, Problem, Result, escaped};

/// A host that may be sent secrets, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostVerdict {
    /// Nothing was known of it. Not yet remembered: see [`Known::learn_host`].
    FirstUse,
    /// Address and daemon are the known ones, or the daemon was not known and now is.
    Same,
}

impl Known {
    /// Judges a host by its engine's address and, once the Engine was asked, the ID of its daemon.
    /// Records a daemon ID that it learns, but never a host: the caller must ask whether a host that is new
    /// here gets secrets.
    ///
    /// # Errors
    /// [`Code::Seal`] where the address or the daemon differs from the known one, or, with `strict`,
    /// where the host is new.
    pub fn meet_host(
        &mut self,
        workspace: &WorkspaceName,
        host: &HostName,
        address: &str,
        daemon: Option<&str>,
        strict: bool,
    ) -> Result<HostVerdict> {
        let known = self.workspace(workspace).and_then(|known| known.hosts.get(host));
        let shown = escaped(address);
        let Some(known) = known else {
            if !strict {
                return Ok(HostVerdict::FirstUse);
            }
            return Err(Problem::new(Code::Seal, format!("the host {host} is not known on this machine"))
                .cause(format!(
                    "its engine is {shown}; no credential and no secret is sent to it before you accept it"
                ))
                .hint(accept(host))
                .into());
        };
        let changed = |what: &str, old: &str, new: &str| {
            Problem::new(Code::Seal, format!("the host {host} is not the one that this machine knows"))
                .cause(format!("its {what} was {}", escaped(old)))
                .cause(format!("its {what} is {}", escaped(new)))
                .hint("credentials and secrets would be sent to it; if it is right, accept it:")
                .hint(accept(host))
                .into()
        };
        if known.address != address {
            return Err(changed("engine", &known.address, address));
        }
        match (known.daemon.as_deref(), daemon) {
            (Some(old), Some(new)) if old != new => return Err(changed("daemon ID", old, new)),
            (None, Some(_)) => self.learn_host(workspace, host, address, daemon),
            _ => {}
        }
        Ok(HostVerdict::Same)
    }

    /// Accepts a host as it is, regardless of what was known: it was accepted in this run or by
    /// `known accept`.
    pub fn learn_host(
        &mut self,
        workspace: &WorkspaceName,
        host: &HostName,
        address: &str,
        daemon: Option<&str>,
    ) {
        let new = KnownHost { address: address.to_owned(), daemon: daemon.map(str::to_owned) };
        if self.workspace(workspace).and_then(|known| known.hosts.get(host)) != Some(&new) {
            self.of(workspace).hosts.insert(host.clone(), new);
        }
    }
}

fn accept(host: &HostName) -> String {
    format!("pillarbox known accept {host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_another_address_or_daemon_gets_nothing() {
        let workspace = WorkspaceName::parse("shop").expect("a name");
        let host = HostName::parse("web1").expect("a name");
        let mut known = Known::default();
        let meet = |known: &mut Known, address: &str, daemon: Option<&str>, strict| {
            known.meet_host(&workspace, &host, address, daemon, strict)
        };
        assert_eq!(meet(&mut known, "ssh://web1", None, false), Ok(HostVerdict::FirstUse));
        assert!(!known.is_changed(), "a first use alone is not remembered");
        assert_eq!(meet(&mut known, "ssh://web1", None, true).expect_err("strict").code(), Code::Seal);
        known.learn_host(&workspace, &host, "ssh://web1", None);
        assert!(known.is_changed());
        assert_eq!(meet(&mut known, "ssh://web1", Some("ID1"), true), Ok(HostVerdict::Same));
        assert_eq!(meet(&mut known, "ssh://web1", None, true), Ok(HostVerdict::Same));
        for (address, daemon) in [("ssh://web1", Some("ID2")), ("tcp://evil:2376", None)] {
            let problems = meet(&mut known, address, daemon, false).expect_err("changed");
            assert_eq!(problems.code(), Code::Seal);
            let problem = problems.iter().next().expect("one");
            assert_eq!(problem.causes.len(), 2, "old and new");
            assert_eq!(problem.hints.last().map(String::as_str), Some("pillarbox known accept web1"));
        }
    }
}
