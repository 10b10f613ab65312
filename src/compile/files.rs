//! Files of the workspace that containers are given: `files.PATH.source` is read, and rendered where it is a
//! template, with the expressions of the states.

use super::condition;
use super::expression::Evaluator;
use crate::desired::fields::FILES;
use crate::desired::read;
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{Arg, ArgValue, Declaration, FileBytes};
use std::collections::BTreeMap;

/// Reads a file.
pub(super) type Source<'a> = &'a dyn Fn(&str) -> Result<Option<FileBytes>>;

/// Puts what the sources of all declarations hold into their place.
pub(super) fn bring(
    declarations: &mut [Declaration],
    source: Source<'_>,
    evaluator: &Evaluator<'_>,
    problems: &mut Vec<Problem>,
) {
    for declaration in declarations.iter_mut().filter(|one| condition::leaves_out(&one.args).is_none()) {
        let Some(Arg { value: ArgValue::Table(files), .. }) = declaration.args.get_mut(FILES) else {
            continue;
        };
        let before = problems.len();
        for (path, arg) in files {
            let ArgValue::Table(fields) = &mut arg.value else { continue };
            if let Err(found) = brought(&format!("{FILES}.{path}"), fields, source, evaluator) {
                problems.extend(found.into_vec());
            }
        }
        if problems.len() > before {
            declaration.unread.insert(FILES.to_owned());
        }
    }
}

/// Whether some file is a template that names a fact, or may be: which file it is, is not known before.
pub(super) fn ask_for_facts(
    declarations: &[Declaration],
    source: Source<'_>,
    asks: impl Fn(&str) -> bool,
) -> bool {
    let files = declarations.iter().filter_map(|one| match &one.args.get(FILES)?.value {
        ArgValue::Table(files) => Some(files.values()),
        _ => None,
    });
    files.flatten().any(|arg| {
        let ArgValue::Table(fields) = &arg.value else { return false };
        let is_template = fields.get("template").is_some_and(|arg| arg.value == ArgValue::Boolean(true));
        let Some(ArgValue::Text(name)) = fields.get("source").map(|arg| &arg.value) else { return false };
        is_template
            && name.as_clear().is_none_or(|name| match source(name) {
                Ok(Some(bytes)) => std::str::from_utf8(bytes.bytes()).is_ok_and(&asks),
                // It is said when it is compiled.
                Ok(None) | Err(_) => name.contains("{{"),
            })
    })
}

fn brought(
    option: &str,
    fields: &mut BTreeMap<String, Arg>,
    source: Source<'_>,
    evaluator: &Evaluator<'_>,
) -> Result<()> {
    let is_set = |arg: &&Arg| arg.value != ArgValue::Unset;
    let named = fields.get("source").filter(is_set);
    let is_template = match fields.get("template").filter(is_set) {
        None => false,
        Some(arg) => match &arg.value {
            ArgValue::Boolean(truth) => {
                if named.is_none() {
                    let why = "belongs to `source`";
                    let hint =
                        "leave it out: `{{ … }}` in `content` is evaluated as in every string of a state";
                    return Err(read::wrong(&format!("{option}.template"), arg, why).hint(hint).into());
                }
                *truth
            }
            other => {
                let why = format!("must be true or false, not a value of type {}", other.kind());
                return Err(read::wrong(&format!("{option}.template"), arg, &why).into());
            }
        },
    };
    let Some(named) = named else { return Ok(()) };
    if let Some(content) = fields.get("content").filter(is_set) {
        let why = "has `source` and `content`";
        return Err(read::wrong(option, content, why).hint("leave one of them out").into());
    }
    let full = format!("{option}.source");
    if let Some(secret) = named.first_with_secret() {
        return Err(read::secret_here(&full, secret).into());
    }
    let file = read::text(&full, named)?;
    let bytes = source(&file).map_err(|found| found.map(|problem| problem.at(&named.place)))?;
    let Some(bytes) = bytes else {
        let problem = Problem::failed(format!("there is no file {}", escaped(&file))).at(&named.place);
        let hint = "`source` is relative to the folder of pillarbox.toml: files/app.conf";
        return Err(problem.hint(hint).into());
    };
    let (value, mut more) = match is_template {
        false => (ArgValue::Bytes(bytes), Vec::new()),
        true => rendered(&file, &bytes, evaluator)?,
    };
    let place = named.place.clone();
    let mut lines = vec![Place::new(file.as_str(), 0)];
    lines.append(&mut more);
    lines.extend(named.read.iter().cloned());
    fields.insert("content".to_owned(), Arg { value, place, read: lines });
    Ok(())
}

/// A template with the values of its expressions.
fn rendered(file: &str, bytes: &FileBytes, evaluator: &Evaluator<'_>) -> Result<(ArgValue, Vec<Place>)> {
    let text = std::str::from_utf8(bytes.bytes()).map_err(|error| {
        let before = bytes.bytes().iter().take(error.valid_up_to());
        let lines = before.filter(|byte| **byte == b'\n').count();
        let place = Place::new(file, u32::try_from(lines + 1).unwrap_or(u32::MAX));
        let problem = Problem::failed("a template must be UTF-8").at(&place);
        problem.hint("leave `template` out: the file is given as it is")
    })?;
    let (text, read) = evaluator.file(file, text)?;
    Ok((ArgValue::Text(text), read))
}
