// SPDX-License-Identifier: Apache-2.0
//! Calls to the node: the table of `docs/abi.md`. Each needs a permission in `s3n.toml`.

use crate::error::{Error, Kind};

pub type Result<T> = std::result::Result<T, Error>;

/// The imports as they are: a string is address and size, a buffer address and capacity.
#[rustfmt::skip]
pub(crate) mod raw {
    #[link(wasm_import_module = "s3n")]
    extern "C" {
        pub fn kv_get(s: *const u8, sn: usize, k: *const u8, kn: usize, to: *mut u8, room: usize) -> i64;
        pub fn kv_set(s: *const u8, sn: usize, k: *const u8, kn: usize, v: *const u8, vn: usize, ttl_ms: u64) -> i64;
        pub fn kv_delete(s: *const u8, sn: usize, k: *const u8, kn: usize) -> i64;
        pub fn kv_list(s: *const u8, sn: usize, p: *const u8, pn: usize, a: *const u8, an: usize, count: u32, to: *mut u8, room: usize) -> i64;
        pub fn kv_compare_and_set(s: *const u8, sn: usize, k: *const u8, kn: usize, exists: u32, e: *const u8, en: usize, v: *const u8, vn: usize, ttl_ms: u64) -> i64;
        pub fn secret_get(n: *const u8, nn: usize, version: u32, to: *mut u8, room: usize) -> i64;
        pub fn key_public(p: *const u8, pn: usize, alg: u32, to: *mut u8, room: usize) -> i64;
        pub fn key_sign(p: *const u8, pn: usize, alg: u32, m: *const u8, mn: usize, to: *mut u8, room: usize) -> i64;
        pub fn key_derive(p: *const u8, pn: usize, size: u32, to: *mut u8, room: usize) -> i64;
        pub fn hpke_open(p: *const u8, pn: usize, i: *const u8, il: usize, e: *const u8, en: usize, a: *const u8, an: usize, t: *const u8, tn: usize, to: *mut u8, room: usize) -> i64;
        pub fn http_fetch(m: *const u8, mn: usize, u: *const u8, un: usize, h: *const u8, hn: usize, b: *const u8, bn: usize, to: *mut u8, room: usize) -> i64;
        pub fn attest(n: *const u8, nn: usize, to: *mut u8, room: usize) -> i64;
        pub fn about(to: *mut u8, room: usize) -> i64;
        pub fn batch(r: *const u8, rn: usize, to: *mut u8, room: usize) -> i64;
        pub fn rest(index: u32, offset: usize, to: *mut u8, room: usize) -> i64;
        pub fn error_message(to: *mut u8, room: usize) -> i64;
        pub fn random(to: *mut u8, room: usize) -> i64;
        pub fn time() -> i64;
        pub fn hash(alg: u32, d: *const u8, dn: usize, to: *mut u8, room: usize) -> i64;
        pub fn log(level: u32, t: *const u8, tn: usize) -> i64;
    }
}

