use super::*;
use crate::cli::output::plan::tests::{change, host, plan, upgrade};
use crate::plan::{Cause, Receiver};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The page as it is read: without style and tags, one line for each text, titles of boxes left out.
fn words(page: &str) -> String {
    let (_, body) = page.split_once("<body>").expect("a body");
    let mut out = String::new();
    let mut skipped = false;
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a whole tag");
        skipped = tag == "title";
        if !skipped && !text.trim().is_empty() {
            out.push_str(text.trim());
            out.push('\n');
        }
    }
    assert!(!skipped);
    out.replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Names of tags, and of their attributes, as a browser finds them.
fn markup(page: &str) -> BTreeSet<String> {
    let (head, rest) = page.split_once("<style>").expect("a style");
    let (_, body) = rest.split_once("</style>").expect("its end");
    let mut found = BTreeSet::new();
    for piece in head.split('<').chain(body.split('<')).filter(|piece| piece.contains('>')) {
        let (tag, _) = piece.split_once('>').expect("a whole tag");
        for (index, outside) in tag.split('"').step_by(2).enumerate() {
            let names = outside.split_whitespace().map(|name| name.trim_matches(['=', '/']).to_owned());
            found.extend(
                names
                    .filter(|name| !name.is_empty())
                    .map(|name| format!("{}{name}", if index == 0 { "" } else { "@" })),
            );
        }
    }
    found
}

#[test]
fn the_page_says_what_the_plan_says() {
    insta::assert_snapshot!(words(&page(&upgrade())), @r"
    Plan of shop
    web1
    1 to create
    1 to replace
    1 to change
    1 to remove
    1 unchanged
    web22
    1 unchanged
    Notes
    web1: nginx is replaced stop-first: it has the fixed host port 8080
    web1
    ssh://deploy@web1.example.com
    +
    image registry.example.com/web/nginx:1.9.0
    created
    image is not on the host
    -/+
    container nginx
    replaced: the old one stops first
    version 1.8.2 → 1.9.0, pillar/apps.toml:12
    env.LOG changed (states/nginx.toml:31)
    field
    before
    after
    env.LOG
    debug
    image
    registry.example.com/web/nginx:1.8.2
    registry.example.com/web/nginx:1.9.0
    every field, 3
    field
    before
    after
    env.DB_URL
    postgres://(sealed 9f2c)@db
    env.LOG
    debug
    image
    registry.example.com/web/nginx:1.8.2
    registry.example.com/web/nginx:1.9.0
    ~
    container api
    changed in place, started or stopped
    memory changed
    field
    before
    after
    memory
    256.00 MiB
    512.00 MiB
    -
    container old
    removed
    declared absent
    1 unchanged
    =
    container db
    2 steps, and what each waits for
    #1 replace nginx
    pull registry.example.com/
    web/nginx@aaaaaaaaaaaa
    #2 replace nginx
    start nginx
    the steps in words
    pull registry.example.com/web/nginx@aaaaaaaaaaaa
    (replace nginx): will be created
    start nginx
    (replace nginx, after #1): will be created
    web22
    ssh://deploy@web22.example.com
    1 unchanged
    =
    container nginx
    Secrets, who receives them
    api.db_password → web1, nginx, env DB_URL
    +
    created
    -
    removed
    ~
    changed in place, started or stopped
    -/+
    replaced: the old one stops first
    +/-
    replaced: the new one works first
    =
    unchanged
    !
    held back
    ");
}

#[test]
fn the_page_loads_and_runs_nothing() {
    let page = page(&upgrade());
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
    for word in ["<script", "<link", "<img", "<iframe", "<form", "src=", "url(", "@import", "javascript:"] {
        assert!(!page.contains(word), "{word} in {page}");
    }
}

#[test]
fn a_plan_without_changes_and_one_of_too_many_steps_have_a_page() {
    let done = plan(vec![host("web1", vec![change("container nginx", Verb::Unchanged, Cause::AsWanted)])]);
    assert!(words(&page(&done)).contains("No changes:\n1 resource up to date on web1"));
    let mut many = upgrade();
    let step = many.hosts[0].steps[1].clone();
    many.hosts[0].steps =
        (1..=301).map(|id| crate::plan::Step { id, needs: Vec::new(), ..step.clone() }).collect();
    let page = page(&many);
    assert!(!page.contains("<svg") && words(&page).contains("Too many to be drawn"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_of_a_plan_becomes_markup(text in r#"([<>&"'=/ !-]|<script>|" onload="|\PC|\p{Cc}){0,40}"#) {
        let poisoned = |text: &str| {
            let mut plan = upgrade();
            let host = &mut plan.hosts[0];
            host.engine = text.to_owned();
            host.notes = vec![text.to_owned()];
            host.receivers =
                vec![Receiver { secret: text.to_owned(), container: text.to_owned(), field: text.to_owned() }];
            for change in &mut host.changes {
                change.address = text.to_owned();
                change.cause.push(Cause::Other(text.to_owned()));
                if let Some(after) = &mut change.after {
                    after.insert("env.LOG".to_owned(), text.into());
                    after.insert(text.to_owned(), text.into());
                }
            }
            for step in &mut host.steps {
                step.group = text.to_owned();
                step.cause = Cause::Other(text.to_owned());
                step.undo = vec![crate::plan::Action::Untag { name: text.to_owned() }];
                step.action = crate::plan::Action::Untag { name: text.to_owned() };
            }
            page(&plan)
        };
        let page = poisoned(&text);
        prop_assert!(!page.chars().any(|c| c.is_control() && c != '\n'));
        prop_assert!(markup(&page).is_subset(&markup(&poisoned("harmless"))), "{}", page);
    }
}

/// A thousand hosts that are upgraded, of which each has what `differ` makes of it.
fn fleet(differ: impl Fn(usize, &mut crate::plan::HostPlan)) -> Plan {
    let one = |at: usize| {
        let upgrade = upgrade().hosts.remove(0);
        let name = crate::name::HostName::parse(&format!("web{at:04}")).expect("a name");
        let mut host = crate::plan::HostPlan::new(
            name,
            "ssh://x".to_owned(),
            format!("ID{at}"),
            (*upgrade.body).clone(),
        );
        differ(at, &mut host);
        host
    };
    plan((0..1000).map(one).collect())
}

#[test]
fn a_page_of_many_hosts_shows_equal_plans_once() {
    let page = page(&fleet(|at, host| host.notes.push(format!("of {at}"))));
    assert!(page.len() < 80_000, "{}", page.len());
    let words = words(&page);
    assert!(words.contains("A 1,000 hosts") && words.contains("web0000..0999"), "{words}");
    assert!(
        words.contains("The steps of web0000; those of the others differ in their containers alone."),
        "{words}"
    );
    assert!(words.contains("api.db_password → 1,000 hosts, nginx, env DB_URL"), "{words}");
}

#[test]
fn a_page_of_a_thousand_different_plans_stays_below_two_megabytes_and_says_what_is_missing() {
    let page = page(&fleet(|at, host| host.changes[1].address = format!("container nginx{at}")));
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(
        page.contains("more plans are not on this page") || page.contains("Not shown here"),
        "{}",
        page.len()
    );
    assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
}
