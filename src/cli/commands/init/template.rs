//! The files of a new workspace: those of the example in the top folder of this repository, with the
//! names changed.

use crate::name::{ReaderName, WorkspaceId, WorkspaceName};

const INVENTORY: &str = include_str!("../../../../pillarbox.toml");
const APPS: &str = include_str!("../../../../pillar/apps.toml");
const STATE: &str = include_str!("../../../../states/nginx.toml");
const STATE_GONE: &str = include_str!("../../../../states/nginx_gone.toml");
const ATTRIBUTES: &str = include_str!("../../../../.gitattributes");

/// The id in the example.
const EXAMPLE_ID: &str = "3b0f6a51c2d97e84";

/// What git needs to show sealed values by their ids, and to merge values by their keys.
pub(super) const ATTRIBUTES_LINE: &str = "pillar/**/*.toml diff=pillarbox merge=pillarbox";

/// Paths relative to the workspace, with their texts; without keys and boxes.
pub(super) fn files(
    workspace: &WorkspaceName,
    id: &WorkspaceId,
    reader: &ReaderName,
) -> Vec<(String, String)> {
    let inventory: String = INVENTORY
        .split_inclusive('\n')
        .filter(|line| !line.contains("scripts/quickstart"))
        .collect::<String>()
        .replace("workspace = \"example\"", &format!("workspace = \"{workspace}\""))
        .replace(EXAMPLE_ID, id.as_str())
        .replace("default = [\"alice\"]", &format!("default = [\"{reader}\"]"));
    [
        (".gitattributes", ATTRIBUTES.to_owned()),
        ("pillarbox.toml", inventory),
        ("pillar/apps.toml", APPS.to_owned()),
        ("states/nginx.toml", STATE.to_owned()),
        ("states/nginx_gone.toml", STATE_GONE.to_owned()),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into()
}

/// The same files without the example, for a workspace that begins with a project of its own.
pub(super) fn without_examples(files: Vec<(String, String)>) -> Vec<(String, String)> {
    let own = |path: &str| !path.starts_with("pillar/") && !path.starts_with("states/");
    let bare = files.into_iter().filter(|(path, _)| own(path)).map(|(path, text)| {
        let text = match path.as_str() {
            crate::inventory::FILE => {
                let end = text.find("\n[groups.").map_or(text.len(), |at| at + 1);
                format!("{}\n", text[..end].trim_end())
            }
            _ => text,
        };
        (path, text)
    });
    bare.collect()
}

/// The nearest name that a workspace can have.
pub(super) fn workspace_name(folder: &str) -> String {
    named(&folder.to_lowercase(), "workspace")
}

/// The nearest name that a reader can have.
pub(super) fn reader_name(user: &str) -> String {
    named(user, "me")
}

fn named(text: &str, otherwise: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = text.chars().map(fine).collect();
    let name: String = name.trim_start_matches(['.', '_', '-']).chars().take(64).collect();
    let name = name.trim_end_matches('-');
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Inventory;

    #[test]
    fn the_names_are_in_the_inventory_and_the_rest_is_the_example() {
        let (workspace, reader) = (WorkspaceName::parse("shop"), ReaderName::parse("bob"));
        let id = WorkspaceId::from_bits([7; 8]);
        let files = files(&workspace.expect("a name"), &id, &reader.expect("a name"));
        let text = &files.iter().find(|(path, _)| path == "pillarbox.toml").expect("an inventory").1;
        let inventory = Inventory::parse(text).expect("sound");
        assert_eq!((inventory.owner.name.as_str(), inventory.owner.id), ("shop", Some(id)));
        assert_eq!(inventory.readers.default.iter().map(ReaderName::as_str).collect::<Vec<_>>(), ["bob"]);
        assert_eq!(inventory.hosts.len(), 1);
        assert!(!text.contains("quickstart") && !text.contains("example\""));
        assert!(ATTRIBUTES.lines().any(|line| line == ATTRIBUTES_LINE));
    }

    #[test]
    fn without_the_example_nothing_is_deployed() {
        let (workspace, reader) = (WorkspaceName::parse("shop"), ReaderName::parse("bob"));
        let id = WorkspaceId::from_bits([7; 8]);
        let files = without_examples(files(&workspace.expect("a name"), &id, &reader.expect("a name")));
        assert_eq!(
            files.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
            [".gitattributes", "pillarbox.toml"]
        );
        let inventory = Inventory::parse(&files[1].1).expect("sound");
        assert!(inventory.hosts.is_empty() && inventory.groups.is_empty());
        assert_eq!(inventory.readers.default.len(), 1);
    }

    #[test]
    fn any_folder_and_any_user_give_a_name() {
        for (from, to) in
            [("Shop", "shop"), ("my shop", "my-shop"), (".config", "config"), ("…", "workspace")]
        {
            assert_eq!(workspace_name(from), to);
            assert!(WorkspaceName::parse(&workspace_name(from)).is_ok());
        }
        for (from, to) in [("alice", "alice"), ("ACME\\alice", "ACME-alice"), ("-x", "x"), ("", "me")] {
            assert_eq!(reader_name(from), to);
            assert!(ReaderName::parse(&reader_name(from)).is_ok());
        }
    }
}
