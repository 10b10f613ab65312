//! The protocol over logins in memory.

use super::*;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Logins in memory, and how often something was written.
#[derive(Default)]
struct Memory {
    kept: RefCell<BTreeMap<Server, Login>>,
    writes: RefCell<u32>,
    fault: Option<Problem>,
    note: Option<String>,
}

impl Logins for Memory {
    fn get(&self, server: &Server) -> Result<Found> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone().into());
        }
        let found = self.kept.borrow().get(server).cloned();
        Ok(found.map_or_else(|| Found::Absent(self.note.clone()), Found::Login))
    }

    fn store(&self, server: &Server, login: &Login) -> Result<()> {
        *self.writes.borrow_mut() += 1;
        self.kept.borrow_mut().insert(server.clone(), login.clone());
        Ok(())
    }

    fn erase(&self, server: &Server) -> Result<Option<String>> {
        self.kept.borrow_mut().remove(server);
        Ok(self.note.clone())
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        let kept = self.kept.borrow();
        Ok(kept.iter().map(|(server, login)| (server.to_string(), login.username.clone())).collect())
    }
}

impl Memory {
    fn call(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = serve(arguments, self, &mut input.as_ref(), &mut out, &mut err).expect("written");
        (code, String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"))
    }

    fn store(&self, json: impl AsRef<[u8]>) -> (u8, String, String) {
        self.call(&["store"], json)
    }

    fn get(&self, server: &str) -> serde_json::Value {
        let (code, out, err) = self.call(&["get"], server);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        serde_json::from_str(&out).expect("JSON")
    }
}

#[test]
fn its_version_is_told_by_all_three_names() {
    let expected = concat!("docker-credential-pillarbox (pillarbox) ", env!("CARGO_PKG_VERSION"), "\n");
    for action in ["version", "-v", "--version"] {
        assert_eq!(Memory::default().call(&[action], ""), (0, expected.to_owned(), String::new()));
    }
}

#[test]
fn no_or_two_arguments_get_the_usage_and_asking_for_it_is_no_error() {
    let usage = "Usage: docker-credential-pillarbox <store|get|erase|list|version>\n";
    for (arguments, code) in [(&[][..], 1), (&["get", "list"], 1), (&["-h"], 0), (&["--help"], 0)] {
        assert_eq!(Memory::default().call(arguments, ""), (code, usage.to_owned(), String::new()));
    }
}

#[test]
fn an_unknown_action_is_named_with_its_control_characters_escaped() {
    let (code, out, _) = Memory::default().call(&["fr\u{1b}ob"], "");
    assert_eq!(code, 1);
    assert_eq!(out, "docker-credential-pillarbox: unknown action: fr\\u{1b}ob\n");
}

#[test]
fn the_sentences_are_those_that_clients_compare() {
    let memory = Memory::default();
    let says = |sentence: &str| (1, format!("{sentence}\n"), String::new());
    assert_eq!(memory.call(&["get"], "ghcr.io"), says("credentials not found in native keychain"));
    for empty in ["", " \r\n\t"] {
        assert_eq!(memory.call(&["get"], empty), says("no credentials server URL"));
        assert_eq!(memory.call(&["erase"], empty), says("no credentials server URL"));
    }
    for json in ["{}", "null", r#"{"Username":"u","Secret":"s"}"#, r#"{"ServerURL":" ","Username":"u"}"#] {
        assert_eq!(memory.store(json), says("no credentials server URL"), "{json}");
    }
    assert_eq!(memory.store(r#"{"ServerURL":"ghcr.io","Secret":"s"}"#), says("no credentials username"));
    assert_eq!(*memory.writes.borrow(), 0);
}

#[test]
fn a_hint_for_what_is_absent_goes_to_people_alone() {
    let memory = Memory { note: Some("only parts of it".to_owned()), ..Memory::default() };
    let (code, out, err) = memory.call(&["get"], "ghcr.io");
    assert_eq!((code, out.trim_end()), (1, NOT_FOUND));
    assert_eq!(err, "docker-credential-pillarbox: only parts of it\n");
    let (code, out, err) = memory.call(&["erase"], "ghcr.io");
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(err, "docker-credential-pillarbox: only parts of it\n");
}

#[test]
fn what_cannot_be_opened_is_an_error_of_one_line_on_both_streams() {
    let fault =
        Problem::failed("no identity opens\nthe box").cause("one\ntwo").hint("pillarbox identity new");
    let memory = Memory { fault: Some(fault), ..Memory::default() };
    let (code, out, err) = memory.call(&["get"], "ghcr.io");
    assert_eq!(code, 1);
    assert_eq!(out, "docker-credential-pillarbox: no identity opens, the box\n");
    assert_eq!(
        err,
        "docker-credential-pillarbox: no identity opens, the box (one, two). Hint: pillarbox identity new\n"
    );
}

#[test]
fn an_error_never_reads_as_if_there_were_none() {
    let memory = Memory { fault: Some(Problem::failed(NOT_FOUND)), ..Memory::default() };
    let (_, out, _) = memory.call(&["get"], "ghcr.io");
    assert!(!out.contains(NOT_FOUND), "{out}");
}

#[test]
fn a_login_is_read_as_the_other_helpers_read_it() {
    for json in [
        "{\"ServerURL\":\"ghcr.io\",\"Username\":\"bot\",\"Secret\":\"s3\"}\n",
        r#"{"serverurl":"ghcr.io","USERNAME":"bot","secret":"s3","More":{"a":[1]}}"#,
        r#"{"ServerURL":"x","ServerURL":"ghcr.io","Username":"bot","Username":null,"Secret":"s3"} {"ServerURL":"y"}"#,
        r#" {"ServerURL":" https://ghcr.io/ ","Username":"bot","Secret":"\u0073\u0033"} garbage"#,
    ] {
        let memory = Memory::default();
        assert_eq!(memory.store(json), (0, String::new(), String::new()), "{json}");
        let found = memory.get("ghcr.io");
        assert_eq!((&found["Username"], &found["Secret"]), (&"bot".into(), &"s3".into()), "{json}");
    }
}

#[test]
fn what_is_no_login_is_refused_without_showing_it() {
    for json in ["", "CANARY", "[\"CANARY\"]", r#"{"ServerURL":1,"Secret":"CANARY"}"#, r#"{"Secret":"CANARY"#]
    {
        let (code, out, err) = Memory::default().store(json);
        assert_eq!(code, 1);
        assert!(out.contains("not the JSON of a credential"), "{json}: {out}");
        assert!(!out.contains("CANARY") && !err.contains("CANARY"));
    }
    assert_eq!(Memory::default().store([b'"', 0xff, b'"']).0, 1);
}

#[test]
fn an_empty_secret_and_one_beyond_64_kib_are_secrets_too() {
    for secret in [String::new(), "x".repeat(200_000)] {
        let memory = Memory::default();
        let json = serde_json::json!({ "ServerURL": "ghcr.io", "Username": "bot", "Secret": secret });
        assert_eq!(memory.store(json.to_string()).0, 0);
        assert_eq!(memory.get("ghcr.io")["Secret"], secret.as_str());
    }
}

#[test]
fn the_same_login_again_writes_nothing_and_another_one_does() {
    let memory = Memory::default();
    for (json, writes) in [
        (r#"{"ServerURL":"ghcr.io","Username":"bot","Secret":"s"}"#, 1),
        (r#"{"ServerURL":"https://ghcr.io/v2/","Username":"bot","Secret":"s"}"#, 1),
        (r#"{"ServerURL":"ghcr.io","Username":"bot","Secret":"t"}"#, 2),
        (r#"{"ServerURL":"ghcr.io","Username":"bob","Secret":"t"}"#, 3),
    ] {
        assert_eq!(memory.store(json).0, 0);
        assert_eq!(*memory.writes.borrow(), writes, "{json}");
    }
}

#[test]
fn a_login_is_kept_even_where_the_one_before_cannot_be_opened() {
    let memory = Memory { fault: Some(Problem::failed("locked")), ..Memory::default() };
    assert_eq!(memory.store(r#"{"ServerURL":"ghcr.io","Username":"bot","Secret":"s"}"#).0, 0);
    assert_eq!(*memory.writes.borrow(), 1);
}

#[test]
fn a_list_without_entries_is_an_empty_object() {
    let memory = Memory::default();
    assert_eq!(memory.call(&["list"], "unused"), (0, "{}\n".to_owned(), String::new()));
    memory.store(r#"{"ServerURL":"docker.io","Username":"bob","Secret":"s"}"#);
    memory.store(r#"{"ServerURL":"ghcr.io","Username":"<token>","Secret":"s"}"#);
    let (_, out, _) = memory.call(&["list"], "unused");
    let all: BTreeMap<String, String> = serde_json::from_str(&out).expect("JSON");
    let expected = [("ghcr.io", "<token>"), ("https://index.docker.io/v1/", "bob")];
    assert_eq!(all, expected.map(|(server, user)| (server.to_owned(), user.to_owned())).into());
}

proptest! {
    #[test]
    fn what_store_took_get_gives_back(
        server in "[a-z]{1,9}\\.[a-z]{2,3}(:[1-9][0-9]{0,3})?(/[a-z]{1,5}){0,2}|http://[a-z]{1,9}\\.io|https://index\\.docker\\.io/v1/[a-z-]{1,9}",
        username in "\\PC{1,20}",
        secret in "(?s).{0,200}",
    ) {
        let memory = Memory::default();
        let json = serde_json::json!({ "ServerURL": server, "Username": username, "Secret": secret });
        prop_assert_eq!(memory.store(json.to_string()).0, 0);
        let found = memory.get(&format!(" {server}\n"));
        prop_assert_eq!(found, json);
        prop_assert_eq!(memory.call(&["erase"], &server).0, 0);
        prop_assert_eq!(memory.call(&["get"], &server).1, format!("{NOT_FOUND}\n"));
    }

    #[test]
    fn no_input_panics_and_every_call_ends_with_0_or_1(action in "get|store|erase", input in prop::collection::vec(any::<u8>(), 0..60)) {
        prop_assert!(Memory::default().call(&[&action], input).0 <= 1);
    }
}
