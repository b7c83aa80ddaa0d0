// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

package s3n

import "unsafe"

// The imports as they are: a string is address and size, a buffer address and capacity.

//go:wasmimport s3n kv_get
func kvGet(space, key string, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n kv_set
func kvSet(space, key, value string, ttlMS uint64) int64

//go:wasmimport s3n kv_delete
func kvDelete(space, key string) int64

//go:wasmimport s3n kv_list
func kvList(space, prefix, after string, count uint32, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n kv_compare_and_set
func kvCompareAndSet(space, key string, exists uint32, expected, value string, ttlMS uint64) int64

//go:wasmimport s3n secret_get
func secretGet(name string, version uint32, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n key_public
func keyPublic(path string, algorithm uint32, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n key_sign
func keySign(path string, algorithm uint32, message string, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n key_derive
func keyDerive(path string, size uint32, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n hpke_open
func hpkeOpen(path, info, enc, aad, text string, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n http_fetch
func httpFetch(method, url, headers, body string, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n attest
func attest(nonce string, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n about
func about(to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n batch
func makeBatch(requests string, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n rest
func rest(index, offset uint32, to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n error_message
func errorMessage(to unsafe.Pointer, room uint32) int64

//go:wasmimport s3n log
func log(level uint32, text string) int64

func in(buffer []byte) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(buffer)), uint32(len(buffer))
}
