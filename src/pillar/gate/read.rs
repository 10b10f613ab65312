//! The gates of a merged pillar.

use super::{Constraint, SCHEMA, TABLE, key};
use crate::name::{Digest, ImageName, ImageRef};
use crate::pillar::fields::Fields;
use crate::pillar::{Node, Value};
use crate::problem::{Place, Problem, Problems, Result, escaped, quoted};
use std::collections::{BTreeMap, BTreeSet};

/// A value with the line that sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// The line.
    pub place: Place,
}

/// Why nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The reason in the pillar; `None` if none is given.
    pub why: Option<String>,
    /// The line that holds.
    pub place: Place,
}

/// One gate, as far as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its name, `api` of `deploy.api`.
    pub app: String,
    /// Registry and path.
    pub image: Option<Sourced<ImageName>>,
    /// The tag.
    pub version: Option<Sourced<String>>,
    /// The digest of the tag.
    pub digest: Option<Sourced<Digest>>,
    /// Whether nothing is changed.
    pub hold: Option<Hold>,
    /// Which versions it may name.
    pub allow: Option<Sourced<Constraint>>,
    /// Its place in the pillar.
    pub place: Place,
}

/// All gates of a host by application; a gate with errors is kept beside the others.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    by_app: BTreeMap<String, Result<Gate>>,
    /// Gates without errors, by the lines of their version and digest.
    by_line: BTreeMap<Place, BTreeSet<String>>,
}

impl Gates {
    /// Reads the `deploy` table of a merged pillar; none is fine.
    ///
    /// # Errors
    /// If it is no table.
    pub fn read(pillar: &Node) -> Result<Self> {
        let Some(node) = pillar.at([TABLE]) else { return Ok(Self::default()) };
        let Some(table) = node.as_table() else {
            return Err(crate::pillar::fields::wrong_type(&format!("`{TABLE}`"), "a table", node)
                .hint("write each gate as [deploy.APP]")
                .into());
        };
        let by_app: BTreeMap<_, _> =
            table.iter().map(|(app, node)| (app.clone(), Gate::read(app, node))).collect();
        let mut by_line: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
        for gate in by_app.values().filter_map(|gate| gate.as_ref().ok()) {
            let version = gate.version.as_ref().map(|said| &said.place);
            for line in version.into_iter().chain(gate.digest.as_ref().map(|said| &said.place)) {
                by_line.entry(line.clone()).or_default().insert(gate.app.clone());
            }
        }
        Ok(Self { by_app, by_line })
    }

    /// Those without errors whose version or digest is on one of these lines, in the order of their names.
    pub fn on_lines(&self, lines: &[Place]) -> impl Iterator<Item = &Gate> {
        let apps: BTreeSet<&String> =
            lines.iter().filter_map(|line| self.by_line.get(line)).flatten().collect();
        apps.into_iter().filter_map(|app| self.by_app.get(app)?.as_ref().ok())
    }

    /// The errors of all of them.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.by_app.values().filter_map(|gate| gate.as_ref().err()).flat_map(Problems::iter)
    }

    /// The gate of an application; `None` if there is none.
    pub fn get(&self, app: &str) -> Option<&Result<Gate>> {
        self.by_app.get(app)
    }

    /// The applications that have one.
    pub fn apps(&self) -> impl Iterator<Item = &str> {
        self.by_app.keys().map(String::as_str)
    }
}

impl Gate {
    fn read(app: &str, node: &Node) -> Result<Self> {
        let mut problems = Vec::new();
        let known: Vec<&str> = SCHEMA.fields().collect();
        let what = key(app, None).map_or_else(|| TABLE.to_owned(), |key| format!("[{key}]"));
        let Some(mut fields) = Fields::of(node, &what, &known, &mut problems) else {
            return Err(Problems::check(problems).err().unwrap_or_else(|| Problem::failed(what).into()));
        };
        let hold = match fields.get("hold").map(|node| (&node.value, &node.place)) {
            Some((Value::Boolean(false), _)) | None => None,
            Some((Value::Boolean(true), place)) => Some(Hold { why: None, place: place.clone() }),
            Some(_) => fields.text("hold").map(|(why, place)| Hold {
                why: (!why.trim().is_empty()).then(|| why.to_owned()),
                place: place.clone(),
            }),
        };
        let version =
            sourced(&mut fields, "version", |text| ImageRef::check_tag(text).map(|()| text.to_owned()));
        let gate = Self {
            app: app.to_owned(),
            image: sourced(&mut fields, "image", image_name),
            version,
            digest: sourced(&mut fields, "digest", Digest::parse),
            hold,
            allow: sourced(&mut fields, "allow", Constraint::parse),
            place: node.place.clone(),
        };
        problems.extend(gate.not_allowed());
        problems.extend(gate.torn());
        Problems::check(problems).map(|()| gate)
    }

