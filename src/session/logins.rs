//! Asking registries from the hosts: does each Engine get in with the credentials of its pillar. A
//! credential is shown to its registry by the Engine's own login, which needs no image and is no pull;
//! that it may have an image is asked for each image on its own.

mod verdict;

pub use verdict::{Answers, Asked, EntryShown, Verdict};

use super::connect::{Connected, Reading};
use super::credentials::{HelperAnswers, of_entry};
use super::declared::Declared;
use super::hosts::Hosts;
use super::pipeline::{Pipeline, unless_interrupted};
use super::vault::Vault;
use crate::desired::{DesiredState, PullPolicy};
use crate::engine::{Engine as _, EngineError, EngineResult, ErrorKind};
use crate::name::{Digest, ImageRef};
use crate::problem::{Problems, Result, escaped};
use crate::registry::{Credential, Entry, How, Lookup};
use futures_util::{StreamExt as _, stream};

/// Questions of one host at the same time: most of them wait for a registry.
const QUESTIONS: usize = 8;

/// At the Hub each question for an image is a pull in its count.
const COSTS_A_PULL: &str = "a question at Docker Hub counts as a pull";
const NOTHING_SENT: &str = "nothing is sent";

impl<'p> Pipeline<'p> {
    /// Shows every credential of a host's pillar to its registry and asks for the images of its states, or
    /// for the given images alone.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn check_logins(
        &self,
        declared: Vec<Declared<'p>>,
        images: &[ImageRef],
    ) -> Result<Hosts<Answers>> {
        let sends = |one: &Connected<'_>| match images {
            [] => one.credentials.iter().any(|entry| entry.how != How::Anonymous),
            images => images.iter().any(|image| one.credentials.lookup(&image.name) != Lookup::Anonymous),
        };
        unless_interrupted(self.interrupt, async {
            let verified = self.verify(self.connect(declared, Reading::Facts).await, sends).await;
            let helper_answers = HelperAnswers::default();
            let ask = |host: Connected<'p>| {
                let helper_answers = &helper_answers;
                async move { Ok(Asking { vault: self.vault, host: &host, helper_answers }.ask(images).await) }
            };
            Ok(verified.next(|one| &one.host.name, ask).await)
        })
        .await
    }
}

/// One host that asks.
struct Asking<'a, 'v> {
    vault: &'a Vault<'v>,
    host: &'a Connected<'a>,
    helper_answers: &'a HelperAnswers,
}

impl Asking<'_, '_> {
    async fn ask(self, images: &[ImageRef]) -> Answers {
        let mut asked: Vec<Asked> = Vec::new();
        let wanted: Vec<&ImageRef> = if images.is_empty() {
            let logins = self.host.credentials.iter().map(|entry| self.login(entry));
            asked = stream::iter(logins).buffered(QUESTIONS).collect().await;
            self.of_states()
        } else {
            images.iter().collect()
        };
        // What a registry does not take at all it does not take for an image either.
        let lost: Vec<String> = asked
            .iter()
            .filter(|one| !matches!(one.verdict, Verdict::Works | Verdict::Failed | Verdict::NotAsked(_)))
            .filter_map(|one| one.entry.as_ref().map(|entry| entry.scope.clone()))
            .collect();
        let wanted = wanted.into_iter().filter(|image| match self.entry(image) {
            Some(entry) => !lost.contains(&entry.scope.to_string()),
            None => true,
        });
        let asking = wanted.map(|image| self.image(image, images.is_empty()));
        asked.extend(stream::iter(asking).buffered(QUESTIONS).collect::<Vec<_>>().await);
        let key = |one: &Asked| {
            let scope = one.entry.as_ref().map(|entry| entry.scope.clone());
            (scope.is_none(), scope, one.image.as_ref().map(ToString::to_string))
        };
        asked.sort_by_key(key);
        Answers { host: self.host.host.name.clone(), asked }
    }

