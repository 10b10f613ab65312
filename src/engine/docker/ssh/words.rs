//! What ssh says when it fails, in words: texts of OpenSSH 9.2 (`sshconnect.c`, `kex.c`, `channels.c`), which are the
//! same from 7.4 on.

use crate::engine::EngineError;
use crate::problem::{escaped, quoted};

/// A cause that is known.
struct Known {
    what: String,
    hints: Vec<String>,
}

/// Adds what ssh said: what that means, where it is known, and its own lines, each once.
pub(super) fn with_words(mut error: EngineError, said: &str, by_hand: &str, host: &str) -> EngineError {
    let changed = said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED");
    if let Some(known) = known(said, by_hand, host)
        && !error.message.contains(&known.what)
    {
        error.message.push_str(": ");
        error.message.push_str(&known.what);
        for hint in known.hints {
            error = error.hint(hint);
        }
    }
    // Of a changed key all is said by now.
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty() && !changed);
    for line in lines {
        // Some begin with its own name.
        let line = escaped(line.strip_prefix("ssh: ").unwrap_or(line));
        if !error.message.contains(&line) {
            error.message.push_str("; ssh: ");
            error.message.push_str(&line);
        }
    }
    error
}

/// Whether the other side dropped the connection before anyone logged in, as a busy sshd does at random, and nothing
/// says that it would do so again.
pub(super) fn was_dropped(said: &str) -> bool {
    const BEFORE: [&str; 2] = ["kex_exchange_identification:", "ssh_exchange_identification:"];
    const DROPPED: [&str; 2] = ["Connection closed", "Connection reset"];
    // Through a jump host these come with the same words.
    const LASTING: [&str; 8] = [
        "Permission denied",
        "Host key verification failed",
        "Could not resolve",
        "Name or service not known",
        "open failed",
        "timed out",
        "Connection refused",
        "No route to host",
    ];
    let says = |words: &[&str]| words.iter().any(|one| said.contains(one));
    says(&BEFORE) && says(&DROPPED) && !says(&LASTING)
}

fn known(said: &str, by_hand: &str, host: &str) -> Option<Known> {
    let says = |words: &str| said.contains(words);
    let known = |what: &str, hints: &[String]| Some(Known { what: what.to_owned(), hints: hints.to_vec() });
    if says("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        let what = format!(
            "its host key has changed: it shows {}, and {} has another",
            word_after(said, "sent by the remote host is")
                .map_or_else(|| "a new one".to_owned(), |key| escaped(&key)),
            known_hosts(said).map_or_else(|| "known_hosts".to_owned(), |place| escaped(&place)),
        );
        return known(
            &what,
            &[
                "unless this host was set up again, another machine may answer in its place: ask who runs it"
                    .to_owned(),
                format!("if it was set up again, forget the old key: ssh-keygen -R {}", quoted(host)),
                format!("then compare the new one, and take it: {by_hand}"),
            ],
        );
    }
    if says("Host key verification failed") {
        return known(
            "its host key is not known here",
            &[format!(
                "log in once by hand, and compare its fingerprint with what the host itself says: {by_hand}"
            )],
        );
    }
    if says("Permission denied (") {
        return known(
            "no key that was offered is accepted there",
            &["which keys are offered: ssh-add -l, and IdentityFile in ~/.ssh/config".to_owned()],
        );
    }
    if says("Too many authentication failures") {
        return known(
            "more keys were offered than it looks at",
            &["name the right one for this host in ~/.ssh/config: IdentityFile, IdentitiesOnly yes"
                .to_owned()],
        );
    }
    if says("administratively prohibited") {
        return known(
            "its sshd does not forward sockets",
            &["allow it in its sshd_config: AllowStreamLocalForwarding yes".to_owned()],
        );
    }
    if says("open failed: connect failed") {
        return known(
            "the Engine's socket there is missing, or this user may not open it",
            &[format!(
                "look there: {by_hand} docker version; who may open it is in the group docker: sudo usermod -aG docker USER"
            )],
        );
    }
    if says("timed out") || says("Operation timed out") {
        return known("it does not answer", &[]);
    }
    None
}

