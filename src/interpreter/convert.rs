//! The result of `run`, as data.

use super::branch::Branch;
use super::log::Log;
use super::sealed::Sealed;
use crate::script::{Given, Part, Piece, Value as Out};
use starlark::values::dict::DictRef;
use starlark::values::float::UnpackFloat;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{UnpackValue, Value};

/// Bytes that a result may have, each item of a list or table counted as 16.
const LONGEST: usize = 32 << 20;

/// Turns values into data.
pub(super) struct Converter {
    left: usize,
    /// The first secret in it.
    pub(super) first: Option<Taken>,
    /// The numbers of all of them.
    pub(super) secrets: Vec<usize>,
}

/// A secret that is in the result.
pub(super) struct Taken {
    pub(super) called: String,
    pub(super) log: Log,
}

impl Default for Converter {
    fn default() -> Self {
        Self { left: LONGEST, first: None, secrets: Vec::new() }
    }
}

impl Converter {
    /// A value as data.
    pub(super) fn part(&mut self, value: Value) -> Result<Part, String> {
        self.value(value, crate::script::DEEPEST)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| format!("it is larger than {} MiB", LONGEST >> 20))?;
        Ok(())
    }

    fn value(&mut self, value: Value, depth: usize) -> Result<Part, String> {
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        self.spend(16)?;
        if let Some(text) = value.unpack_str() {
            self.spend(text.len())?;
            return Ok(Part::Text(pieces(text)));
        }
        if value.is_none() {
            return Ok(Part::None);
        }
        if let Some(truth) = value.unpack_bool() {
            return Ok(Part::Boolean(truth));
        }
        if let Some(sealed) = Sealed::from_value(value) {
            self.secrets.extend(sealed.pieces.iter().filter_map(|piece| match piece {
                Piece::Secret(number, _) => Some(*number),
                Piece::Clear(_) => None,
            }));
            self.first
                .get_or_insert_with(|| Taken { called: sealed.called.clone(), log: sealed.log().clone() });
            return Ok(Part::Text(sealed.pieces.clone()));
        }
        if let Some(table) = DictRef::from_value(value) {
            let mut entries = Vec::new();
            for (key, item) in table.iter() {
                let name = key
                    .unpack_str()
                    .ok_or_else(|| format!("a key of a dict is not text but a {}", key.get_type()))?;
                self.spend(name.len())?;
                let part = self.value(item, depth).map_err(|why| within(name, why))?;
                entries.push((name.to_owned(), out(part)));
            }
            return Ok(Part::Table(entries));
        }
        let items = ListRef::from_value(value).map(ListRef::content);
        if let Some(items) = items.or(TupleRef::from_value(value).map(TupleRef::content)) {
            let items: Result<_, String> =
                items.iter().map(|item| Ok(out(self.value(*item, depth)?))).collect();
            return Ok(Part::List(items?));
        }
        if let Ok(Some(number)) = i64::unpack_value(value) {
            return Ok(Part::Integer(number));
        }
        if let Some(branch) = Branch::from_value(value) {
            let table = branch.whole().map_err(|_| "the facts of the host are not known".to_owned())?;
            let mut path = branch.path().to_vec();
            return self.table(table, branch, &mut path, depth);
        }
        match value.get_type() {
            "int" => Err("a whole number does not fit into 64 bits".to_owned()),
            "float" => {
                let number = UnpackFloat::unpack_value(value).ok().flatten();
                Ok(Part::Float(number.map_or(0, |number| number.0.to_bits())))
            }
            "range" => Err("a range cannot be a value in a state: write list(range(…))".to_owned()),
            kind => Err(format!("a {kind} cannot be a value in a state")),
        }
    }

    /// A part of the pillar that is placed as it is.
    fn given(
        &mut self,
        given: &Given,
        of: &Branch,
        path: &mut Vec<String>,
        depth: usize,
    ) -> Result<Part, String> {
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        self.spend(16)?;
        if of.is_pillar() && !matches!(given, Given::Table(_) | Given::List(_) | Given::Secret(_)) {
            of.log().read(path);
        }
        Ok(match given {
            Given::Text(text) => {
                self.spend(text.len())?;
                Part::Text(pieces(text))
            }
            Given::Integer(number) => Part::Integer(*number),
            Given::Float(bits) => Part::Float(*bits),
            Given::Boolean(truth) => Part::Boolean(*truth),
            Given::List(items) => {
                let items: Result<_, String> =
                    items.iter().map(|item| Ok(out(self.given(item, of, path, depth)?))).collect();
                Part::List(items?)
            }
            Given::Table(table) => return self.table(table, of, path, depth),
            Given::Secret(number) => {
                self.secrets.push(*number);
                let called = || Taken { called: of.called(path), log: of.log().clone() };
                self.first.get_or_insert_with(called);
                Part::Text(vec![Piece::Secret(*number, Vec::new())])
            }
        })
    }

    fn table(
        &mut self,
        table: &std::collections::BTreeMap<String, Given>,
        of: &Branch,
        path: &mut Vec<String>,
        depth: usize,
    ) -> Result<Part, String> {
        let mut entries = Vec::new();
        for (key, item) in table {
            self.spend(key.len())?;
            path.push(key.clone());
            entries.push((key.clone(), out(self.given(item, of, path, depth)?)));
            path.pop();
        }
        Ok(Part::Table(entries))
    }
}

/// Where in the result it is wrong, unless that gets long.
fn within(name: &str, why: String) -> String {
    if why.len() < 200 { format!("{}: {why}", crate::problem::escaped(name)) } else { why }
}

fn out(part: Part) -> Out {
    Out { at: None, part }
}

fn pieces(text: &str) -> Vec<Piece> {
    if text.is_empty() { Vec::new() } else { vec![Piece::Clear(text.to_owned())] }
}

fn too_deep() -> String {
    format!("lists and dicts are nested deeper than {} levels", crate::script::DEEPEST)
}
