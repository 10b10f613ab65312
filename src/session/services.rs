//! Services as a command line names them: those that are declared, and those that are on a host and are declared no
//! more. A service is named as in its state; one of a Compose project as `shop.api`, or as `api` where only one is
//! called so.

use super::vault::Vault;
use crate::desired::{Desired, DesiredState};
use crate::inventory::matches_glob;
use crate::name::folded;
use crate::observed::Observed;
use crate::problem::{Problem, Result, escaped};
use std::collections::{BTreeMap, BTreeSet};

/// Services, each under its name on hosts (that of the label), with the other names that mean it.
#[derive(Clone, Debug, Default)]
pub struct Services {
    projects: BTreeSet<String>,
    all: BTreeMap<String, Known>,
}

/// What is known of a service.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Ids of its declarations.
    ids: BTreeSet<String>,
    /// Plain names of its containers.
    containers: BTreeSet<String>,
}

impl Services {
    /// None yet.
    pub fn new(vault: &Vault<'_>) -> Self {
        Self::of_projects(vault.inventory().compose.keys().cloned())
    }

    fn of_projects(projects: impl IntoIterator<Item = String>) -> Self {
        Self { projects: projects.into_iter().collect(), all: BTreeMap::new() }
    }

    /// Adds those that are declared for a host.
    pub fn declare(&mut self, desired: &Desired) {
        for item in &desired.items {
            let ids = item.declared.iter().map(|(id, _)| id.clone());
            match &item.want {
                DesiredState::Container(want) => {
                    let known = self.all.entry(want.service().to_string()).or_default();
                    known.ids.extend(ids);
                    known.containers.insert(want.name.to_string());
                }
                DesiredState::Surplus { service, .. } => {
                    self.all.entry(service.to_string()).or_default().ids.extend(ids);
                }
                _ => {}
            }
        }
    }

    /// Adds those that have a container on a host, as labels and records of adoptions say.
    pub fn observe(&mut self, observed: &Observed) {
        for container in &observed.containers {
            if let Some(ours) = &container.ours {
                self.see(&ours.service, container.slot());
            }
        }
    }

    /// Adds one that has a container, which has, had or was to have this plain name.
    pub fn see(&mut self, service: &str, container: &str) {
        self.all.entry(service.to_owned()).or_default().containers.insert(container.to_owned());
    }

    /// Whether there is one of this very name.
    pub fn has(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }

    /// All of them, as errors and completions name them.
    pub fn names(&self) -> BTreeSet<String> {
        self.all.keys().map(|service| self.in_words(service)).collect()
    }

    /// The name on hosts of the service that a text means.
    ///
    /// # Errors
    /// Where it means none, or several, with their names.
    pub fn name(&self, text: &str) -> Result<String> {
        if self.has(text) {
            return Ok(text.to_owned());
        }
        let of_id = |service: &str, known: &Known| {
            known.ids.contains(text) || self.qualified(service, known).is_some_and(|(_, name)| name == text)
        };
        let of_short = |service: &str, known: &Known| {
            self.qualified(service, known).is_some_and(|(project, name)| name[project.len() + 1..] == *text)
        };
        for is in [&of_id as &dyn Fn(&str, &Known) -> bool, &of_short] {
            let meant: Vec<&String> =
                self.all.iter().filter(|(service, known)| is(service, known)).map(|(name, _)| name).collect();
            match meant.as_slice() {
                [] => {}
                [one] => return Ok((*one).clone()),
                several => return Err(self.ambiguous(text, several).into()),
            }
        }
        Err(self.unknown(text).into())
    }

