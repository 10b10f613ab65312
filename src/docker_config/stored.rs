//! What one entry of `auths` holds, read as docker and podman read it.

use crate::secret::Secret;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use jsonc_parser::ast::{Object, Value};
use zeroize::Zeroizing;

/// Base64 as Go's `StdEncoding` reads it: with padding, and the last bits may be anything.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

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

/// Reads the fields of an entry; `remarks` gets what is odd about how they are written.
pub(super) fn stored(fields: &Object<'_>, remarks: &mut Vec<&'static str>) -> Result<Stored, &'static str> {
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
        let (username, password) = decoded(auth, remarks)?;
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

/// `user:password` out of base64, as docker and podman take it apart (docker/cli `decodeAuth`).
fn decoded(auth: &str, remarks: &mut Vec<&'static str>) -> Result<(String, Secret), &'static str> {
    let mut base64 = Zeroizing::new(String::with_capacity(auth.len()));
    base64.extend(auth.trim().chars().filter(|c| !matches!(c, '\r' | '\n')));
    if base64.len() < auth.trim().len() {
        remarks.push("its base64 has line ends, which clients skip");
    }
    let bytes = LENIENT.decode(base64.as_bytes()).map_err(|_| "its `auth` is not base64")?;
    let bytes = Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes).map_err(|_| "its `auth` is not UTF-8 text")?;
    let (name, password) = text.split_once(':').ok_or("its `auth` has no `:` after the user name")?;
    let trimmed = password.trim_matches('\0');
    if trimmed.len() < password.len() {
        remarks.push("NUL bytes around its password are left out, as clients leave them out");
    }
    if name.starts_with('\u{feff}') {
        remarks.push("its user name begins with a byte order mark, which clients send");
    }
    Ok((user(name)?, sound(trimmed)?))
}

fn user(name: &str) -> Result<String, &'static str> {
    match name {
        "" => Err("its user name is empty"),
        name if name.contains(':') => Err("its user name has a `:`"),
        name if name.contains(char::is_control) => Err("its user name has a control character"),
        name => Ok(name.to_owned()),
    }
}

/// A password or token that can be sent: text, which may have several lines (a key file, a certificate).
///
/// # Errors
/// What is wrong with it, without any of it.
pub fn sound(text: &str) -> Result<Secret, &'static str> {
    match text {
        "" => Err("its secret is empty"),
        text if text.contains('\0') => Err("its secret has a NUL byte"),
        text if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) => {
            Err("its secret has a control character")
        }
        text => Ok(Secret::from(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker_config::read_auths;
    use base64::engine::general_purpose::STANDARD;

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
            (format!("{{\"auth\": \"{}\"}}", STANDARD.encode("u:CAN\0ARY")), "NUL"),
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
    fn secrets_of_several_lines_are_taken_byte_for_byte() {
        let auth = |text: &str| format!("{{\"auth\": \"{}\"}}", STANDARD.encode(text));
        let key = "{\n  \"private_key\": \"-----BEGIN\\n\"\r\n}\n";
        assert_eq!(basic(&auth(&format!("_json_key:{key}"))).1, key);
        assert_eq!(basic("{\"username\": \"u\", \"password\": \"a\\r\\n\"}").1, "a\r\n");
    }

    #[test]
    fn what_clients_make_of_odd_base64_is_taken_and_said() {
        let odd = |auth: &str| {
            let text = format!("{{\"auths\": {{\"a.io\": {{\"auth\": \"{auth}\"}}}}}}");
            let one = read_auths(&text, "f").expect("JSON").remove(0);
            match one.stored {
                Ok(Stored::Basic { username, password }) => {
                    (username, password.reveal_text().expect("text").to_owned(), one.remarks.join("; "))
                }
                other => panic!("{auth}: {other:?}"),
            }
        };
        let (_, secret, said) = odd("dTpw\\r\\nYXNz\\n");
        assert!(secret == "pass" && said.contains("line ends"), "{said}");
        let (_, secret, said) = odd(&STANDARD.encode("u:\0pass\0\0"));
        assert!(secret == "pass" && said.contains("NUL"), "{said}");
        let (user, _, said) = odd(&STANDARD.encode("\u{feff}u:pass"));
        assert!(user == "\u{feff}u" && said.contains("byte order mark"), "{said}");
        // Bits that belong to no byte.
        assert_eq!(odd("dTpwYXNzMR==").1, "pass1");
    }
}
