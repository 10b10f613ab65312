//! The `registries` table of a pillar.

use super::entry::{Credentials, Entry, How};
use super::fields::{
    ANONYMOUS, EMAIL, EXPIRES, HELPER, IDENTITY_TOKEN, PASSWORD, TABLE, USERNAME, fields, key_path,
};
use super::header::TOKEN_USER;
use super::scope::Scope;
use crate::name::HelperName;
use crate::pillar::{Node, Sealed, Table, Value};
use crate::problem::{Code, Problem, Problems, Result, quoted};
use std::collections::BTreeMap;

impl Credentials {
    /// Reads the `registries` table of a merged pillar; none is fine.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn read(pillar: &Node) -> Result<Self> {
        let Some(node) = pillar.at([TABLE]) else { return Ok(Self::default()) };
        let Some(table) = node.as_table() else {
            return Err(Problem::failed(format!("`{TABLE}` is a {}, not a table", node.value.kind()))
                .at(&node.place)
                .hint("write each registry as [registries.\"registry.example.com\"]")
                .into());
        };
        let mut found = Vec::new();
        let mut entries: BTreeMap<Scope, Entry> = BTreeMap::new();
        for (key, node) in table {
            match entry(key, node) {
                Err(problems) => found.extend(problems.into_vec()),
                Ok(entry) => match entries.get(&entry.scope) {
                    Some(other) => found.push(
                        Problem::failed(format!(
                            "`{}` and `{}` are the same registry",
                            key_path(&other.key, None),
                            key_path(&entry.key, None)
                        ))
                        .at(&entry.place)
                        .cause(format!("the other one is in {}", other.place))
                        .hint("keep one of them"),
                    ),
                    None => drop(entries.insert(entry.scope.clone(), entry)),
                },
            }
        }
        Problems::check(found)?;
        Ok(Self { entries: entries.into_values().collect() })
    }
}

fn entry(key: &str, node: &Node) -> Result<Entry> {
    let scope = Scope::parse(key).map_err(|problems| problems.map(|problem| problem.at(&node.place)))?;
    let Some(table) = node.as_table() else {
        return Err(Problem::failed(format!(
            "{} is a {}, not a table",
            key_path(key, None),
            node.value.kind()
        ))
        .at(&node.place)
        .into());
    };
    let reader = Reader { key, node, table };
    let mut found = Vec::new();
    for (field, value) in table.iter().filter(|(field, _)| !fields().any(|known| known == field.as_str())) {
        found.push(
            Problem::failed(format!("{} is not known", key_path(key, Some(field))))
                .at(&value.place)
                .nearest(field, fields())
                .hint(format!("an entry may hold {}", fields().collect::<Vec<_>>().join(", "))),
        );
    }
    let how = reader.how();
    if let Err(problems) = reader.text(EMAIL) {
        found.extend(problems.into_vec());
    }
    if let Some(node) = table.get(EXPIRES).filter(|node| !matches!(node.value, Value::Datetime(_))) {
        found.push(reader.mistyped(EXPIRES, node, "a date and time, as 2026-12-31T23:59:59Z"));
    }
    match how {
        Ok(how) => {
            Problems::check(found)?;
            Ok(Entry { key: key.to_owned(), scope, how, place: node.place.clone() })
        }
        Err(problems) => {
            // A slip in a name explains a missing field: it comes first.
            found.extend(problems.into_vec());
            Problems::check(found)?;
            Err(reader.wrong("it cannot be read").into())
        }
    }
}

/// One entry and how its fields are read.
struct Reader<'a> {
    key: &'a str,
    node: &'a Node,
    table: &'a Table,
}