    /// Images that a registry is asked for by an apply, each once.
    fn of_states(&self) -> Vec<&ImageRef> {
        let mut images: Vec<&ImageRef> = Vec::new();
        for item in &self.host.desired.items {
            let image = match &item.want {
                DesiredState::ImagePulled { image, .. } => image,
                want => match want.container() {
                    Some(made) if made.pull == PullPolicy::Missing => &made.image,
                    _ => continue,
                },
            };
            if !images.contains(&image) {
                images.push(image);
            }
        }
        images
    }

    fn entry(&self, image: &ImageRef) -> Option<&Entry> {
        match self.host.credentials.lookup(&image.name) {
            Lookup::Entry(entry) => Some(entry),
            Lookup::Anonymous => None,
        }
    }

    async fn login(&self, entry: &Entry) -> Asked {
        let asked = |verdict, problems| Asked {
            entry: Some(shown(entry)),
            image: None,
            verdict,
            digest: None,
            problems,
        };
        let used = match self.credential(entry).await {
            Ok(Some(used)) => used,
            Ok(None) => return asked(Verdict::NotAsked(NOTHING_SENT), None),
            Err((verdict, problems)) => return asked(verdict, Some(problems)),
        };
        let registry = entry.scope.host();
        let Err(error) = self.host.engine.login(registry, &used.header).await else {
            return asked(Verdict::Works, None);
        };
        let problem = error.login_problem(&self.host.host.name, registry, &used);
        asked(self.verdict(&error).await, Some(problem.into()))
    }

    /// Asks for an image; at the Hub only where it was named on the command line.
    async fn image(&self, image: &ImageRef, sparing: bool) -> Asked {
        let entry = self.entry(image);
        let asked = |verdict, digest, problems| Asked {
            entry: entry.map(shown),
            image: Some(image.clone()),
            verdict,
            digest,
            problems,
        };
        if sparing && image.name.host().is_hub() {
            return asked(Verdict::NotAsked(COSTS_A_PULL), None, None);
        }
        let used = match entry {
            None => None,
            Some(entry) => match self.credential(entry).await {
                Ok(used) => used,
                Err((verdict, problems)) => return asked(verdict, None, Some(problems)),
            },
        };
        match self.digest(image, used.as_ref()).await {
            Ok(digest) => asked(Verdict::Works, Some(digest), None),
            Err(error) => {
                let host = &self.host.host.name;
                let problem = error.check_problem(host, image, used.as_ref());
                asked(self.verdict(&error).await, None, Some(problem.into()))
            }
        }
    }

    async fn digest(&self, image: &ImageRef, used: Option<&Credential>) -> EngineResult<Digest> {
        let said = self.host.engine.resolve(image, used.map(|used| &used.header)).await?;
        Digest::parse(&said.digest)
            .map_err(|_| EngineError::new(ErrorKind::Other, 200, "it named no sha256 digest"))
    }

    async fn credential(&self, entry: &Entry) -> Result<Option<Credential>, (Verdict, Problems)> {
        let got = of_entry(self.vault, entry, self.helper_answers).await;
        got.map_err(|problems| {
            let helper = matches!(entry.how, How::Helper(_));
            (Verdict::of_credential(&problems, helper), problems)
        })
    }

    async fn verdict(&self, error: &EngineError) -> Verdict {
        let now = match error.retry_after() {
            Some(_) => self.host.engine.now().await.ok(),
            None => None,
        };
        Verdict::of_error(error, now)
    }
}

fn shown(entry: &Entry) -> EntryShown {
    let how = match &entry.how {
        How::Basic { username, .. } => format!("user {}", escaped(username)),
        How::IdentityToken(_) => "identity token".to_owned(),
        How::Helper(helper) => format!("helper {helper}"),
        How::Anonymous => "anonymous".to_owned(),
    };
    EntryShown { scope: entry.scope.to_string(), how, place: entry.place.clone() }
}
