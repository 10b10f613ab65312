//! The words of Engines and registries that may be shown although a secret was sent with the question.

use super::{EXPIRED, GOING, LIMITED, REFUSED, UNKNOWN, UNREACHABLE};

/// The known phrases in a text in lower case, in its order; of two that overlap, the longer one.
pub(super) fn phrases(words: &str) -> Vec<String> {
    let all = [GOING, LIMITED, EXPIRED, REFUSED, UNREACHABLE, UNKNOWN, REGISTRY, REQUEST, SYSTEM, WARNINGS];
    let mut found: Vec<(usize, &str)> = Vec::new();
    let mut phrases: Vec<&str> = all.into_iter().flatten().copied().collect();
    phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
    for phrase in phrases {
        let Some(at) = words.find(phrase) else { continue };
        let overlaps = |(other, text): &(usize, &str)| at < other + text.len() && *other < at + phrase.len();
        if !found.iter().any(|one| overlaps(one) || one.1.contains(phrase)) {
            found.push((at, phrase));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, phrase)| phrase.to_owned()).collect()
}

/// What registries say, longer than what a refusal is known by.
const REGISTRY: &[&str] = &[
    "no basic auth credentials",
    "unauthorized: authentication required",
    "unauthorized: incorrect username or password",
    "denied: requested access to the resource is denied",
    "requested access to the resource is denied",
    "insufficient_scope: authorization failed",
    "your authorization token has expired. reauthenticate and try again.",
    "the refresh token has expired",
    "you have reached your pull rate limit",
    "repository does not exist or may require",
    "manifest unknown: manifest unknown",
    "certificate signed by unknown authority",
    "certificate has expired or is not yet valid",
    "failed with status: 400 bad request",
    "failed with status: 401 unauthorized",
    "failed with status: 500 internal server error",
    "unable to retrieve auth token",
    "no matching manifest for",
    "unsupported manifest media type",
    "filesystem layer verification failed",
    "unexpected eof",
    "dial tcp",
    "lookup",
];

/// What an Engine says of a container that it does not create, fill or run a command in.
const REQUEST: &[&str] = &[
    "no such image",
    "no such container",
    "no such network",
    "no such volume",
    "no such exec instance",
    "conflict",
    "is already in use by container",
    "name is already in use",
    "invalid reference format",
    "invalid mount config",
    "invalid mount path",
    "mount path must be absolute",
    "bind source path does not exist",
    "duplicate mount point",
    "invalid volume specification",
    "error while mounting volume",
    "invalid port specification",
    "port is already allocated",
    "conflicting options",
    "invalid restart policy",
    "maximum retry count cannot be used with restart policy",
    "invalid hostname",
    "invalid environment variable",
    "invalid ipv4 address",
    "invalid ipv6 address",
    "user specified ip address is supported",
    "only when connecting to networks with user configured subnets",
    "unknown runtime specified",
    "unknown log opt",
    "unknown or invalid runtime name",
    "could not select device driver",
    "unknown capability",
    "invalid capability",
    "minimum memory limit allowed is",
    "minimum memoryswap limit should be larger than memory limit",
    "requested cpus are not available",
    "range of cpus is from",
    "does not match the specified platform",
    "no command specified",
    "container rootfs is marked read-only",
    "is marked for removal",
    "is not running",
    "is paused",
    "is restarting, wait until the container is running",
    "oci runtime exec failed",
    "oci runtime create failed",
    "unable to start container process",
    "executable file not found in $path",
    "failed to decode",
    "cannot unmarshal",
    "request entity too large",
    "unable to find user",
    "client version",
    "is too old",
    "is too new",
];

/// What the system under an Engine says.
const SYSTEM: &[&str] = &[
    "address already in use",
    "no space left on device",
    "disk quota exceeded",
    "permission denied",
    "operation not permitted",
    "read-only file system",
    "no such file or directory",
    "not a directory",
    "is a directory",
    "file exists",
    "cannot allocate memory",
    "input/output error",
    "invalid argument",
    "too many open files",
    "device or resource busy",
    "broken pipe",
];

/// What an Engine warns of.
const WARNINGS: &[&str] = &[
    "your kernel does not support",
    "memory limited without swap",
    "limitation discarded",
    "memory swappiness discarded",
    "discarded",
    "the requested image's platform",
    "does not match the detected host platform",
    "published ports are discarded when using host network mode",
    "ipv4 forwarding is disabled. networking will not work",
    "bridge-nf-call-iptables is disabled",
    "bridge-nf-call-ip6tables is disabled",
];
