//! Credentials that end by themselves: when, and what lasts.

use crate::cli::Context;
use crate::name::RegistryHost;
use crate::problem::quoted;
use crate::registry::{Scope, ShortLived, expiry, short_lived};
use crate::secret::Secret;
use std::time::{SystemTime, UNIX_EPOCH};

/// What ends later than this is only said.
const SOON: i64 = 30 * 24 * 3600;

/// When a secret ends.
pub(super) struct Lifetime {
    kind: Option<ShortLived>,
    ends: i64,
    /// The secret itself says so; else it is the latest moment.
    is_said: bool,
}

impl Lifetime {
    /// That of a secret; `None` where nothing is known of an end.
    pub(super) fn of(host: &RegistryHost, username: Option<&str>, secret: &Secret) -> Option<Self> {
        let kind = username.and_then(|name| short_lived(host, name));
        let said = expiry(secret);
        let ends = said.or_else(|| Some(now() + kind?.lasts))?;
        Some(Self { kind, ends, is_said: said.is_some() })
    }

    /// The value of `expires`.
    pub(super) fn toml(&self) -> String {
        shown(self.ends)
    }

    /// Tells the operator, with what would last.
    pub(super) fn tell(&self, ctx: &Context, scope: &Scope) {
        let left = self.ends - now();
        let ends = match (left <= 0, self.is_said) {
            (true, _) => format!("ended at {}", shown(self.ends)),
            (false, true) => format!("ends at {}", shown(self.ends)),
            (false, false) => format!("ends at {} at the latest", shown(self.ends)),
        };
        match self.kind {
            Some(ShortLived { of, helper, .. }) => ctx.out.warn(format_args!(
                "the credential for {scope} is a token of {of} and {ends}; for a new one each time: \
                 pillarbox registry add {} --helper {helper}",
                quoted(&scope.to_string())
            )),
            None if left < SOON => ctx.out.warn(format_args!("the credential for {scope} {ends}")),
            None => ctx.out.say(format_args!("note: the credential for {scope} {ends}")),
        }
    }
}

/// Whether a moment, as `expires` has it, is over; `None` where it is none.
pub(in crate::cli::commands) fn is_over(moment: &str) -> Option<bool> {
    let moment = moment.parse::<jiff::Timestamp>().ok()?;
    Some(moment.as_second() <= now())
}

/// A moment as `expires` has it.
pub(in crate::cli::commands) fn shown(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|moment| moment.to_string()).unwrap_or_default()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}
