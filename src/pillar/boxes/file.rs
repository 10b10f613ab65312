//! `box.toml`: the slot, lock and readers of a box.

use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::problem::syntax::no_toml;
use crate::problem::{Place, Problem, Problems, Result, conflict, escaped};
use std::collections::BTreeSet;
use std::fmt;
use toml_edit::{Document, Item, TableLike, Value};

/// The content of a `box.toml`. Anyone can write one: [`BoxFile::open`] and
/// [`crate::pillar::known`] check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxFile {
    /// Names of the readers, as listed in clear.
    pub readers: BTreeSet<ReaderName>,
    /// The public key of the box.
    pub slot: Recipient,
    /// Base64 of an age file, on one line: the private keys of the box, sealed to its readers.
    pub lock: String,
}

const KEYS: [&str; 4] = ["format", "readers", "slot", "lock"];

impl BoxFile {
    /// Reads a `box.toml`; `file` is its path, for errors.
    ///
    /// # Errors
    /// All errors in its form.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        conflict::check(file, text)?;
        let document = Document::parse(text)
            .map_err(|error| no_toml(file, text, error.span().map(|span| span.start), error.message()))?;
        let table = document.as_table();
        let place = |key: &str| {
            let span = table.get_key_value(key).and_then(|(key, _)| key.span());
            Place::new(file, span.map_or(0, |span| line_of(text, span.start)))
        };
        let mut problems = Vec::new();
        for (key, _) in TableLike::iter(table).filter(|(key, _)| !KEYS.contains(key)) {
            let problem =
                Problem::failed(format!("`{}` is not a key of a box", escaped(key))).at(&place(key));
            problems.push(problem.nearest(key, KEYS));
        }
        let mut wrong = |key: &str, what: &str| problems.push(Problem::failed(what).at(&place(key)));
        match table.get("format").map(Item::as_integer) {
            Some(Some(1)) => {}
            None => wrong("format", "`format = 1` is missing"),
            _ => wrong("format", "this box has a format that this version of pillarbox does not know"),
        }
        let readers = table.get("readers").and_then(Item::as_array).and_then(|array| {
            let names = array.iter().map(|name| ReaderName::parse(name.as_str()?).ok());
            names
                .collect::<Option<BTreeSet<_>>>()
                .filter(|names| !names.is_empty() && names.len() == array.len())
        });
        if readers.is_none() {
            wrong("readers", "`readers` must list the names of the readers, each once, and at least one");
        }
        let lock = table.get("lock").and_then(Item::as_str);
        if lock.is_none() {
            wrong("lock", "`lock` must be the text that pillarbox wrote");
        }
        let slot = match table.get("slot").and_then(Item::as_str).map(Recipient::parse_slot) {
            Some(Ok(slot)) => Some(slot),
            Some(Err(found)) => {
                problems.extend(found.map(|problem| problem.at(&place("slot"))).into_vec());
                None
            }
            None => {
                wrong("slot", "`slot` must be the public key of the box");
                None
            }
        };
        Problems::check(problems)?;
        match (readers, slot, lock) {
            (Some(readers), Some(slot), Some(lock)) => Ok(Self { readers, slot, lock: lock.to_owned() }),
            _ => Err(Problem::failed("this is not a box").at(&Place::new(file, 0)).into()),
        }
    }
}

impl fmt::Display for BoxFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: toml_edit::Array = self.readers.iter().map(ReaderName::as_str).collect();
        f.write_str("# Managed by pillarbox: change it with 'pillarbox reader' and 'pillarbox box'.\n")?;
        writeln!(f, "format  = 1")?;
        writeln!(f, "readers = {}", Value::from(names))?;
        writeln!(f, "slot    = \"{}\"", self.slot)?;
        writeln!(f, "lock    = {}", Value::from(self.lock.as_str()))
    }
}

fn line_of(text: &str, offset: usize) -> u32 {
    let newlines = text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    u32::try_from(newlines).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Identity;
    use proptest::prelude::*;

    fn text(change: impl Fn(String) -> String) -> String {
        let slot = Identity::generate().recipient().clone();
        let readers = ["alice", "ci"].map(|name| ReaderName::parse(name).expect("a name")).into();
        change(BoxFile { readers, slot, lock: "YWdl".into() }.to_string())
    }

    #[test]
    fn everything_wrong_with_a_box_is_said_at_once() {
        let text = text(|text| {
            text.replace("format  = 1", "format = 2")
                .replace("lock  ", "lokc")
                .replace("[\"alice\"", "[\"-x\"")
        });
        let problems = BoxFile::parse(&text, "pillar/box.toml").expect_err("wrong");
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "pillar/box.toml:5: `lokc` is not a key of a box",
                "pillar/box.toml:2: this box has a format that this version of pillarbox does not know",
                "pillar/box.toml:3: `readers` must list the names of the readers, each once, and at least one",
                "pillar/box.toml: `lock` must be the text that pillarbox wrote",
            ]
        );
        assert_eq!(problems.iter().next().expect("one").hints, ["did you mean `lock`?"]);
    }

    #[test]
    fn a_box_of_a_wrong_form_is_refused() {
        assert!(BoxFile::parse(&text(|text| text), "b").is_ok());
        for (from, to) in [
            ("[\"alice\", \"ci\"]", "[]"),
            ("[\"alice\", \"ci\"]", "[\"ci\", \"ci\"]"),
            ("[\"alice\", \"ci\"]", "[\"ci\", 1]"),
            ("slot    = \"age1", "slot = \"age1yubikey1"),
            ("\"YWdl\"", "1"),
            ("format  = 1\n", ""),
        ] {
            assert!(BoxFile::parse(&text(|text| text.replace(from, to)), "b").is_err(), "{to}");
        }
        let broken = BoxFile::parse("format = 1\nslot = \n", "pillar/box.toml").expect_err("no TOML");
        assert_eq!(broken.to_string(), "pillar/box.toml:2: this is not valid TOML");
    }

    proptest! {
        #[test]
        fn a_box_reads_back_as_printed(
            names in proptest::collection::btree_set("[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}", 1..6),
            lock in ".*",
        ) {
            let readers = names.iter().map(|name| ReaderName::parse(name).expect("a name")).collect();
            let file = BoxFile { readers, slot: Identity::generate().recipient().clone(), lock };
            let text = file.to_string();
            let read = BoxFile::parse(&text, "box.toml").expect("a box");
            prop_assert_eq!(&read, &file);
            prop_assert_eq!(read.to_string(), text);
        }
    }
}
