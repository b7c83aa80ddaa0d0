// SPDX-License-Identifier: Apache-2.0
// node vote.mjs URL NAME TICKET CHOICE: seals a vote to the ballot's key and casts it.  URL as in https://node:8443/a/ballot
import { seal } from '../../sdk/js/sealed.mjs'

const [url, name, ticket, choice] = process.argv.slice(2)
if (choice === undefined) {
  console.error('usage: node vote.mjs URL NAME TICKET CHOICE')
  process.exit(2)
}
const key = await fetch(`${url}/key`).catch((error) => {
  console.error(`${url}: ${error.cause?.message ?? error.message} (NODE_EXTRA_CA_CERTS=FILE names the node's certificate)`)
  process.exit(1)
})
if (!key.ok)
  throw new Error(`${key.status}: ${await key.text()}`)
const vote = await seal(new Uint8Array(await key.arrayBuffer()), 'ballot', `${name} ${ticket} ${choice}`)
const answer = await fetch(`${url}/vote`, { method: 'POST', body: vote })
process.stdout.write(await answer.text())
process.exit(answer.ok ? 0 : 1)
