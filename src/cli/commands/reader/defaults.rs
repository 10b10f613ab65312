//! `[readers]` of the inventory, edited in place.

use crate::name::ReaderName;
use toml_edit::{Array, DocumentMut, Item, TableLike};

/// The text of the inventory with a reader taken out of `default` and of every group; `None` where
/// nothing has to change.
pub(super) fn without(text: &str, name: &ReaderName) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let readers = document.get_mut("readers")?.as_table_like_mut()?;
    let mut changed =
        readers.get_mut("default").and_then(Item::as_array_mut).is_some_and(|array| take(array, name));
    if let Some(groups) = readers.get_mut("groups").and_then(Item::as_table_like_mut) {
        for (_, item) in TableLike::iter_mut(groups) {
            changed |= item.as_array_mut().is_some_and(|array| take(array, name));
        }
    }
    changed.then(|| document.to_string())
}

fn take(array: &mut Array, name: &ReaderName) -> bool {
    let before = array.len();
    array.retain(|value| value.as_str() != Some(name.as_str()));
    if let Some(first) = array.get_mut(0)
        && let Some(prefix) = first.decor().prefix().and_then(|prefix| prefix.as_str()).map(str::to_owned)
        && prefix == " "
    {
        first.decor_mut().set_prefix("");
    }
    array.len() != before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_leaves_every_list_and_nothing_else_changes() {
        let text = "# inventory\nworkspace = \"shop\" # ours\n\n[readers]\ndefault = [\"alice\", \"bob\"] # us\n\
                    [readers.groups]\nops = [\"bob\", \"ci\"]\n[hosts.bob]\nengine = \"unix:///x\"\n";
        let bob = ReaderName::parse("bob").expect("a name");
        let expected =
            text.replace("\"alice\", \"bob\"", "\"alice\"").replace("[\"bob\", \"ci\"]", "[\"ci\"]");
        assert_eq!(without(text, &bob).as_deref(), Some(expected.as_str()));
        let frank = ReaderName::parse("frank").expect("a name");
        assert_eq!(without(text, &frank), None);
        assert_eq!(without("workspace = \"shop\"\n", &bob), None);
    }
}
