//! The three encoders, which may be put on a secret; on clear text they act at once.

use super::convert::{Converter, Taken};
use super::sealed::Sealed;
use crate::script::{Part, Piece};
use crate::secret::Secret;
use crate::state::Encoder;
use starlark::values::{Heap, Value};

/// Encodes a secret, a text, a number or a truth value.
pub(super) fn encode<'v>(value: Value<'v>, encoder: Encoder, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
    if let Some(sealed) = Sealed::from_value(value) {
        let encoded = sealed.encoded(encoder);
        let encoded =
            encoded.ok_or_else(|| wrong(format!("{} cannot follow a joined secret", encoder.word())))?;
        return Ok(heap.alloc(encoded));
    }
    if encoder == Encoder::ToJson {
        return json(value, heap);
    }
    match value.get_type() {
        "string" | "int" | "float" | "bool" => Ok(heap.alloc(applied(encoder, &value.to_str()))),
        kind => Err(wrong(format!("{} must be a string, not a {kind}", encoder.word()))),
    }
}

fn applied(encoder: Encoder, text: &str) -> String {
    let encoded = encoder.apply(&Secret::from(text.to_owned()));
    encoded.as_ref().and_then(Secret::reveal_text).unwrap_or_default().to_owned()
}

/// Any value as JSON (RFC 8259), keys sorted; secrets in it are encoded when they are opened.
fn json<'v>(value: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
    let mut converter = Converter::default();
    let part = converter.part(value).map_err(wrong)?;
    let mut pieces = Vec::new();
    write(&part, &mut pieces).map_err(wrong)?;
    let sealed = match converter.first {
        None => return Ok(heap.alloc(pieces.iter().map(clear).collect::<String>())),
        Some(Taken { called, log }) => Sealed::joined(pieces, called, &log),
    };
    Ok(heap.alloc(sealed))
}

fn clear(piece: &Piece) -> &str {
    match piece {
        Piece::Clear(text) => text,
        Piece::Secret(..) => "",
    }
}

fn write(part: &Part, out: &mut Vec<Piece>) -> Result<(), String> {
    let mut clear = |text: String| out.push(Piece::Clear(text));
    match part {
        Part::None => clear("null".to_owned()),
        Part::Boolean(truth) => clear(truth.to_string()),
        Part::Integer(number) => clear(number.to_string()),
        Part::Float(bits) => {
            let number = serde_json::Number::from_f64(f64::from_bits(*bits));
            clear(number.ok_or("JSON has no such number")?.to_string());
        }
        Part::Text(pieces) => match pieces.as_slice() {
            [] => clear("\"\"".to_owned()),
            [Piece::Clear(text)] => clear(applied(Encoder::ToJson, text)),
            [Piece::Secret(number, encoders)] => {
                let encoders = encoders.iter().copied().chain([Encoder::ToJson]).collect();
                out.push(Piece::Secret(*number, encoders));
            }
            _ => return Err("tojson cannot follow a joined secret".to_owned()),
        },
        Part::List(items) => {
            clear("[".to_owned());
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(Piece::Clear(",".to_owned()));
                }
                write(&item.part, out)?;
            }
            out.push(Piece::Clear("]".to_owned()));
        }
        Part::Table(entries) => {
            clear("{".to_owned());
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key);
            for (index, (key, item)) in entries.into_iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                out.push(Piece::Clear(format!("{comma}{}:", applied(Encoder::ToJson, key))));
                write(&item.part, out)?;
            }
            out.push(Piece::Clear("}".to_owned()));
        }
    }
    Ok(())
}

/// An error of pillarbox, not of the interpreter.
pub(super) fn wrong(what: impl Into<String>) -> starlark::Error {
    starlark::Error::new_value(anyhow::anyhow!(what.into()))
}
