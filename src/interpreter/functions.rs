//! The names that a program knows beside those of the language, and the operators that compare, repeat
//! and format. Operators are calls of functions here: the interpreter compares with constants by itself,
//! without asking a value, and computes `'x' * 1500000000` before anything is counted.

use super::branch::{Branch, Salt};
use super::encoders::{encode, wrong};
use super::log::Log;
use super::sealed::Sealed;
use crate::problem::escaped;
use crate::script::Host;
use crate::state::Encoder;
use starlark::collections::SmallMap;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};
use starlark::starlark_module;
use starlark::values::dict::{AllocDict, Dict, DictRef};
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, UnpackValue, Value};
use std::collections::HashMap;

/// Bytes of a text, and items of a list, that a repetition may give.
const LONGEST: i64 = 1 << 22;

/// Values that are looked through for a secret before they are compared.
const MOST_COMPARED: usize = 1_000_000;

/// The operators that are replaced by functions, and a name for each that no program can write.
const OPERATORS: [(&str, &str); 7] = [
    ("==", "equal"),
    ("!=", "not_equal"),
    ("in", "is_in"),
    ("not in", "not_in"),
    ("%", "percent"),
    ("*", "times"),
    ("|", "joined"),
];

/// What to replace in a program.
pub(super) fn replaced() -> HashMap<String, String> {
    OPERATORS.iter().map(|(sign, _)| ((*sign).to_owned(), format!("operator {sign}"))).collect()
}

/// Whether a name on the call stack is an operator.
pub(super) fn is_operator(name: &str) -> bool {
    OPERATORS.iter().any(|(_, function)| *function == name)
}

/// The names for one host.
pub(super) fn globals(host: &Host, log: &Log) -> Globals {
    let operators = GlobalsBuilder::new().with(operators).with(more_operators).build();
    let mut builder = GlobalsBuilder::extended_by(&[
        LibraryExtension::Print,
        LibraryExtension::Map,
        LibraryExtension::Filter,
        LibraryExtension::SetType,
    ])
    .with(functions);
    builder.frozen_heap().add_reference(operators.heap());
    for (name, function) in operators.iter() {
        if let Some((sign, _)) = OPERATORS.iter().find(|(_, function)| *function == name) {
            builder.set(&format!("operator {sign}"), function);
        }
    }
    let pillar = Branch::root("pillar", &host.pillar, false, log);
    let about = Branch::root("host", &host.host, !host.asked, log);
    let grains = Branch::root("grains", &host.grains, !host.asked, log);
    for name in ["pillar", "__pillar__"] {
        builder.set(name, pillar.clone());
    }
    for name in ["grains", "__grains__"] {
        builder.set(name, grains.clone());
    }
    builder.set("host", about);
    builder.set("__salt__", Salt { pillar, grains });
    builder.build()
}

/// The name of a secret in a value, if there is one.
fn secret_in(value: Value) -> Option<(String, Log)> {
    fn find(value: Value, depth: usize, left: &mut usize) -> Option<(String, Log)> {
        if let Some(sealed) = Sealed::from_value(value) {
            return Some((sealed.called.clone(), sealed.log().clone()));
        }
        if let Some(branch) = Branch::from_value(value) {
            return branch.first_secret().map(|called| (called, branch.log().clone()));
        }
        let depth = depth.checked_sub(1)?;
        *left = left.checked_sub(1)?;
        let items = ListRef::from_value(value).map(ListRef::content);
        if let Some(items) = items.or(TupleRef::from_value(value).map(TupleRef::content)) {
            return items.iter().find_map(|item| find(*item, depth, left));
        }
        DictRef::from_value(value).and_then(|dict| dict.values().find_map(|item| find(item, depth, left)))
    }
    find(value, 64, &mut { MOST_COMPARED })
}

fn refuse<T>((called, log): (String, Log)) -> starlark::Result<T> {
    log.peek(&called);
    Err(wrong(format!("this looks into the secret `{called}`")))
}

/// `type(x) == str` is false for every x: what `type` gives is a text.
fn compares_a_type(a: Value, b: Value) -> bool {
    a.unpack_str().is_some() && b.get_type() == "function"
}

fn no_type<T>(function: Value) -> starlark::Result<T> {
    let name = function.to_str();
    let name = name.split(['(', ' ']).next().unwrap_or_default();
    let name = escaped(name);
    let text = if name == "str" { "string" } else { name.as_str() };
    Err(wrong(format!("a text is compared with the function `{name}`: write type(x) == \"{text}\"")))
}