    /// Exactly what may run.
    ///
    /// # Errors
    /// If `image` or `version` is missing.
    pub fn reference(&self) -> Result<ImageRef> {
        let missing = |field: &str, hint: String| {
            let what = format!("the gate `{}` has no `{field}`", escaped(&self.app));
            Problem::failed(what).at(&self.place).hint(hint)
        };
        let app = quoted(&self.app);
        let mut problems = Vec::new();
        if self.image.is_none() {
            let hint = format!("pillarbox gate set {app} VERSION --image REGISTRY/NAME");
            problems.push(missing("image", hint));
        }
        if self.version.is_none() && self.digest.is_none() {
            let (written, hint) = (self.unversioned(), format!("pillarbox gate set {app} VERSION"));
            problems.push(missing("version", hint).hint(written));
        }
        let value = |said: &Sourced<Digest>| said.value.clone();
        match (&self.image, problems.is_empty()) {
            (Some(image), true) => Ok(ImageRef {
                name: image.value.clone(),
                tag: self.version.as_ref().map(|version| version.value.clone()),
                digest: self.digest.as_ref().map(value),
            }),
            _ => {
                Problems::check(problems)?;
                Err(missing("image", String::new()).into())
            }
        }
    }

    /// How its version is written by hand.
    fn unversioned(&self) -> String {
        let table = key(&self.app, None).map_or_else(|| TABLE.to_owned(), |key| key.to_string());
        format!("or write it into the pillar: [{table}] version = \"…\"")
    }

    fn not_allowed(&self) -> Option<Problem> {
        let (allow, version) = (self.allow.as_ref()?, self.version.as_ref()?);
        match allow.value.allows(&version.value) {
            Ok(true) => None,
            Ok(false) => {
                let (app, version_said) = (escaped(&self.app), escaped(&version.value));
                let what = format!("version {version_said} of {app} is not allowed");
                Some(
                    Problem::failed(what)
                        .at(&version.place)
                        .cause(format!("`allow` is {}, {}", allow.value, allow.place)),
                )
            }
            Err(found) => found.into_vec().pop().map(|problem| problem.at(&version.place)),
        }
    }

    /// Version and digest in different files: one of the two was written without the other.
    fn torn(&self) -> Option<Problem> {
        let (version, digest) = (self.version.as_ref()?, self.digest.as_ref()?);
        (version.place.file != digest.place.file).then(|| {
            let app = escaped(&self.app);
            Problem::failed(format!("version and digest of {app} are in different files"))
                .at(&version.place)
                .cause(format!("the digest is in {} and may belong to another version", digest.place))
                .hint(format!(
                    "write both: pillarbox gate set {} {}",
                    quoted(&self.app),
                    quoted(&version.value)
                ))
        })
    }
}

/// A field and what it says.
fn sourced<T>(
    fields: &mut Fields<'_, '_>,
    name: &str,
    parse: impl Fn(&str) -> Result<T>,
) -> Option<Sourced<T>> {
    let (text, place) = fields.text(name)?;
    match parse(text) {
        Ok(value) => Some(Sourced { value, place: place.clone() }),
        Err(found) => {
            for problem in found.into_vec() {
                fields.problem(problem.at(place));
            }
            None
        }
    }
}

