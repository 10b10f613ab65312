//! Arguments to canonical values: units, lists and tables in each accepted spelling.

use crate::pillar::Float;
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// A problem with the value of an option.
pub(crate) fn wrong(option: &str, arg: &Arg, why: &str) -> Problem {
    Problem::failed(format!("`{option}` {why}")).at(&arg.place)
}

/// A problem with the type of an option.
fn expected(option: &str, arg: &Arg, what: &str) -> Problem {
    wrong(option, arg, &format!("must be {what}, not {}", a_kind(arg)))
}

fn a_kind(arg: &Arg) -> String {
    match arg.value.kind() {
        kind @ ("integer" | "array") => format!("an {kind}"),
        "None" => "None".to_owned(),
        kind => format!("a {kind}"),
    }
}

/// A number with a fraction stands where text is wanted: 1.10 would be the text 1.1.
pub(crate) fn unquoted(option: &str, arg: &Arg, number: &Float) -> Problem {
    wrong(option, arg, &format!("must be text, not the number {}", escaped(&number.written)))
        .cause("a number does not keep its last zeros: 1.10 is 1.1, which is another version")
        .hint(quotes(number, &arg.read))
}

/// How a number is written as text, and in which line of the pillar if it came from there.
pub(crate) fn quotes(number: &Float, read: &[Place]) -> String {
    let quoted = format!("put it in quotes, with all its digits: \"{}\"", escaped(&number.written));
    match read {
        [place] => format!("{quoted} in {place}"),
        _ => quoted,
    }
}

/// Text without secrets. Whole numbers and truth values are printed, which loses nothing.
pub(crate) fn text(option: &str, arg: &Arg) -> Result<String> {
    match &arg.value {
        ArgValue::Text(text) => match text.as_clear() {
            Some(clear) if clear.contains('\0') => Err(wrong(option, arg, "holds a NUL character").into()),
            Some(clear) => Ok(clear.to_owned()),
            None => Err(secret_here(option, arg).into()),
        },
        ArgValue::Integer(number) => Ok(number.to_string()),
        ArgValue::Float(number) => Err(unquoted(option, arg, number).into()),
        ArgValue::Boolean(truth) => Ok(truth.to_string()),
        _ => Err(expected(option, arg, "a string").into()),
    }
}

/// A secret is in an argument that must not contain one.
pub(crate) fn secret_here(option: &str, arg: &Arg) -> Problem {
    let secret = match &arg.value {
        ArgValue::Text(text) => text.secrets().next().map(|secret| secret.origin.to_string()),
        _ => None,
    };
    wrong(option, arg, &format!("would hold the secret {}", escaped(&secret.unwrap_or_default())))
        .cause("anyone who can use the Engine can read everything of a container; only its environment and the files of `secrets` may hold secrets")
        .hint("put it in `env.NAME` or `secrets.NAME`")
}

/// Text that is not empty.
pub(crate) fn word(option: &str, arg: &Arg) -> Result<String> {
    match text(option, arg)? {
        word if word.is_empty() => {
            Err(wrong(option, arg, "is empty").hint("leave it out to unset it").into())
        }
        word => Ok(word),
    }
}

/// True or false.
pub(crate) fn boolean(option: &str, arg: &Arg) -> Result<bool> {
    match &arg.value {
        ArgValue::Boolean(truth) => Ok(*truth),
        _ => Err(expected(option, arg, "true or false").into()),
    }
}

/// A whole number within bounds; digits in a string count too.
pub(crate) fn integer(option: &str, arg: &Arg, least: i64, most: i64) -> Result<i64> {
    let number = match &arg.value {
        ArgValue::Integer(number) => Some(*number),
        ArgValue::Text(text) => text.as_clear().and_then(|text| text.trim().parse().ok()),
        ArgValue::Float(Float { value, .. }) if value.fract() == 0.0 && value.abs() < 9e15 => {
            Some(*value as i64)
        }
        _ => None,
    };
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        Some(number) => {
            Err(wrong(option, arg, &format!("is {number}, but must be from {least} to {most}")).into())
        }
        None => Err(expected(option, arg, "a whole number").into()),
    }
}

