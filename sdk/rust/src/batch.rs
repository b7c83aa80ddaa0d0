// SPDX-License-Identifier: Apache-2.0
//! Several calls in one exit from the micro-VM.

use crate::calls::{bytes_of, filled, raw, Result, WHOLE_LIST};
use crate::error::Error;
use crate::keys::Algorithm;

/// What a call of a batch gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of calls that give a number: 1 when it was set, was there.
    pub value: i64,
    pub data: Vec<u8>,
}

/// Calls that are made in one exit, one after the other: at most 64, with arguments of at most 272 KiB.
///
/// ```ignore
/// let [price, kept] = Batch::new().kv_get("prices", "neo").kv_set("seen", "neo", "1", 0).run()?;
/// let price = found(price)?.map(|answer| answer.data);
/// kept?;
/// ```
#[derive(Clone, Default)]
pub struct Batch {
    records: Vec<u8>,
    count: u32,
}

const LIST_HEAD_SIZE: usize = 16;
const ANSWER_HEAD_SIZE: usize = 24;

impl Batch {
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Any call: its row in the table of `docs/abi.md` from 1, its parameters in their order without the buffer.
    pub fn call(mut self, call: u16, numbers: &[u64], strings: &[&[u8]]) -> Batch {
        let at = self.records.len();
        self.records.extend([0; 4]);
        self.records.extend(call.to_le_bytes());
        self.records
            .extend([numbers.len() as u8, strings.len() as u8]);
        for number in numbers {
            self.records.extend(number.to_le_bytes());
        }
        for string in strings {
            self.records.extend((string.len() as u32).to_le_bytes());
        }
        for string in strings {
            self.records.extend(*string);
        }
        let size = (self.records.len() - at + 7) / 8 * 8;
        self.records.resize(at + size, 0);
        self.records[at..at + 4].copy_from_slice(&(size as u32).to_le_bytes());
        self.count += 1;
        self
    }
    pub fn kv_get(self, space: &str, key: impl AsRef<[u8]>) -> Batch {
        self.call(1, &[], &[space.as_bytes(), key.as_ref()])
    }
    /// `ttl_ms` 0: for ever.
    #[rustfmt::skip]
    pub fn kv_set(self, space: &str, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, ttl_ms: u64) -> Batch {
        self.call(2, &[ttl_ms], &[space.as_bytes(), key.as_ref(), value.as_ref()])
    }
    pub fn kv_delete(self, space: &str, key: impl AsRef<[u8]>) -> Batch {
        self.call(3, &[], &[space.as_bytes(), key.as_ref()])
    }
    /// `expected` `None`: when there is none.
    #[rustfmt::skip]
    pub fn kv_compare_and_set(self, space: &str, key: impl AsRef<[u8]>, expected: Option<&[u8]>, value: impl AsRef<[u8]>, ttl_ms: u64) -> Batch {
        let strings = [space.as_bytes(), key.as_ref(), expected.unwrap_or(&[]), value.as_ref()];
        self.call(5, &[expected.is_some() as u64, ttl_ms], &strings)
    }
    pub fn secret(self, name: &str, version: u32) -> Batch {
        self.call(6, &[version as u64], &[name.as_bytes()])
    }
    pub fn sign(self, path: &str, algorithm: Algorithm, message: impl AsRef<[u8]>) -> Batch {
        self.call(8, &[algorithm as u64], &[path.as_bytes(), message.as_ref()])
    }

    /// Makes as many calls as answers are wanted; an error when there was no exit or the counts differ.
    pub fn run<const COUNT: usize>(self) -> Result<[Result<Answer>; COUNT]> {
        let list = self.run_all()?;
        let count = list.len();
        list.try_into()
            .map_err(|_| Error::new(format!("{COUNT} answers are wanted of {count} calls")))
    }

    /// Makes them all: as many answers, in their order.
    pub fn run_all(self) -> Result<Vec<Result<Answer>>> {
        let mut list = b"SCQ1".to_vec();
        list.extend(((LIST_HEAD_SIZE + self.records.len()) as u32).to_le_bytes());
        list.extend(self.count.to_le_bytes());
        list.extend([0; 4]);
        list.extend(self.records);
        let answers = bytes_of(WHOLE_LIST, |to, room| unsafe {
            raw::batch(list.as_ptr(), list.len(), to, room)
        })?;
        let cut = || Error::new("the node's list is cut");
        let (mut results, mut at) = (Vec::new(), LIST_HEAD_SIZE);
        for index in 0..self.count {
            let record = Record::parse(answers.get(at..).unwrap_or(&[])).ok_or_else(cut)?;
            at += record.size;
            results.push(record.answer(index));
        }
        Ok(results)
    }
}

/// Size (4), size of the data here (4), value (8), size of all the data (8), the data.
struct Record<'a> {
    size: usize,
    value: i64,
    total: usize,
    here: &'a [u8],
}

impl<'a> Record<'a> {
    fn parse(list: &'a [u8]) -> Option<Record<'a>> {
        let number = |at: usize| {
            let bytes = list.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_le_bytes(bytes))
        };
        let sizes = number(0)?;
        let here = (sizes >> 32) as usize;
        Some(Record {
            size: sizes as u32 as usize,
            value: number(8)? as i64,
            total: number(16)? as usize,
            here: list.get(ANSWER_HEAD_SIZE..)?.get(..here)?,
        })
    }

    fn answer(self, index: u32) -> Result<Answer> {
        if self.value < 0 {
            let message = String::from_utf8_lossy(self.here).into_owned();
            return Err(Error::of(self.value, message));
        }
        let data = filled(self.here.to_vec(), self.total, index)?;
        let value = self.value;
        Ok(Answer { value, data })
    }
}
