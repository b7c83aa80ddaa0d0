// SPDX-License-Identifier: Apache-2.0
//! Requests to others: `permissions.http` (docs/outbound.md).

use crate::calls::{bytes, raw, Result};
use crate::error::Error;

/// The answer of whoever was asked, after redirects.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub status: u16,
    /// Where it came from in the end.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Fetched {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|pair| pair.0 == name)
            .map(|pair| pair.1.as_str())
    }
}

/// Asks. Any status is an answer; an error is when there was none.
pub fn fetch(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Fetched> {
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let (m, u, h, b) = (method, url, &lines, body);
    #[rustfmt::skip]
    let data = bytes(|to, room| unsafe {
        raw::http_fetch(m.as_ptr(), m.len(), u.as_ptr(), u.len(), h.as_ptr(), h.len(), b.as_ptr(), b.len(), to, room)
    })?;
    parse(&data).ok_or_else(|| Error::new("the node's answer is not a response"))
}

/// "STATUS URL\n", lines "name: value\n", an empty line, the body.
fn parse(data: &[u8]) -> Option<Fetched> {
    let mut rest = data;
    let mut line = || -> Option<&str> {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let (line, behind) = rest.split_at(end);
        rest = &behind[1..];
        std::str::from_utf8(line).ok()
    };
    let (status, url) = line()?.split_once(' ')?;
    let (status, url) = (status.parse().ok()?, url.to_string());
    let mut headers = Vec::new();
    loop {
        match line()? {
            "" => break,
            field => {
                let (name, value) = field.split_once(": ").or_else(|| field.split_once(':'))?;
                headers.push((name.to_string(), value.to_string()));
            }
        }
    }
    Some(Fetched {
        status,
        url,
        headers,
        body: rest.to_vec(),
    })
}
