//! What a registry's answer means: which registry, which host, which entry of the pillar.

use super::{EngineError, ErrorKind};
use crate::name::{HostName, ImageRef, RegistryHost};
use crate::problem::{Problem, quoted};
use crate::registry::{Credential, Kind};
use std::time::Duration;

/// What a registry was asked for.
#[derive(Clone, Copy)]
enum Asked<'a> {
    /// An image.
    Image(&'a ImageRef),
    /// Whether a credential works.
    Login(&'a RegistryHost),
}

impl Asked<'_> {
    fn registry(&self) -> &RegistryHost {
        match self {
            Self::Image(image) => image.name.host(),
            Self::Login(registry) => registry,
        }
    }

    /// ` for IMAGE`.
    fn purpose(&self) -> String {
        match self {
            Self::Image(image) => format!(" for {image}"),
            Self::Login(_) => String::new(),
        }
    }
}

impl EngineError {
    /// As a problem of pulling or resolving an image; `used` is the credential that was sent.
    pub fn registry_problem(&self, host: &HostName, image: &ImageRef, used: Option<&Credential>) -> Problem {
        let problem = self.check_problem(host, image, used);
        match used {
            Some(_) if self.is_refusal() => {
                problem.hint("check it from every host: pillarbox registry check")
            }
            _ => problem,
        }
    }

    /// The same while credentials are checked.
    pub fn check_problem(&self, host: &HostName, image: &ImageRef, used: Option<&Credential>) -> Problem {
        self.explained(host, Asked::Image(image), used)
    }

    /// As a problem of showing a credential to its registry.
    pub fn login_problem(&self, host: &HostName, registry: &RegistryHost, used: &Credential) -> Problem {
        self.explained(host, Asked::Login(registry), Some(used))
    }

    /// That a registry is waited for.
    pub fn waiting(&self, host: &HostName, registry: &RegistryHost, wait: Duration) -> String {
        let why = match self.kind {
            ErrorKind::RateLimited => format!("limits the rate of host {host}"),
            _ => format!("told host {host} that it does not work for now"),
        };
        format!("the registry {registry} {why}: asked again in {} s", wait.as_secs())
    }

    /// Whether a registry gives nothing, or nothing to whom it was asked by: it refuses, is away or limits. What
    /// is of other registries can go on. That it has no such image is another matter: then what is declared is
    /// wrong.
    pub fn is_of_registry(&self) -> bool {
        match self.kind {
            ErrorKind::Refused
            | ErrorKind::Expired
            | ErrorKind::RateLimited
            | ErrorKind::CredentialMissing
            | ErrorKind::CredentialDropped
            | ErrorKind::RegistryUnreachable
            | ErrorKind::RegistryUnavailable => true,
            // A connection that was cut, an answer that is none.
            ErrorKind::Other => !self.is_of_disk(),
            ErrorKind::Unreachable
            | ErrorKind::TooOld
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::NoSuchImage
            | ErrorKind::Unsupported => false,
        }
    }

    /// Whether the host has no space left.
    fn is_of_disk(&self) -> bool {
        let words = self.message.to_lowercase();
        ["no space left on device", "disk quota exceeded"].iter().any(|one| words.contains(one))
    }

    /// How long a registry says that it gives no more; `None` where it does not say so. Engines pass on a
    /// registry's words and not its headers.
    pub fn retry_after(&self) -> Option<Duration> {
        if self.kind != ErrorKind::RateLimited {
            return None;
        }
        retry_after(&self.message.to_lowercase())
    }

    fn is_refusal(&self) -> bool {
        matches!(self.kind, ErrorKind::Refused | ErrorKind::Expired | ErrorKind::CredentialDropped)
    }

    fn explained(&self, host: &HostName, asked: Asked<'_>, used: Option<&Credential>) -> Problem {
        let (registry, purpose) = (asked.registry(), asked.purpose());
        let problem = match self.kind {
            ErrorKind::Refused => self
                .problem(format!("the registry {registry} refused the credential{purpose} on host {host}")),
            ErrorKind::Expired => self.problem(format!(
                "the credential{purpose} has expired: the registry {registry} refused it on host {host}"
            )),
            ErrorKind::RateLimited => self.limited(host, asked),
            ErrorKind::CredentialDropped if used.is_some_and(|used| used.header.is_identity_token()) => self
                .problem(format!(
                    "the registry {registry} takes no identity token{purpose}: it asks for user and password"
                )),
            ErrorKind::CredentialDropped => {
                self.problem(format!("the Engine of host {host} dropped the credential{purpose}"))
            }
            ErrorKind::CredentialMissing => self
                .problem(format!("the registry {registry} wants a credential{purpose}, host {host} has none"))
                .hint(format!("pillarbox registry add {} -u USER", quoted(registry.as_str())))
                .hint("its pillar file must be among those of the host: `pillar = [\"registries/*\"]`"),
            ErrorKind::RegistryUnreachable => {
                self.problem(format!("host {host} cannot reach the registry {registry}{purpose}"))
            }
            ErrorKind::RegistryUnavailable => self
                .problem(format!(
                    "the registry {registry} does not work for now: it told host {host} so{purpose}"
                ))
                .hint("try again later"),
            ErrorKind::NoSuchImage => self
                .problem(format!("the registry {registry} has no image{}", purpose.replacen(" for", "", 1)))
                .hint("is the tag pushed?"),
            ErrorKind::Unsupported => self.unsupported(host, asked),
            _ if self.is_of_disk() => self.problem(format!("host {host} has no space left{purpose}")).hint(
                "what takes space there: docker system df; unused images go with: docker image prune -a",
            ),
            _ => match asked {
                Asked::Image(image) => self.problem(format!("getting image {image} failed on host {host}")),
                Asked::Login(_) => self.problem(format!("host {host} cannot ask the registry {registry}")),
            },
        };
        match used {
            Some(used) => self.with_credential(problem, asked, used),
            None => problem,
        }
    }

