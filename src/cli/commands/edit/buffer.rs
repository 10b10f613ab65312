//! The text that the editor gets, and what became of it.

use crate::cli::{Context, target};
use crate::name::KeyPath;
use crate::pillar::document::{self, Document};
use crate::pillar::seal::{self, Kind};
use crate::pillar::{Origin, SealId, Sealed, Value};
use crate::problem::{Code, Problem, Problems, Result, escaped};
use crate::secret::Secret;
use crate::session::Vault;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// The end of a line as Windows has it.
const CRLF: &str = "\r\n";

/// A file as it was when its editor was opened.
pub(super) struct Base {
    file: String,
    /// As it stands in the workspace; empty where there is none.
    text: String,
    /// Whether every line ends in CRLF. The editor gets LF, so that the lines of secrets are not mixed with others.
    is_crlf: bool,
    /// `None` where the text is not TOML: then nothing in it can be opened, and it is edited as it is.
    document: Option<Document>,
    sealed: BTreeMap<KeyPath, Sealed>,
    secrets: BTreeMap<KeyPath, Secret>,
}

/// What an editor gets.
pub(super) struct Buffer {
    /// The lines above the file's own, which are not kept.
    header: Vec<String>,
    /// The file's text with secrets in clear.
    clear: Secret,
    /// The word that marks a secret.
    word: String,
}

/// What a change came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Secrets that are new or changed.
    pub(super) sealed: usize,
    /// Keys whose secret stands in clear from now on.
    pub(super) made_clear: Vec<KeyPath>,
    /// Whether the file is another one than before.
    pub(super) changed: bool,
}

/// Why a text was not taken.
pub(super) enum Refused {
    /// Something is wrong with it.
    Wrong(Problems),
    /// Another command changed the file meanwhile.
    Outdated,
}

impl From<Problems> for Refused {
    fn from(problems: Problems) -> Self {
        Self::Wrong(problems)
    }
}

impl Base {
    /// Reads a file and opens all that is sealed in it. Its box must be one that takes secrets: that is said
    /// before anyone types.
    pub(super) fn read(ctx: &Context, file: &str) -> Result<Self> {
        let workspace = ctx.session.workspace()?;
        let vault = Vault::load_with_faults(&ctx.session, &workspace)?;
        vault.slot_for(file, None)?;
        let Some(document) = vault.document(file).cloned() else {
            let text = workspace.read_if_there(&format!("pillar/{file}"))?.unwrap_or_default();
            let document = Document::parse(file, text.as_str()).ok();
            return Ok(Self::of(file, text, document));
        };
        let all = document.sealed();
        let (mut sealed, mut secrets, mut problems) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (one, opened) in all.iter().zip(vault.open_all(&all)) {
            match opened {
                Ok(opened) => {
                    sealed.insert(one.origin.key.clone(), (*one).clone());
                    secrets.insert(one.origin.key.clone(), opened.secret);
                }
                Err(found) => problems.extend(found.into_vec()),
            }
        }
        problems.dedup();
        Problems::check(problems)?;
        let text = document.text().to_owned();
        Ok(Self { sealed, secrets, ..Self::of(file, text, Some(document)) })
    }

    fn of(file: &str, text: String, document: Option<Document>) -> Self {
        let is_crlf = text.contains('\n') && text.matches('\n').count() == text.matches("\r\n").count();
        let (sealed, secrets) = (BTreeMap::new(), BTreeMap::new());
        Self { file: file.to_owned(), text, is_crlf, document, sealed, secrets }
    }

    /// What the editor gets. `notes` are said above the text.
    pub(super) fn buffer(&self, notes: &[String]) -> Result<Buffer> {
        let (clear, word) = match &self.document {
            Some(document) => document::in_clear(document, &self.secrets)?,
            None => (Secret::from(self.text.clone()), "secret".to_owned()),
        };
        let mut header =
            vec![format!("#: pillar/{}, wiped when the editor ends; lines with #: are not kept.", self.file)];
        if self.document.is_some() {
            header.push(format!(
                "#: A secret is {{ {word} = \"…\" }}, or {{ {word} = \"…\", encoding = \"base64\" }} where it is not text."
            ));
        } else {
            header.push("#: It is not valid TOML, so its sealed values stand as they are.".to_owned());
        }
        header.extend(notes.iter().map(|note| format!("#: {note}")));
        let clear = match clear.reveal_text().filter(|_| self.is_crlf) {
            Some(text) => Secret::from(text.replace(CRLF, "\n")),
            None => clear,
        };
        Ok(Buffer { header, clear, word })
    }

    /// The keys that another state of the same file has otherwise.
    pub(super) fn differing(&self, other: &Self) -> Vec<KeyPath> {
        let (Some(old), Some(new)) = (&self.document, &other.document) else { return Vec::new() };
        let keys: BTreeSet<KeyPath> = old.keys().into_iter().chain(new.keys()).collect();
        let value = |document: &Document, key: &KeyPath| {
            document.get(key).map(|node| node.value.clone()).filter(|value| !matches!(value, Value::Table(_)))
        };
        keys.into_iter().filter(|key| value(old, key) != value(new, key)).collect()
    }

