// SPDX-License-Identifier: Apache-2.0
// Batches through the SDK: answers that fill more than one buffer, more than one list, and errors among them.
import { Batch, Failure, Hash, Request, Response, Result, bytesOf, handle, hash } from "../../sdk/assemblyscript/assembly";
export { s3n_alloc, s3n_handle } from "../../sdk/assemblyscript/assembly";

function large(first: i32): Uint8Array {
  const data = new Uint8Array(200000);
  for (let i = 0; i < data.length; i++) data[i] = <u8>(first + (i % 251));
  return data;
}

function hex(byte: u8): string {
  return byte.toString(16).padStart(2, "0");
}

function shown(result: Result): string {
  if (result.is(Failure.NotFound)) return "none: " + result.message + "\n";
  if (result.is(Failure.Unsupported)) return "Unsupported: " + result.message + "\n";
  if (!result.ok) return "Invalid: " + result.message + "\n";
  if (result.data.length == 0) return result.value.toString() + "\n";
  const digest = hash(Hash.SHA256, result.data);
  return result.value.toString() + " " + hex(digest[0]) + hex(digest[1]) + "\n";
}

handle((request: Request): Response => {
  let text = shown(new Batch().kvSet("s", "a", large(1)).run()[0]);
  text += shown(new Batch().kvSet("s", "b", large(2)).run()[0]);
  const all = new Batch()
    .kvGet("s", "a")
    .kvGet("s", "c")
    .kvGet("s", "b")
    .kvCompareAndSet("s", "c", null, bytesOf("new"), 60000)
    .kvCompareAndSet("s", "c", null, bytesOf("newer"))
    .kvCompareAndSet("s", "c", bytesOf("new"), bytesOf(""))
    .kvGet("s", "c")
    .kvRemove("s", "c")
    .call(999, [1], [String.UTF8.encode("x")])
    .run();
  for (let i = 0; i < all.length; i++) text += shown(all[i]);
  if (new Batch().kvGet("s", "c").run()[0].is(Failure.NotFound)) text += "none\n";
  const many = new Batch();
  for (let i = 0; i < 65; i++) many.kvGet("s", "c");
  const results = many.run();
  if (results.length == 65 && results[64].is(Failure.Invalid)) text += "65: Invalid\n";
  return Response.text(text);
});
