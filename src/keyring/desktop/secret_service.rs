//! Secret Service, over the session bus. The names of its attributes are those of keyring-core's
//! store, so that either finds what the other stored; `secret-tool` finds it as well.

use super::Unlocking;
use crate::keyring::{Answer, Reason, SERVICE, USER};
use crate::secret::Secret;
use secret_service::blocking::{Item, SecretService};
use secret_service::{EncryptionType, Error};
use std::collections::HashMap;

pub(super) const NAME: &str = "Secret Service";

const LABEL: &str = "pillarbox identity";

pub(super) fn read(unlocking: Unlocking) -> Answer {
    match find(unlocking) {
        Ok(Some(text)) => Answer::Holds(text),
        Ok(None) => Answer::Empty,
        Err(Error::Locked | Error::Prompt) => Answer::Locked,
        Err(error) => Answer::Unusable(reason(&error)),
    }
}

pub(super) fn keep(text: &Secret) -> Result<(), Reason> {
    let keep = || -> Result<(), Error> {
        let service = connect()?;
        let collection = service.get_default_collection()?;
        if collection.is_locked()? {
            collection.unlock()?;
        }
        collection.create_item(LABEL, attributes(), text.reveal(), true, "text/plain").map(drop)
    };
    keep().map_err(|error| reason(&error))
}

pub(super) fn remove() -> Result<bool, Reason> {
    let remove = || -> Result<bool, Error> {
        let service = connect()?;
        let items = service.search_items(attributes())?;
        for item in items.unlocked.iter().chain(&items.locked) {
            unlocked(item, Unlocking::Ask)?.delete()?;
        }
        Ok(!(items.unlocked.is_empty() && items.locked.is_empty()))
    };
    remove().map_err(|error| reason(&error))
}

fn connect() -> Result<SecretService<'static>, Error> {
    SecretService::connect(EncryptionType::Dh)
}

fn attributes() -> HashMap<&'static str, &'static str> {
    HashMap::from([("service", SERVICE), ("username", USER)])
}

fn find(unlocking: Unlocking) -> Result<Option<Secret>, Error> {
    let service = connect()?;
    let items = service.search_items(attributes())?;
    match items.unlocked.iter().chain(&items.locked).next() {
        Some(item) => unlocked(item, unlocking)?.get_secret().map(Secret::new).map(Some),
        None => Ok(None),
    }
}

fn unlocked<'i, 's>(item: &'i Item<'s>, unlocking: Unlocking) -> Result<&'i Item<'s>, Error> {
    if item.is_locked()? {
        if unlocking == Unlocking::No {
            return Err(Error::Locked);
        }
        item.unlock()?;
    }
    Ok(item)
}

fn reason(error: &Error) -> Reason {
    match error {
        Error::Unavailable => "no such service on the session bus".to_owned(),
        Error::Locked => "it is locked".to_owned(),
        Error::Prompt => "it stays locked: the prompt was dismissed".to_owned(),
        Error::NoResult => "it has no default collection".to_owned(),
        other => other.to_string(),
    }
}
