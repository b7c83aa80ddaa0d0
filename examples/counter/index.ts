// SPDX-License-Identifier: Apache-2.0
// A confidential counter: callers add numbers, everybody may read how many there were, and the sum only
// when there are enough of them that nobody's own number shows. Requests come sealed (s3n.toml), so no
// proxy sees a number either.
import { Batch, Failure, Request, Response, Result, bytesOf, handle, log, Level } from "../../sdk/assemblyscript/assembly";
export { s3n_alloc, s3n_handle } from "../../sdk/assemblyscript/assembly";

const ENOUGH = 3;
const LARGEST: i64 = 1_000_000_000;

/** The count and the sum, in one exit. */
function kept(): i64[] {
  return new Batch()
    .kvGet("counter", "count")
    .kvGet("counter", "sum")
    .run()
    .map<i64>((found: Result): i64 => (found.is(Failure.NotFound) ? 0 : I64.parseInt(found.must().text)));
}

/** -1: not a number of 0 to LARGEST. */
function numberOf(text: string): i64 {
  const digits = text.trim();
  if (digits.length == 0 || digits.length > 10) return -1;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return -1;
  }
  const number = I64.parseInt(digits);
  return number <= LARGEST ? number : -1;
}

function add(request: Request): Response {
  const number = numberOf(request.text());
  if (number < 0) return Response.text("a number from 0 to " + LARGEST.toString() + " is needed\n", 400);
  const before = kept();
  const count = before[0] + 1;
  new Batch()
    .kvSet("counter", "count", bytesOf(count.toString()))
    .kvSet("counter", "sum", bytesOf((before[1] + number).toString()))
    .run()
    .forEach((set: Result) => {
      set.must();
    });
  log(Level.Information, "number " + count.toString() + " was added");
  return Response.json('{"count":' + count.toString() + "}\n");
}

function show(): Response {
  const all = kept(),
    count = all[0];
  let text = '{"count":' + count.toString();
  if (count >= ENOUGH) text += ',"sum":' + all[1].toString();
  return Response.json(text + "}\n");
}

handle((request: Request): Response => {
  if (request.fact("S3N_FUNCTION") == "add") return add(request);
  return show();
});
