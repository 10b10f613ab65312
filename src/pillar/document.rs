//! A pillar file as text and as a tree at once.
//!
//! An edit replaces a few bytes of the text and reads the result again, so comments, order and
//! formatting of everything else stay as they were written.

mod add;
mod clear;
mod edit;
mod inline;
mod key;
mod layout;
mod locate;
mod place;
mod read;
mod rename;
mod replace;
mod show;
mod three_way;

#[cfg(test)]
mod tests;

pub use clear::{ClearSecret, in_clear, read_clear, seal_clear};
pub use edit::Written;
pub use key::resolve_key;
pub use locate::{Choice, choose_file, file_name};
pub use read::{parsable, plain_tree};
pub use rename::Piece;
pub use show::show;
pub use three_way::{ThreeWay, same_values, three_way, whole};

use super::value::{Node, Sealed, Value};
use crate::name::KeyPath;
use crate::problem::{Problem, Problems, Result};

/// One file below `pillar/`.
#[derive(Clone, Debug)]
pub struct Document {
    file: String,
    text: String,
    tree: Node,
    problems: Vec<Problem>,
}

impl Document {
    /// Reads the text of `file`, a path relative to `pillar/` with `/` between its parts. A file that
    /// is TOML but not a valid pillar can be parsed, so that it can be corrected: see [`Self::tree`].
    ///
    /// # Errors
    /// If the text is not TOML.
    pub fn parse(file: &str, text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let (tree, problems) = read::pillar_tree(file, &text)?;
        Ok(Self { file: file.to_owned(), text, tree, problems })
    }

    /// Its path relative to `pillar/`.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text as it is to be written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values, each with its file (`pillar/…`) and line.
    ///
    /// # Errors
    /// All of: a password of a registry in clear; a sealed value in a list, with other keys than its
    /// two, or not on one line; an id that is none.
    pub fn tree(&self) -> Result<&Node> {
        Problems::check(self.problems.clone())?;
        Ok(&self.tree)
    }

    /// The values, to be merged.
    ///
    /// # Errors
    /// As [`Self::tree`].
    pub fn into_tree(self) -> Result<Node> {
        Problems::check(self.problems)?;
        Ok(self.tree)
    }

    /// The value at a key, if there is one.
    pub fn get(&self, key: &KeyPath) -> Option<&Node> {
        self.tree.at(key.parts().iter().map(String::as_str))
    }

    /// Every key that there is, those of tables too, sorted.
    pub fn keys(&self) -> Vec<KeyPath> {
        let mut found = Vec::new();
        walk(&self.tree, &mut Vec::new(), &mut |path, _| {
            found.extend(KeyPath::from_parts(path.to_vec()));
        });
        found
    }

    /// Every sealed value, sorted by key.
    pub fn sealed(&self) -> Vec<&Sealed> {
        let mut found = Vec::new();
        walk(&self.tree, &mut Vec::new(), &mut |_, node| {
            if let Value::Sealed(sealed) = &node.value {
                found.push(&**sealed);
            }
        });
        found
    }
}

fn walk<'a>(node: &'a Node, path: &mut Vec<String>, see: &mut impl FnMut(&[String], &'a Node)) {
    for (key, child) in node.as_table().into_iter().flatten() {
        path.push(key.clone());
        see(path, child);
        walk(child, path, see);
        path.pop();
    }
}
