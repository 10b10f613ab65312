//! The record that a container was taken over. Labels of a container cannot change, so they stand on a
//! volume beside it: creating one is a single call, and it is on the host like the container itself.

use super::{Label, Ownership};
use crate::name::Owner;
use std::collections::BTreeMap;

/// That a container which pillarbox did not make is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The volume that says so.
    pub volume: String,
    /// The full id of the container; its name may change.
    pub container: String,
    /// What labels would say of a container that we made.
    pub labels: BTreeMap<String, String>,
}

impl Record {
    /// A record to be written.
    pub fn new(owner: &Owner, container: &str, ownership: &Ownership) -> Self {
        let mut labels = ownership.labels(owner);
        labels.insert(Label::ADOPTED.to_owned(), owner.name.to_string());
        labels.insert(Label::CONTAINER.to_owned(), container.to_owned());
        let volume = format!("{}{container}", prefix(owner));
        Self { volume, container: container.to_owned(), labels }
    }

    /// The record that a volume is; `None` where name and labels do not say the same.
    pub fn read(owner: &Owner, volume: &str, labels: &BTreeMap<String, String>) -> Option<Self> {
        let container = volume.strip_prefix(&prefix(owner))?;
        let says = |label: &str, text: &str| labels.get(label).is_some_and(|said| said == text);
        let whole = says(Label::ADOPTED, owner.name.as_str())
            && Label::is_of(owner, labels)
            && says(Label::CONTAINER, container)
            && !container.is_empty();
        whole.then(|| Self {
            volume: volume.to_owned(),
            container: container.to_owned(),
            labels: labels.clone(),
        })
    }

    /// The name of the other workspace that a volume is a record of.
    pub fn elsewhere<'l>(
        owner: &Owner,
        volume: &str,
        labels: &'l BTreeMap<String, String>,
    ) -> Option<&'l str> {
        let text = |label: &str| labels.get(label).map(String::as_str).filter(|text| !text.is_empty());
        let (container, workspace) = (text(Label::CONTAINER)?, text(Label::ADOPTED)?);
        let is_record = volume.starts_with(ADOPTED) && volume.ends_with(&format!(".{container}"));
        let theirs = text(Label::WORKSPACE) == Some(workspace) && !Label::is_of(owner, labels);
        (is_record && theirs).then_some(workspace)
    }

    /// Whether a volume's name is that of a record of this workspace.
    pub fn is_name(owner: &Owner, volume: &str) -> bool {
        volume.strip_prefix(&prefix(owner)).is_some_and(|container| !container.is_empty())
    }
}

/// How the name of each record begins.
const ADOPTED: &str = "pillarbox-adopted.";

fn prefix(owner: &Owner) -> String {
    format!("{ADOPTED}{}.", owner.scope())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Fingerprint;
    use crate::name::WorkspaceName;

    #[test]
    fn a_record_is_read_as_it_was_written_and_for_its_own_workspace_and_container_alone() {
        let shop = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let ownership = Ownership {
            service: "web".to_owned(),
            instance: "web.g1".to_owned(),
            generation: 1,
            spec: Fingerprint("v1:sha256:00".to_owned()),
            fields: BTreeMap::from([("env.A".to_owned(), "00ff".to_owned())]),
            image: "r.example.com/web@sha256:00".to_owned(),
            version: "1".to_owned(),
            tasks: BTreeMap::new(),
        };
        let record = Record::new(&shop, "4f1c", &ownership);
        assert_eq!(record.volume, "pillarbox-adopted.shop.4f1c");
        assert!(Record::is_name(&shop, &record.volume));
        assert_eq!(Record::read(&shop, &record.volume, &record.labels), Some(record.clone()));
        let other = Owner::from(WorkspaceName::parse("shop2").expect("a name"));
        assert_eq!(Record::read(&other, &record.volume, &record.labels), None);
        let elsewhere = |owner: &Owner| Record::elsewhere(owner, &record.volume, &record.labels);
        assert_eq!(elsewhere(&other), Some("shop"));
        assert_eq!(elsewhere(&shop), None);
        assert_eq!(Record::read(&shop, "pillarbox-adopted.shop.4f1d", &record.labels), None);
        assert!(
            !Record::is_name(&other, &record.volume) && !Record::is_name(&shop, "pillarbox-adopted.shop.")
        );
    }
}
