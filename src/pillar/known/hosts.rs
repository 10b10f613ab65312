//! Judging a host against what is known of it: secrets are sent only to known hosts.

use super::{Known, KnownHost, KnownWorkspace, SeenWorkspace};
use crate::name::HostName;
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
    /// Judges a host by what is known of it: its daemon's ID only once the Engine was asked.
    ///
    /// # Errors
    /// [`Code::Seal`] where anything differs from what is known, the workspace's name and id too, or, with
    /// `strict`, where the host is new.
    pub fn judge_host(
        &self,
        workspace: &SeenWorkspace,
        host: &HostName,
        seen: &KnownHost,
        strict: bool,
    ) -> Result<HostVerdict> {
        self.check_workspace(workspace)?;
        let known = self.workspace(workspace).and_then(|known| known.hosts.get(host));
        if let Some((what, old, new)) = known.and_then(|known| known.difference(seen)) {
            return Err(Problem::new(
                Code::Seal,
                format!("the host {host} is not the one that this machine knows"),
            )
            .cause(format!("its {what} was {}", escaped(old)))
            .cause(format!("its {what} is {}", escaped(new)))
            .hint("credentials and secrets would be sent to it; if it is right, accept it:")
            .hint(accept(host))
            .into());
        }
        // A socket that no other user controlled is not the one that was met.
        let is_known = known.is_some_and(|known| known.stranger.is_some() || seen.stranger.is_none());
        if !is_known {
            if !strict {
                return Ok(HostVerdict::FirstUse);
            }
            let problem = Problem::new(Code::Seal, format!("the host {host} is not known on this machine"))
                .cause(format!("its engine is {}", escaped(&seen.address)));
            let problem = seen.details().fold(problem, |problem, (what, text)| {
                problem.cause(format!("its {what} is {}", escaped(text)))
            });
            return Err(problem
                .cause("no credential and no secret is sent to it before you accept it")
                .hint(accept(host))
                .into());
        }
        Ok(HostVerdict::Same)
    }

    /// Whether there is anything to learn of a host that is known.
    pub fn is_news(&self, workspace: &SeenWorkspace, host: &HostName, seen: &KnownHost) -> bool {
        let Some(known) = self.workspace(workspace) else { return true };
        let folder = seen_in(known, workspace);
        let host = known.hosts.get(host).is_some_and(|known| known.with(seen) == *known);
        !(folder && host)
    }

    /// Judges a host, and records what it learns of one that is known, but never a host: the caller must ask
    /// whether a host that is new here gets secrets.
    ///
    /// # Errors
    /// As [`Self::judge_host`].
    pub fn meet_host(
        &mut self,
        workspace: &SeenWorkspace,
        host: &HostName,
        seen: &KnownHost,
        strict: bool,
    ) -> Result<HostVerdict> {
        let verdict = self.judge_host(workspace, host, seen, strict)?;
        if verdict == HostVerdict::Same {
            let known = self.workspace(workspace).and_then(|known| known.hosts.get(host));
            if let Some(learned) = known.map(|known| known.with(seen)) {
                self.learn_host(workspace, host, &learned);
            }
            self.touch_workspace(workspace);
        }
        Ok(verdict)
    }

    /// Accepts a host as it is, regardless of what was known: it was accepted in this run or by
    /// `known accept`.
    pub fn learn_host(&mut self, workspace: &SeenWorkspace, host: &HostName, seen: &KnownHost) {
        if self.workspace(workspace).and_then(|known| known.hosts.get(host)) != Some(seen) {
            self.of(workspace).hosts.insert(host.clone(), seen.clone());
        }
    }
}

/// Whether a workspace was seen in its folder and with its id before.
fn seen_in(known: &KnownWorkspace, seen: &SeenWorkspace) -> bool {
    seen.folder.as_ref().is_none_or(|folder| known.folders.contains(folder))
        && (seen.id.is_none() || known.id == seen.id)
}

impl KnownHost {
    /// Each part besides the address, with the word for it.
    fn parts(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("docker context", self.leads_to.as_deref()),
            ("TLS", self.tls.as_deref()),
            ("certificate authority", self.ca.as_deref()),
            ("socket owner", self.stranger.as_deref()),
            ("daemon ID", self.daemon.as_deref()),
        ]
    }

    /// Those that are known, for people.
    pub fn details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.parts().into_iter().filter_map(|(what, text)| Some((what, text?)))
    }

    /// The same host without its daemon's ID, which only the Engine tells.
    #[must_use]
    pub fn without_daemon(self) -> Self {
        Self { daemon: None, ..self }
    }

    /// The first part that both have and that differs: what it is, old and new.
    fn difference<'a>(&'a self, seen: &'a Self) -> Option<(&'static str, &'a str, &'a str)> {
        if self.address != seen.address {
            return Some(("engine", &self.address, &seen.address));
        }
        let parts = self.parts().into_iter().zip(seen.parts());
        let both = parts.filter_map(|((what, old), (_, new))| Some((what, old?, new?)));
        both.into_iter().find(|(_, old, new)| old != new)
    }

    /// With the parts that were not known.
    fn with(&self, seen: &Self) -> Self {
        let or = |old: &Option<String>, new: &Option<String>| old.clone().or_else(|| new.clone());
        Self {
            address: self.address.clone(),
            leads_to: or(&self.leads_to, &seen.leads_to),
            tls: or(&self.tls, &seen.tls),
            ca: or(&self.ca, &seen.ca),
            stranger: self.stranger.clone(),
            daemon: or(&self.daemon, &seen.daemon),
        }
    }
}

