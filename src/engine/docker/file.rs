//! Single files of containers, as `/containers/{id}/archive` answers them.

use super::call::{query, segment};
use super::{Docker, EngineError, EngineResult, ErrorKind};
use crate::observed::FileStat;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::Value;

/// What an Engine says of a path: JSON in base64.
pub(super) const STAT: &str = "X-Docker-Container-Path-Stat";

/// Bits of Go's `fs.FileMode` that no regular file has.
const NOT_REGULAR: u64 = 0x8f28_0000;

pub(super) async fn stat(docker: &Docker, id: &str, path: &str) -> EngineResult<Option<FileStat>> {
    let path = format!("/containers/{}/archive{}", segment(id), query(&[("path", path)]));
    match docker.http.send(docker.call(Method::HEAD, &path)).await {
        Ok(answer) => {
            let stat = answer.header(STAT).and_then(parsed);
            answer.drain().await?;
            let unreadable = || EngineError::new(ErrorKind::Other, 200, "it does not say what is there");
            stat.ok_or_else(unreadable).map(Some)
        }
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parsed(stat: &str) -> Option<FileStat> {
    let json: Value = serde_json::from_slice(&STANDARD.decode(stat).ok()?).ok()?;
    let time: jiff::Timestamp = json["mtime"].as_str()?.parse().ok()?;
    Some(FileStat {
        is_regular: json["mode"].as_u64()? & NOT_REGULAR == 0,
        size: json["size"].as_u64()?,
        time: time.as_second(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_folder_and_a_link_are_no_regular_files() {
        let stat = |mode: u64| {
            let json =
                serde_json::json!({ "name": "x", "size": 4, "mode": mode, "mtime": "1973-11-29T21:33:09Z" });
            parsed(&STANDARD.encode(json.to_string())).expect("read")
        };
        assert_eq!(stat(0o644), FileStat { is_regular: true, size: 4, time: 123_456_789 });
        assert!(!stat(0x8000_0000 | 0o755).is_regular && !stat(0x0800_0000 | 0o777).is_regular);
        assert!(stat(0x0080_0000 | 0o755).is_regular, "setuid");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text: String) {
            let _ = (parsed(&STANDARD.encode(&bytes)), parsed(&text));
        }
    }
}
