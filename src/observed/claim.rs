//! Which containers are ours. Labels alone do not say: `docker commit` of one of ours hands its labels
//! on to an image, and from there to every container that anybody makes of it.

use super::{Container, Label, Ownership};
use crate::desired::Fingerprint;
use crate::name::WorkspaceName;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A container as it was found, before anybody said whose it is.
#[derive(Clone, Debug)]
pub struct Found {
    /// The container; `ours` and `impostor` are not decided.
    pub container: Container,
    /// Labels, its own and its image's.
    pub labels: BTreeMap<String, String>,
}

/// Says of each container whether it is ours: it names this workspace, its instance is not also on its
/// image, and no older container of ours has the same instance. `image_labels` are those of images on
/// the host, by id: a container whose image is not among them cannot be told from a stranger's.
pub fn claim(
    workspace: &WorkspaceName,
    found: Vec<Found>,
    image_labels: &BTreeMap<String, BTreeMap<String, String>>,
) -> Vec<Container> {
    let mut containers: Vec<Container> = Vec::with_capacity(found.len());
    for Found { mut container, labels } in found {
        if labels.get(Label::WORKSPACE).is_some_and(|name| name == workspace.as_str()) {
            let image = image_labels.get(&container.image_id);
            let own = image.is_some_and(|image| image.get(Label::INSTANCE) != labels.get(Label::INSTANCE));
            container.ours = if own { ownership(&labels) } else { None };
            container.impostor = container.ours.is_none();
        }
        containers.push(container);
    }
    disown_the_younger(&mut containers);
    containers
}

fn disown_the_younger(containers: &mut [Container]) {
    let mut oldest: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..containers.len() {
        let Some(instance) = containers[at].ours.as_ref().map(|ours| ours.instance.clone()) else { continue };
        let Some(&other) = oldest.get(&instance) else {
            oldest.insert(instance, at);
            continue;
        };
        let younger = if by_age(&containers[at], &containers[other]).is_lt() { other } else { at };
        containers[younger].ours = None;
        containers[younger].impostor = true;
        if younger == other {
            oldest.insert(instance, at);
        }
    }
}

