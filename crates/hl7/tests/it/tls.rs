use halsonav_hl7::{Answer, Client, Code, Endpoint, SendError, Settings, tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{Inbox, message, serve};

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (
            params.signed_by(&key, &self.issuer).unwrap().pem(),
            key.serialize_pem(),
        )
    }
}

#[tokio::test]
async fn both_sides_show_a_certificate() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (chain, key) = ours.issue();
    let config = tls::server(chain.as_bytes(), key.as_bytes(), Some(ours.pem.as_bytes())).unwrap();
    let inbox = Inbox::new(|_| Answer::Accepted);
    let running = serve(
        Settings {
            tls: Some(config),
            ..Default::default()
        },
        inbox.clone(),
    )
    .await;
    let client = |ca: &Authority, identity: Option<(String, String)>| {
        let identity = identity
            .as_ref()
            .map(|(chain, key)| (chain.as_bytes(), key.as_bytes()));
        let config = tls::client(ca.pem.as_bytes(), identity).unwrap();
        let mut endpoint = Endpoint::new("127.0.0.1", running.addr.port());
        endpoint.tls = Some((config, "localhost".try_into().unwrap()));
        Client::new(endpoint)
    };
    let ack = client(&ours, Some(ours.issue()))
        .send(&message("1"))
        .await
        .unwrap();
    assert_eq!(ack.code, Code::AA);
    let wrong_server = client(&theirs, Some(ours.issue()))
        .send(&message("2"))
        .await;
    assert!(
        matches!(wrong_server, Err(SendError::NotSent(_))),
        "{wrong_server:?}"
    );
    assert!(
        client(&ours, None).send(&message("3")).await.is_err(),
        "no certificate"
    );
    assert!(
        client(&ours, Some(theirs.issue()))
            .send(&message("4"))
            .await
            .is_err(),
        "a stranger's"
    );
    assert_eq!(inbox.count(), 1);
}

#[test]
fn what_is_not_pem_is_told_and_not_shown() {
    let error = tls::client(b"-----BEGIN SECRET-----", None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("HUB-HL7-011") && !error.contains("SECRET"),
        "{error}"
    );
    let (chain, _) = Authority::new().issue();
    assert!(tls::server(chain.as_bytes(), b"", None).is_err());
}
