//! What a service contract is called in each of the places where it has a name.

/// One interaction of a service domain in one major version.
///
/// The rules are those of the RIV Tekniska Anvisningar, Basic Profile 2.1: message namespace
/// `<domain>:<Interaction>Responder:<major>`, soapAction the same with the operation behind it.
/// Application-specific domains (`urn:riv-application:…`) are named alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Contract {
    /// The domain, such as `urn:riv:crm:scheduling`.
    pub namespace: &'static str,
    /// The interaction, such as `MakeBooking`.
    pub interaction: &'static str,
    /// The major version.
    pub major: u32,
}

impl Contract {
    /// `interaction` of the domain `namespace` in version `major`.
    #[must_use]
    pub const fn new(namespace: &'static str, interaction: &'static str, major: u32) -> Self {
        Self {
            namespace,
            interaction,
            major,
        }
    }

    /// Namespace of request and response, such as `urn:riv:crm:scheduling:MakeBookingResponder:1`.
    #[must_use]
    pub fn message_namespace(&self) -> String {
        format!(
            "{}:{}Responder:{}",
            self.namespace, self.interaction, self.major
        )
    }

    /// Namespace of the domain's types, such as `urn:riv:crm:scheduling:1`.
    #[must_use]
    pub fn types_namespace(&self) -> String {
        format!("{}:{}", self.namespace, self.major)
    }

    /// The soapAction that a client sends. A server never routes by it.
    #[must_use]
    pub fn soap_action(&self) -> String {
        format!("{}:{}", self.message_namespace(), self.interaction)
    }

    /// Local name of the request element.
    #[must_use]
    pub fn request_element(&self) -> &'static str {
        self.interaction
    }

    /// Local name of the response element.
    #[must_use]
    pub fn response_element(&self) -> String {
        format!("{}Response", self.interaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_profile() {
        let contract = Contract::new("urn:riv:crm:scheduling", "MakeBooking", 1);
        assert_eq!(
            contract.message_namespace(),
            "urn:riv:crm:scheduling:MakeBookingResponder:1"
        );
        assert_eq!(contract.types_namespace(), "urn:riv:crm:scheduling:1");
        assert_eq!(
            contract.soap_action(),
            "urn:riv:crm:scheduling:MakeBookingResponder:1:MakeBooking"
        );
        assert_eq!(contract.response_element(), "MakeBookingResponse");
    }
}