/// The first word after some words.
fn word_after(said: &str, words: &str) -> Option<String> {
    let rest = said.split(words).nth(1)?;
    rest.split_whitespace().next().map(|word| word.trim_end_matches('.').to_owned())
}

/// `/home/alice/.ssh/known_hosts:12`.
fn known_hosts(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.starts_with("Offending "))?;
    line.split(" key in ").nth(1).map(|place| place.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ErrorKind;

    const HAND: &str = "ssh deploy@web1";

    fn said(said: &str) -> EngineError {
        with_words(EngineError::new(ErrorKind::Unreachable, 0, "ssh to web1 failed"), said, HAND, "web1")
    }

    #[test]
    fn what_ssh_says_names_ssh_once() {
        let text = "ssh: connect to host web1 port 22: Connection refused\r\nno more\n";
        let error = said(text);
        assert_eq!(
            error.message,
            "ssh to web1 failed; ssh: connect to host web1 port 22: Connection refused; ssh: no more"
        );
        assert_eq!(with_words(error.clone(), text, HAND, "web1"), error);
    }

    #[test]
    fn a_changed_host_key_is_said_in_one_line_with_both_ways_on() {
        let error = said(
            "@@@@@@@@@@@@@@@@@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n\
             @@@@@@@@@@@@@@@@@@@@@@@@\r\nIT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r\n\
             The fingerprint for the ED25519 key sent by the remote host is\nSHA256:abc/def+1.\r\n\
             Please contact your system administrator.\r\n\
             Add correct host key in /root/.ssh/known_hosts to get rid of this message.\r\n\
             Offending ED25519 key in /root/.ssh/known_hosts:12\r\nHost key verification failed.\r\n",
        );
        assert_eq!(
            error.message,
            "ssh to web1 failed: its host key has changed: it shows SHA256:abc/def+1, and \
             /root/.ssh/known_hosts:12 has another"
        );
        assert!(error.hints.iter().any(|hint| hint.ends_with("ssh-keygen -R 'web1'")), "{:?}", error.hints);
    }

    #[test]
    fn what_is_known_comes_before_the_words_of_ssh() {
        for (text, what) in [
            ("deploy@web1: Permission denied (publickey,password).", "no key that was offered is accepted"),
            ("Host key verification failed.", "its host key is not known here"),
            ("channel 1: open failed: connect failed: open failed", "socket there is missing, or this user"),
            ("channel 1: open failed: administratively prohibited: open failed", "its sshd does not forward"),
            ("Connection timed out during banner exchange", "it does not answer"),
        ] {
            let error = said(text);
            assert!(
                error.message.starts_with("ssh to web1 failed: ") && error.message.contains(what),
                "{error:?}"
            );
            assert!(error.message.ends_with(&format!("; ssh: {text}")), "{error:?}");
        }
    }

    #[test]
    fn only_a_connection_that_was_dropped_before_a_login_is_tried_again() {
        for dropped in [
            "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 10.0.0.1 port 22",
            "kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 10.0.0.1 port 22",
            "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535",
            "ssh_exchange_identification: read: Connection reset by peer",
        ] {
            assert!(was_dropped(dropped), "{dropped}");
        }
        for lasting in [
            "",
            "ssh: connect to host web1 port 22: Connection refused",
            "ssh: Could not resolve hostname web1: Name or service not known",
            "deploy@web1: Permission denied (publickey).",
            "Host key verification failed.",
            "Connection timed out during banner exchange\nConnection to 10.0.0.1 port 22 timed out",
            "Connection closed by 10.0.0.1 port 22",
            "jump@a: Permission denied (publickey).\nkex_exchange_identification: Connection closed by remote host",
            "channel 0: open failed: connect failed: No route to host\nstdio forwarding failed\n\
             kex_exchange_identification: Connection closed by remote host",
        ] {
            assert!(!was_dropped(lasting), "{lasting}");
        }
    }
}
