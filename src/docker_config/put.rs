//! Credentials put into a file as `docker login` does it: the entries of their keys are replaced, and every
//! other byte stays.

use super::auths::AUTHS;
use super::json::{object, table};
use super::layout::Layout;
use super::splice::{Splice, apply};
use super::stored::Stored;
use super::wire::{HELPERS, exchange, fresh, quoted};
use crate::problem::{Problem, Result};
use crate::registry::TOKEN_USER;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonc_parser::ast::Object;
use zeroize::{Zeroize as _, Zeroizing};

/// What is put into a file; keys as its client writes them.
#[derive(Clone, Debug, Default)]
pub struct Puts {
    /// Credentials, in base64.
    pub auths: Vec<(String, Stored)>,
    /// Names of helpers.
    pub helpers: Vec<(String, String)>,
}

/// What became of a file.
#[derive(Debug)]
pub struct Put {
    /// Its text.
    pub text: Secret,
    /// Keys that were there already.
    pub replaced: Vec<String>,
}

/// The text of a file with credentials and helpers. `file` is its path, for errors.
///
/// # Errors
/// Where it is not JSON, or one of the two tables is no object.
pub fn put(text: &str, file: &str, puts: &Puts) -> Result<Put> {
    let root = object(text, file)?;
    let layout = Layout::of(text, root.as_ref());
    let top = root.as_ref().map_or_else(|| layout.unit().to_owned(), |root| layout.indent_in(root));
    let auth = |indent: &str, stored: &Stored| layout.object(indent, &fields(stored));
    let helper = |_: &str, name: &String| quoted(name);
    let old = |name| root.as_ref().map_or(Ok(None), |root| table(text, file, root, name));
    let mut work =
        Work { text, layout: &layout, top, splices: Vec::new(), new: Vec::new(), replaced: Vec::new() };
    work.table(AUTHS, old(AUTHS)?, &puts.auths, auth);
    work.table(HELPERS, old(HELPERS)?, &puts.helpers, helper);
    work.end(root.as_ref())
}

/// A change that is being made.
struct Work<'a> {
    text: &'a str,
    layout: &'a Layout<'a>,
    /// The indentation of what stands in the outermost object.
    top: String,
    splices: Vec<Splice>,
    /// Tables that are not there yet.
    new: Vec<(String, String)>,
    replaced: Vec<String>,
}

impl Work<'_> {
    /// Puts entries into one of the two tables.
    fn table<T>(
        &mut self,
        name: &str,
        old: Option<&Object<'_>>,
        entries: &[(String, T)],
        value: impl Fn(&str, &T) -> String,
    ) {
        let unit = self.layout.unit();
        let indent =
            old.map_or_else(|| format!("{}{unit}", self.top), |object| self.layout.indent_in(object));
        let mut new = Vec::new();
        for (key, one) in entries {
            let properties = old.into_iter().flat_map(|object| &object.properties);
            // Of two equal keys clients take the last: both are replaced.
            let same: Vec<_> = properties.filter(|entry| entry.name.as_str() == key).collect();
            for entry in &same {
                self.splices.push(exchange(self.text, &entry.value, &value(&indent, one)));
            }
            match same.is_empty() {
                true => new.push((quoted(key), value(&indent, one))),
                false => self.replaced.push(key.clone()),
            }
        }
        match old {
            _ if new.is_empty() => {}
            Some(object) => self.splices.push(self.layout.append(object, &new)),
            None => self.new.push((quoted(name), self.layout.object(&self.top, &new))),
        }
        wipe(&mut new);
    }

    /// The text with all of it.
    fn end(mut self, root: Option<&Object<'_>>) -> Result<Put> {
        let mut new = std::mem::take(&mut self.new);
        // A field that is `null` counts as absent, and must not stand there twice.
        for null in root.into_iter().flat_map(|root| &root.properties) {
            let is_it = |(name, _): &(String, String)| {
                name.trim_matches('"').eq_ignore_ascii_case(null.name.as_str())
            };
            if let Some(at) = new.iter().position(is_it) {
                let (_, value) = new.remove(at);
                self.splices.push(exchange(self.text, &null.value, &value));
            }
        }
        match root {
            _ if new.is_empty() => {}
            Some(root) => self.splices.push(self.layout.append(root, &new)),
            None => self.splices.extend(fresh(self.text, self.layout, &new)),
        }
        wipe(&mut new);
        self.splices.sort_by_key(|splice| splice.at);
        let made = apply(self.text, &self.splices).map(Secret::from);
        self.splices.iter_mut().for_each(|splice| splice.inserted.zeroize());
        let text = made.ok_or_else(|| Problem::failed("the file cannot be put together"))?;
        Ok(Put { text, replaced: self.replaced })
    }
}

