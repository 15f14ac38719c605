//! What became of a call that was not answered as asked.

use halsonav_domain::{Kind, Outcome, Problem};

use crate::{FaultCode, SoapFault, VpCode};

/// Why there is no response, sorted by what is known of the effect.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing was done: no connection came about, or the other side broke the TLS handshake off.
    #[error("not sent: {0}")]
    NotSent(Obstacle),
    /// The other side answered with a fault.
    #[error("{0}")]
    Fault(SoapFault),
    /// The request left us and no whole answer came back.
    #[error("no answer: {0}")]
    NoAnswer(&'static str),
    /// An answer came that is not the response asked for.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// An HTTP status without SOAP.
    #[error("HTTP status {0}")]
    Http(u16),
}

/// What stood in the way of sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Obstacle {
    /// No connection: refused, no such host, no route, too slow.
    #[error("the other side cannot be reached")]
    Unreachable,
    /// We do not trust their certificate.
    #[error("the other side's certificate is not trusted")]
    TheirCertificate,
    /// They do not accept ours.
    #[error("the other side does not accept our certificate")]
    OurCertificate,
    /// The request could not even be made.
    #[error("the request cannot be made")]
    Request,
}

impl CallError {
    /// Whether the effect may exist although nobody said so.
    ///
    /// By the RIV-TA convention a fault means "not performed"; VP009 is the exception, since the
    /// platform also gives it when the producer had the request and was too slow to answer.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::NotSent(_) => false,
            Self::Fault(fault) => fault.vp == Some(VpCode::Vp009),
            Self::NoAnswer(_) | Self::Malformed(_) => true,
            Self::Http(status) => matches!(status, 200..=399 | 500 | 502 | 504),
        }
    }

    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotSent(Obstacle::Unreachable) | Self::NoAnswer(_) => Kind::Unavailable,
            Self::NotSent(Obstacle::TheirCertificate | Obstacle::OurCertificate) => Kind::Denied,
            Self::NotSent(Obstacle::Request) => Kind::Invalid,
            Self::Fault(fault) => match (fault.vp, &fault.code) {
                (Some(vp), _) => vp.kind(),
                (None, FaultCode::Server) => Kind::Unavailable,
                (None, _) => Kind::Invalid,
            },
            Self::Malformed(_) => Kind::Unavailable,
            Self::Http(status) => match status {
                401 | 403 | 407 => Kind::Denied,
                400 | 411 | 413 | 414 | 415 | 422 | 431 => Kind::Invalid,
                _ => Kind::Unavailable,
            },
        }
    }

    /// As a problem of `area`, such as `BOOKING`: codes `HUB-BOOKING-901` (not sent), `-902` (no
    /// answer), `-903` (fault), `-904` (malformed answer) and `-905` (HTTP status).
    ///
    /// The other side's own texts are left out: they may hold personal data.
    #[must_use]
    pub fn problem(&self, area: &str) -> Problem {
        let number = match self {
            Self::NotSent(_) => 901,
            Self::NoAnswer(_) => 902,
            Self::Fault(_) => 903,
            Self::Malformed(_) => 904,
            Self::Http(_) => 905,
        };
        Problem::new(
            self.kind(),
            &format!("HUB-{area}-{number}"),
            self.to_string(),
        )
    }

    /// As the outcome of a command whose effect must not happen twice: unknown where nobody knows.
    #[must_use]
    pub fn outcome(self, area: &str) -> Outcome {
        let problem = self.problem(area);
        if self.outcome_unknown() {
            Outcome::Unknown(problem)
        } else {
            Outcome::Failed(problem)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &CallError, kind: Kind, unknown: bool) {
        assert_eq!(
            (error.kind(), error.outcome_unknown()),
            (kind, unknown),
            "{error}"
        );
    }

    #[test]
    fn what_is_known_of_the_effect_decides() {
        let vp = |text: &str| CallError::Fault(SoapFault::client(text));
        check(
            &CallError::NotSent(Obstacle::Unreachable),
            Kind::Unavailable,
            false,
        );
        check(
            &CallError::NotSent(Obstacle::OurCertificate),
            Kind::Denied,
            false,
        );
        check(&CallError::NoAnswer("timeout"), Kind::Unavailable, true);
        check(
            &CallError::Malformed(String::new()),
            Kind::Unavailable,
            true,
        );
        for code in ["VP008", "VP012"] {
            check(&vp(code), Kind::Unavailable, false);
        }
        check(&vp("VP009"), Kind::Unavailable, true);
        for code in ["VP002", "VP007", "VP011", "VP013"] {
            check(&vp(code), Kind::Denied, false);
        }
        for code in [
            "VP001", "VP003", "VP004", "VP005", "VP006", "VP010", "VP014", "VP015",
        ] {
            check(&vp(code), Kind::Invalid, false);
        }
        check(&vp("annat"), Kind::Invalid, false);
        check(
            &CallError::Fault(SoapFault::server("x")),
            Kind::Unavailable,
            false,
        );
        for (status, kind, unknown) in [
            (200, Kind::Unavailable, true),
            (403, Kind::Denied, false),
            (404, Kind::Unavailable, false),
            (413, Kind::Invalid, false),
            (429, Kind::Unavailable, false),
            (500, Kind::Unavailable, true),
            (503, Kind::Unavailable, false),
            (504, Kind::Unavailable, true),
        ] {
            check(&CallError::Http(status), kind, unknown);
        }
    }

    #[test]
    fn problems_carry_no_text_of_the_other_side() {
        let problem = CallError::Fault(SoapFault::client("191212121212 okänd")).problem("BOOKING");
        assert_eq!(problem.code, "HUB-BOOKING-903");
        assert!(!problem.message.contains("1212"), "{}", problem.message);
    }
}
