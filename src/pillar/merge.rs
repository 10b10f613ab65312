//! Merges pillar files.

use super::table::Table;
use super::value::{Node, Value};
use crate::problem::Place;

/// Merges trees, later ones over earlier ones: tables deeply, everything else (lists and sealed
/// values too) replaced. Every value keeps the place it came from; a table that several files share
/// has that of the last. The place of the whole is the top of the last file.
pub fn merge(layers: impl IntoIterator<Item = Node>) -> Node {
    let empty = Node { value: Value::Table(Table::new()), place: Place::new("pillar", 0) };
    layers.into_iter().fold(empty, |mut under, over| {
        lay(&mut under, over);
        under
    })
}

fn lay(under: &mut Node, over: Node) {
    match (&mut under.value, over.value) {
        (Value::Table(below), Value::Table(above)) => {
            under.place = over.place;
            below.lay(above, lay);
        }
        (_, value) => *under = Node { value, place: over.place },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pillar::document::Document;
    use proptest::prelude::*;

    fn tree(file: &str, text: &str) -> Node {
        Document::parse(file, text).expect("TOML").tree().expect("sound").clone()
    }

    #[test]
    fn tables_merge_deeply_and_everything_else_is_replaced_with_its_place() {
        let merged = merge([
            tree("base.toml", "[a]\nx = 1\nlist = [1, 2]\n[a.deep]\ny = 1\nz = 1\n"),
            tree("web1.toml", "a.list = [3]\n\na.deep.z = 2\n"),
        ]);
        let place = |path: [&str; 3]| {
            let path = path.into_iter().filter(|part| !part.is_empty());
            merged.at(path).expect("a value").place.to_string()
        };
        assert_eq!(place(["a", "x", ""]), "pillar/base.toml:2");
        assert_eq!(place(["a", "list", ""]), "pillar/web1.toml:1");
        assert_eq!(place(["a", "deep", "y"]), "pillar/base.toml:5");
        assert_eq!(place(["a", "deep", "z"]), "pillar/web1.toml:3");
        match &merged.at(["a", "list"]).expect("a list").value {
            Value::Array(values) => assert_eq!(values.len(), 1),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_sealed_value_is_replaced_whole_and_keeps_the_place_it_is_bound_to() {
        let sealed = |id: &str| format!("pw = {{ sealed = \"YQ==\", id = \"{id}\" }}\n");
        let merged = merge([
            tree("a.toml", &sealed("9f2c41d70b6e83aa")),
            tree("b.toml", &sealed("0011223344556677")),
            tree("c.toml", "other = 1"),
        ]);
        match &merged.at(["pw"]).expect("a value").value {
            Value::Sealed(sealed) => {
                assert_eq!(sealed.id.short(), "0011");
                assert_eq!(sealed.origin.file, "b.toml");
            }
            other => panic!("{other:?}"),
        }
        let table = merge([tree("a.toml", &sealed("9f2c41d70b6e83aa")), tree("b.toml", "pw.x = 1")]);
        assert!(table.at(["pw", "sealed"]).is_none());
        assert!(table.at(["pw", "x"]).is_some());
    }

    fn trees() -> impl Strategy<Value = Node> {
        let lines = prop::collection::btree_map("[ab](\\.[ab]){0,2}", 0..9, 0..4);
        lines.prop_filter_map("TOML", |lines| {
            let text: String = lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
            Some(Document::parse("x.toml", text).ok()?.tree().ok()?.clone())
        })
    }

    proptest! {
        #[test]
        fn merging_in_steps_is_merging_at_once(a in trees(), b in trees(), c in trees()) {
            let stepwise = merge([merge([a.clone(), b.clone()]), c.clone()]);
            prop_assert_eq!(stepwise, merge([a, b, c]));
        }

        #[test]
        fn the_last_layer_is_wholly_in_the_result(a in trees(), b in trees()) {
            let merged = merge([a, b.clone()]);
            prop_assert_eq!(merge([merged.clone(), b]), merged);
        }
    }
}
