// SPDX-License-Identifier: Apache-2.0
//! The application's own keys, whose private halves stay in the keeper (docs/keys.md).

use crate::calls::{bytes, raw, Result};

#[derive(Clone, Copy, Debug)]
pub enum Algorithm {
    /// Public half 65 bytes, signature 64.
    P256 = 1,
    /// 65; 65, the last one for recovery.
    Secp256k1 = 2,
    /// 32; 64.
    Ed25519 = 3,
    /// 32; to be sealed to.
    X25519 = 4,
}

pub fn public(path: &str, algorithm: Algorithm) -> Result<Vec<u8>> {
    bytes(|to, room| unsafe {
        raw::key_public(path.as_ptr(), path.len(), algorithm as u32, to, room)
    })
}

fn sign_as(path: &str, algorithm: u32, message: &[u8]) -> Result<Vec<u8>> {
    let (p, m) = (path, message);
    bytes(|to, room| unsafe {
        raw::key_sign(
            p.as_ptr(),
            p.len(),
            algorithm,
            m.as_ptr(),
            m.len(),
            to,
            room,
        )
    })
}

/// Hashes with SHA-256 first (ECDSA), or as Ed25519 does.
pub fn sign(path: &str, algorithm: Algorithm, message: impl AsRef<[u8]>) -> Result<Vec<u8>> {
    sign_as(path, algorithm as u32, message.as_ref())
}

/// Signs a digest as it is; `P256` and `Secp256k1`.
pub fn sign_digest(path: &str, algorithm: Algorithm, digest: &[u8; 32]) -> Result<Vec<u8>> {
    const DIGEST: u32 = 256;
    sign_as(path, algorithm as u32 | DIGEST, digest)
}

/// 1 to 1024 bytes that only this application has.
pub fn derive(path: &str, size: u32) -> Result<Vec<u8>> {
    bytes(|to, room| unsafe { raw::key_derive(path.as_ptr(), path.len(), size, to, room) })
}

/// What was sealed (HPKE, base mode) to the X25519 key of this path.
pub fn hpke_open(path: &str, info: &[u8], enc: &[u8], aad: &[u8], text: &[u8]) -> Result<Vec<u8>> {
    #[rustfmt::skip]
    let opened = bytes(|to, room| unsafe {
        raw::hpke_open(path.as_ptr(), path.len(), info.as_ptr(), info.len(), enc.as_ptr(), enc.len(),
            aad.as_ptr(), aad.len(), text.as_ptr(), text.len(), to, room)
    });
    opened
}