/// The older one is less; ids decide between two of the same moment.
fn by_age(a: &Container, b: &Container) -> Ordering {
    let moment = |container: &Container| container.state.created_at.parse::<jiff::Timestamp>().ok();
    match (moment(a), moment(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
    .then_with(|| a.id.cmp(&b.id))
}

/// Our labels, if they are complete.
fn ownership(labels: &BTreeMap<String, String>) -> Option<Ownership> {
    let text = |name: &str| labels.get(name).filter(|text| !text.is_empty()).cloned();
    let fields = labels.get(Label::FIELDS).map(String::as_str).unwrap_or_default();
    Some(Ownership {
        service: text(Label::SERVICE)?,
        instance: text(Label::INSTANCE)?,
        generation: labels.get(Label::GENERATION)?.parse().ok().filter(|n| *n > 0)?,
        spec: Fingerprint(text(Label::SPEC)?),
        fields: field_fingerprints(fields),
        image: text(Label::IMAGE)?,
        version: labels.get(Label::VERSION).cloned().unwrap_or_default(),
    })
}

/// `field=fingerprint,…`; a field's own name may hold both marks (`labels.a,b=c`), a fingerprint is
/// hexadecimal and holds neither.
fn field_fingerprints(text: &str) -> BTreeMap<String, String> {
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut fields = BTreeMap::new();
    let mut held = String::new();
    for part in text.split(',') {
        if !held.is_empty() {
            held.push(',');
        }
        held.push_str(part);
        if let Some((field, fingerprint)) = held.rsplit_once('=').filter(|(_, value)| hex(value)) {
            fields.insert(field.to_owned(), fingerprint.to_owned());
            held.clear();
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::{Inspect, RunState};

    fn labels(instance: &str) -> BTreeMap<String, String> {
        [
            (Label::WORKSPACE, "shop"),
            (Label::SERVICE, "nginx"),
            (Label::INSTANCE, instance),
            (Label::GENERATION, "3"),
            (Label::SPEC, "v1:sha256:00"),
            (Label::FIELDS, "env.A=00ff,labels.a,b=c=11,ports=22"),
            (Label::IMAGE, "r.example.com/nginx@sha256:00"),
            (Label::VERSION, "1.9.0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    fn found(id: &str, created_at: &str, labels: BTreeMap<String, String>) -> Found {
        let state = RunState {
            status: "running".to_owned(),
            running: true,
            restarting: false,
            restart_count: 0,
            started_at: String::new(),
            finished_at: String::new(),
            created_at: created_at.to_owned(),
            exit_code: 0,
            error: String::new(),
            health: None,
        };
        let container = Container {
            id: id.to_owned(),
            name: id.to_owned(),
            image_id: "plain".to_owned(),
            ours: None,
            impostor: false,
            state,
            inspect: Inspect::new(serde_json::Value::Null),
        };
        Found { container, labels }
    }

    /// Id, whether it is ours, whether it is an impostor.
    fn claimed(found: Vec<Found>) -> Vec<(String, bool, bool)> {
        let shop = WorkspaceName::parse("shop").expect("a name");
        let images = BTreeMap::from([
            ("plain".to_owned(), BTreeMap::new()),
            ("committed".to_owned(), labels("nginx.g3")),
        ]);
        let claimed = claim(&shop, found, &images);
        claimed.into_iter().map(|c| (c.id, c.ours.is_some(), c.impostor)).collect()
    }

    #[test]
    fn labels_that_came_with_an_image_claim_nothing() {
        let mut stranger = found("b", "2026-01-02T00:00:00Z", labels("nginx.g3"));
        stranger.container.image_id = "committed".to_owned();
        let ours = found("a", "2026-01-01T00:00:00Z", labels("nginx.g3"));
        assert_eq!(
            claimed(vec![stranger, ours]),
            [("b".to_owned(), false, true), ("a".to_owned(), true, false)]
        );
    }

    #[test]
    fn of_two_with_one_instance_the_older_is_ours_whatever_the_order() {
        let old = || found("old", "2026-01-01T00:00:00.000000001Z", labels("nginx.g3"));
        let young = || found("young", "2026-01-01T00:00:00.1Z", labels("nginx.g3"));
        let expected = |id: &str| (id.to_owned(), id == "old", id == "young");
        assert_eq!(claimed(vec![old(), young()]), [expected("old"), expected("young")]);
        assert_eq!(claimed(vec![young(), old()]), [expected("young"), expected("old")]);
        let three = claimed(vec![young(), old(), found("late", "2027-01-01T00:00:00Z", labels("nginx.g3"))]);
        assert_eq!(three.iter().filter(|(_, ours, _)| *ours).count(), 1);
    }

    #[test]
    fn other_workspaces_are_neither_ours_nor_impostors() {
        let mut other = labels("nginx.g3");
        other.insert(Label::WORKSPACE.to_owned(), "shop2".to_owned());
        assert_eq!(claimed(vec![found("a", "", other)]), [("a".to_owned(), false, false)]);
        assert_eq!(claimed(vec![found("a", "", BTreeMap::new())]), [("a".to_owned(), false, false)]);
    }

    #[test]
    fn incomplete_labels_and_a_lost_image_claim_nothing() {
        for missing in [Label::SERVICE, Label::INSTANCE, Label::GENERATION, Label::SPEC, Label::IMAGE] {
            let mut some = labels("nginx.g3");
            some.remove(missing);
            assert_eq!(claimed(vec![found("a", "", some)]), [("a".to_owned(), false, true)], "{missing}");
        }
        let mut lost = found("a", "", labels("nginx.g3"));
        lost.container.image_id = "gone".to_owned();
        assert_eq!(claimed(vec![lost]), [("a".to_owned(), false, true)]);
    }

    #[test]
    fn field_names_may_hold_the_marks_between_them() {
        let ours = ownership(&labels("nginx.g3")).expect("complete");
        let fields: Vec<(&str, &str)> = ours.fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(fields, [("env.A", "00ff"), ("labels.a,b=c", "11"), ("ports", "22")]);
    }
}
