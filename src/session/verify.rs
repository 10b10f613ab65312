//! The stage between connecting and observing: only hosts that may be sent what is meant for them go on.

use super::connect::Connected;
use super::hosts::{FailedHost, Hosts};
use super::known_hosts::{Sending, accept};
use super::pipeline::Pipeline;
use crate::desired::{PullPolicy, Wish};
use crate::name::ImageRef;
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
        for one in ready {
            let sending = Sending {
                seen: &one.seen,
                secrets: sends(&one),
                new_hosts: self.new_hosts,
                interrupt: self.interrupt,
            };
            match accept(self.vault, one.host, &sending).await {
                Ok(()) => verified.push(one),
                Err(problems) => failed.push(FailedHost { host: one.host.name.clone(), problems }),
            }
        }
        Hosts { ready: verified, failed }
    }
}

/// Whether planning or applying sends this host any secret.
pub(super) fn is_sent_secrets(connected: &Connected<'_>) -> bool {
    let credential = |image: &ImageRef| matches!(connected.credentials.lookup(&image.name), Lookup::Entry(_));
    connected.desired.items.iter().any(|item| match &item.wish {
        Wish::Container(_) | Wish::Task(_) => item.wish.container().is_some_and(|wish| {
            wish.spec.texts().any(|(_, text)| text.secrets().next().is_some())
                || (wish.pull == PullPolicy::Missing && credential(&wish.image))
        }),
        Wish::ImagePulled { image, .. } => credential(image),
        Wish::ImageAbsent { .. }
        | Wish::ContainerAbsent { .. }
        | Wish::Surplus { .. }
        | Wish::Network(_)
        | Wish::NetworkAbsent { .. }
        | Wish::Volume(_)
        | Wish::VolumeAbsent { .. }
        | Wish::LeftOut { .. } => false,
    })
}
