//! Which protocol a service speaks, and its answers' outer form.

use crate::ApiError;
use crate::sigv4::SignatureError;
use crate::xml::Xml;

/// A service's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Forms in, XML out.
    Form(FormProtocol),
    /// JSON in and out.
    Json(JsonProtocol),
}

impl Protocol {
    /// Spells an error. The HTTP status to send with it is [`ApiError::status`].
    pub fn error(&self, error: &ApiError, request_id: &str) -> String {
        match self {
            Self::Form(form) => form.error(error, request_id),
            Self::Json(_) => {
                let ApiError { code, message, .. } = error;
                serde_json::json!({ "__type": code, "message": message }).to_string()
            }
        }
    }

    /// A signature's error, in the words of the protocol's services.
    pub fn refusal(&self, error: SignatureError) -> ApiError {
        match self {
            Self::Form(form) => error.into_error(form.dialect),
            Self::Json(_) => error.into_exception(),
        }
    }

    /// The media type of answers.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Form(_) => "text/xml;charset=UTF-8",
            Self::Json(_) => "application/x-amz-json-1.1",
        }
    }
}

/// JSON 1.1, as a service's model states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonProtocol {
    /// What `X-Amz-Target` has before a dot and the operation.
    pub target: &'static str,
}

/// The two spellings that AWS's form-encoded services have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// EC2's: lists are `Name.1` in requests and `<item>` in responses; the response carries no result wrapper.
    Ec2,
    /// Everybody else's: lists are `Name.member.1` and `<member>`; the response wraps a result.
    Query,
}

/// A service's form-encoded protocol, as its model states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormProtocol {
    /// How lists, responses and errors are spelled.
    pub dialect: Dialect,
    /// The API's version, as `2016-11-15`.
    pub version: &'static str,
    /// The responses' XML namespace.
    pub namespace: &'static str,
}

impl FormProtocol {
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
