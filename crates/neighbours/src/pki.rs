//! A certificate authority for demo and tests, in the image of SITHS function certificates: the
//! HSA-id stands in the subject's serialNumber.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber, date_time_ymd,
};

/// An authority whose certificates are written into one folder as PEM files.
pub struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.folder.display())
    }
}

/// Where the three PEM files of one end are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pem {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The end's certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// When a certificate holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Validity {
    /// From 2020 to 2099.
    Valid,
    /// Until 2021.
    Expired,
    /// From 2098.
    NotYet,
}

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Both ends, as SITHS function certificates.
    Both,
    /// The answering end only.
    Server,
}

impl Authority {
    /// A new authority called `name`; writes `<name>-ca.pem` into `folder`.
    ///
    /// # Errors
    /// When a key cannot be made or a file not written.
    pub fn new(folder: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{name} test CA"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        hold(&mut params, Validity::Valid);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        let authority = Self {
            folder: folder.join(name),
            issuer,
        };
        fs::write(authority.ca(), authority.issuer.as_ref().pem())?;
        Ok(authority)
    }

    /// The authority's certificate.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder
            .with_file_name(format!("{}-ca.pem", self.name()))
    }

    /// A certificate for the end with this HSA-id, valid on the loopback address.
    ///
    /// # Errors
    /// When a key cannot be made or a file not written.
    pub fn issue(&self, hsa_id: &str) -> io::Result<Pem> {
        self.issue_as(hsa_id, Some(hsa_id), Validity::Valid, Purpose::Both)
    }

    /// A certificate with file name `label`, an HSA-id or none, validity and purpose as told.
    ///
    /// # Errors
    /// When a key cannot be made or a file not written.
    pub fn issue_as(
        &self,
        label: &str,
        hsa_id: Option<&str>,
        validity: Validity,
        purpose: Purpose,
    ) -> io::Result<Pem> {
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])
            .map_err(io::Error::other)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        if let Some(id) = hsa_id {
            params
                .distinguished_name
                .push(DnType::CustomDnType(vec![2, 5, 4, 5]), id);
        }
        params.serial_number = Some(serial(label));
        params.extended_key_usages = match purpose {
            Purpose::Both => vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ],
            Purpose::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
        };
        hold(&mut params, validity);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params
            .signed_by(&key, &*self.issuer)
            .map_err(io::Error::other)?;
        let file = |end: &str| {
            self.folder
                .with_file_name(format!("{}-{label}{end}.pem", self.name()))
        };
        let pem = Pem {
            ca: self.ca(),
            certificate: file(""),
            key: file("-key"),
        };
        fs::write(&pem.certificate, certificate.pem())?;
        fs::write(&pem.key, key.serialize_pem())?;
        Ok(pem)
    }

    /// A revocation list with the certificates of these labels.
    ///
    /// # Errors
    /// When the list cannot be signed or written.
    pub fn revoke(&self, labels: &[&str]) -> io::Result<PathBuf> {
        let revoked = |label: &&str| RevokedCertParams {
            serial_number: serial(label),
            revocation_time: date_time_ymd(2021, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2021, 1, 1),
            next_update: date_time_ymd(2099, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: labels.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).map_err(io::Error::other)?;
        let path = self
            .folder
            .with_file_name(format!("{}-crl.pem", self.name()));
        fs::write(&path, list.pem().map_err(io::Error::other)?)?;
        Ok(path)
    }

    fn name(&self) -> String {
        self.folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

fn hold(params: &mut CertificateParams, validity: Validity) {
    let (from, to) = match validity {
        Validity::Valid => (2020, 2099),
        Validity::Expired => (2020, 2021),
        Validity::NotYet => (2098, 2099),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
}

/// A serial number of its own for every label.
fn serial(label: &str) -> SerialNumber {
    let mixed = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    SerialNumber::from(mixed >> 1)
}
