//! Which hosts are chosen: terms of `--host`, as a union, an intersection and exclusions.

use super::{FILE, Host, Inventory, matches_glob};
use crate::problem::{Problem, Problems, Result, escaped, quoted};

/// Names that an error about a term gives.
const NEAREST: usize = 3;

/// Terms of which each chooses hosts. What several of them choose does not depend on their order: the union of
/// the plain ones (all hosts where there is none), of that what is in each `&TERM` too, without what any `!TERM`
/// takes away.
#[derive(Debug)]
struct Terms<'t>(Vec<Term<'t>>);

#[derive(Debug)]
struct Term<'t> {
    role: Role,
    /// Without `!` and `&`.
    text: &'t str,
    what: What<'t>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Adds hosts.
    Add,
    /// `&TERM`: only what it names.
    Within,
    /// `!TERM`: takes away.
    Without,
}

#[derive(Debug)]
enum What<'t> {
    /// `web*`.
    Name(&'t str),
    /// `@we*`.
    Group(&'t str),
    /// `label:KEY=VALUE`, the value a glob.
    Label(&'t str, &'t str),
}

impl Inventory {
    /// The hosts that terms choose, sorted by name; all of them without a term.
    ///
    /// # Errors
    /// Where a term is none, or names nothing that there is; where all of them together choose no host.
    pub fn select(&self, terms: &[String]) -> Result<Vec<&Host>> {
        if terms.is_empty() {
            return Ok(self.hosts.values().collect());
        }
        let read = Terms::read(terms)?;
        Problems::check(read.0.iter().filter_map(|term| self.missing(term)).collect())?;
        let chosen: Vec<&Host> = self.hosts.values().filter(|host| read.choose(host)).collect();
        if chosen.is_empty() {
            let shown: Vec<String> = terms.iter().map(|term| quoted(term)).collect();
            return Err(Problem::usage("no host is chosen")
                .cause(format!("nothing is left of: {}", crate::name::folded(&shown)))
                .into());
        }
        Ok(chosen)
    }

    /// What a term names and is not there: a name that was mistyped in an exclusion leaves a host in.
    fn missing(&self, term: &Term<'_>) -> Option<Problem> {
        let shown = escaped(term.text);
        match &term.what {
            What::Name(glob) => {
                let names: Vec<&str> = self.hosts.keys().map(crate::name::HostName::as_str).collect();
                if names.iter().any(|name| matches_glob(glob, name)) {
                    return None;
                }
                let problem = Problem::usage(format!("no host matches `{shown}`"));
                if names.is_empty() {
                    return Some(
                        problem.hint(format!("add one to {FILE}: [hosts.NAME] with engine = \"ssh://…\"")),
                    );
                }
                let problem = known(problem, "hosts", glob, &names);
                Some(match glob {
                    glob if self.groups.contains_key(*glob) => {
                        problem.hint(format!("it is a group: --host {}", quoted(&format!("@{glob}"))))
                    }
                    glob if glob.contains([':', ' ', '[', '~']) => problem.hint(
                        "terms are names with * and ?, @GROUP, label:KEY=VALUE; commas stand between them",
                    ),
                    _ => problem,
                })
            }
            What::Group(glob) => {
                let names: Vec<&str> = self.groups.keys().map(String::as_str).collect();
                if names.iter().any(|name| matches_glob(glob, name)) {
                    return None;
                }
                let problem = Problem::usage(format!("no group matches `{shown}`"));
                Some(match names.is_empty() {
                    true => problem.cause(format!("{FILE} has no groups")),
                    false => known(problem, "groups", glob, &names),
                })
            }
            What::Label(key, value) => {
                let values =
                    || self.hosts.values().filter_map(|host| host.labels.get(*key)).map(String::as_str);
                if values().any(|one| matches_glob(value, one)) {
                    return None;
                }
                let problem = Problem::usage(format!("no host has the label `{shown}`"));
                let mut there: Vec<&str> = values().collect();
                there.sort_unstable();
                there.dedup();
                if !there.is_empty() {
                    return Some(known(problem, &format!("values of {}", escaped(key)), value, &there));
                }
                let mut keys: Vec<&str> =
                    self.hosts.values().flat_map(|host| host.labels.keys()).map(String::as_str).collect();
                keys.sort_unstable();
                keys.dedup();
                Some(match keys.is_empty() {
                    true => problem.cause(format!("no host of {FILE} has labels")),
                    false => known(problem, "labels", key, &keys),
                })
            }
        }
    }
}

/// Adds the few known words that are nearest to one that is not known.
fn known(problem: Problem, what: &str, word: &str, all: &[&str]) -> Problem {
    let mut near: Vec<(usize, &str)> =
        all.iter().map(|one| (strsim::damerau_levenshtein(word, one), *one)).collect();
    near.sort_unstable();
    near.truncate(NEAREST);
    let mut names: Vec<String> = near.iter().map(|(_, one)| escaped(one)).collect();
    names.sort_unstable();
    let names = names.join(", ");
    let problem = match all.len() {
        few if few <= NEAREST => problem.cause(format!("the {what} are: {names}")),
        many => problem.cause(format!("the nearest of {many} {what} are: {names}")),
    };
    problem.nearest(word, all.iter().copied())
}

impl<'t> Terms<'t> {
    /// Reads lists of terms with commas between them.
    fn read(lists: &'t [String]) -> Result<Self> {
        let (mut terms, mut wrong) = (Vec::new(), Vec::new());
        for list in lists {
            for text in list.split(',') {
                match Term::read(text.trim(), list) {
                    Ok(term) => terms.push(term),
                    Err(problem) => wrong.push(problem),
                }
            }
        }
        Problems::check(wrong).map(|()| Self(terms))
    }

    fn choose(&self, host: &Host) -> bool {
        let is = |role: Role| self.0.iter().filter(move |term| term.role == role);
        let added = is(Role::Add).next().is_none() || is(Role::Add).any(|term| term.what.is(host));
        added
            && is(Role::Within).all(|term| term.what.is(host))
            && !is(Role::Without).any(|term| term.what.is(host))
    }
}

impl<'t> Term<'t> {
    fn read(text: &'t str, list: &str) -> Result<Self, Problem> {
        let (role, rest) = match (text.strip_prefix('!'), text.strip_prefix('&')) {
            (Some(rest), _) => (Role::Without, rest),
            (_, Some(rest)) => (Role::Within, rest),
            _ => (Role::Add, text),
        };
        let wrong = |why: &str| {
            let problem = Problem::usage(format!("{} does not choose hosts", quoted(list)));
            problem.cause(why).hint("for example: --host '@web,&label:zone=a,!web7'")
        };
        if rest.is_empty() {
            return Err(wrong("it has an empty term"));
        }
        if rest.starts_with(['!', '&']) {
            return Err(wrong("a term has `!` or `&` once, in front"));
        }
        let what = if let Some(group) = rest.strip_prefix('@') {
            What::Group(group)
        } else if let Some(label) = rest.strip_prefix("label:") {
            let (key, value) =
                label.split_once('=').ok_or_else(|| wrong("a label is written label:KEY=VALUE"))?;
            What::Label(key, value)
        } else {
            What::Name(rest)
        };
        Ok(Self { role, text: rest, what })
    }
}

impl What<'_> {
    fn is(&self, host: &Host) -> bool {
        match self {
            Self::Name(glob) => matches_glob(glob, host.name.as_str()),
            Self::Group(glob) => host.groups.iter().any(|group| matches_glob(glob, group)),
            Self::Label(key, value) => host.labels.get(*key).is_some_and(|one| matches_glob(value, one)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLEET: &str = r#"workspace = "shop"
[groups.web]
[groups.worker]
[groups.db]
[groups.spare]
[hosts.web1]
engine = "ssh://web1"
groups = ["web"]
labels = { zone = "a" }
[hosts.web2]
engine = "ssh://web2"
groups = ["web", "worker"]
labels = { zone = "b" }
[hosts.web10]
engine = "ssh://web10"
groups = ["web"]
labels = { zone = "a", rack = "r=7" }
[hosts.db1]
engine = "ssh://db1"
groups = ["db"]
labels = { zone = "a" }
"#;

    fn fleet() -> Inventory {
        Inventory::parse(FLEET).expect("sound")
    }

    fn chosen(terms: &[&str]) -> Vec<String> {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        let fleet = fleet();
        fleet.select(&terms).expect("hosts").into_iter().map(|host| host.name.to_string()).collect()
    }

    fn refused(terms: &[&str]) -> Vec<Problem> {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        fleet().select(&terms).expect_err("refused").into_vec()
    }

    #[test]
    fn terms_choose_by_name_group_and_label() {
        for (terms, hosts) in [
            (&[][..], &["db1", "web1", "web10", "web2"][..]),
            (&["web?"], &["web1", "web2"]),
            (&["@web"], &["web1", "web10", "web2"]),
            (&["@w*"], &["web1", "web10", "web2"]),
            (&["label:zone=a"], &["db1", "web1", "web10"]),
            (&["label:rack=r=7"], &["web10"]),
            (&["web2,db1"], &["db1", "web2"]),
            (&["web2", "db*"], &["db1", "web2"]),
            (&["!@web"], &["db1"]),
            (&["@web,&label:zone=a,!web1"], &["web10"]),
            (&["!web1", "&label:zone=a", "@web"], &["web10"]),
            (&["&@web", "&@worker"], &["web2"]),
            (&[" web1 , web2 "], &["web1", "web2"]),
        ] {
            assert_eq!(chosen(terms), hosts, "{terms:?}");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_with_the_nearest_names_in_an_exclusion_too() {
        for (terms, what, cause) in [
            (&["wbe1"][..], "no host matches `wbe1`", "the nearest of 4 hosts are: db1, web1, web10"),
            (&["web*", "!wbe1"], "no host matches `wbe1`", "the nearest of 4 hosts are: db1, web1, web10"),
            (&["@wbe"], "no group matches `@wbe`", "the nearest of 4 groups are: db, spare, web"),
            (&["label:zone=c"], "no host has the label `label:zone=c`", "the values of zone are: a, b"),
            (&["label:zon=a"], "no host has the label `label:zon=a`", "the labels are: rack, zone"),
            (&["web1,!web1"], "no host is chosen", "nothing is left of: 'web1,!web1'"),
            (&["@spare"], "no host is chosen", "nothing is left of: '@spare'"),
            (&[""], "'' does not choose hosts", "it has an empty term"),
            (&["web1,,web2"], "'web1,,web2' does not choose hosts", "it has an empty term"),
            (&["!!web1"], "'!!web1' does not choose hosts", "a term has `!` or `&` once, in front"),
            (&["label:zone"], "'label:zone' does not choose hosts", "a label is written label:KEY=VALUE"),
        ] {
            let problems = refused(terms);
            assert_eq!((problems[0].what.as_str(), problems[0].causes[0].as_str()), (what, cause));
            assert_eq!(problems.len(), 1, "{problems:?}");
        }
        assert_eq!(refused(&["web"])[0].hints[0], "did you mean `web1`?");
        assert_eq!(refused(&["web"])[0].hints[1], "it is a group: --host '@web'");
    }

    #[test]
    fn a_term_cannot_be_mistaken_for_the_name_of_a_host() {
        for name in ["a,b", "@web", "!web", "&web", "label:zone=a", "a=b", "a*", "a?"] {
            let text = format!("workspace = \"shop\"\n[hosts.\"{name}\"]\nengine = \"ssh://web1\"\n");
            let problems = Inventory::parse(&text).expect_err("refused");
            assert!(problems.to_string().contains("is not a host name"), "{name}: {problems}");
        }
    }

    const TERMS: [&str; 14] = [
        "web*",
        "web1",
        "db1",
        "@web",
        "@w*",
        "label:zone=a",
        "label:zone=?",
        "&@web",
        "&label:zone=a",
        "&web*",
        "!web1",
        "!@worker",
        "!label:zone=b",
        "!db*",
    ];

    proptest! {
        #[test]
        fn the_order_of_terms_and_how_they_are_listed_does_not_matter(
            terms in prop::collection::vec(prop::sample::select(&TERMS[..]), 1..6).prop_shuffle(),
            joined in any::<bool>(),
        ) {
            let fleet = fleet();
            let names = |terms: &[String]| -> Vec<String> {
                match fleet.select(terms) {
                    Ok(hosts) => hosts.into_iter().map(|host| host.name.to_string()).collect(),
                    Err(_) => Vec::new(),
                }
            };
            let one = |term: &str| names(&[term.to_owned()]);
            let of = |prefix: &str| -> Vec<Vec<String>> {
                let ours = terms.iter().filter_map(|term| term.strip_prefix(prefix));
                ours.map(one).collect()
            };
            let plain: Vec<&&str> = terms.iter().filter(|term| !term.starts_with(['!', '&'])).collect();
            let within = of("&");
            let without = of("!").concat();
            // The law, said once more over the hosts that single terms choose.
            let expected: Vec<String> = names(&[])
                .into_iter()
                .filter(|host| plain.is_empty() || plain.iter().any(|term| one(term).contains(host)))
                .filter(|host| within.iter().all(|hosts| hosts.contains(host)) && !without.contains(host))
                .collect();
            let lists = match joined {
                true => vec![terms.join(",")],
                false => terms.iter().map(ToString::to_string).collect(),
            };
            prop_assert_eq!(names(&lists), expected);
        }
    }
}
