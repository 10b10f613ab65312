//! The record that a service was stopped by request. It is an empty volume on the host, as the records of adoptions and
//! of tasks are: every plan for the host sees it, and it outlives every lock.

use super::Label;
use super::fitting::fitting;
use crate::name::Owner;
use std::collections::BTreeMap;

/// That a service is to stay down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The volume that says so.
    pub volume: String,
    /// The service.
    pub service: String,
    /// Who, on which machine.
    pub by: String,
    /// Why, in people's words.
    pub why: Option<String>,
    /// Until when, seconds since 1970 by the Engine's clock; `None`: until it is started.
    pub until: Option<i64>,
    /// That time is over.
    pub over: bool,
}

impl Stop {
    /// A record to be written.
    pub fn new(owner: &Owner, service: &str, by: String, why: Option<String>, until: Option<i64>) -> Self {
        let volume = fitting(format!("pillarbox-stopped.{}.{service}", owner.scope()));
        Self { volume, service: service.to_owned(), by, why, until, over: false }
    }

    /// As labels, with those of the workspace.
    pub fn labels(&self, owner: &Owner) -> BTreeMap<String, String> {
        let until = self.until.map(|until| until.to_string());
        let said = [
            (Label::STOPPED, Some(self.service.clone())),
            (Label::STOPPED_BY, Some(self.by.clone())),
            (Label::STOPPED_WHY, self.why.clone()),
            (Label::STOPPED_UNTIL, until),
        ];
        let said = said.into_iter().filter_map(|(name, text)| Some((name, text?)));
        Label::of(owner).chain(said).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The record that a volume is; `None` where name and labels do not say the same.
    pub fn read(owner: &Owner, volume: &str, labels: &BTreeMap<String, String>) -> Option<Self> {
        let text = |name: &str| labels.get(name).filter(|text| !text.is_empty()).cloned();
        let until = match text(Label::STOPPED_UNTIL) {
            Some(until) => Some(until.parse().ok()?),
            None => None,
        };
        let by = text(Label::STOPPED_BY).unwrap_or_default();
        let stop = Self::new(owner, &text(Label::STOPPED)?, by, text(Label::STOPPED_WHY), until);
        (Label::is_of(owner, labels) && stop.volume == volume).then_some(stop)
    }

    /// The same, where it is known what time it is for the Engine.
    #[must_use]
    pub fn at(self, now: i64) -> Self {
        Self { over: self.until.is_some_and(|until| until <= now), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::WorkspaceName;

    #[test]
    fn a_stop_is_read_as_it_was_written_and_ends_at_its_time() {
        let shop = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let stop =
            Stop::new(&shop, "api", "alice on desk".to_owned(), Some("a new disk".to_owned()), Some(100));
        let labels = stop.labels(&shop);
        assert_eq!(stop.volume, "pillarbox-stopped.shop.api");
        assert_eq!(Stop::read(&shop, &stop.volume, &labels), Some(stop.clone()));
        assert!(!stop.clone().at(99).over && stop.clone().at(100).over);
        assert_eq!(Stop::read(&shop, "pillarbox-stopped.shop.web", &labels), None);
        let other = Owner::from(WorkspaceName::parse("shop2").expect("a name"));
        assert_eq!(Stop::read(&other, &stop.volume, &labels), None);
        let soon = BTreeMap::from([(Label::STOPPED_UNTIL.to_owned(), "soon".to_owned())]);
        let wrong: BTreeMap<String, String> = labels.into_iter().chain(soon).collect();
        assert_eq!(Stop::read(&shop, &stop.volume, &wrong), None);
    }
}