    /// Seals a text again, as far as it changed, and writes it.
    pub(super) fn put(
        &self,
        ctx: &Context,
        clear: &str,
        word: &str,
    ) -> std::result::Result<Outcome, Refused> {
        let found = document::read_clear(&self.file, clear, word)?;
        let workspace = ctx.session.workspace()?;
        let mut vault = match self.document {
            Some(_) => Vault::for_change(&ctx.session, &workspace)?,
            None => Vault::for_repair(&ctx.session, &workspace)?,
        };
        let now = vault.read(&format!("pillar/{}", self.file))?.unwrap_or_default();
        if now != self.text {
            return Err(Refused::Outdated);
        }
        let present: BTreeSet<&KeyPath> = found.iter().map(|secret| &secret.key).collect();
        let (mut values, mut outcome, mut slot) = (Vec::new(), Outcome::default(), None);
        let mut renamed = BTreeSet::new();
        for secret in &found {
            let old = self.sealed.get(&secret.key);
            let same =
                |key: &KeyPath| self.secrets.get(key).is_some_and(|old| old.same_as(secret.secret.reveal()));
            let sealed = match old {
                Some(old) if same(&secret.key) => old.clone(),
                _ => {
                    let to = match slot.take() {
                        Some(to) => to,
                        None => vault.slot_for(&self.file, None)?,
                    };
                    let gone = self.sealed.keys().find(|key| {
                        old.is_none() && !present.contains(key) && !renamed.contains(*key) && same(key)
                    });
                    let id: SealId = match gone.and_then(|key| Some((key, self.sealed.get(key)?))) {
                        // The same secret under another key: renamed by hand.
                        Some((key, old)) => {
                            renamed.insert(key.clone());
                            old.id.clone()
                        }
                        None => seal::new_id()?,
                    };
                    let origin = Origin { file: self.file.clone(), key: secret.key.clone() };
                    let sealed = seal::seal(&secret.secret, Kind::of(&secret.secret), &origin, id, &to)?;
                    outcome.sealed += 1;
                    slot = Some(to);
                    sealed
                }
            };
            values.push((secret.range.clone(), sealed));
        }
        let document = document::seal_clear(&self.file, clear, &values)?;
        let document = match self.is_crlf {
            true => Document::parse(&self.file, document.text().replace('\n', CRLF))?,
            false => document,
        };
        self.check(&document, &present)?;
        outcome.changed = document.text() != self.text;
        outcome.made_clear = self
            .sealed
            .keys()
            .filter(|key| document.get(key).is_some_and(|node| !matches!(node.value, Value::Sealed(_))))
            .cloned()
            .collect();
        if outcome.changed {
            vault.edit(&self.file, |old| {
                *old = document;
                Ok(())
            })?;
            vault.commit()?;
        }
        Ok(outcome)
    }

    /// New keys must be valid, and a sealed value is never written by hand.
    fn check(&self, document: &Document, written: &BTreeSet<&KeyPath>) -> Result<()> {
        let Some(old) = &self.document else { return Ok(()) };
        let mut problems = Vec::new();
        for sealed in document.sealed() {
            let key = &sealed.origin.key;
            if !written.contains(key) && self.sealed.get(key) != Some(sealed) {
                problems.push(
                    Problem::failed(format!("`{key}` was sealed for another place, or by hand"))
                        .hint("write the secret itself, or bring the value here with 'pillarbox move'"),
                );
            }
        }
        for key in document.keys() {
            let node = document.get(&key).filter(|node| node.as_table().is_none());
            if let (None, Some(node)) = (old.get(&key), node) {
                let checked = target::check_key(&key, Some(&node.value)).err();
                let at = |problem: Problem| Problem { code: Code::Failed, ..problem.at(&node.place) };
                problems.extend(checked.into_iter().flat_map(Problems::into_vec).map(at));
            }
        }
        Problems::check(problems)
    }
}

impl Buffer {
    /// All bytes for the editor.
    pub(super) fn text(&self) -> Secret {
        let header: String = self.header.iter().map(|line| format!("{line}\n")).collect();
        let mut text = Zeroizing::new(Vec::with_capacity(header.len() + self.clear.len()));
        text.extend_from_slice(header.as_bytes());
        text.extend_from_slice(self.clear.reveal());
        Secret::new(std::mem::take(&mut *text))
    }

    /// The file's own text in what the editor left. Line ends that it changed everywhere are as they were: the
    /// lines of a secret are not to change with them.
    pub(super) fn own(&self, left: &str) -> Zeroizing<String> {
        let mut rest = left;
        while let Some((line, below)) = rest.split_once('\n') {
            if !self.header.iter().any(|own| own == line.trim_end_matches('\r')) {
                break;
            }
            rest = below;
        }
        let had_crlf = self.clear.reveal_text().is_some_and(|text| text.contains(CRLF));
        Zeroizing::new(if had_crlf { rest.to_owned() } else { rest.replace(CRLF, "\n") })
    }

    /// Whether a text is what the editor got.
    pub(super) fn is_unchanged(&self, own: &str) -> bool {
        self.clear.same_as(own.as_bytes())
    }

    /// The word that marks a secret.
    pub(super) fn word(&self) -> &str {
        &self.word
    }

    /// The same header with another text below it.
    pub(super) fn with(mut self, own: &str) -> Self {
        self.clear = Secret::from(own.to_owned());
        self
    }
}

/// Keys for a note, the first few.
pub(super) fn named(keys: &[KeyPath]) -> String {
    let few: Vec<String> = keys.iter().take(8).map(|key| escaped(&key.to_string())).collect();
    let more = if keys.len() > few.len() { ", …" } else { "" };
    format!("{}{more}", few.join(", "))
}
