// SPDX-License-Identifier: Apache-2.0
//! S3N functions in Rust.
//!
//! A function takes a request and gives a response; `handler!` makes a reactor of it. Build it as a
//! `cdylib` for `wasm32-wasip1` (`wasm32-wasi` before Rust 1.78). The formats underneath are those of
//! `docs/abi.md`.
//!
//! ```ignore
//! fn hello(request: &s3n::Request) -> s3n::Result<s3n::Response> {
//!     let name = String::from_utf8_lossy(request.body);
//!     Ok(s3n::Response::text(format!("hello, {name}")))
//! }
//! s3n::handler!(hello);
//! ```

mod batch;
mod calls;
mod error;
pub mod http;
pub mod keys;
pub use batch::*;
pub use calls::*;
pub use error::*;

const REQUEST_HEAD_SIZE: usize = 64;
const ANSWER_HEAD_SIZE: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `s3n run`
    Run,
    /// by the function's name
    Call,
    /// a route of the application
    Http,
}

/// What the function was asked. Borrows the envelope.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Percent-encoded, behind `/a/<application>`.
    pub path: &'a str,
    /// Behind `?`.
    pub query: &'a str,
    pub body: &'a [u8],
    pub trigger: Trigger,
    /// Of the invocation.
    pub id: [u8; 16],
    headers: Vec<(&'a str, &'a [u8])>,
    facts: Vec<(&'a str, &'a [u8])>,
}

fn find<'a>(pairs: &[(&'a str, &'a [u8])], name: &str) -> Option<&'a [u8]> {
    pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1)
}

impl<'a> Request<'a> {
    /// A header's value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        find(&self.headers, name)
    }
    /// What else is known: `S3N_FUNCTION`, `REMOTE_ADDR`, the manifest's `environment`.
    pub fn fact(&self, name: &str) -> Option<&'a [u8]> {
        find(&self.facts, name)
    }
    /// All headers, in their order.
    pub fn headers(&self) -> &[(&'a str, &'a [u8])] {
        &self.headers
    }

    /// Reads an envelope; `None`: it is none.
    pub fn parse(envelope: &'a [u8]) -> Option<Request<'a>> {
        let number = |at: usize| -> Option<usize> {
            let bytes = envelope.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
        };
        let (offset, size) = (number(12)?, number(16)?);
        if !envelope.starts_with(b"S3NQ") || number(8)? != envelope.len() {
            return None;
        }
        let head = envelope.get(..offset)?;
        let mut at = REQUEST_HEAD_SIZE;
        let mut take = |size: usize| -> Option<&'a [u8]> {
            let part = head.get(at..at.checked_add(size)?)?;
            at += size;
            Some(part)
        };
        let mut text = |size: usize| std::str::from_utf8(take(size)?).ok();
        let (method, path, query) = (text(number(20)?)?, text(number(24)?)?, text(number(28)?)?);
        let mut pairs = |count: usize| -> Option<Vec<(&'a str, &'a [u8])>> {
            let mut list = Vec::new();
            for _ in 0..count {
                let sizes = take(8)?;
                let name = u32::from_le_bytes(sizes[..4].try_into().ok()?) as usize;
                let value = u32::from_le_bytes(sizes[4..].try_into().ok()?) as usize;
                list.push((std::str::from_utf8(take(name)?).ok()?, take(value)?));
            }
            Some(list)
        };
        Some(Request {
            method,
            path,
            query,
            headers: pairs(number(32)?)?,
            facts: pairs(number(36)?)?,
            body: envelope.get(offset..offset.checked_add(size)?)?,
            trigger: match envelope[6] {
                0 => Trigger::Run,
                1 => Trigger::Call,
                _ => Trigger::Http,
            },
            id: envelope.get(40..56)?.try_into().ok()?,
        })
    }
}

/// What the caller gets.
#[derive(Clone, Debug)]
pub struct Response {
    /// 200 to 599.
    pub status: u16,
    /// At most 24, 8 KiB together; names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let headers = vec![("content-type".to_string(), content_type.to_string())];
        Response {
            status,
            headers,
            body: body.into(),
        }
    }
    pub fn text(body: impl Into<Vec<u8>>) -> Response {
        Response::new(200, "text/plain; charset=utf-8", body)
    }
    pub fn json(body: impl Into<Vec<u8>>) -> Response {
        Response::new(200, "application/json", body)
    }
    pub fn status(mut self, status: u16) -> Response {
        self.status = status;
        self
    }
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Response {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// The answer's envelope.
    pub fn envelope(&self) -> Vec<u8> {
        let mut all = vec![0; ANSWER_HEAD_SIZE];
        for (name, value) in &self.headers {
            all.extend((name.len() as u32).to_le_bytes());
            all.extend((value.len() as u32).to_le_bytes());
            all.extend(name.as_bytes());
            all.extend(value.as_bytes());
        }
        all.resize((all.len() + 7) / 8 * 8, 0);
        let offset = all.len() as u32;
        all.extend(&self.body);
        let size = all.len() as u32;
        all[..4].copy_from_slice(b"S3NA");
        all[4..6].copy_from_slice(&1u16.to_le_bytes());
        all[6..8].copy_from_slice(&self.status.to_le_bytes());
        let numbers = [
            size,
            offset,
            self.body.len() as u32,
            self.headers.len() as u32,
        ];
        for (place, number) in all[8..24].chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        all
    }
}

/// A mistake becomes an answer: 500 with its text (which the caller sees), and a line in the log.
fn answer(result: Result<Response>) -> Response {
    result.unwrap_or_else(|error| {
        log(Level::Error, &error.to_string());
        Response::text(format!("{error}\n")).status(500)
    })
}

#[doc(hidden)]
pub fn handle(envelope: Vec<u8>, function: impl Fn(&Request) -> Result<Response>) -> &'static [u8] {
    let request = Request::parse(&envelope).expect("a request's envelope");
    Vec::leak(answer(function(&request)).envelope())
}

/// Exports a function `fn(&Request) -> Result<Response>` as a reactor, and optionally a
/// `fn()` that prepares what every request needs, once, before the snapshot.
#[macro_export]
macro_rules! handler {
    ($function:path) => {
        $crate::handler!($function, || ());
    };
    ($function:path, $setup:expr) => {
        #[no_mangle]
        pub extern "C" fn s3n_init() {
            ($setup)()
        }
        #[no_mangle]
        pub extern "C" fn s3n_alloc(size: usize) -> *mut u8 {
            Vec::leak(vec![0u8; size]).as_mut_ptr()
        }
        /// # Safety
        /// The room must be what `s3n_alloc` gave.
        #[no_mangle]
        pub unsafe extern "C" fn s3n_handle(at: *mut u8, size: usize) -> u64 {
            let answer = $crate::handle(Vec::from_raw_parts(at, size, size), $function);
            (answer.as_ptr() as usize as u64) << 32 | answer.len() as u64
        }
    };
}
