//! TLS with a client certificate. The Engine's certificate must come from `ca.pem` and no other
//! authority: those that browsers trust have no say in who runs a company's hosts.

use super::dial::{Stream, unreachable};
use crate::engine::{EngineError, EngineResult};
use crate::store::read_key_file;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// What a folder of certificates holds.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads `ca.pem`, `cert.pem` and `key.pem`, the names that Docker gives them.
    pub(super) fn new(folder: &Path, host: &str) -> EngineResult<Self> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| unreachable(&format!("{host} is not a name that a certificate can have")))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&folder.join("ca.pem"))? {
            roots.add(certificate).map_err(|error| unusable(&folder.join("ca.pem"), &error))?;
        }
        let key = folder.join("key.pem");
        let text = read_key_file(&key).map_err(|error| unusable(&key, &error))?;
        let secret = PrivateKeyDer::from_pem_slice(text.reveal()).map_err(|error| unusable(&key, &error))?;
        let own = certificates(&folder.join("cert.pem"))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unreachable(&error.to_string()))?
            .with_root_certificates(roots)
            .with_client_auth_cert(own, secret)
            .map_err(|error| unusable(&folder.join("cert.pem"), &error))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Both sides prove who they are.
    pub(super) async fn wrap(&self, stream: TcpStream) -> EngineResult<Box<dyn Stream>> {
        let shaken = self.connector.connect(self.name.clone(), stream).await;
        let stream = shaken.map_err(|error| {
            unreachable(&format!("TLS failed: {error}"))
                .hint("its certificate must be signed by ca.pem and name this host, and cert.pem must be one it trusts")
        })?;
        Ok(Box::new(stream))
    }
}

/// The authorities in the `ca.pem` of a folder, by the SHA-256 fingerprints of their certificates, sorted;
/// `None` where it cannot be read.
pub fn authorities(folder: &Path) -> Option<String> {
    let found = certificates(&folder.join("ca.pem")).ok()?;
    let print = |certificate: &CertificateDer<'_>| {
        Sha256::digest(certificate).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let mut prints: Vec<String> = found.iter().map(|one| format!("sha256:{}", print(one))).collect();
    prints.sort();
    prints.dedup();
    Some(prints.join(" "))
}

fn certificates(path: &Path) -> EngineResult<Vec<CertificateDer<'static>>> {
    let text = read_key_file(path).map_err(|error| unusable(path, &error))?;
    let read = CertificateDer::pem_slice_iter(text.reveal()).collect::<Result<Vec<_>, _>>();
    let found = read.map_err(|error| unusable(path, &error))?;
    if found.is_empty() {
        return Err(unreachable(&format!("{} holds no certificate", path.display())));
    }
    Ok(found)
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> EngineError {
    unreachable(&format!("{} cannot be used: {error}", path.display()))
        .hint("its folder holds ca.pem, cert.pem and key.pem, as for the docker command")
}
