//! Bodies of plans that hosts share: a thousand hosts with the same states have one.

use super::{HostPlan, PlanBody};
use serde::{Serialize, Serializer};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::sync::Arc;

/// The different bodies of a run.
#[derive(Debug, Default)]
pub struct Bodies(HashMap<u64, Vec<Arc<PlanBody>>>);

impl Bodies {
    /// The plan with a body that an earlier one has, if one is equal.
    pub fn share(&mut self, plan: HostPlan) -> HostPlan {
        let alike = self.0.entry(fingerprint(&plan.body)).or_default();
        match alike.iter().find(|body| ***body == *plan.body) {
            Some(body) => HostPlan { body: Arc::clone(body), ..plan },
            None => {
                alike.push(Arc::clone(&plan.body));
                plan
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Bodies that are equal have the same; those that are not are told apart by comparing them.
fn fingerprint(body: &PlanBody) -> u64 {
    struct Hashed(DefaultHasher);
    impl io::Write for Hashed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashed = Hashed(DefaultHasher::new());
    // What cannot be written has the fingerprint of what was written of it: it is compared all the same.
    let _ = serde_json::to_writer(&mut hashed, body);
    hashed.0.finish()
}

/// A body in the stored form.
pub(super) fn stored<S: Serializer>(body: &Arc<PlanBody>, to: S) -> Result<S::Ok, S::Error> {
    body.as_ref().serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::HostName;

    fn plan(host: &str, note: &str) -> HostPlan {
        let body = PlanBody { notes: vec![note.to_owned()], ..PlanBody::default() };
        HostPlan::new(HostName::parse(host).expect("a name"), format!("ssh://{host}"), host.to_owned(), body)
    }

    #[test]
    fn hosts_with_equal_plans_share_one_body_and_keep_their_names() {
        let mut bodies = Bodies::default();
        let [one, two, three] =
            [("web1", "a"), ("web2", "a"), ("web3", "b")].map(|(host, note)| bodies.share(plan(host, note)));
        assert!(Arc::ptr_eq(&one.body, &two.body) && !Arc::ptr_eq(&one.body, &three.body));
        assert_eq!((two.host.as_str(), two.engine.as_str(), bodies.len()), ("web2", "ssh://web2", 2));
    }

    #[test]
    fn a_body_that_is_changed_is_no_longer_shared() {
        let mut bodies = Bodies::default();
        let one = bodies.share(plan("web1", "a"));
        let mut two = bodies.share(plan("web2", "a"));
        two.notes.push("b".to_owned());
        assert_eq!((one.notes.len(), two.notes.len()), (1, 2));
    }

    #[test]
    fn a_plan_is_stored_with_the_fields_of_its_body_beside_its_own() {
        let stored = serde_json::to_string(&plan("web1", "a")).expect("JSON");
        let expected = r#"{"host":"web1","engine":"ssh://web1","engine_id":"web1","changes":[],"steps":[],"receivers":[],"notes":["a"]}"#;
        assert_eq!(stored, expected);
    }
}
