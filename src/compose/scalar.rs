//! The type of a scalar, as the YAML library of Compose (go-yaml v3, resolve.go) sees it: `017` is octal, `0x1F` a number,
//! `yes` and `12:30` are texts.

use super::yaml::Scalar;
use std::fmt;

/// A scalar whose type is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resolved {
    Null,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    /// A date, with or without a time.
    Date,
    /// Also what contains a secret.
    Text(String),
}

impl Resolved {
    /// The word for its type, with its article, for errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "true or false",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Date => "a date",
            Self::Text(_) => "a text",
        }
    }
}

impl fmt::Display for Resolved {
    /// As Go prints it, which is what Compose puts into the environment of a container.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null | Self::Date => Ok(()),
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => f.write_str(&go_float(*number)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The type of a scalar. What is quoted, or holds a secret, is a text.
pub(super) fn resolve(scalar: &Scalar) -> Resolved {
    let Some(text) = scalar.text.as_clear() else { return Resolved::Text(String::new()) };
    if !scalar.plain {
        return Resolved::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Boolean(true),
        "false" | "False" | "FALSE" => return Resolved::Boolean(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return Resolved::Text(text.to_owned());
    }
    if is_date(text) {
        return Resolved::Date;
    }
    let plain = text.replace('_', "");
    if let Some(number) = integer(&plain) {
        return Resolved::Integer(number);
    }
    if is_float(&plain)
        && let Ok(number) = plain.parse::<f64>()
    {
        return Resolved::Float(number);
    }
    Resolved::Text(text.to_owned())
}

/// `10`, `0x1F`, `0o17`, `017`, `0b11`, with a sign: what fits into 64 bits.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    let number = if negative { -number } else { number };
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number).then_some(number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    let mut at = whole;
    if rest[at..].starts_with('.') {
        let fraction = digits(&rest[at + 1..]);
        if whole + fraction == 0 {
            return false;
        }
        at += 1 + fraction;
    } else if whole == 0 {
        return false;
    }
    let Some(exponent) = rest[at..].strip_prefix(['e', 'E']) else { return at == rest.len() };
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

/// `2024-1-2`, with or without a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let number = |part: &str, shortest: usize, longest: usize| {
        (shortest..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, time) = rest.split_at(end);
    if !(number(year, 4, 4) && number(month, 1, 2) && number(day, 1, 2)) {
        return false;
    }
    let time = time.strip_prefix(['T', 't', ' ']);
    match time {
        None => end == rest.len(),
        Some(time) => {
            let mut parts = time.splitn(3, ':');
            let hour = parts.next().is_some_and(|part| number(part, 1, 2));
            let minute = parts.next().is_some_and(|part| number(part, 1, 2));
            let second = parts.next().is_some_and(|part| part.starts_with(|c: char| c.is_ascii_digit()));
            hour && minute && second
        }
    }
}

/// A number as Go's `%v` prints it: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
fn go_float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if number == 0.0 || (-4..EXPONENT_FROM).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// The exponent from which Go's `%v` writes one.
const EXPONENT_FROM: i32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        resolve(&Scalar::written(text, true)).to_string()
    }

    #[test]
    fn numbers_print_as_go_prints_them() {
        for (written, reads) in [
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("017", "15"),
            ("08", "8"),
            ("1e3", "1000"),
            ("1_000", "1000"),
            ("0b11", "3"),
            ("+5", "5"),
            ("-5", "-5"),
            (".5", "0.5"),
            (".inf", "+Inf"),
            ("TRUE", "true"),
            ("~", ""),
        ] {
            assert_eq!(printed(written), reads, "{written}");
        }
    }

    #[test]
    fn times_words_and_versions_are_texts() {
        for text in
            ["22:22", "12:30", "1:30:00", "yes", "on", "Off", "1.2.3", "0o9", "1e", "-", "+", ".", "1-2"]
        {
            assert_eq!(resolve(&Scalar::written(text, true)), Resolved::Text(text.to_owned()), "{text}");
        }
        for text in ["2024-01-01", "2024-1-2T15:04:05Z", "2024-01-02 15:4:5"] {
            assert_eq!(resolve(&Scalar::written(text, true)), Resolved::Date, "{text}");
        }
        assert_eq!(resolve(&Scalar::written("1.10", false)), Resolved::Text("1.10".to_owned()));
    }
}