    /// The names on hosts of all that texts mean, each once.
    ///
    /// # Errors
    /// All that are wrong.
    pub fn resolve<'t>(&self, texts: impl IntoIterator<Item = &'t String>) -> Result<Vec<String>> {
        let (mut names, mut wrong) = (Vec::new(), Vec::new());
        for text in texts {
            match self.name(text) {
                Ok(name) if names.contains(&name) => {}
                Ok(name) => names.push(name),
                Err(problems) => wrong.extend(problems.into_vec()),
            }
        }
        crate::problem::Problems::check(wrong).map(|()| names)
    }

    /// The names on hosts of all that globs match, by the names that people use; without `*` and `?` as [`Self::name`].
    ///
    /// # Errors
    /// All that match none.
    pub fn matching(&self, globs: &[String]) -> Result<Vec<String>> {
        let (mut names, mut wrong) = (BTreeSet::new(), Vec::new());
        for glob in globs {
            if !glob.contains(['*', '?']) {
                match self.name(glob) {
                    Ok(name) => drop(names.insert(name)),
                    Err(problems) => wrong.extend(problems.into_vec()),
                }
                continue;
            }
            let is = |name: &&String| matches_glob(glob, name) || matches_glob(glob, &self.in_words(name));
            let found: Vec<&String> = self.all.keys().filter(is).collect();
            if found.is_empty() {
                wrong.push(self.unknown(glob));
            }
            names.extend(found.into_iter().cloned());
        }
        crate::problem::Problems::check(wrong).map(|()| names.into_iter().collect())
    }

    /// A service as people name it: `shop.api` of a Compose project, else its name.
    pub fn in_words(&self, service: &str) -> String {
        let known = self.all.get(service);
        let qualified = known.and_then(|known| self.qualified(service, known));
        qualified.map_or_else(|| service.to_owned(), |(_, name)| name)
    }

    /// `shop.api` of a Compose project, with the project: by its declaration, or by its name where none is known.
    fn qualified(&self, service: &str, known: &Known) -> Option<(&str, String)> {
        self.projects.iter().find_map(|project| {
            let own =
                |id: &&String| id.strip_prefix(project.as_str()).is_some_and(|rest| rest.starts_with('.'));
            let declared = known.ids.iter().find(own).cloned();
            let by_name = || {
                let rest = service.strip_prefix(project.as_str())?.strip_prefix('-')?;
                (known.ids.is_empty() && !rest.is_empty()).then(|| format!("{project}.{rest}"))
            };
            Some((project.as_str(), declared.or_else(by_name)?))
        })
    }

    fn ambiguous(&self, text: &str, several: &[&String]) -> Problem {
        let problem = Problem::usage(format!("`{}` names {} services", escaped(text), several.len()));
        several.iter().fold(problem, |problem, service| {
            let name = self.in_words(service);
            let name = if name == text { (*service).clone() } else { name };
            problem.hint(format!("one of them is {}", escaped(&name)))
        })
    }

    fn unknown(&self, text: &str) -> Problem {
        let problem = Problem::usage(format!("no host has a service `{}`", escaped(text)));
        if let Some((service, _)) = self.all.iter().find(|(_, known)| known.containers.contains(text)) {
            return problem
                .cause(format!("it is a container of the service {}", escaped(&self.in_words(service))));
        }
        let names = self.names();
        let problem = problem.nearest(text, names.iter().map(String::as_str));
        let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
        match names.as_slice() {
            [] => problem,
            [one] => problem.hint(format!("the only one is {one}")),
            _ => problem.hint(format!("there are {}", folded(&names))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Services of two projects, one that is only seen, and one of a state with another id.
    fn services() -> Services {
        let mut services = Services::of_projects(["shop".to_owned(), "blog".to_owned()]);
        for (name, id) in
            [("shop-api", "shop.api"), ("shop-db", "shop.db"), ("blog-db", "blog.db"), ("nginx", "web")]
        {
            services.see(name, &format!("{name}-1"));
            services.all.entry(name.to_owned()).or_default().ids.insert(id.to_owned());
        }
        services.see("shop-old", "shop-old-1");
        services.see("queue", "queue");
        services
    }

    fn said(text: &str) -> String {
        let problems = services().name(text).expect_err("it names none");
        let problem = problems.iter().next().expect("one").clone();
        format!("{} | {} | {}", problem.what, problem.causes.join("; "), problem.hints.join("; "))
    }

    #[test]
    fn a_service_has_its_name_on_hosts_and_that_of_its_state_and_a_short_one_if_it_is_the_only_one() {
        for (text, name) in [
            ("shop-api", "shop-api"),
            ("shop.api", "shop-api"),
            ("api", "shop-api"),
            ("shop.old", "shop-old"),
            ("old", "shop-old"),
            ("queue", "queue"),
            ("nginx", "nginx"),
            ("web", "nginx"),
        ] {
            assert_eq!(services().name(text).expect(text), name, "{text}");
        }
    }

    #[test]
    fn a_name_that_means_several_or_none_is_an_error_with_those_that_there_are() {
        assert_eq!(said("db"), "`db` names 2 services |  | one of them is blog.db; one of them is shop.db");
        assert_eq!(
            said("shop.apj"),
            "no host has a service `shop.apj` |  | did you mean `shop.api`?; there are blog.db, nginx, queue, \
             shop.api, shop.db, shop.old"
        );
        assert_eq!(
            said("shop-api-1"),
            "no host has a service `shop-api-1` | it is a container of the service shop.api | "
        );
    }

    #[test]
    fn a_name_of_a_state_is_no_name_of_a_project() {
        let mut services = services();
        services.see("shop-alone", "shop-alone");
        services.all.entry("shop-alone".to_owned()).or_default().ids.insert("shop-alone".to_owned());
        assert!(services.name("shop.alone").is_err() && services.name("alone").is_err());
        assert_eq!(services.in_words("shop-alone"), "shop-alone");
    }

    #[test]
    fn several_texts_are_resolved_at_once_and_each_service_stands_once() {
        let texts = ["api", "shop.api", "nginx"].map(str::to_owned);
        assert_eq!(services().resolve(&texts).expect("all are there"), ["shop-api", "nginx"]);
        let texts = ["x1", "nginx", "x2"].map(str::to_owned);
        assert_eq!(services().resolve(&texts).expect_err("two are not").iter().count(), 2);
    }
}