    fn limited(&self, host: &HostName, asked: Asked<'_>) -> Problem {
        let registry = asked.registry();
        let problem = self
            .problem(format!("the registry {registry} limits the rate of host {host}{}", asked.purpose()));
        let problem = match self.retry_after() {
            Some(wait) => problem.hint(format!("try again in {}", humantime::format_duration(wait))),
            None => problem,
        };
        match asked {
            Asked::Image(image) if image.digest.is_none() => {
                let pinned = quoted(&format!("{}@sha256:…", image.name));
                problem.hint(format!("a reference with a digest is never asked for: {pinned}"))
            }
            _ => problem,
        }
    }

    fn unsupported(&self, host: &HostName, asked: Asked<'_>) -> Problem {
        match asked {
            Asked::Image(image) => self
                .problem(format!("the Engine of host {host} cannot tell which image {image} stands for"))
                .hint(format!("pin it with a digest: {}", quoted(&format!("{}@sha256:…", image.name))))
                .hint("or let a gate name it: pillarbox gate set APP VERSION --digest sha256:…")
                .hint("or plan with the images on the host: --offline"),
            Asked::Login(registry) => {
                self.problem(format!("the Engine of host {host} cannot try a credential at {registry}"))
            }
        }
    }

    /// Adds which credential was sent, and what to do if it is not taken.
    fn with_credential(&self, mut problem: Problem, asked: Asked<'_>, used: &Credential) -> Problem {
        // A registry may repeat what it was sent.
        problem.causes = problem.causes.iter().map(|cause| used.header.hide(cause)).collect();
        let sent = match &used.kind {
            Kind::Password | Kind::IdentityToken => {
                problem.cause(format!("{} was sent, from {}", used.key, used.place))
            }
            Kind::Asked(helper) => {
                let program = helper.program();
                problem.cause(format!("what {program} answered was sent, for {} at {}", used.key, used.place))
            }
        };
        if !self.is_refusal() {
            return sent;
        }
        let sent = sent.at(&used.place);
        let sent = match asked {
            Asked::Image(image) if self.is_about_rights() => sent.hint(format!(
                "it may be valid but lack the right to pull: grant it {} at the registry, or use another one: \
                 pillarbox registry add {} -u USER",
                image.name,
                quoted(&image.name.full())
            )),
            _ => sent,
        };
        match &used.kind {
            Kind::Password => {
                sent.hint(format!("if it changed at the registry: pillarbox seal {}", quoted(&used.key)))
            }
            Kind::IdentityToken => sent.hint(format!(
                "get a new one from the registry and seal it: pillarbox seal {}",
                quoted(&used.key)
            )),
            Kind::Asked(helper) => {
                let program = helper.program();
                sent.hint(format!("log in again with the tool of {program}: every run asks it again"))
            }
        }
    }

    /// Registries answer so also to a user they know (distribution, `errcode.ErrorCodeDenied`).
    fn is_about_rights(&self) -> bool {
        let words = self.message.to_lowercase();
        ["requested access to the resource is denied", "insufficient_scope"]
            .iter()
            .any(|one| words.contains(one))
    }
}

/// How long words in lower case ask to wait.
pub(super) fn retry_after(words: &str) -> Option<Duration> {
    ["retry-after:", "retry after", "try again in"].iter().find_map(|mark| {
        let (_, rest) = words.split_once(mark)?;
        duration(rest.trim_start())
    })
}

/// `1.5s`, `90 seconds`, `300`: what a text begins with, in whole seconds rounded up.
fn duration(text: &str) -> Option<Duration> {
    let number: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let value: f64 = number.trim_end_matches('.').parse().ok()?;
    let unit: String = text[number.len()..].trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
    let seconds = match unit.as_str() {
        "ns" | "µs" | "us" | "ms" => value.min(1.0),
        "m" | "min" | "minute" | "minutes" => value * 60.0,
        "h" | "hour" | "hours" => value * 3600.0,
        _ => value,
    };
    // Beyond a year it is no answer.
    (seconds <= 31_536_000.0).then(|| Duration::from_secs_f64(seconds.ceil()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_say_in_their_own_way_when_they_give_again() {
        let after = |words: &str| EngineError::new(ErrorKind::RateLimited, 500, words).retry_after();
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(after("toomanyrequests: retry-after: 312.123µs, allowed: 44000/minute"), seconds(1));
        assert_eq!(after("toomanyrequests: retry-after: 1.2s, allowed: 44000/minute"), seconds(2));
        assert_eq!(after("Too many requests. Retry after 90 seconds."), seconds(90));
        assert_eq!(after("slow down, try again in 5 minutes"), seconds(300));
        assert_eq!(after("retry after 300"), seconds(300));
        assert_eq!(after("toomanyrequests: You have reached your pull rate limit."), None);
        assert_eq!(after("retry after .. never"), None);
        assert_eq!(after("retry after 99999999999999999999 hours"), None);
        assert_eq!(EngineError::new(ErrorKind::Other, 500, "retry after 3 s").retry_after(), None);
    }
}
