//! Trust in one authority, and our certificate where there is one.

use std::{path::Path, sync::Arc};

use halsonav_domain::{Kind, Problem};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

pub(crate) fn client(ca: &Path, mutual: Option<(&Path, &Path)>) -> Result<ClientConfig, Problem> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(ca)? {
        roots.add(certificate).map_err(|_| unusable(ca))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(error.to_string()))?
        .with_root_certificates(roots);
    match mutual {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let private = PrivateKeyDer::from_pem_file(key).map_err(|_| unusable(key))?;
            builder
                .with_client_auth_cert(chain(certificate)?, private)
                .map_err(|error| problem(error.to_string()))
        }
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| unusable(path))?;
    if found.is_empty() {
        return Err(unusable(path));
    }
    Ok(found)
}

fn unusable(path: &Path) -> Problem {
    problem(format!("{} cannot be used", path.display()))
}

fn problem(message: String) -> Problem {
    Problem::new(Kind::Invalid, "HUB-JOURNAL-004", message)
}