/// A question whether a value is None says nothing about a secret but that it is there.
fn compared<'v>(a: Value<'v>, b: Value<'v>) -> starlark::Result<bool> {
    if a.is_none() || b.is_none() {
        return Ok(a.is_none() && b.is_none());
    }
    match secret_in(a).or_else(|| secret_in(b)) {
        Some(secret) => refuse(secret),
        None if compares_a_type(a, b) => no_type(b),
        None if compares_a_type(b, a) => no_type(a),
        None if Branch::from_value(b).is_some() => b.equals(a),
        None => a.equals(b),
    }
}

fn contained<'v>(item: Value<'v>, within: Value<'v>) -> starlark::Result<bool> {
    // Of a table only its keys are compared, which are no secrets.
    let is_table = Branch::from_value(within).is_some() || DictRef::from_value(within).is_some();
    let secret = secret_in(item).or_else(|| if is_table { None } else { secret_in(within) });
    match secret {
        Some(secret) => refuse(secret),
        None => {
            let items = ListRef::from_value(within).map(ListRef::content);
            let items = items.or(TupleRef::from_value(within).map(TupleRef::content)).unwrap_or_default();
            match items.iter().find(|other| compares_a_type(item, **other)) {
                Some(function) => no_type(*function),
                None => within.is_in(item),
            }
        }
    }
}

/// How long a text or a list is.
fn length(value: Value) -> Option<i64> {
    let items = ListRef::from_value(value).map(|list| list.len());
    let items = items.or_else(|| TupleRef::from_value(value).map(TupleRef::len));
    i64::try_from(value.unpack_str().map(str::len).or(items)?).ok()
}

#[starlark_module]
fn operators(builder: &mut GlobalsBuilder) {
    fn equal<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
    ) -> starlark::Result<bool> {
        compared(a, b)
    }

    fn not_equal<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
    ) -> starlark::Result<bool> {
        Ok(!compared(a, b)?)
    }

    fn is_in<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
    ) -> starlark::Result<bool> {
        contained(a, b)
    }

    fn not_in<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
    ) -> starlark::Result<bool> {
        Ok(!contained(a, b)?)
    }

    fn percent<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        match secret_in(b) {
            Some(secret) if a.unpack_str().is_some() => refuse(secret),
            _ => a.percent(b, heap),
        }
    }

    fn times<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let count = |value| i64::unpack_value(value).ok().flatten().unwrap_or(i64::MAX);
        let longest = length(a).map(|one| one.saturating_mul(count(b)));
        let longest = longest.or_else(|| length(b).map(|one| one.saturating_mul(count(a))));
        if longest.is_some_and(|length| length > LONGEST) {
            return Err(wrong(format!("a repetition gives more than {LONGEST} characters or items")));
        }
        a.mul(b, heap)
    }
}

#[starlark_module]
fn more_operators(builder: &mut GlobalsBuilder) {
    /// A table of the pillar is a dict on both sides.
    fn joined<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        match (DictRef::from_value(a), Branch::from_value(b)) {
            (Some(dict), Some(branch)) => {
                let all: Vec<_> = dict.iter().chain(branch.entries(heap)?).collect();
                Ok(heap.alloc(AllocDict(all)))
            }
            _ => a.bit_or(b, heap),
        }
    }
}

#[starlark_module]
fn functions(builder: &mut GlobalsBuilder) {
    /// Percent-encodes a text or a secret (RFC 3986).
    fn urlencode<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        encode(value, Encoder::UrlEncode, heap)
    }

    /// Base64 of a text or a secret, padded.
    fn b64encode<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        encode(value, Encoder::B64Encode, heap)
    }

    /// JSON of any value, with secrets in it or not.
    fn tojson<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        encode(value, Encoder::ToJson, heap)
    }

    /// A dict from a table of the pillar, another dict, or pairs; names are added.
    fn dict<'v>(
        #[starlark(require = pos)] from: Option<Value<'v>>,
        #[starlark(kwargs)] named: DictRef<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Dict<'v>> {
        let mut all = Dict::new(SmallMap::new());
        match from {
            None => {}
            Some(value) if Branch::from_value(value).is_some() => {
                let branch = Branch::from_value(value).map(|branch| branch.entries(heap));
                for (key, item) in branch.transpose()?.into_iter().flatten() {
                    all.insert_hashed(key.get_hashed()?, item);
                }
            }
            Some(value) => {
                if let Some(other) = DictRef::from_value(value) {
                    for (key, item) in other.iter() {
                        all.insert_hashed(key.get_hashed()?, item);
                    }
                } else {
                    for pair in value.iterate(heap)? {
                        let pair: Vec<Value> = pair.iterate(heap)?.collect();
                        let [key, item] = pair.as_slice() else {
                            return Err(wrong("a dict is built from pairs of a key and a value"));
                        };
                        all.insert_hashed(key.get_hashed()?, *item);
                    }
                }
            }
        }
        for (key, item) in named.iter() {
            all.insert_hashed(key.get_hashed()?, item);
        }
        Ok(all)
    }
}
