//! SOAP 1.1 faults, and the codes that the national service platform puts in them.

use std::fmt;

use halsonav_domain::Kind;

use crate::{envelope::SOAP, xml::Element};

/// Whose fault it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultCode {
    /// The caller's.
    Client,
    /// The called one's.
    Server,
    /// A header that had to be understood was not.
    MustUnderstand,
    /// The envelope is not SOAP 1.1.
    VersionMismatch,
    /// A code of another kind, by its local name.
    Other(String),
}

impl FaultCode {
    /// Local name of the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Client => "Client",
            Self::Server => "Server",
            Self::MustUnderstand => "MustUnderstand",
            Self::VersionMismatch => "VersionMismatch",
            Self::Other(name) => name,
        }
    }

    /// From a QName; subcodes such as `Client.Authentication` count as their first part.
    fn parse(text: &str) -> Self {
        let local = text.trim().rsplit(':').next().unwrap_or_default();
        match local.split('.').next().unwrap_or_default() {
            "Client" => Self::Client,
            "Server" => Self::Server,
            "MustUnderstand" => Self::MustUnderstand,
            "VersionMismatch" => Self::VersionMismatch,
            other => Self::Other(
                other
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .take(40)
                    .collect(),
            ),
        }
    }
}

/// A technical error as it travels. Its texts come from the other side and may, against the
/// rules, hold personal data: `Debug` and `Display` leave them out.
#[derive(Clone, PartialEq, Eq)]
pub struct SoapFault {
    /// Whose fault it is.
    pub code: FaultCode,
    /// `faultstring`. Ours never holds personal data.
    pub string: String,
    /// The text in `detail`.
    pub detail: Option<String>,
    /// The platform's code, if the fault is the platform's.
    pub vp: Option<VpCode>,
    pub(crate) manners: Manners,
}

/// How the server lets the caller know.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manners {
    #[default]
    Fault,
    Silence,
    Noise,
}

impl SoapFault {
    /// A fault of `code` with `string`.
    #[must_use]
    pub fn new(code: FaultCode, string: impl Into<String>) -> Self {
        let string = string.into();
        let vp = VpCode::find(&string);
        Self {
            code,
            string,
            detail: None,
            vp,
            manners: Manners::Fault,
        }
    }

    /// The caller did something wrong.
    #[must_use]
    pub fn client(string: impl Into<String>) -> Self {
        Self::new(FaultCode::Client, string)
    }

    /// We could not do it now.
    #[must_use]
    pub fn server(string: impl Into<String>) -> Self {
        Self::new(FaultCode::Server, string)
    }

    /// For neighbours that stand in tests: the connection is dropped in the middle of the answer.
    #[must_use]
    pub fn silence() -> Self {
        Self {
            manners: Manners::Silence,
            ..Self::server("silence")
        }
    }

    /// For neighbours that stand in tests: the answer is not SOAP.
    #[must_use]
    pub fn noise() -> Self {
        Self {
            manners: Manners::Noise,
            ..Self::server("noise")
        }
    }

    /// Reads a `Fault` element.
    pub(crate) fn read(fault: &Element) -> Self {
        // SOAP 1.1 has these elements in no namespace; some stacks qualify them.
        let text = |name: &str| fault.children.iter().find(|child| child.name == name);
        let string = text("faultstring")
            .map(|e| e.value().to_owned())
            .unwrap_or_default();
        let detail = text("detail")
            .map(gather)
            .filter(|detail| !detail.is_empty());
        let code = text("faultcode").map_or(FaultCode::Server, |e| FaultCode::parse(e.value()));
        let vp = VpCode::find(&string);
        Self {
            code,
            string,
            detail,
            vp,
            manners: Manners::Fault,
        }
    }