/// Bytes: a number, or a number with a unit as Docker takes it (`b`, `k`, `m`, `g`, `t`, each a power
/// of 1024, with or without `b` or `ib`).
pub(crate) fn bytes(option: &str, arg: &Arg) -> Result<i64> {
    let wrong_size = || {
        let problem = match &arg.value {
            ArgValue::Text(text) => {
                let shown = escaped(&text.to_string());
                wrong(option, arg, &format!("is `{shown}`, which is not a number of bytes"))
            }
            _ => expected(option, arg, "a number of bytes"),
        };
        problem.hint("write it like 536870912, \"512m\" or \"1.5g\"")
    };
    let whole = |size: f64| {
        let fits = size.is_finite() && (0.0..9e18).contains(&size);
        if fits { Ok(size.floor() as i64) } else { Err(wrong_size().into()) }
    };
    match &arg.value {
        ArgValue::Integer(number) if *number >= 0 => Ok(*number),
        // A quotient such as `host.memory / 8` has a fraction.
        ArgValue::Float(number) => whole(number.value),
        ArgValue::Text(text) => {
            let lower = text.as_clear().ok_or_else(|| secret_here(option, arg))?.trim().to_ascii_lowercase();
            let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
            let power = match lower[digits.len()..].trim() {
                "" | "b" => 0,
                "k" | "kb" | "kib" => 1,
                "m" | "mb" | "mib" => 2,
                "g" | "gb" | "gib" => 3,
                "t" | "tb" | "tib" => 4,
                _ => return Err(wrong_size().into()),
            };
            if let (0, Ok(number)) = (power, digits.parse::<i64>())
                && number >= 0
            {
                return Ok(number);
            }
            let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let number: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(wrong_size)?;
            whole(number * 1024_f64.powi(power))
        }
        _ => Err(wrong_size().into()),
    }
}

/// A length of time in nanoseconds; a bare number is seconds.
pub(crate) fn nanoseconds(option: &str, arg: &Arg) -> Result<i64> {
    let no_time = || {
        let problem = match &arg.value {
            ArgValue::Text(text) => {
                wrong(option, arg, &format!("is `{}`, which is not a duration", escaped(&text.to_string())))
            }
            _ => expected(option, arg, "a duration"),
        };
        problem.hint("write it like \"30s\", \"1m30s\" or \"500ms\"; a bare number is seconds")
    };
    let from_seconds = |seconds: f64| {
        let fits = seconds.is_finite() && (0.0..9e9).contains(&seconds);
        if fits { Ok((seconds * 1e9).round() as i64) } else { Err(no_time().into()) }
    };
    match &arg.value {
        ArgValue::Integer(seconds) => {
            seconds.checked_mul(1_000_000_000).filter(|ns| *ns >= 0).ok_or_else(|| no_time().into())
        }
        ArgValue::Float(seconds) => from_seconds(seconds.value),
        ArgValue::Text(text) => {
            let text = text.as_clear().ok_or_else(|| secret_here(option, arg))?.trim();
            if let Ok(seconds) = text.parse::<f64>() {
                return from_seconds(seconds);
            }
            let time = humantime::parse_duration(text).map_err(|_| no_time())?;
            i64::try_from(time.as_nanos()).map_err(|_| no_time().into())
        }
        _ => Err(no_time().into()),
    }
}

/// A length of time in whole seconds, rounded up.
pub(crate) fn seconds(option: &str, arg: &Arg) -> Result<u32> {
    let nanoseconds = nanoseconds(option, arg)?;
    let seconds = nanoseconds / 1_000_000_000 + i64::from(nanoseconds % 1_000_000_000 > 0);
    u32::try_from(seconds).map_err(|_| wrong(option, arg, "is longer than 136 years").into())
}

/// A list of strings; a single string is a list of one.
pub(crate) fn list(option: &str, arg: &Arg) -> Result<Vec<String>> {
    match &arg.value {
        ArgValue::Array(items) => each(items, |item| text(option, item)),
        ArgValue::Table(_) => Err(expected(option, arg, "a list").into()),
        _ => Ok(vec![text(option, arg)?]),
    }
}

