//! Whose things on a host are: a workspace by its name and its id. Two people may give two workspaces one
//! name; an id is 64 random bits.

use super::WorkspaceName;
use crate::problem::{Problem, Result, escaped};
use std::fmt;

/// The id of a workspace: 16 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkspaceId(String);

impl WorkspaceId {
    /// Reads an id.
    ///
    /// # Errors
    /// Where it is not 16 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Problem::failed(format!("`{}` is not the id of a workspace", escaped(text)))
            .cause("an id is 16 digits from 0 to 9 and a to f")
            .hint("take the line out, then let one be made: pillarbox init --id")
            .into())
    }

    /// From 64 random bits.
    pub fn from_bits(bits: [u8; 8]) -> Self {
        Self(bits.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// All 16 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A workspace as the owner of what is on hosts; printed as its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: WorkspaceName,
    /// Its id; a workspace from before there were ids has none.
    pub id: Option<WorkspaceId>,
    /// `owns_without_id`: the id was added later, so what carries the name and no id is its own too.
    pub owns_without_id: bool,
}

impl Owner {
    /// Whether it owns what carries this name and this id.
    pub fn owns(&self, name: &str, id: Option<&str>) -> bool {
        let same_id = match id {
            Some(id) => self.id.as_ref().is_some_and(|own| own.as_str() == id),
            None => self.id.is_none() || self.owns_without_id,
        };
        name == self.name.as_str() && same_id
    }

    /// What names on a host begin with that no label stands beside: the name, and the id where it always had
    /// one. An id that is added later changes no name.
    pub fn scope(&self) -> String {
        match &self.id {
            Some(id) if !self.owns_without_id => format!("{}.{id}", self.name),
            _ => self.name.to_string(),
        }
    }
}

/// A workspace without an id.
impl From<WorkspaceName> for Owner {
    fn from(name: WorkspaceName) -> Self {
        Self { name, id: None, owns_without_id: false }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_another_id_is_another_workspaces_and_what_has_none_is_ours_only_where_the_id_came_later() {
        let (a, b) = ("9f2c41d70b6e83aa", "0000000000000001");
        let owner = |id: Option<&str>, owns_without_id| Owner {
            name: WorkspaceName::parse("shop").expect("a name"),
            id: id.map(|id| WorkspaceId::parse(id).expect("an id")),
            owns_without_id,
        };
        for (owner, without, with_a, scope) in [
            (owner(None, false), true, false, "shop"),
            (owner(Some(a), false), false, true, "shop.9f2c41d70b6e83aa"),
            (owner(Some(a), true), true, true, "shop"),
        ] {
            assert_eq!(owner.owns("shop", None), without);
            assert_eq!(owner.owns("shop", Some(a)), with_a);
            assert!(
                !owner.owns("shop", Some(b)) && !owner.owns("shop2", None) && !owner.owns("shop2", Some(a))
            );
            assert_eq!(owner.scope(), scope);
        }
    }

    #[test]
    fn an_id_is_sixteen_digits() {
        assert_eq!(WorkspaceId::from_bits([0x9f; 8]).as_str(), "9f9f9f9f9f9f9f9f");
        for wrong in ["", "9f2c41d70b6e83a", "9F2C41D70B6E83AA", "9f2c41d70b6e83aaa", "9f2c41d70b6e83a/"] {
            assert!(WorkspaceId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