    /// The `Fault` element.
    pub(crate) fn write(&self) -> String {
        crate::xml::document("f:Fault", &[("f", SOAP)], |w| {
            w.text("faultcode", &format!("f:{}", self.code.as_str()));
            w.text(
                "faultstring",
                if self.string.trim().is_empty() {
                    "fault"
                } else {
                    &self.string
                },
            );
            w.element("detail", |w| {
                w.optional("detailString", self.detail.as_deref())
            });
        })
    }
}

fn gather(element: &Element) -> String {
    let mut text = element.value().to_owned();
    for child in &element.children {
        let inner = gather(child);
        if !text.is_empty() && !inner.is_empty() {
            text.push(' ');
        }
        text.push_str(&inner);
    }
    text
}

impl fmt::Debug for SoapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoapFault({}, {:?})", self.code.as_str(), self.vp)
    }
}

impl fmt::Display for SoapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.vp {
            Some(vp) => write!(f, "{vp:?}: {}", vp.meaning()),
            None => write!(f, "SOAP fault {}", self.code.as_str()),
        }
    }
}

impl std::error::Error for SoapFault {}

macro_rules! vp_codes {
    ($($code:ident $kind:ident $meaning:literal),* $(,)?) => {
        /// The platform's error codes.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum VpCode { $(#[doc = $meaning] $code),* }

        impl VpCode {
            const ALL: &'static [(&'static str, Self)] = &[$((stringify!($code), Self::$code)),*];

            /// What it means, in one phrase.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$code => $meaning),* }
            }

            /// What should happen next.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$code => Kind::$kind),* }
            }
        }
    };
}

vp_codes! {
    Vp001 Invalid "RIV-TA version missing or not supported",
    Vp002 Denied "client certificate not accepted",
    Vp003 Invalid "logical address missing",
    Vp004 Invalid "no route for logical address and contract",
    Vp005 Invalid "producer does not support the RIV-TA version",
    Vp006 Invalid "more than one producer",
    Vp007 Denied "consumer not authorised for logical address and contract",
    Vp008 Unavailable "platform has no contact with its catalogue",
    Vp009 Unavailable "platform could not reach the producer",
    Vp010 Invalid "producer address missing",
    Vp011 Denied "not TLS, or sender not white-listed",
    Vp012 Unavailable "platform lacks resources",
    Vp013 Denied "not allowed to name the original consumer",
    Vp014 Invalid "routing loop",
    Vp015 Invalid "malformed request",
}

impl VpCode {
    /// The code a fault string begins with (`VP007 [platform] …`).
    fn find(string: &str) -> Option<Self> {
        let word = string.trim_start().get(..5)?;
        Self::ALL
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, code)| *code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_back_as_they_were() {
        let mut fault = SoapFault::server("VP009 [plattform] Fel vid kontakt");
        fault.detail = Some("VP_PRODUCER_EXCEPTION_HTTP_STATUS=503".into());
        let read = SoapFault::read(&Element::parse(&fault.write()).expect("reads"));
        assert!(read == fault);
        assert_eq!(read.vp, Some(VpCode::Vp009));
    }

    #[test]
    fn what_others_write_is_understood() {
        let check = |xml: &str, code: FaultCode, vp: Option<VpCode>| {
            let fault = SoapFault::read(&Element::parse(xml).expect("reads"));
            assert_eq!((fault.code, fault.vp), (code, vp), "{xml}");
        };
        check(
            "<Fault><faultcode>soap:Client</faultcode><faultstring>vp007 x</faultstring></Fault>",
            FaultCode::Client,
            Some(VpCode::Vp007),
        );
        check(
            "<Fault><faultcode>Server.userException</faultcode></Fault>",
            FaultCode::Server,
            None,
        );
        check("<Fault/>", FaultCode::Server, None);
        check(
            "<Fault><faultcode>x:Odd!</faultcode><faultstring>åäö</faultstring></Fault>",
            FaultCode::Other("Odd".into()),
            None,
        );
    }

    #[test]
    fn texts_of_others_are_not_shown() {
        let fault = SoapFault::client("191212121212 finns inte");
        assert!(!format!("{fault:?} {fault}").contains("1212"));
    }
}