/// Only registry and path: tag and digest have fields of their own.
fn image_name(text: &str) -> Result<ImageName> {
    let last = text.rsplit('/').next().unwrap_or(text);
    if text.contains('@') || last.contains(':') {
        return Err(Problem::failed(format!("`{}` has a tag or a digest", escaped(text)))
            .hint("they are `version` and `digest` of the gate")
            .into());
    }
    ImageName::parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pillar::document::Document;
    use crate::pillar::merge::merge;

    fn gates(files: &[(&str, &str)]) -> Gates {
        let trees = files.iter().map(|(file, text)| Document::parse(file, *text).expect("TOML"));
        Gates::read(&merge(trees.map(|document| document.into_tree().expect("sound")))).expect("a table")
    }

    fn wrong(text: &str) -> String {
        let gates = gates(&[("apps.toml", text)]);
        gates
            .problems()
            .map(|problem| format!("{problem} {:?} {:?}\n", problem.causes, problem.hints))
            .collect()
    }

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_gate_names_exactly_what_may_run() {
        let text =
            format!("[deploy.api]\nimage = 'r.example.com/api'\nversion = '1.10'\ndigest = '{DIGEST}'\n");
        let gates = gates(&[("apps.toml", &text)]);
        let gate = gates.by_app.values().find_map(|gate| gate.as_ref().ok()).expect("a gate");
        assert_eq!(gate.reference().expect("whole").to_string(), format!("r.example.com/api:1.10@{DIGEST}"));
        assert_eq!(gate.hold, None);
    }

    #[test]
    fn a_host_has_its_own_version_and_hold() {
        let base = "[deploy.api]\nimage = 'a'\nversion = '1'\nhold = 'a bad night'\n";
        let own = "[deploy.api]\nversion = '2'\nhold = false\n";
        let gates = gates(&[("apps.toml", base), ("hosts/web1.toml", own)]);
        let gate = gates.get("api").expect("there").as_ref().expect("sound");
        assert_eq!(
            gate.version.as_ref().map(|said| said.place.to_string()).as_deref(),
            Some("pillar/hosts/web1.toml:2")
        );
        assert_eq!(gate.hold, None);
        assert_eq!(gate.reference().expect("whole").to_string(), "a:2");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, said) in [
            ("deploy.api.verison = '1'", "did you mean `version`?"),
            ("deploy.api.image = 'a:1'", "has a tag or a digest"),
            ("deploy.api.digest = 'sha256:1'", "is not a digest"),
            ("deploy.api.version = 'a b'", "is not a tag"),
            ("deploy.api.version = 1.10", "must be a string, not a float"),
            ("deploy.api.hold = 3", "must be a string"),
            ("deploy.api.allow = '>>'", "which versions are allowed"),
            ("deploy.api = 3", "must be a table"),
            (
                "deploy.api.allow = '>=1.4, <2'\ndeploy.api.version = '2.0'",
                "pillar/apps.toml:2: version 2.0 of api is not allowed",
            ),
            ("deploy.api.allow = '<2'\ndeploy.api.version = 'latest'", "has no number"),
        ] {
            let found = wrong(text);
            assert!(found.contains(said) && found.contains("pillar/apps.toml:"), "{text}: {found}");
        }
    }

    #[test]
    fn a_gate_without_image_or_version_says_so_where_it_is_used() {
        for (text, said) in
            [("deploy.api.version = '1'", "has no `image`"), ("deploy.api.image = 'a'", "has no `version`")]
        {
            let gates = gates(&[("apps.toml", text)]);
            let found = gates
                .by_app
                .values()
                .find_map(|gate| gate.as_ref().ok())
                .expect("a gate")
                .reference()
                .expect_err(said)
                .to_string();
            assert!(found.contains(said) && found.contains("pillar/apps.toml:1"), "{found}");
        }
    }

    #[test]
    fn a_digest_does_not_stay_behind_when_another_file_names_another_version() {
        let base = format!("[deploy.api]\nimage = 'a'\nversion = '1'\ndigest = '{DIGEST}'\n");
        let gates = gates(&[("apps.toml", &base), ("hosts/web1.toml", "deploy.api.version = '2'\n")]);
        let found = gates.problems().next().expect("refused").to_string();
        assert!(
            found.contains("pillar/hosts/web1.toml:1: version and digest of api are in different files"),
            "{found}"
        );
    }
}
