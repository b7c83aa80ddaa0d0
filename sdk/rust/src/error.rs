// SPDX-License-Identifier: Apache-2.0
//! Why a call to the node failed.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Invalid,
    Memory,
    /// The manifest does not permit it; the message names the line to add.
    Denied,
    NotFound,
    Limit,
    Conflict,
    Unavailable,
    Timeout,
    Unsupported,
    Failed,
    Internal,
    /// Of the function itself.
    Own,
}

const KINDS: [Kind; 11] = [
    Kind::Invalid,
    Kind::Memory,
    Kind::Denied,
    Kind::NotFound,
    Kind::Limit,
    Kind::Conflict,
    Kind::Unavailable,
    Kind::Timeout,
    Kind::Unsupported,
    Kind::Failed,
    Kind::Internal,
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
}

impl Error {
    /// Of the function itself.
    pub fn new(message: impl Into<String>) -> Error {
        Error {
            kind: Kind::Own,
            message: message.into(),
        }
    }
    /// Of a call's value below 0.
    pub(crate) fn of(value: i64, message: String) -> Error {
        let kind = KINDS
            .get((-1 - value) as usize)
            .copied()
            .unwrap_or(Kind::Internal);
        Error { kind, message }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<std::str::Utf8Error> for Error {
    fn from(error: std::str::Utf8Error) -> Error {
        Error::new(error.to_string())
    }
}

impl From<String> for Error {
    fn from(message: String) -> Error {
        Error::new(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Error {
        Error::new(message)
    }
}
