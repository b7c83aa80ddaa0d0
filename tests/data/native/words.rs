// SPDX-License-Identifier: Apache-2.0
// A native function in Rust: counts the words of a request.  See sdk/c/README.md.
#![no_std]

#[repr(C)]
struct Text {
    data: *const u8,
    size: usize,
}

#[repr(C)]
pub struct Request {
    method: Text,
    path: Text,
    query: Text,
    body: Text,
    // more follows in sdk/c/s3n.h
}

#[repr(C)]
pub struct Response {
    _private: [u8; 0],
}

extern "C" {
    fn s3n_print_number(response: *mut Response, number: i64);
    fn s3n_header_set(response: *mut Response, name: *const u8, value: *const u8) -> i32;
    fn s3n_exit(code: u32) -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { s3n_exit(101) }
}

#[no_mangle]
pub extern "C" fn s3n_main(request: &Request, response: *mut Response) -> i32 {
    let body = unsafe { core::slice::from_raw_parts(request.body.data, request.body.size) };
    let words = body.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    if body.starts_with(b"panic") {
        panic!();
    }
    unsafe {
        s3n_header_set(response, b"content-type\0".as_ptr(), b"text/plain\0".as_ptr());
        s3n_print_number(response, words.count() as i64);
    }
    0
}
