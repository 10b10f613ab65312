//! Credentials that a file holds itself, in base64: `auths`.

use super::json::{line_of, object, table};
use super::layout::cuts;
use super::splice::{Splice, apply};
use crate::problem::{Place, Result};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonc_parser::ast::{Object, Value};
use zeroize::Zeroizing;

/// The name of the field.
pub(super) const AUTHS: &str = "auths";

/// All entries of a file, in its order.
pub type Auths = Vec<Auth>;

/// One entry.
#[derive(Clone, Debug)]
pub struct Auth {
    /// The registry, as written: `ghcr.io`, `https://index.docker.io/v1/`, and in Podman's files
    /// `quay.io/acme`.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// What it holds, or why that cannot be read; without any of it.
    pub stored: Result<Stored, &'static str>,
}

/// What an entry holds.
#[derive(Clone, Debug)]
pub enum Stored {
    /// Nothing: its credential is with a helper.
    Nothing,
    /// A user name and a password.
    Basic {
        /// The user name.
        username: String,
        /// The password; text.
        password: Secret,
    },
    /// An identity token; text.
    Token(Secret),
}

/// Reads the entries of a file. `file` is its path, for errors.
///
/// # Errors
/// Where it is not JSON, or `auths` is no object.
pub fn read_auths(text: &str, file: &str) -> Result<Auths> {
    let Some(root) = object(text, file)? else { return Ok(Vec::new()) };
    let entries = table(text, file, &root, AUTHS)?;
    let one = |entry: &jsonc_parser::ast::ObjectProp<'_>| Auth {
        key: entry.name.as_str().to_owned(),
        place: Place::new(file, line_of(text, entry.range.start)),
        stored: match &entry.value {
            Value::Object(fields) => stored(fields),
            Value::NullKeyword(_) => Ok(Stored::Nothing),
            _ => Err("it is not an object"),
        },
    };
    Ok(entries.into_iter().flat_map(|entries| &entries.properties).map(one).collect())
}

/// The text of a file without some entries of `auths`.
///
/// # Errors
/// As [`read_auths`].
pub fn without_auths(text: &str, file: &str, goes: impl Fn(&str) -> bool) -> Result<Option<String>> {
    let Some(root) = object(text, file)? else { return Ok(None) };
    let Some(entries) = table(text, file, &root, AUTHS)? else { return Ok(None) };
    let is_gone = |entry: &jsonc_parser::ast::ObjectProp<'_>| goes(entry.name.as_str());
    let splices = match entries.properties.iter().all(is_gone) {
        true if entries.properties.is_empty() => Vec::new(),
        true => {
            let inside = entries.range.start + 1..entries.range.end - 1;
            let removed = text[inside.clone()].to_owned();
            vec![Splice { at: inside.start, removed, inserted: String::new() }]
        }
        false => cuts(text, entries, is_gone),
    };
    Ok(if splices.is_empty() { None } else { apply(text, &splices) })
}

fn stored(fields: &Object<'_>) -> Result<Stored, &'static str> {
    let text = |name: &str| -> Result<Option<&str>, &'static str> {
        let mut found =
            fields.properties.iter().filter(|field| field.name.as_str().eq_ignore_ascii_case(name));
        let first = found.next().map(|field| &field.value);
        if found.next().is_some() {
            return Err("one of its fields appears twice");
        }
        match first {
            None | Some(Value::NullKeyword(_)) => Ok(None),
            Some(Value::StringLit(text)) => Ok(Some(&*text.value).filter(|text| !text.is_empty())),
            Some(_) => Err("a field of it is not a string"),
        }
    };
    if let Some(token) = text("identitytoken")? {
        return Ok(Stored::Token(sound(token)?));
    }
    // As docker reads it: `auth` goes before the two fields in clear.
    if let Some(auth) = text("auth")? {
        let (username, password) = decoded(auth)?;
        return Ok(Stored::Basic { username, password });
    }
    if text("registrytoken")?.is_some() {
        return Err("it holds a registry token, which is valid for minutes");
    }
    match (text("username")?, text("password")?) {
        (None, None) => Ok(Stored::Nothing),
        (Some(username), Some(password)) => {
            Ok(Stored::Basic { username: user(username)?, password: sound(password)? })
        }
        (None, Some(_)) => Err("it has a password and no user name"),
        (Some(_), None) => Err("it has a user name and no password"),
    }
}

/// `user:password` out of base64.
fn decoded(auth: &str) -> Result<(String, Secret), &'static str> {
    let bytes = STANDARD.decode(auth.trim()).map_err(|_| "its `auth` is not base64")?;
    let bytes = Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes).map_err(|_| "its `auth` is not UTF-8 text")?;
    let (name, password) = text.split_once(':').ok_or("its `auth` has no `:` after the user name")?;
    Ok((user(name)?, sound(password)?))
}

