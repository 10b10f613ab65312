//! Which containers are ours. Labels alone do not say: `docker commit` of one of ours hands its labels
//! on to an image, and from there to every container that is made of it.

use super::{Container, HelperContainer, Label, Ownership, Record, slot_of};
use crate::desired::Fingerprint;
use crate::name::Owner;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A container as it was found, before its ownership is known.
#[derive(Clone, Debug)]
pub struct Found {
    /// The container; `ours` and `impostor` are not decided.
    pub container: Container,
    /// Labels, its own and its image's.
    pub labels: BTreeMap<String, String>,
}

/// Says of each container whether it is ours: it names this workspace, its instance is not also on its
/// image, its name is one that we give to that instance, and no older container of ours has the same instance. `image_labels` are those of images on
/// the host, by id: a container whose image is not among them cannot be told from a stranger's. One that
/// has no label of ours, nor of another workspace, is ours where it was taken over: `adopted`, by id.
pub fn with_ownership(
    workspace: &Owner,
    found: Vec<Found>,
    image_labels: &BTreeMap<String, BTreeMap<String, String>>,
    adopted: &BTreeMap<String, Record>,
) -> Vec<Container> {
    let mut containers: Vec<Container> = Vec::with_capacity(found.len());
    for Found { mut container, labels } in found {
        if Label::is_of(workspace, &labels) {
            let image = image_labels.get(&container.image_id);
            container.helper = image.and_then(|image| helper(&labels, image));
            if container.helper.is_some() {
                containers.push(container);
                continue;
            }
            let own = image.is_some_and(|image| image.get(Label::INSTANCE) != labels.get(Label::INSTANCE));
            claim(&mut container, ownership(&labels).filter(|_| own));
            container.impostor = container.ours.is_none();
        } else if !labels.contains_key(Label::WORKSPACE) {
            let ours = adopted.get(&container.id).and_then(|record| ownership(&record.labels));
            claim(&mut container, ours);
        }
        containers.push(container);
    }
    disown_the_younger(&mut containers);
    disown_copies(&mut containers);
    containers
}

/// It is ours under a name of ours; under another one it was renamed.
fn claim(container: &mut Container, ours: Option<Ownership>) {
    match ours {
        Some(ours) if named_by_us(&container.name, &ours.instance) => container.ours = Some(ours),
        other => container.renamed = other,
    }
}

/// What has the instance of another one of ours was not renamed: it is a copy with the same labels.
fn disown_copies(containers: &mut [Container]) {
    let instance = |ours: &Option<Ownership>| ours.as_ref().map(|ours| ours.instance.clone());
    let mut taken: BTreeSet<String> = containers.iter().filter_map(|one| instance(&one.ours)).collect();
    let mut order: Vec<usize> = (0..containers.len()).collect();
    order.sort_by(|a, b| by_age(&containers[*a], &containers[*b]));
    for at in order {
        let container = &mut containers[at];
        if let Some(instance) = instance(&container.renamed)
            && !taken.insert(instance)
        {
            container.renamed = None;
            container.impostor = true;
        }
    }
}

/// Whether a container of ours can have this name: the plain one, or that with a number; what helps to make
/// one has a name that begins as those of our volumes. Copied labels come with other names.
fn named_by_us(name: &str, instance: &str) -> bool {
    let slot = slot_of(instance);
    let numbered = |rest: &str| {
        let word = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        word.len() < rest.len() && (word.is_empty() || word.starts_with(".kept") || word.starts_with(".back"))
    };
    name == slot
        || name.strip_prefix(slot).and_then(|rest| rest.strip_prefix(".g")).is_some_and(numbered)
        || name.starts_with("pillarbox-")
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

/// What it is for, if that is no instance and its labels did not come with its image.
fn helper(labels: &BTreeMap<String, String>, image: &BTreeMap<String, String>) -> Option<HelperContainer> {
    let names = [Label::FILLS, Label::RUN, Label::TASK, Label::RAN];
    if names.iter().all(|name| labels.get(*name) == image.get(*name)) {
        return None;
    }
    let text = |name: &str| labels.get(name).filter(|text| !text.is_empty()).cloned();
    match (text(Label::FILLS), text(Label::RUN)) {
        (Some(_), _) => Some(HelperContainer::Filler),
        (None, Some(service)) => Some(HelperContainer::Run { service }),
        (None, None) => Some(HelperContainer::Task {
            name: text(Label::TASK)?,
            fingerprint: text(Label::RAN)?,
            version: text(Label::VERSION).unwrap_or_default(),
        }),
    }
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
        tasks: field_fingerprints(labels.get(Label::TASKS).map(String::as_str).unwrap_or_default()),
    })
}

