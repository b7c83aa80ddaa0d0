// SPDX-License-Identifier: Apache-2.0
// Sorts the lines of its input and prints a checksum of each: strings, maps, typed arrays, floats,
// garbage collection, arguments, clock, random numbers, exit status.

function checksum(text: string): u32 {
  let hash: u32 = 2166136261;
  for (let i = 0; i < text.length; i++) {
    hash ^= <u32>text.charCodeAt(i);
    hash = hash * 16777619;
  }
  return hash;
}

function readAll(): string {
  const chunk = new ArrayBuffer(1000);
  let whole = new Array<u8>();
  for (;;) {
    const got = process.stdin.read(chunk);
    if (got <= 0) break;
    const view = Uint8Array.wrap(chunk);
    for (let i = 0; i < <i32>got; i++) whole.push(view[i]);
  }
  const bytes = new Uint8Array(whole.length);
  for (let i = 0; i < whole.length; i++) bytes[i] = whole[i];
  return String.UTF8.decode(bytes.buffer);
}

const lines = readAll().split("\n").filter((line) => line.length > 0);
const seen = new Map<string, i32>();
for (let i = 0; i < lines.length; i++) {
  seen.set(lines[i], seen.has(lines[i]) ? seen.get(lines[i]) + 1 : 1);
}
const names = seen.keys().sort();
let total: f64 = 0;
for (let i = 0; i < names.length; i++) {
  total += Math.sqrt(<f64>names[i].length);
  console.log(names[i] + " " + seen.get(names[i]).toString() + " " + checksum(names[i]).toString(16));
}
console.log("roots " + total.toString());
console.log("arguments " + process.argv.slice(1).join(","));
const random = new Uint8Array(64);
crypto.getRandomValues(random);
let bits = 0;
for (let i = 0; i < random.length; i++) bits += popcnt<i32>(random[i]);
console.log("random " + (bits > 150 && bits < 360).toString());
console.log("clock " + (Date.now() > 1600000000000).toString());
console.error("done");
process.exit(names.length % 100);