fn user(name: &str) -> Result<String, &'static str> {
    match name {
        "" => Err("its user name is empty"),
        name if name.contains(':') => Err("its user name has a `:`"),
        name if name.contains(char::is_control) => Err("its user name has a control character"),
        name => Ok(name.to_owned()),
    }
}

/// A password or token that can be sent: one line of text.
///
/// # Errors
/// What is wrong with it, without any of it.
pub fn sound(text: &str) -> Result<Secret, &'static str> {
    match text {
        "" => Err("its secret is empty"),
        text if text.contains('\0') => Err("its secret has a NUL byte"),
        text if text.contains(char::is_control) => Err("its secret has a control character"),
        text => Ok(Secret::from(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entry: &str) -> Result<Stored, &'static str> {
        let text = format!("{{\n\"auths\": {{ \"ghcr.io\": {entry} }} }}");
        let mut all = read_auths(&text, "config.json").expect("JSON");
        assert_eq!((all.len(), all[0].place.line, all[0].key.as_str()), (1, 2, "ghcr.io"));
        all.remove(0).stored
    }

    fn basic(entry: &str) -> (String, String) {
        match read(entry).expect(entry) {
            Stored::Basic { username, password } => {
                (username, password.reveal_text().expect("text").to_owned())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn entries_of_every_shape_are_read() {
        let auth = |text: &str| format!("{{\"auth\": \"{}\"}}", STANDARD.encode(text));
        assert_eq!(basic(&auth("bot:a:b~?>é")), ("bot".to_owned(), "a:b~?>é".to_owned()));
        assert_eq!(basic("{\"username\": \"bot\", \"password\": \"p\"}"), ("bot".to_owned(), "p".to_owned()));
        assert_eq!(basic("{\"Username\": \"x\", \"password\": \"y\", \"auth\": \"Ym90OnA=\"}").0, "bot");
        let long = "x".repeat(64 << 10);
        assert_eq!(basic(&auth(&format!("bot:{long}"))).1, long);
        assert!(matches!(read("{}"), Ok(Stored::Nothing)));
        assert!(matches!(read("null"), Ok(Stored::Nothing)));
        match read("{\"auth\": \"MDAwOg==\", \"identitytoken\": \"tok\"}").expect("a token") {
            Stored::Token(token) => assert_eq!(token.reveal(), b"tok"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_a_credential_is_said_without_any_of_it() {
        for (entry, why) in [
            ("{\"auth\": \"%%%CANARY\"}".to_owned(), "not base64"),
            (format!("{{\"auth\": \"{}\"}}", STANDARD.encode("CANARY")), "no `:`"),
            (format!("{{\"auth\": \"{}\"}}", STANDARD.encode("u:CANARY\0")), "NUL"),
            (format!("{{\"auth\": \"{}\"}}", STANDARD.encode("u:CAN\x1bARY")), "control"),
            (format!("{{\"auth\": \"{}\"}}", STANDARD.encode(b"u:\xffCANARY")), "UTF-8"),
            (format!("{{\"auth\": \"{}\"}}", STANDARD.encode(":CANARY")), "user name is empty"),
            ("{\"auth\": 7}".to_owned(), "not a string"),
            ("{\"auth\": \"\", \"AUTH\": \"\"}".to_owned(), "twice"),
            ("{\"username\": \"u\"}".to_owned(), "no password"),
            ("{\"password\": \"CANARY\"}".to_owned(), "no user name"),
            ("{\"registrytoken\": \"CANARY\"}".to_owned(), "minutes"),
            ("\"CANARY\"".to_owned(), "not an object"),
        ] {
            let said = read(&entry).expect_err(&entry);
            assert!(said.contains(why) && !said.contains("CANARY"), "{entry}: {said}");
        }
    }

    #[test]
    fn entries_leave_a_file_and_nothing_else_changes() {
        let text = "{\n  \"auths\": {\n    \"a\": {},\n    \"b\" : {\"auth\": \"eA==\"},\n    \"c\": {}\n  },\n  \"x\":1 }";
        let cut = |goes: &[&str]| without_auths(text, "f", |key| goes.contains(&key)).expect("JSON");
        assert_eq!(
            cut(&["b"]).as_deref(),
            Some("{\n  \"auths\": {\n    \"a\": {},\n    \"c\": {}\n  },\n  \"x\":1 }")
        );
        assert_eq!(
            cut(&["a", "c"]).as_deref(),
            Some("{\n  \"auths\": {\n    \"b\" : {\"auth\": \"eA==\"}\n  },\n  \"x\":1 }")
        );
        assert_eq!(cut(&["a", "b", "c"]).as_deref(), Some("{\n  \"auths\": {},\n  \"x\":1 }"));
        assert_eq!(cut(&["z"]), None);
    }
}
