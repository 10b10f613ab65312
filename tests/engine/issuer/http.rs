//! As much of HTTP as an Engine needs.

use std::io::Read as _;
use std::net::TcpStream;

/// Method, target, `Authorization` and body.
pub(super) fn read(stream: &mut TcpStream) -> Option<(String, String, Option<String>, String)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let header = |name: &str| {
        text.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length: usize = header("content-length").and_then(|text| text.parse().ok()).unwrap_or_default();
    while bytes.len() < head + 4 + length {
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    let body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    let mut first = text.lines().next()?.split(' ');
    Some((first.next()?.to_owned(), first.next()?.to_owned(), header("authorization"), body))
}

/// `application/x-www-form-urlencoded`; a scope may hold several, by spaces.
pub(super) fn fields(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(key, value)| (decoded(key), decoded(value)));
    let split = pairs.flat_map(|(key, value)| match key.as_str() {
        "scope" => value.split_whitespace().map(|one| (key.clone(), one.to_owned())).collect(),
        _ => vec![(key, value)],
    });
    split.collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let hex = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        bytes.push(match (byte, hex(0), hex(1)) {
            (b'+', ..) => b' ',
            (b'%', Some(high), Some(low)) => {
                rest = &after[2..];
                u8::try_from(high * 16 + low).expect("two digits")
            }
            _ => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
