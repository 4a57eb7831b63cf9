//! Which protocol a service speaks, and its answers' outer form.

use crate::ApiError;
use crate::xml::Xml;

/// The two spellings that AWS's form-encoded services have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// EC2's: lists are `Name.1` in requests and `<item>` in responses; the response carries no result wrapper.
    Ec2,
    /// Everybody else's: lists are `Name.member.1` and `<member>`; the response wraps a result.
    Query,
}

/// A service's protocol, as its model states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// How lists, responses and errors are spelled.
    pub dialect: Dialect,
    /// The API's version, as `2016-11-15`.
    pub version: &'static str,
    /// The responses' XML namespace.
    pub namespace: &'static str,
}

impl Protocol {
    /// Spells an error: an XML document. The HTTP status to send with it is [`ApiError::status`].
    pub fn error(&self, error: &ApiError, request_id: &str) -> String {
        let mut xml = Xml::new(self.dialect);
        match self.dialect {
            Dialect::Ec2 => xml.element("Response", |xml| {
                xml.element("Errors", |xml| {
                    xml.element("Error", |xml| {
                        xml.text_element("Code", &error.code);
                        xml.text_element("Message", &error.message);
                    });
                });
                xml.text_element("RequestID", request_id);
            }),
            Dialect::Query => xml.root("ErrorResponse", self.namespace, |xml| {
                xml.element("Error", |xml| {
                    xml.text_element("Type", if error.status < 500 { "Sender" } else { "Receiver" });
                    xml.text_element("Code", &error.code);
                    xml.text_element("Message", &error.message);
                });
                xml.text_element("RequestId", request_id);
            }),
        }
        xml.finish()
    }

    /// Spells an operation's answer; `members` writes what is inside of the result.
    pub(crate) fn answer(&self, action: &str, request_id: &str, members: impl FnOnce(&mut Xml)) -> String {
        let mut xml = Xml::new(self.dialect);
        xml.root(&format!("{action}Response"), self.namespace, |xml| match self.dialect {
            Dialect::Ec2 => {
                xml.text_element("requestId", request_id);
                members(xml);
            }
            Dialect::Query => {
                xml.element(&format!("{action}Result"), members);
                xml.element("ResponseMetadata", |xml| xml.text_element("RequestId", request_id));
            }
        });
        xml.finish()
    }
}