fn accept(host: &HostName) -> String {
    format!("pillarbox known accept {host}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::WorkspaceName;

    fn host(address: &str, daemon: Option<&str>) -> KnownHost {
        KnownHost { address: address.to_owned(), daemon: daemon.map(str::to_owned), ..KnownHost::default() }
    }

    fn meet(known: &mut Known, seen: &KnownHost, strict: bool) -> Result<HostVerdict> {
        let workspace = WorkspaceName::parse("shop").expect("a name").into();
        known.meet_host(&workspace, &HostName::parse("web1").expect("a name"), seen, strict)
    }

    fn learn(known: &mut Known, seen: &KnownHost) {
        let workspace = WorkspaceName::parse("shop").expect("a name").into();
        known.learn_host(&workspace, &HostName::parse("web1").expect("a name"), seen);
    }

    #[test]
    fn a_host_with_another_address_or_daemon_gets_nothing() {
        let mut known = Known::default();
        assert_eq!(meet(&mut known, &host("ssh://web1", None), false), Ok(HostVerdict::FirstUse));
        assert!(!known.is_changed(), "a first use alone is not remembered");
        assert_eq!(meet(&mut known, &host("ssh://web1", None), true).expect_err("strict").code(), Code::Seal);
        learn(&mut known, &host("ssh://web1", None));
        assert!(known.is_changed());
        assert_eq!(meet(&mut known, &host("ssh://web1", Some("ID1")), true), Ok(HostVerdict::Same));
        assert_eq!(meet(&mut known, &host("ssh://web1", None), true), Ok(HostVerdict::Same));
        for seen in [host("ssh://web1", Some("ID2")), host("tcp://evil:2376", None)] {
            let problems = meet(&mut known, &seen, false).expect_err("changed");
            assert_eq!(problems.code(), Code::Seal);
            let problem = problems.iter().next().expect("one");
            assert_eq!(problem.causes.len(), 2, "old and new");
            assert_eq!(problem.hints.last().map(String::as_str), Some("pillarbox known accept web1"));
        }
    }

    #[test]
    fn everything_that_decides_who_receives_a_secret_is_compared() {
        let some = |text: &str| Some(text.to_owned());
        let full = KnownHost {
            leads_to: some("tcp://web1:2376"),
            tls: some("/etc/certs"),
            ca: some("sha256:00"),
            ..host("context:web1", None)
        };
        // What an older version did not write down is taken as it is found.
        let mut known = Known::default();
        learn(&mut known, &host("context:web1", None));
        assert_eq!(meet(&mut known, &full, true), Ok(HostVerdict::Same));
        for (what, seen) in [
            ("docker context", KnownHost { leads_to: some("tcp://evil:2376"), ..full.clone() }),
            ("TLS", KnownHost { tls: some("none"), ca: None, ..full.clone() }),
            ("TLS", KnownHost { tls: some("/tmp/certs"), ..full.clone() }),
            ("certificate authority", KnownHost { ca: some("sha256:11"), ..full.clone() }),
        ] {
            let problems = meet(&mut known, &seen, false).expect_err(what);
            assert!(problems.iter().next().expect("one").causes[0].starts_with(&format!("its {what} was ")));
        }
        assert_eq!(meet(&mut known, &full, true), Ok(HostVerdict::Same));
    }

    #[test]
    fn a_socket_that_a_stranger_took_over_is_not_the_one_that_is_known() {
        let own = host("unix:///run/docker.sock", None);
        let of = |who: &str| KnownHost { stranger: Some(who.to_owned()), ..own.clone() };
        let mut known = Known::default();
        learn(&mut known, &own);
        assert_eq!(meet(&mut known, &of("uid 1001"), false), Ok(HostVerdict::FirstUse));
        assert!(meet(&mut known, &of("uid 1001"), true).is_err());
        learn(&mut known, &of("uid 1001"));
        assert_eq!(meet(&mut known, &of("uid 1001"), true), Ok(HostVerdict::Same));
        assert!(meet(&mut known, &of("uid 1002"), false).is_err());
        assert_eq!(meet(&mut known, &own, true), Ok(HostVerdict::Same));
    }
}
