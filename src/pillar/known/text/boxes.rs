//! A known box as text.

use super::{parsed, unknown};
use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::pillar::known::{Beside, KnownBox};
use crate::problem::escaped;
use toml_edit::{InlineTable, Table, TableLike, value};

pub(super) fn read_box(table: &dyn TableLike, path: &str, found: &mut Vec<String>) -> Option<KnownBox> {
    let (mut slot, mut turn) = (None, None);
    let (mut retired, mut readers, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    let key_of = |item: Option<&str>| Recipient::parse(item.unwrap_or_default());
    let slot_of = |item: Option<&str>| Recipient::parse_slot(item.unwrap_or_default());
    for (key, item) in table.iter() {
        match key {
            "slot" => slot = parsed(slot_of(item.as_str()), path, found),
            "turn" => turn = revision(item.as_integer(), path, found),
            "beside" if item.is_array() => {
                for one in item.as_array().into_iter().flatten() {
                    match one.as_inline_table() {
                        Some(table) => beside.extend(read_beside(table, path, found)),
                        None => found.push(unknown(path, key)),
                    }
                }
            }
            "retired" if item.is_array() => {
                for slot in item.as_array().into_iter().flatten() {
                    retired.extend(parsed(slot_of(slot.as_str()), path, found));
                }
            }
            "readers" if item.is_table_like() => {
                for (name, item) in item.as_table_like().into_iter().flat_map(TableLike::iter) {
                    let key = parsed(key_of(item.as_str()), path, found);
                    readers.extend(parsed(ReaderName::parse(name), path, found).zip(key));
                }
            }
            _ => found.push(unknown(path, key)),
        }
    }
    if !table.contains_key("slot") {
        found.push(format!("{}: `slot` is missing", escaped(path)));
    }
    Some(KnownBox { slot: slot?, turn, retired, readers: readers.into_iter().collect(), beside })
}

fn read_beside(table: &InlineTable, path: &str, found: &mut Vec<String>) -> Option<Beside> {
    let (mut slot, mut turn, mut folder, mut branch) = (None, None, None, None);
    for (key, item) in table.iter() {
        let text = item.as_str().map(str::to_owned);
        match key {
            "slot" => slot = parsed(Recipient::parse_slot(item.as_str().unwrap_or_default()), path, found),
            "turn" => turn = revision(item.as_integer(), path, found),
            "folder" if text.is_some() => folder = text,
            "branch" if text.is_some() => branch = text,
            _ => found.push(unknown(path, &format!("beside.{key}"))),
        }
    }
    if !table.contains_key("slot") {
        found.push(format!("{}: `slot` of `beside` is missing", escaped(path)));
    }
    Some(Beside { slot: slot?, turn, folder, branch })
}

fn revision(number: Option<i64>, path: &str, found: &mut Vec<String>) -> Option<u32> {
    let turn = number.and_then(|turn| u32::try_from(turn).ok());
    if turn.is_none() {
        found.push(format!("{}: `turn` is not a revision number", escaped(path)));
    }
    turn
}

pub(super) fn box_table(known: &KnownBox) -> Table {
    let mut table = Table::new();
    table.insert("slot", value(known.slot.as_str()));
    known.turn.map(|turn| table.insert("turn", value(i64::from(turn))));
    if !known.retired.is_empty() {
        let slots: toml_edit::Array = known.retired.iter().map(Recipient::as_str).collect();
        table.insert("retired", value(slots));
    }
    if !known.readers.is_empty() {
        let readers: InlineTable =
            known.readers.iter().map(|(name, key)| (name.as_str(), key.as_str())).collect();
        table.insert("readers", value(readers));
    }
    if !known.beside.is_empty() {
        let beside: toml_edit::Array = known.beside.iter().map(beside_table).collect();
        table.insert("beside", value(beside));
    }
    table
}

fn beside_table(one: &Beside) -> InlineTable {
    let mut table = InlineTable::new();
    table.insert("slot", one.slot.as_str().into());
    one.turn.map(|turn| table.insert("turn", i64::from(turn).into()));
    for (key, text) in [("folder", &one.folder), ("branch", &one.branch)] {
        text.as_ref().map(|text| table.insert(key, text.as_str().into()));
    }
    table
}
