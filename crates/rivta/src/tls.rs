//! Mutual TLS: trust in one authority, and the caller's HSA-id out of its certificate.

use std::{path::Path, path::PathBuf, sync::Arc};

use halsonav_domain::HsaId;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject,
};
use schemars::JsonSchema;
use serde::Deserialize;
use x509_parser::oid_registry::Oid;

use crate::Error;

/// The server's side of mutual TLS. All are PEM files.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// The authority (or several) whose client certificates are accepted. Never the system's store.
    pub ca: PathBuf,
    /// Our certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// Our private key.
    pub key: PathBuf,
    /// Revocation lists. With a list, a certificate that no list speaks of is refused too.
    #[serde(default)]
    pub revoked: Option<PathBuf>,
}

/// The client's configuration: our certificate, and trust in `ca` only.
pub(crate) fn client(ca: &Path, certificate: &Path, key: &Path) -> Result<ClientConfig, Error> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(tls)?
        .with_root_certificates(roots(ca)?)
        .with_client_auth_cert(chain("certificate", certificate)?, private(key)?)
        .map_err(tls)
}

/// The server's configuration. Sessions are not resumed, so that every connection is verified
/// against the authority, the clock and the revocation lists of that moment.
pub(crate) fn server(config: &ServerTls) -> Result<ServerConfig, Error> {
    let roots = Arc::new(roots(&config.ca)?);
    let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
    if let Some(path) = &config.revoked {
        let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_file_iter(path)
            .map_err(|_| unreadable("revocation list", path))?
            .collect();
        let lists = lists.map_err(|_| unreadable("revocation list", path))?;
        verifier = verifier.with_crls(lists).only_check_end_entity_revocation();
    }
    let verifier = verifier
        .build()
        .map_err(|error| Error::Tls(error.to_string()))?;
    let mut server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(tls)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            chain("certificate", &config.certificate)?,
            private(&config.key)?,
        )
        .map_err(tls)?;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Ok(server)
}

/// HSA-id in a certificate: attribute serialNumber (2.5.4.5) of its subject, as SITHS function
/// certificates have it. `None` when there is none, or more than one.
#[must_use]
pub fn sender(certificate: &[u8]) -> Option<HsaId> {
    let serial_number = Oid::from(&[2, 5, 4, 5]).ok()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let mut found = certificate.subject().iter_by_oid(&serial_number);
    let id = found.next()?.as_str().ok()?.trim();
    (found.next().is_none() && !id.is_empty()).then(|| HsaId::new(id))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    for certificate in chain("authority", path)? {
        store.add(certificate).map_err(tls)?;
    }
    Ok(store)
}

fn chain(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|_| unreadable(what, path))?
        .collect();
    certificates
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| unreadable(what, path))
}

fn private(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_file(path).map_err(|_| unreadable("private key", path))
}

fn unreadable(what: &'static str, path: &Path) -> Error {
    Error::Pem {
        what,
        path: path.display().to_string(),
    }
}

fn tls(error: rustls::Error) -> Error {
    Error::Tls(error.to_string())
}