fn wipe(pairs: &mut [(String, String)]) {
    pairs.iter_mut().for_each(|(_, value)| value.zeroize());
}

/// An entry as docker writes it. Podman takes an identity token only beside an `auth` that has a user.
fn fields(stored: &Stored) -> Vec<(String, String)> {
    let auth = |username: &str, password: &str| {
        let pair = Zeroizing::new(format!("{username}:{password}"));
        (quoted("auth"), quoted(&Zeroizing::new(STANDARD.encode(pair.as_bytes()))))
    };
    match stored {
        Stored::Nothing => Vec::new(),
        Stored::Basic { username, password } => {
            vec![auth(username, password.reveal_text().unwrap_or_default())]
        }
        Stored::Token(token) => vec![
            auth(TOKEN_USER, ""),
            (quoted("identitytoken"), quoted(token.reveal_text().unwrap_or_default())),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker_config::{helpers, read_auths};

    fn basic(key: &str, user: &str, password: &str) -> (String, Stored) {
        let password = Secret::from(password.to_owned());
        (key.to_owned(), Stored::Basic { username: user.to_owned(), password })
    }

    fn text_of(text: &str, puts: &Puts) -> String {
        let put = put(text, "config.json", puts).expect("JSON");
        put.text.reveal_text().expect("text").to_owned()
    }

    #[test]
    fn a_new_file_is_written_as_docker_writes_it() {
        let puts = Puts {
            auths: vec![
                basic("ghcr.io", "bot", "p"),
                ("quay.io".to_owned(), Stored::Token("tok".to_owned().into())),
            ],
            helpers: vec![("123.dkr.ecr.eu-west-1.amazonaws.com".to_owned(), "ecr-login".to_owned())],
        };
        let expected = "{\n\t\"auths\": {\n\t\t\"ghcr.io\": {\n\t\t\t\"auth\": \"Ym90OnA=\"\n\t\t},\n\
                        \t\t\"quay.io\": {\n\t\t\t\"auth\": \"PHRva2VuPjo=\",\n\t\t\t\"identitytoken\": \"tok\"\n\t\t}\n\t},\n\
                        \t\"credHelpers\": {\n\t\t\"123.dkr.ecr.eu-west-1.amazonaws.com\": \"ecr-login\"\n\t}\n}\n";
        assert_eq!(text_of("", &puts), expected);
        let again = put(expected, "f", &puts).expect("JSON");
        assert_eq!(again.text.reveal(), expected.as_bytes());
        assert_eq!(again.replaced.len(), 3);
    }

    #[test]
    fn what_else_is_in_a_file_stays_to_the_byte() {
        let puts = Puts { auths: vec![basic("ghcr.io", "bot", "p")], helpers: Vec::new() };
        for (old, new) in [
            ("{}", "{\n\t\"auths\": {\n\t\t\"ghcr.io\": {\n\t\t\t\"auth\": \"Ym90OnA=\"\n\t\t}\n\t}\n}"),
            (
                "{\"x\":1,\"auths\":{\"a\":{},\"ghcr.io\":{\"auth\":\"b2xkOm9sZA==\"}}}",
                "{\"x\":1,\"auths\":{\"a\":{},\"ghcr.io\":{\"auth\":\"Ym90OnA=\"}}}",
            ),
            (
                "{\n  \"auths\": {\n    \"a\": {}\n  },\n  \"psFormat\": \"x\"\n}\n",
                "{\n  \"auths\": {\n    \"a\": {},\n    \"ghcr.io\": {\n      \"auth\": \"Ym90OnA=\"\n    }\n  },\n  \"psFormat\": \"x\"\n}\n",
            ),
        ] {
            assert_eq!(text_of(old, &puts), new, "{old}");
        }
        let both = Puts { helpers: vec![("quay.io".to_owned(), "x".to_owned())], ..puts };
        for old in [
            "{}",
            "{\"auths\": null, \"x\": {}}",
            "{\"auths\": {}}",
            "{\"credHelpers\": {\"a\": \"b\"}}",
            " \n",
        ] {
            let text = text_of(old, &both);
            assert_eq!(read_auths(&text, "f").expect("JSON").len(), 1, "{old}: {text}");
            assert_eq!(helpers(&text, "f").expect("JSON").by_host["quay.io"], "x", "{old}: {text}");
        }
        assert!(put("{\"auths\": []}", "f", &both).is_err());
        assert!(put("{", "f", &both).is_err());
    }
}
