//! What docker and other clients keep with `docker-credential-pillarbox`: the logins of the personal overlay,
//! and behind them the registries of the workspace.

mod overlay;
mod told;
mod workspace;

use super::context::Session;
use crate::credential::{Found, Login, Logins, Server};
use crate::problem::Result;
use overlay::Overlay;
use std::collections::BTreeMap;
use workspace::{Entries, Hit};

/// The logins of this user on this machine.
pub struct DockerLogins<'s> {
    session: &'s Session,
}

impl<'s> DockerLogins<'s> {
    /// Nothing is read yet.
    pub fn new(session: &'s Session) -> Self {
        Self { session }
    }
}

impl Logins for DockerLogins<'_> {
    fn get(&self, server: &Server) -> Result<Found> {
        if let Some(overlay) = Overlay::open(self.session)?
            && let Some(login) = overlay.get(server)?
        {
            return Ok(Found::Login(login));
        }
        let Server::Registry(scope) = server else { return Ok(Found::Absent(None)) };
        let Some(workspace) = self.session.standing_workspace()? else { return Ok(Found::Absent(None)) };
        Entries::of(self.session, &workspace).get(scope)
    }

    fn store(&self, server: &Server, login: &Login) -> Result<()> {
        Overlay::open_or_make(self.session)?.store(server, login)
    }

    fn erase(&self, server: &Server) -> Result<Option<String>> {
        if let Some(overlay) = Overlay::open(self.session)? {
            overlay.erase(server)?;
        }
        let Server::Registry(scope) = server else { return Ok(None) };
        let Some(workspace) = self.session.standing_workspace()? else { return Ok(None) };
        match Entries::of(self.session, &workspace).find(scope)? {
            Hit::Entry { entry, .. } => Ok(Some(workspace::stays(&workspace, &entry))),
            Hit::Parts(_) | Hit::Nothing => Ok(None),
        }
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        let mut all = BTreeMap::new();
        if let Some(workspace) = self.session.standing_workspace()? {
            all.extend(Entries::of(self.session, &workspace).list()?);
        }
        if let Some(overlay) = Overlay::open(self.session)? {
            all.extend(overlay.list()?);
        }
        Ok(all.into_iter().collect())
    }
}
