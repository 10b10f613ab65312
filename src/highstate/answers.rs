//! The answers of minions: `{"local": …}`, `{"web1": …, "web2": …}`, or one such object after another.

use crate::problem::{Place, Problem, Result, escaped};
use serde_json::Value;

/// Most bytes of an answer.
const MOST_BYTES: usize = 64 << 20;

/// The name of the minion where `salt-call --local` was asked.
const LOCAL: &str = "local";

/// Each answer with the name of its minion; `None` where Salt does not say it.
///
/// # Errors
/// If it is not JSON, or holds what a minion says that failed.
pub fn answers(file: &str, text: &str) -> Result<Vec<(Option<String>, Value)>> {
    let place = Place::new(file, 0);
    let failed = |what: &str| Problem::failed(what.to_owned()).at(&place);
    if text.len() > MOST_BYTES {
        return Err(failed("the file is larger than 64 MiB").into());
    }
    if text.trim().is_empty() {
        return Err(failed("the file is empty")
            .hint("Salt writes its errors to standard error: run its command again and look")
            .into());
    }
    let mut found = Vec::new();
    for object in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let object = object.map_err(|error| {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            Problem::failed("this is not JSON")
                .at(&Place::new(file, line))
                .because(&error)
                .hint("write it with Salt's --out json")
        })?;
        let Value::Object(object) = object else {
            return Err(failed("this is no answer of a minion")
                .hint("write it with Salt's --out json")
                .into());
        };
        for (minion, answer) in object {
            let name = (minion != LOCAL).then(|| minion.clone());
            let answer = returned(answer);
            said_wrong(&minion, &answer, &place)?;
            found.push((name, answer));
        }
    }
    Ok(found)
}

/// What is in an answer of salt-ssh or of the job cache: `{"jid": …, "return": …, "retcode": 0}`.
fn returned(answer: Value) -> Value {
    match answer {
        Value::Object(mut job) if job.contains_key("retcode") && job.contains_key("return") => {
            job.remove("return").unwrap_or_default()
        }
        other => other,
    }
}

/// What a minion says where it could not do what it was asked for.
fn said_wrong(minion: &str, answer: &Value, place: &Place) -> Result<()> {
    let problem = |what: String| Problem::failed(what).at(place);
    let minion = escaped(minion);
    match answer {
        Value::Array(items) if items.iter().any(Value::is_string) => {
            let mut problem = problem(format!("Salt could not render the states of {minion}"));
            for line in items.iter().filter_map(Value::as_str).filter_map(|text| text.lines().next()).take(5)
            {
                problem = problem.cause(escaped(line));
            }
            Err(problem.hint("mend the files of Salt, and run its command again").into())
        }
        Value::String(text) => {
            let line = text.lines().next().unwrap_or_default();
            Err(problem(format!("{minion} gave no states and no values")).cause(escaped(line)).into())
        }
        Value::Bool(false) | Value::Null => Err(problem(format!("the minion {minion} did not answer"))
            .hint("leave it out with Salt's --static and a narrower target, or ask it again")
            .into()),
        _ => Ok(()),
    }
}
