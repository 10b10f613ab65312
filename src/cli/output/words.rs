//! Steps in words, the same in plans, progress and errors.

use crate::plan::{Action, HostPlan, Step};

/// A step's call in a few words: `pull registry.example.com/web/nginx:1.9.0`.
pub(in crate::cli) fn action(action: &Action) -> String {
    match action {
        Action::Pull { image, platform, .. } => {
            let wanted = platform.as_ref().map(|platform| format!(" for {platform}")).unwrap_or_default();
            match &image.digest {
                Some(digest) if image.tag.is_none() => {
                    format!("pull {}@{}{wanted}", image.name, digest.short())
                }
                _ => format!("pull {}{wanted}", without_digest(&image.to_string())),
            }
        }
        Action::Tag { source, name } => format!("tag {} as {name}", without_digest(source)),
        Action::AwaitHealthy { name, timeout, .. } if *timeout > 60 => {
            format!("wait until {name} is up, {} at most (start_timeout)", long(*timeout))
        }
        Action::AwaitHealthy { name, .. } => format!("wait until {name} is up"),
        Action::AwaitExit { name, .. } => format!("wait until {name} has ended"),
        Action::Delay { seconds, why } => format!("wait {seconds} s: {why}"),
        other => other.to_string(),
    }
}

/// A time that is longer than a minute.
fn long(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (minutes, 0) => format!("{minutes} min"),
        (minutes, rest) => format!("{minutes} min {rest} s"),
    }
}

/// A step of a plan by its id; the steps are in the order of their ids.
pub(in crate::cli) fn step(plan: &HostPlan, id: u32) -> Option<&Step> {
    let place = plan.steps.binary_search_by_key(&id, |step| step.id).ok()?;
    plan.steps.get(place)
}

/// A reference with its digest cut to twelve digits where nothing else tells versions apart, and
/// dropped where a tag does.
pub(in crate::cli) fn without_digest(reference: &str) -> String {
    match reference.split_once("@sha256:") {
        Some((name, hex)) => {
            let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
            if tagged { name.to_owned() } else { format!("{name}@{}", hex.get(..12).unwrap_or(hex)) }
        }
        None => match reference.strip_prefix("sha256:") {
            Some(hex) => hex.get(..12).unwrap_or(hex).to_owned(),
            None => reference.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_short_but_told_apart() {
        let hex = "0123456789ab".repeat(6);
        let hex = &hex[..64];
        assert_eq!(
            without_digest(&format!("r.example.com:5000/web@sha256:{hex}")),
            "r.example.com:5000/web@0123456789ab"
        );
        assert_eq!(
            without_digest(&format!("r.example.com:5000/web:1.9@sha256:{hex}")),
            "r.example.com:5000/web:1.9"
        );
        assert_eq!(without_digest(&format!("sha256:{hex}")), "0123456789ab");
        assert_eq!(without_digest("nginx:1.9"), "nginx:1.9");
    }
}