pub(crate) fn checked(value: i64) -> Result<i64> {
    if value >= 0 {
        return Ok(value);
    }
    let mut text = vec![0; 512];
    let size = unsafe { raw::error_message(text.as_mut_ptr(), text.len()) };
    text.truncate(size.max(0) as usize);
    Err(Error::of(
        value,
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

pub(crate) const WHOLE_LIST: u32 = u32::MAX;

/// Bytes of whatever size: what the first buffer has no room for is fetched behind it.
pub(crate) fn bytes(call: impl FnOnce(*mut u8, usize) -> i64) -> Result<Vec<u8>> {
    bytes_of(0, call)
}

/// The same of a list: of the call `index`, or of the list itself.
pub(crate) fn bytes_of(index: u32, call: impl FnOnce(*mut u8, usize) -> i64) -> Result<Vec<u8>> {
    let mut data = vec![0; 4096];
    let size = checked(call(data.as_mut_ptr(), data.len()))? as usize;
    data.truncate(size);
    filled(data, size, index)
}

/// Fetches what is missing of `size` bytes.
pub(crate) fn filled(mut data: Vec<u8>, size: usize, index: u32) -> Result<Vec<u8>> {
    let mut got = data.len();
    data.resize(size, 0);
    while got < size {
        let part = unsafe { raw::rest(index, got, data[got..].as_mut_ptr(), size - got) };
        got += match checked(part)? as usize {
            0 => return Err(Error::new("the node's answer is cut")),
            part => part.min(size - got),
        };
    }
    Ok(data)
}

/// `None` when the call failed because there is none of this name.
pub fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The application's sealed state. One invocation is one transaction.
pub mod kv {
    use super::*;

    pub fn get(space: &str, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        let (s, k) = (space.as_bytes(), key.as_ref());
        found(bytes(|to, room| unsafe {
            raw::kv_get(s.as_ptr(), s.len(), k.as_ptr(), k.len(), to, room)
        }))
    }

    /// `ttl_ms` 0: for ever.
    #[rustfmt::skip]
    pub fn set(space: &str, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, ttl_ms: u64) -> Result<()> {
        let (s, k, v) = (space.as_bytes(), key.as_ref(), value.as_ref());
        checked(unsafe {
            raw::kv_set(s.as_ptr(), s.len(), k.as_ptr(), k.len(), v.as_ptr(), v.len(), ttl_ms)
        }).map(|_| ())
    }

    /// Whether it was there.
    pub fn delete(space: &str, key: impl AsRef<[u8]>) -> Result<bool> {
        let (s, k) = (space.as_bytes(), key.as_ref());
        checked(unsafe { raw::kv_delete(s.as_ptr(), s.len(), k.as_ptr(), k.len()) }).map(|n| n == 1)
    }

    pub struct Entry {
        pub key: Vec<u8>,
        pub value: Vec<u8>,
        /// In ms since 1970; 0: never.
        pub expires_ms: u64,
    }

    /// The first `count` (at most 1000) entries behind `after`, and whether there are more.
    #[rustfmt::skip]
    pub fn list(space: &str, prefix: impl AsRef<[u8]>, after: impl AsRef<[u8]>, count: u32) -> Result<(Vec<Entry>, bool)> {
        const WITH_VALUES: u32 = 65536;
        let (s, p, a) = (space.as_bytes(), prefix.as_ref(), after.as_ref());
        let data = bytes(|to, room| unsafe {
            raw::kv_list(s.as_ptr(), s.len(), p.as_ptr(), p.len(), a.as_ptr(), a.len(), count | WITH_VALUES, to, room)
        })?;
        entries(&data).ok_or_else(|| Error::new("the node's list is cut"))
    }

    fn entries(data: &[u8]) -> Option<(Vec<Entry>, bool)> {
        let number =
            |at: usize| Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?) as usize);
        let (mut list, mut at) = (Vec::new(), 8);
        for _ in 0..number(0)? {
            let (value_at, end) = (
                at + 16 + number(at)?,
                at + 16 + number(at)? + number(at + 4)?,
            );
            list.push(Entry {
                key: data.get(at + 16..value_at)?.to_vec(),
                value: data.get(value_at..end)?.to_vec(),
                expires_ms: u64::from_le_bytes(data.get(at + 8..at + 16)?.try_into().ok()?),
            });
            at = end;
        }
        Some((list, number(4)? == 1))
    }

    /// Sets it when it is `expected` (`None`: when there is none); whether it did.
    #[rustfmt::skip]
    pub fn compare_and_set(space: &str, key: impl AsRef<[u8]>, expected: Option<&[u8]>, value: impl AsRef<[u8]>, ttl_ms: u64) -> Result<bool> {
        let (s, k, v, e) = (space.as_bytes(), key.as_ref(), value.as_ref(), expected.unwrap_or(&[]));
        checked(unsafe {
            raw::kv_compare_and_set(s.as_ptr(), s.len(), k.as_ptr(), k.len(), expected.is_some() as u32,
                e.as_ptr(), e.len(), v.as_ptr(), v.len(), ttl_ms)
        }).map(|n| n == 1)
    }
}

/// A secret of the application; `version` 0: the present one.
pub fn secret(name: &str, version: u32) -> Result<Vec<u8>> {
    bytes(|to, room| unsafe { raw::secret_get(name.as_ptr(), name.len(), version, to, room) })
}

/// What `/.well-known/s3n/attestation` gives for this nonce.
pub fn attest(nonce: &[u8; 32]) -> Result<Vec<u8>> {
    bytes(|to, room| unsafe { raw::attest(nonce.as_ptr(), nonce.len(), to, room) })
}

/// `{"application":…,"function":…,"invocation":…,"version":…}`
pub fn about() -> Result<Vec<u8>> {
    bytes(|to, room| unsafe { raw::about(to, room) })
}

/// Fresh in every invocation.
pub fn random(target: &mut [u8]) -> Result<()> {
    checked(unsafe { raw::random(target.as_mut_ptr(), target.len()) }).map(|_| ())
}

/// Nanoseconds since 1970.
pub fn time_ns() -> i64 {
    unsafe { raw::time() }
}

#[derive(Clone, Copy)]
pub enum Hash {
    Sha256 = 1,
    Sha384 = 2,
    Sha512 = 3,
    Sha3_256 = 4,
    Keccak256 = 5,
}

pub fn hash(algorithm: Hash, data: impl AsRef<[u8]>) -> Result<Vec<u8>> {
    let data = data.as_ref();
    bytes(|to, room| unsafe { raw::hash(algorithm as u32, data.as_ptr(), data.len(), to, room) })
}

#[derive(Clone, Copy)]
pub enum Level {
    Error = 3,
    Warning = 4,
    Information = 6,
    Debug = 7,
}

/// A line in the function's log, which its owner alone can read.
pub fn log(level: Level, text: &str) {
    unsafe { raw::log(level as u32, text.as_ptr(), text.len()) };
}
