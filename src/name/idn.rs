//! Host names with letters outside of ASCII, in the form in which they are asked for (RFC 3492, RFC 5891).
//! The crate for it (idna) comes with the tables of Unicode; here what is typed is encoded and nothing is mapped
//! but case.

/// Parameters of punycode (RFC 3492, section 5).
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST: u32 = 128;

/// The longest label of a host name (RFC 1035).
const LONGEST: usize = 63;

/// `xn--bcher-kva.example` for `bücher.example`, with a port if there is one. `None` where it is ASCII already, or
/// has what no host name has: signs, blanks, and letters with their accents apart.
pub fn punycode(host: &str) -> Option<String> {
    if host.is_ascii() {
        return None;
    }
    // The full stops of Chinese and Japanese keyboards (UTS 46).
    let labels = host.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']);
    Some(labels.map(label).collect::<Option<Vec<_>>>()?.join("."))
}

fn label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    let (name, port) = label.split_once(':').map_or((label, None), |(name, port)| (name, Some(port)));
    let letters: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    if !letters.iter().all(|c| c.is_alphanumeric() || *c == '-') {
        return None;
    }
    let encoded = format!("xn--{}", encode(&letters)?);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    (encoded.len() <= LONGEST).then(|| encoded + &port)
}

fn encode(letters: &[char]) -> Option<String> {
    let mut out: String = letters.iter().filter(|c| c.is_ascii()).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let total = u32::try_from(letters.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut next, mut delta, mut bias, mut done) = (FIRST, 0_u32, FIRST_BIAS, basic);
    while done < total {
        let least = letters.iter().map(|c| u32::from(*c)).filter(|code| *code >= next).min()?;
        delta = delta.checked_add((least - next).checked_mul(done + 1)?)?;
        next = least;
        for code in letters.iter().map(|c| u32::from(*c)) {
            if code < next {
                delta = delta.checked_add(1)?;
            }
            if code != next {
                continue;
            }
            let (mut rest, mut k) = (delta, BASE);
            loop {
                let t = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
                if rest < t {
                    break;
                }
                out.push(digit(t + (rest - t) % (BASE - t)));
                rest = (rest - t) / (BASE - t);
                k += BASE;
            }
            out.push(digit(rest));
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done += 1;
        }
        delta = delta.checked_add(1)?;
        next += 1;
    }
    Some(out)
}

fn digit(value: u32) -> char {
    const DIGITS: [u8; 36] = *b"abcdefghijklmnopqrstuvwxyz0123456789";
    usize::try_from(value).ok().and_then(|at| DIGITS.get(at)).map_or('a', |digit| char::from(*digit))
}

fn adapt(delta: u32, points: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_as_they_are_asked_for() {
        // `python3 -c 'print("bücher.example".encode("idna"))'`, and the samples of RFC 3492.
        for (host, expected) in [
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example:5000", "xn--bcher-kva.example:5000"),
            ("registry.münchen.example", "registry.xn--mnchen-3ya.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("правда。example", "xn--80aafi6cg.example"),
            ("bücher:5000", "xn--bcher-kva:5000"),
        ] {
            assert_eq!(punycode(host).as_deref(), Some(expected), "{host}");
        }
        for host in ["example.com", "u\u{308}.example", "a\u{a0}b.example", "snow☃.example", "ü/x.example"]
        {
            assert_eq!(punycode(host), None, "{host:?}");
        }
    }
}
