//! The ways in which Salt lets one write lists and tables (`salt.utils.dockermod.translate`).

use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

/// A value in the place of another one.
pub(super) fn derived(arg: &Arg, value: ArgValue) -> Arg {
    Arg { value, place: arg.place.clone(), read: arg.read.clone() }
}

/// A text in the place of another value.
pub(super) fn text(arg: &Arg, text: impl Into<String>) -> Arg {
    derived(arg, ArgValue::Text(Text::clear(text)))
}

/// What is written without secrets as a text, a number, or a truth value as Python prints it.
pub(super) fn printed(arg: &Arg) -> Option<String> {
    match &arg.value {
        ArgValue::Text(text) => text.as_clear().map(str::to_owned),
        ArgValue::Integer(number) => Some(number.to_string()),
        ArgValue::Float(number) => Some(number.written.to_string()),
        ArgValue::Boolean(truth) => Some(python(*truth).to_owned()),
        _ => None,
    }
}

/// A truth value as Python prints it, which is what a container of Salt's gets.
pub(super) fn python(truth: bool) -> &'static str {
    if truth { "True" } else { "False" }
}

/// A list of tables with one key each as the table that is meant; of a key that is there twice the last counts.
pub(super) fn repacked(arg: Arg) -> Arg {
    let ArgValue::Array(items) = &arg.value else { return arg };
    let single = |item: &Arg| matches!(&item.value, ArgValue::Table(table) if table.len() == 1);
    if items.is_empty() || !items.iter().all(single) {
        return arg;
    }
    let mut whole = BTreeMap::new();
    for item in items {
        if let ArgValue::Table(table) = &item.value {
            whole.extend(table.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }
    derived(&arg, ArgValue::Table(whole))
}

/// A list, which may also be written with commas.
pub(super) fn listed(arg: &Arg) -> Vec<Arg> {
    match &arg.value {
        ArgValue::Array(items) => items.clone(),
        ArgValue::Text(written) => match written.as_clear() {
            Some(clear) => clear
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| text(arg, part))
                .collect(),
            None => vec![arg.clone()],
        },
        ArgValue::Unset => Vec::new(),
        _ => vec![arg.clone()],
    }
}

/// A list whatever it was written as; a table stays.
pub(super) fn list(arg: &Arg) -> Arg {
    match &arg.value {
        ArgValue::Table(_) | ArgValue::Unset => arg.clone(),
        _ => derived(arg, ArgValue::Array(listed(arg))),
    }
}

/// A table, which may also be written as a list of tables, of `KEY=VALUE` (`separator` is the `=`), or with commas.
pub(super) fn table(arg: &Arg, separator: char) -> Arg {
    let packed = repacked(arg.clone());
    if matches!(packed.value, ArgValue::Table(_) | ArgValue::Unset) {
        return packed;
    }
    let mut whole = BTreeMap::new();
    for item in listed(&packed) {
        match &item.value {
            ArgValue::Table(table) => {
                whole.extend(table.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            _ => {
                // What is no pair, or holds a secret, is read as it stands.
                let Some(line) = printed(&item) else { return packed };
                let (key, value) = line.split_once(separator).unwrap_or((&line, ""));
                whole.insert(key.trim().to_owned(), text(&item, value.trim()));
            }
        }
    }
    derived(&packed, ArgValue::Table(whole))
}

/// The keys of a table, and of the tables in a list, as they are written here: `StartPeriod` is `start_period`.
pub(super) fn lower_keys(arg: &Arg) -> Arg {
    match &arg.value {
        ArgValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| (snake(key), value.clone()));
            derived(arg, ArgValue::Table(entries.collect()))
        }
        ArgValue::Array(items) => derived(arg, ArgValue::Array(items.iter().map(lower_keys).collect())),
        _ => arg.clone(),
    }
}

fn snake(key: &str) -> String {
    let mut found = String::with_capacity(key.len() + 2);
    for (at, c) in key.char_indices() {
        if c.is_ascii_uppercase() && at > 0 && !found.ends_with('_') {
            found.push('_');
        }
        found.push(c.to_ascii_lowercase());
    }
    found
}