/// Every item, or everything that is wrong with any of them. Items that are None are left out.
pub(crate) fn each<T>(items: &[Arg], mut read: impl FnMut(&Arg) -> Result<T>) -> Result<Vec<T>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for item in items.iter().filter(|item| item.value != ArgValue::Unset) {
        match read(item) {
            Ok(value) => found.push(value),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    crate::problem::Problems::check(problems)?;
    Ok(found)
}

/// A table of strings, or a list of `KEY=VALUE` (`separator` is the `=`).
pub(crate) fn pairs(option: &str, arg: &Arg, separator: char) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    match &arg.value {
        ArgValue::Table(table) => {
            let mut problems = Vec::new();
            for (key, item) in table.iter().filter(|(_, item)| item.value != ArgValue::Unset) {
                match text(&format!("{option}.{key}"), item) {
                    Ok(value) => drop(found.insert(key.clone(), value)),
                    Err(more) => problems.extend(more.into_vec()),
                }
            }
            crate::problem::Problems::check(problems)?;
        }
        ArgValue::Array(items) => {
            let read = |item: &Arg| {
                let line = text(option, item)?;
                let (key, value) = line.split_once(separator).unwrap_or((&line, ""));
                Ok((key.to_owned(), value.to_owned()))
            };
            for ((key, value), item) in each(items, read)?.into_iter().zip(items) {
                if key.is_empty() {
                    return Err(wrong(option, item, "has an entry without a name").into());
                }
                if let Some(before) = found.insert(key.clone(), value.clone())
                    && before != value
                {
                    let what = format!("names `{}` twice with different values", escaped(&key));
                    return Err(wrong(option, item, &what).into());
                }
            }
        }
        _ => return Err(expected(option, arg, "a table").into()),
    }
    Ok(found)
}

/// The entries of a table that may have only these keys; None counts as absent.
pub(crate) fn fields<'a>(
    option: &str,
    arg: &'a Arg,
    known: &[&'static str],
) -> Result<BTreeMap<&'a str, &'a Arg>> {
    let ArgValue::Table(table) = &arg.value else {
        return Err(expected(option, arg, "a table").into());
    };
    let unknown = table.iter().filter(|(key, _)| !known.contains(&key.as_str()));
    let problems = unknown.map(|(key, item)| {
        let what = format!("`{option}` has no field `{}`", escaped(key));
        let problem = Problem::failed(what).at(&item.place);
        match crate::problem::nearest(key, known.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!("it has {}", known.join(", "))),
        }
    });
    crate::problem::Problems::check(problems.collect())?;
    let set = table.iter().filter(|(_, item)| item.value != ArgValue::Unset);
    Ok(set.map(|(key, item)| (key.as_str(), item)).collect())
}

/// A command: a list as it is, or one text split as a POSIX shell would (quotes and backslashes; no
/// variables, no patterns).
pub(crate) fn words(option: &str, arg: &Arg) -> Result<Vec<String>> {
    match &arg.value {
        ArgValue::Array(_) => list(option, arg),
        ArgValue::Table(_) => Err(expected(option, arg, "a list or a string").into()),
        _ => {
            let line = text(option, arg)?;
            split_words(&line).ok_or_else(|| wrong(option, arg, "has a quote that does not end").into())
        }
    }
}

fn split_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Place;
    use crate::state::Text;

    fn arg(value: ArgValue) -> Arg {
        Arg { value, place: Place::new("states/a.toml", 1), read: Vec::new() }
    }

    fn written(text: &str) -> Arg {
        arg(ArgValue::Text(Text::clear(text)))
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        let sizes = [
            ("512m", 536_870_912),
            ("1.5g", 1_610_612_736),
            ("64 KiB", 65536),
            ("10", 10),
            ("9007199254740993", 9_007_199_254_740_993),
            ("2GB", 2_147_483_648),
        ];
        for (text, size) in sizes {
            assert_eq!(bytes("memory", &written(text)).expect(text), size, "{text}");
        }
        for text in ["", "m", "-1", "1e9", "1x", "inf", "nan", "1..2m", "99999999999t"] {
            assert!(bytes("memory", &written(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_seconds_unless_they_say_otherwise() {
        for (text, time) in [("1m30s", 90_000_000_000), ("500ms", 500_000_000), ("2", 2_000_000_000)] {
            assert_eq!(nanoseconds("interval", &written(text)).expect(text), time, "{text}");
        }
        assert_eq!(seconds("monitor", &written("1500ms")).expect("a time"), 2);
        for text in ["", "soon", "-1s", "inf", "nan"] {
            assert!(nanoseconds("interval", &written(text)).is_err(), "{text}");
        }
        assert!(nanoseconds("interval", &arg(ArgValue::Integer(-1))).is_err());
        assert!(nanoseconds("interval", &arg(ArgValue::Integer(i64::MAX))).is_err());
    }

    #[test]
    fn a_command_line_is_split_as_a_shell_does() {
        let words = split_words(r#"sh -c 'echo "a b"' "x\"y" a\ b '' "#).expect("it splits");
        assert_eq!(words, ["sh", "-c", r#"echo "a b""#, r#"x"y"#, "a b", ""]);
        assert_eq!(split_words("a 'b"), None);
        assert_eq!(split_words("a \\"), None);
    }
}