/// `field=fingerprint,…`; a field's own name may hold both marks (`labels.a,b=c`), a fingerprint is
/// hexadecimal and holds neither.
pub(super) fn field_fingerprints(text: &str) -> BTreeMap<String, String> {
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
    use crate::name::WorkspaceName;
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
            name: "nginx.g7".to_owned(),
            image_id: "plain".to_owned(),
            ours: None,
            impostor: false,
            renamed: None,
            helper: None,
            compose: None,
            state,
            holds: crate::observed::Holds::default(),
            inspect: Inspect::new(serde_json::Value::Null),
        };
        Found { container, labels }
    }

    fn adopted() -> BTreeMap<String, Record> {
        let record = |id: &str, instance: &str| {
            let record = Record {
                volume: format!("pillarbox-adopted.shop.{id}"),
                container: id.to_owned(),
                labels: labels(instance),
            };
            (id.to_owned(), record)
        };
        [record("taken", "nginx.g4"), record("gone", "nginx.g5")].into()
    }

    /// Id, whether it is ours, whether it is an impostor.
    fn claimed(found: Vec<Found>) -> Vec<(String, bool, bool)> {
        let shop = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let images = BTreeMap::from([
            ("plain".to_owned(), BTreeMap::new()),
            ("committed".to_owned(), labels("nginx.g3")),
        ]);
        let told = with_ownership(&shop, found, &images, &adopted());
        told.into_iter().map(|c| (c.id, c.ours.is_some(), c.impostor)).collect()
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
    fn a_helper_container_is_neither_an_instance_nor_a_strangers_unless_its_labels_came_with_its_image() {
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let workspace = [(Label::WORKSPACE, "shop")];
            let all = workspace.iter().chain(pairs);
            all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let shop = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let task = of(&[(Label::TASK, "migrate"), (Label::RAN, "00ff"), (Label::VERSION, "1.9.0")]);
        // The filler of a service whose image is a commit of one of ours.
        let mut filler = labels("nginx.g3");
        filler.insert(Label::FILLS.to_owned(), "nginx.g4".to_owned());
        let mut stranger = found("c", "", task.clone());
        stranger.container.image_id = "committed".to_owned();
        let mut of_commit = found("b", "", filler);
        of_commit.container.image_id = "instance".to_owned();
        let images = BTreeMap::from([
            ("plain".to_owned(), BTreeMap::new()),
            ("committed".to_owned(), task.clone()),
            ("instance".to_owned(), labels("nginx.g3")),
        ]);
        let claimed =
            with_ownership(&shop, vec![found("a", "", task), of_commit, stranger], &images, &BTreeMap::new());
        let runs = HelperContainer::Task {
            name: "migrate".to_owned(),
            fingerprint: "00ff".to_owned(),
            version: "1.9.0".to_owned(),
        };
        assert_eq!(claimed[0].helper, Some(runs));
        assert_eq!(claimed[1].helper, Some(HelperContainer::Filler));
        assert_eq!((claimed[2].helper.clone(), claimed[2].impostor), (None, true));
        assert!(claimed[..2].iter().all(|found| found.ours.is_none() && !found.impostor));
    }

    #[test]
    fn tasks_that_ran_before_an_instance_was_made_are_read_back() {
        let mut some = labels("nginx.g3");
        some.insert(Label::TASKS.to_owned(), "migrate=0123456789abcdef,seed=00ff".to_owned());
        let ours = ownership(&some).expect("complete");
        let tasks: Vec<(&str, &str)> = ours.tasks.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(tasks, [("migrate", "0123456789abcdef"), ("seed", "00ff")]);
    }

    #[test]
    fn a_name_that_we_do_not_give_claims_nothing() {
        for (name, ours) in [
            ("nginx", true),
            ("nginx.g12", true),
            ("nginx.g12.kept", true),
            ("nginx.g12.back.1", true),
            ("nginx.g12.old", false),
            ("nginx-2", false),
            ("nginx.g", false),
            ("nginx.gx", false),
            ("old", false),
        ] {
            let mut one = found("a", "2026-01-01T00:00:00Z", labels("nginx.g3"));
            one.container.name = name.to_owned();
            assert_eq!(claimed(vec![one]), [("a".to_owned(), ours, !ours)], "{name}");
        }
    }

    #[test]
    fn one_with_our_labels_and_another_name_was_renamed_unless_it_is_a_copy() {
        let shop = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let images = BTreeMap::from([("plain".to_owned(), BTreeMap::new())]);
        let named = |id: &str, name: &str, created_at: &str, labels| {
            let mut one = found(id, created_at, labels);
            one.container.name = name.to_owned();
            one
        };
        let told = |found| {
            let told = with_ownership(&shop, found, &images, &adopted());
            told.into_iter().map(|c| (c.ours.is_some(), c.renamed.is_some())).collect::<Vec<_>>()
        };
        let old = || named("a", "nginx-old", "2026-01-01T00:00:00Z", labels("nginx.g3"));
        assert_eq!(told(vec![old()]), [(false, true)]);
        // The name decides between two of one instance, and then the age.
        let right = named("b", "nginx", "2026-01-02T00:00:00Z", labels("nginx.g3"));
        assert_eq!(told(vec![old(), right]), [(false, false), (true, false)]);
        let copy = named("b", "nginx-test", "2026-01-02T00:00:00Z", labels("nginx.g3"));
        assert_eq!(told(vec![copy, old()]), [(false, false), (false, true)]);
        assert_eq!(told(vec![named("taken", "mine", "", BTreeMap::new())]), [(false, true)]);
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
    fn a_record_makes_a_container_ours_that_has_no_labels_and_no_other() {
        let of = |labels| claimed(vec![found("taken", "2026-01-01T00:00:00Z", labels)]);
        assert_eq!(of(BTreeMap::new()), [("taken".to_owned(), true, false)]);
        let mut other = labels("nginx.g9");
        other.insert(Label::WORKSPACE.to_owned(), "shop2".to_owned());
        assert_eq!(of(other), [("taken".to_owned(), false, false)]);
        let mut committed = found("taken", "", labels("nginx.g3"));
        committed.container.image_id = "committed".to_owned();
        assert_eq!(claimed(vec![committed]), [("taken".to_owned(), false, true)]);
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
