//! Which variables of a file go into the pillar, and which of them are sealed.

use super::AddOptions;
use crate::highstate::looks_secret;
use crate::problem::{Place, Problem, Problems, Result, escaped};
use std::collections::{BTreeMap, BTreeSet};

/// A variable that goes into the pillar.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) sealed: bool,
    /// It has a value there already, which stays.
    pub(super) is_there: bool,
}

/// Variables that a project asks for, of those that are given.
///
/// # Errors
/// Where `--seal` or `--clear` name what is not there, or both the same.
pub(super) fn rows(
    given: &BTreeMap<String, (String, Place)>,
    asked: &BTreeSet<String>,
    is_there: impl Fn(&str) -> bool,
    options: &AddOptions,
) -> Result<Vec<Row>> {
    let mut problems = Vec::new();
    for name in options.seal.iter().chain(&options.clear) {
        let names = || given.keys().filter(|name| asked.contains(*name)).map(String::as_str);
        if !names().any(|known| known == name) {
            problems.push(
                Problem::usage(format!("there is no variable {} that the files refer to", escaped(name)))
                    .nearest(name, names()),
            );
        }
        if options.seal.contains(name) && options.clear.contains(name) {
            let what = format!("the variable {} is to be sealed and in clear", escaped(name));
            problems.push(Problem::usage(what));
        }
    }
    problems.dedup();
    Problems::check(problems)?;
    let wanted = given.iter().filter(|(name, _)| asked.contains(*name));
    Ok(wanted
        .map(|(name, (value, _))| Row {
            sealed: !value.is_empty()
                && !options.clear.contains(name)
                && (options.seal.contains(name) || looks_secret(name, value)),
            is_there: is_there(name),
            name: name.clone(),
            value: value.clone(),
        })
        .collect())
}