impl Reader<'_> {
    fn wrong(&self, why: &str) -> Problem {
        Problem::failed(format!("{}: {why}", key_path(self.key, None))).at(&self.node.place)
    }

    fn how(&self) -> Result<How> {
        let anonymous = match self.table.get(ANONYMOUS) {
            None => false,
            Some(Node { value: Value::Boolean(said), .. }) => *said,
            Some(node) => return Err(self.mistyped(ANONYMOUS, node, "true").into()),
        };
        let username = self.text(USERNAME)?;
        let password = self.sealed(PASSWORD);
        let token = self.sealed(IDENTITY_TOKEN);
        let helper = self.text(HELPER)?;
        let mut found = Vec::new();
        let mut take = |read: Result<Option<Sealed>>| match read {
            Ok(sealed) => sealed,
            Err(problems) => {
                found.extend(problems.into_vec());
                None
            }
        };
        let (password, token) = (take(password), take(token));
        Problems::check(found)?;
        match (username, password, token, helper, anonymous) {
            (Some(TOKEN_USER), Some(token), None, None, false) => Ok(How::IdentityToken(token)),
            (Some(username), Some(password), None, None, false) => {
                if username.is_empty() || username.contains(':') || username.contains(char::is_control) {
                    let why = "a user name is not empty and has no `:` (RFC 7617) or control character";
                    return Err(self.wrong(why).into());
                }
                Ok(How::Basic { username: username.to_owned(), password })
            }
            (_, None, Some(token), None, false) => Ok(How::IdentityToken(token)),
            (None, None, None, Some(helper), false) => {
                let named = HelperName::parse(helper).map_err(|problems| {
                    let path = key_path(self.key, Some(HELPER));
                    problems.map(|problem| {
                        let what = format!("{path}: {}", problem.what);
                        Problem { what, ..problem }.at(&self.node.place)
                    })
                })?;
                Ok(How::Helper(named))
            }
            (None, None, None, None, true) => Ok(How::Anonymous),
            (Some(_), None, None, None, false) => {
                let command = format!("pillarbox seal {}", quoted(&key_path(self.key, Some(PASSWORD))));
                Err(self.wrong("it has a user name and no password").hint(command).into())
            }
            (None, Some(_), None, None, false) => {
                let key = quoted(&key_path(self.key, Some(USERNAME)));
                Err(self
                    .wrong("it has a password and no user name")
                    .hint(format!("pillarbox set {key} USER"))
                    .into())
            }
            (None, None, None, None, false) => {
                let command = format!("pillarbox registry add {} -u USER", quoted(self.key));
                Err(self.wrong("it holds no credential").hint(command).into())
            }
            _ => Err(self
                .wrong("it says in more than one way how to ask")
                .hint("give it `username` and `password`, or `identity_token`, or `helper`, or `anonymous = true`")
                .into()),
        }
    }

    fn text(&self, field: &str) -> Result<Option<&str>> {
        match self.table.get(field) {
            None => Ok(None),
            Some(node) => match node.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(self.mistyped(field, node, "text in quotes").into()),
            },
        }
    }

    fn sealed(&self, field: &str) -> Result<Option<Sealed>> {
        let Some(node) = self.table.get(field) else { return Ok(None) };
        let path = key_path(self.key, Some(field));
        let Value::Sealed(sealed) = &node.value else {
            return Err(Problem::failed(format!("{path} is in clear"))
                .at(&node.place)
                .cause("anyone who can read the workspace can read it")
                .hint("change it at the registry: others may have seen it")
                .hint(format!("then pillarbox unset {0} && pillarbox seal {0}", quoted(&path)))
                .into());
        };
        let expected = [TABLE, self.key, field];
        if sealed.origin.key.parts().iter().map(String::as_str).ne(expected) {
            return Err(Problem::new(Code::Seal, format!("{path} was sealed for another place"))
                .at(&node.place)
                .cause(format!("it belongs to {}", sealed.origin))
                .into());
        }
        Ok(Some(Sealed::clone(sealed)))
    }

    fn mistyped(&self, field: &str, node: &Node, wanted: &str) -> Problem {
        let path = key_path(self.key, Some(field));
        Problem::failed(format!("{path} is a {}, it must be {wanted}", node.value.kind())).at(&node.place)
    }
}

#[cfg(test)]
mod tests;
