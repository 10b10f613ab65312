//! The stream of a pull: a JSON object a line. What fails after its first byte is an object with an
//! `error` under status 200.

use super::connection::{Answer, too_long};
use crate::engine::{EngineError, EngineResult, ErrorKind, PullProgress};
use serde_json::Value;
use std::collections::HashMap;

/// A line longer than this is none of an Engine.
const LONGEST: usize = 1 << 20;

/// More layers than this has no image.
const MOST: usize = 4096;

/// Reads to the end; an error in the stream is one.
pub(super) async fn follow(mut answer: Answer<'_>, progress: &dyn Fn(PullProgress)) -> EngineResult<()> {
    let mut layers = Layers::default();
    let mut line = Vec::new();
    let mut left = answer.most();
    let read = |answer: &Answer<'_>, layers: &mut Layers, line: &[u8]| match layers.read(line)? {
        Some(words) => Err(answer.refused(200, &words)),
        None => Ok(()),
    };
    while let Some(bytes) = answer.next().await? {
        left = left.checked_sub(bytes.len()).ok_or_else(|| too_long(answer.most()))?;
        for byte in bytes {
            if byte != b'\n' {
                line.push(byte);
                if line.len() > LONGEST {
                    return Err(EngineError::new(ErrorKind::Other, 200, "a line of its answer is too long"));
                }
                continue;
            }
            read(&answer, &mut layers, &line)?;
            line.clear();
        }
        progress(layers.progress());
    }
    read(&answer, &mut layers, &line)?;
    progress(layers.progress());
    answer.drain().await
}

/// What is known of each layer, by its short id.
#[derive(Default)]
struct Layers(HashMap<String, Layer>);

#[derive(Default)]
struct Layer {
    done: u64,
    total: u64,
    complete: bool,
}

impl Layers {
    /// Reads a line; answers the words of an error.
    fn read(&mut self, line: &[u8]) -> EngineResult<Option<String>> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let Ok(said) = serde_json::from_slice::<Value>(line) else {
            return Err(EngineError::new(ErrorKind::Other, 200, "a line of its answer is not JSON"));
        };
        let error = said["errorDetail"]["message"].as_str().or_else(|| said["error"].as_str());
        if let Some(words) = error {
            return Ok(Some(words.to_owned()));
        }
        if self.0.len() > MOST {
            return Err(EngineError::new(ErrorKind::Other, 200, "it tells of too many layers"));
        }
        let (Some(id), Some(status)) = (said["id"].as_str(), said["status"].as_str()) else {
            return Ok(None);
        };
        let detail = &said["progressDetail"];
        let (current, total) = (detail["current"].as_u64(), detail["total"].as_u64());
        match status {
            // Its id is the tag.
            _ if status.starts_with("Pulling from") => {}
            "Downloading" => {
                let layer = self.0.entry(id.to_owned()).or_default();
                layer.done = current.unwrap_or(layer.done);
                layer.total = total.unwrap_or(layer.total).max(layer.done);
            }
            "Verifying Checksum" | "Download complete" | "Extracting" => {
                let layer = self.0.entry(id.to_owned()).or_default();
                layer.total = layer.total.max(layer.done);
                layer.done = layer.total;
            }
            "Pull complete" | "Already exists" => {
                let layer = self.0.entry(id.to_owned()).or_default();
                layer.done = layer.total;
                layer.complete = true;
            }
            _ => {
                self.0.entry(id.to_owned()).or_default();
            }
        }
        Ok(None)
    }

    fn progress(&self) -> PullProgress {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        PullProgress {
            done: self.0.values().fold(0, |sum, layer| sum.saturating_add(layer.done)),
            total: self.0.values().fold(0, |sum, layer| sum.saturating_add(layer.total)),
            layers_done: count(self.0.values().filter(|layer| layer.complete).count()),
            layers: count(self.0.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> EngineResult<PullProgress> {
        let mut layers = Layers::default();
        for line in lines {
            if let Some(words) = layers.read(line.as_bytes())? {
                return Err(EngineError::new(ErrorKind::Other, 200, &words));
            }
        }
        Ok(layers.progress())
    }

    #[test]
    fn bytes_are_summed_over_layers() {
        let progress = read(&[
            r#"{"status":"Pulling from web/nginx","id":"1.9.0"}"#,
            r#"{"status":"Pulling fs layer","progressDetail":{},"id":"aa"}"#,
            r#"{"status":"Pulling fs layer","progressDetail":{},"id":"bb"}"#,
            r#"{"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"aa"}"#,
            r#"{"status":"Downloading","progressDetail":{"current":30,"total":50},"id":"bb"}"#,
            r#"{"status":"Download complete","progressDetail":{},"id":"bb"}"#,
            r#"{"status":"Extracting","progressDetail":{"current":7,"total":50},"id":"bb"}"#,
            r#"{"status":"Pull complete","progressDetail":{},"id":"bb"}"#,
            r#"{"status":"Digest: sha256:00"}"#,
        ]);
        let expected = PullProgress { done: 60, total: 150, layers_done: 1, layers: 2 };
        assert_eq!(progress.expect("no error"), expected);
    }

    #[test]
    fn an_error_in_the_stream_is_an_error() {
        let failed = read(&[
            r#"{"status":"Pulling from web/nginx","id":"1.9.0"}"#,
            r#"{"errorDetail":{"message":"unauthorized: no"},"error":"unauthorized: no"}"#,
        ]);
        assert_eq!(failed.expect_err("an error").message, "unauthorized: no");
        assert_eq!(read(&[r#"{"error":"denied"}"#]).expect_err("an error").message, "denied");
        assert!(read(&["<html>"]).is_err());
    }
}
