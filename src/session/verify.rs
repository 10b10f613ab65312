//! The stage between connecting and observing: only hosts that may be sent what is meant for them go on.

use super::connect::Connected;
use super::hosts::{FailedHost, Hosts};
use super::known_hosts::{Learned, NewHosts, Sending, ask_for_many};
use super::pipeline::Pipeline;
use crate::desired::{DesiredState, PullPolicy};
use crate::name::ImageRef;
use crate::problem::Code;
use crate::registry::Lookup;

impl Pipeline<'_> {
    /// Keeps the hosts that may be sent what is meant for them, one after another because each may be a question.
    /// `sends` tells whether a host will be sent a credential or secret.
    pub(super) async fn verify<'v>(
        &self,
        connected: Hosts<Connected<'v>>,
        sends: impl Fn(&Connected<'v>) -> bool,
    ) -> Hosts<Connected<'v>> {
        let Hosts { ready, mut failed } = connected;
        let mut verified = Vec::with_capacity(ready.len());
        let mut learned = Learned::default();
        let mut new_hosts = self.new_hosts;
        if new_hosts == NewHosts::Ask {
            let sent: Vec<_> =
                ready.iter().filter(|one| sends(one)).map(|one| (one.host, &one.seen)).collect();
            match ask_for_many(self.vault, &sent, self.interrupt).await {
                Ok(asked) => new_hosts = asked,
                // Each of them says that it is not known, and those that are known go on.
                Err(problems) if problems.code() == Code::Declined => {
                    learned.declined = problems.into_vec().into_iter().next();
                }
                Err(problems) => {
                    failed.extend(
                        ready.iter().map(|one| FailedHost::new(one.host.name.clone(), problems.clone())),
                    );
                    return Hosts { ready: Vec::new(), failed };
                }
            }
        }
        for one in ready {
            let sending =
                Sending { seen: &one.seen, secrets: sends(&one), new_hosts, interrupt: self.interrupt };
            match learned.accept(self.vault, one.host, &sending).await {
                Ok(()) => verified.push(one),
                Err(problems) => failed.push(FailedHost::new(one.host.name.clone(), problems)),
            }
        }
        let mut hosts = Hosts { ready: verified, failed };
        // What cannot be remembered was not accepted.
        if let Err(problems) = learned.write(self.vault) {
            let all = std::mem::take(&mut hosts.ready);
            hosts.fail(all.iter().map(|one| &one.host.name), &problems);
        }
        hosts
    }
}

/// Whether planning or applying sends this host any secret.
pub(super) fn is_sent_secrets(connected: &Connected<'_>) -> bool {
    let credential = |image: &ImageRef| matches!(connected.credentials.lookup(&image.name), Lookup::Entry(_));
    connected.desired.items.iter().any(|item| match &item.want {
        DesiredState::Container(_) | DesiredState::Task(_) => item.want.container().is_some_and(|want| {
            want.spec.texts().any(|(_, text)| text.secrets().next().is_some())
                || (want.pull == PullPolicy::Missing && credential(&want.image))
        }),
        DesiredState::ImagePulled { image, .. } => credential(image),
        DesiredState::ImageAbsent { .. }
        | DesiredState::ContainerAbsent { .. }
        | DesiredState::Surplus { .. }
        | DesiredState::Network(_)
        | DesiredState::NetworkAbsent { .. }
        | DesiredState::Volume(_)
        | DesiredState::VolumeAbsent { .. }
        | DesiredState::LeftOut { .. } => false,
    })
}
