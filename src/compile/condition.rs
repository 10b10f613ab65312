//! `onlyif` and `unless`: whether a declaration counts on this host.

use crate::problem::Problem;
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// The arguments, and the value that leaves a declaration out.
const CONDITIONS: [(&str, bool); 2] = [("onlyif", false), ("unless", true)];

/// Why a declaration is left out, `onlyif is false, states/api.toml:7`; `None` if it is not, or if a
/// condition is wrong.
pub(super) fn leaves_out(args: &BTreeMap<String, Arg>) -> Option<String> {
    CONDITIONS.iter().find_map(|(name, out)| {
        let mut items = args.get(*name).into_iter().flat_map(each);
        let found = items.find(|item| item.value == ArgValue::Boolean(*out))?;
        let line = found.read.first().unwrap_or(&found.place);
        Some(format!("`{name}` is {out}, {line}"))
    })
}

/// Reports values that are not conditions.
pub(super) fn check(args: &BTreeMap<String, Arg>, problems: &mut Vec<Problem>) {
    for (name, _) in CONDITIONS {
        let wrong = args.get(name).into_iter().flat_map(each);
        let wrong = wrong.filter(|item| !matches!(item.value, ArgValue::Boolean(_) | ArgValue::Unset));
        problems.extend(wrong.map(|item| {
            let what = format!("`{name}` must be true or false, not {}", said(item));
            let problem = Problem::failed(what).at(&item.place);
            let problem = match &item.value {
                ArgValue::Text(_) | ArgValue::Table(_) => {
                    problem.cause("commands are not run on a host to decide what is declared there")
                }
                _ => problem,
            };
            problem.hint(format!(
                "write an expression over facts and pillar: {name} = \"{{{{ host.arch == 'amd64' }}}}\""
            ))
        }));
    }
}

/// A list's items, or the one condition.
fn each(arg: &Arg) -> &[Arg] {
    match &arg.value {
        ArgValue::Array(items) => items,
        _ => std::slice::from_ref(arg),
    }
}

fn said(arg: &Arg) -> String {
    match arg.value.kind() {
        "string" => "a string".to_owned(),
        kind @ ("integer" | "array") => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}
