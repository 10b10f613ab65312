//! Tables of a pillar whose entries have fixed fields: `deploy.APP.FIELD`, `registries."HOST".FIELD`.
//! A key is checked by itself: an entry may be made in several steps, so it need not be whole.

use super::Value;
use crate::name::KeyPath;
use crate::problem::{Problem, Problems, Result, escaped};

/// One table with its fields.
pub struct Schema {
    /// Name of the table.
    pub table: &'static str,
    /// The word for an entry, with its article: `a gate`.
    pub entry: &'static str,
    /// How an entry is written, for the error about a deeper key.
    pub shape: &'static str,
    /// Where values belong that are not fields, for the error about one; `None` if nowhere.
    pub elsewhere: Option<&'static str>,
    /// Whether a name can be that of an entry.
    pub name: fn(&str) -> Result<()>,
    /// What an entry may hold.
    pub fields: &'static [Field],
}

/// A field of an entry.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Kinds of values that it may have, as [`Value::kind`] calls them; the first is the one that is named.
    pub kinds: &'static [&'static str],
}

impl Schema {
    /// Names of the fields.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.fields.iter().map(|field| field.name)
    }

    /// Checks a key of this table that is to be written; other keys are accepted. `value` is its future
    /// value, if that is known already.
    ///
    /// # Errors
    /// If it is not `TABLE.ENTRY.FIELD` with a field that there is, or the value is of another type
    /// than the field.
    pub fn check_key(&self, key: &KeyPath, value: Option<&Value>) -> Result<()> {
        let mut found = Vec::new();
        let parts = key.parts();
        if parts.first().is_some_and(|top| top == self.table) {
            if let Some(name) = parts.get(1) {
                found.extend((self.name)(name).err().into_iter().flat_map(Problems::into_vec));
            }
            match parts {
                [_] | [_, _] => self.check_table(key, value, &mut found),
                [_, _, name] => found.extend(self.check_field(key, name, value)),
                _ => found
                    .push(Problem::usage(format!("`{key}` is deeper than {}", self.entry)).cause(self.shape)),
            }
        }
        Problems::check(found)
    }

    fn check_table(&self, key: &KeyPath, value: Option<&Value>, found: &mut Vec<Problem>) {
        match value {
            None => {}
            Some(Value::Table(inner)) => {
                for (name, node) in inner {
                    let checked = self.check_key(&key.child(name.as_str()), Some(&node.value));
                    found.extend(checked.err().into_iter().flat_map(Problems::into_vec));
                }
            }
            Some(other) => found.push(mistyped(key, "table", other)),
        }
    }

    fn check_field(&self, key: &KeyPath, name: &str, value: Option<&Value>) -> Option<Problem> {
        let Some(field) = self.fields.iter().find(|field| field.name == name) else {
            let known: Vec<&str> = self.fields().collect();
            let what = format!("`{}` is not a field of {}", escaped(name), self.entry);
            let elsewhere = self.elsewhere.map(|elsewhere| format!("; {elsewhere}")).unwrap_or_default();
            let cause = format!("fields are {}{elsewhere}", known.join(", "));
            return Some(Problem::usage(what).cause(cause).nearest(name, known));
        };
        let fits = |value: &&Value| field.kinds.contains(&value.kind());
        let wanted = field.kinds.first().copied().unwrap_or_default();
        value.filter(|value| !fits(value)).map(|value| mistyped(key, wanted, value))
    }

    /// The key that was meant where a shell ate the quotes: `deploy.my.app.version` is
    /// `deploy."my.app".version`.
    pub fn unquoted_key(&self, typed: &str) -> Option<KeyPath> {
        let (entry, field) = typed.strip_prefix(self.table)?.strip_prefix('.')?.rsplit_once('.')?;
        let meant = self.fields().any(|known| known == field) && !entry.is_empty();
        let parts = [self.table, entry, field].map(str::to_owned).to_vec();
        if meant && (self.name)(entry).is_ok() { KeyPath::from_parts(parts) } else { None }
    }
}

fn mistyped(key: &KeyPath, wanted: &str, value: &Value) -> Problem {
    Problem::usage(format!("`{key}` must be a {wanted}, not {}", value.a_kind()))
}
