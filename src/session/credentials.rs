//! Credentials and secrets of a run, opened or asked for when they are needed and not before.

use super::vault::Vault;
use crate::execute::{Fetching, Secrets};
use crate::external_helper::{self, Answer};
use crate::name::{HelperName, HostName, ImageName, RegistryHost};
use crate::pillar::{Sealed, Value};
use crate::problem::{Code, Problem, Result};
use crate::registry::{Credential, Credentials, Entry, How, Lookup};
use crate::secret::Secret;
use crate::state::SecretRef;
use futures_util::FutureExt as _;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::OnceCell;

/// What helpers answered in one phase of a run, planning or applying: each is asked once for each
/// registry, however many images and hosts there are. It is forgotten with the phase.
#[derive(Default)]
pub(super) struct HelperAnswers(RefCell<BTreeMap<(HelperName, RegistryHost), Answering>>);

type Answering = Rc<OnceCell<Result<Answer>>>;

impl HelperAnswers {
    async fn answer(&self, helper: &HelperName, host: &RegistryHost) -> Result<Answer> {
        let key = (helper.clone(), host.clone());
        let cell = Rc::clone(self.0.borrow_mut().entry(key).or_default());
        cell.get_or_init(|| ask(helper, host)).await.clone()
    }
}

/// Asks a helper in a thread of its own: locks are renewed meanwhile. If this is dropped, it is ended.
async fn ask(helper: &HelperName, host: &RegistryHost) -> Result<Answer> {
    let call = external_helper::Call::start(helper, host.server_address())?;
    let _stopper = call.stopper();
    let answer = tokio::task::spawn_blocking(move || call.finish(external_helper::LIMIT)).await;
    answer.unwrap_or_else(|error| {
        Err(Problem::failed(format!("the credential helper `{helper}` was lost")).because(&error).into())
    })
}

/// The credential for an image by the entries of a host's pillar; `None` is anonymous.
///
/// # Errors
/// Where an entry covers it and cannot be opened, or its helper fails: never anonymous then.
pub(super) async fn credential(
    vault: &Vault<'_>,
    credentials: &Credentials,
    helper_answers: &HelperAnswers,
    image: &ImageName,
) -> Result<Option<Credential>> {
    let Lookup::Entry(entry) = credentials.lookup(image) else { return Ok(None) };
    let got = of_entry(vault, entry, helper_answers).await;
    got.map_err(|problems| {
        problems.map(|problem| problem.cause(format!("the registry entry `{}` is for {image}", entry.scope)))
    })
}

/// What an entry sends; `None` where it sends nothing.
///
/// # Errors
/// Where it cannot be opened, or its helper fails.
pub(super) async fn of_entry(
    vault: &Vault<'_>,
    entry: &Entry,
    helper_answers: &HelperAnswers,
) -> Result<Option<Credential>> {
    if let How::Helper(helper) = &entry.how {
        let answer = helper_answers.answer(helper, entry.scope.host()).await;
        let answer = answer.map_err(|problems| problems.map(|problem| problem.at(&entry.place)))?;
        return entry.answered(&answer.username, &answer.secret).map(Some);
    }
    let Some(sealed) = entry.sealed() else { return Ok(None) };
    entry.credential(&vault.open(sealed)?.secret).map(Some)
}

/// What execution asks for.
pub(super) struct Keychain<'a> {
    pub vault: &'a Vault<'a>,
    /// Credentials of the hosts that may ask.
    pub hosts: BTreeMap<&'a HostName, &'a Credentials>,
    /// The secrets that containers of a host are given by what is written.
    pub secrets: BTreeMap<&'a HostName, &'a [SecretRef]>,
    /// Asked again, not what planning was told: it may be over.
    pub helper_answers: HelperAnswers,
}

impl Secrets for Keychain<'_> {
    fn open(&self, secret: &SecretRef) -> Result<Secret> {
        Ok(self.vault.open(self.sealed(secret)?)?.secret)
    }

    fn auth<'a>(&'a self, host: &'a HostName, image: &'a ImageName) -> Fetching<'a> {
        async move {
            match self.hosts.get(host) {
                Some(credentials) => credential(self.vault, credentials, &self.helper_answers, image).await,
                None => Err(Problem::failed(format!("host {host} is not part of this run")).into()),
            }
        }
        .boxed_local()
    }

    fn of_host(&self, host: &HostName) -> Vec<SecretRef> {
        self.secrets.get(host).map(|secrets| secrets.to_vec()).unwrap_or_default()
    }
}

impl Keychain<'_> {
    fn sealed(&self, secret: &SecretRef) -> Result<&Sealed> {
        let place = &secret.origin;
        let found = self.vault.document(&place.file).and_then(|document| document.get(&place.key));
        match found.map(|node| &node.value) {
            Some(Value::Sealed(sealed)) if sealed.id == secret.id => Ok(sealed),
            _ => {
                Err(Problem::new(Code::Stale, format!("{place} is not what was planned with any more"))
                    .into())
            }
        }
    }
}
