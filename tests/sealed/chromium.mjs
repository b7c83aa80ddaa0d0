// SPDX-License-Identifier: Apache-2.0
// chromium.mjs PLAYWRIGHT CHROMIUM PAGE OWNER TOKEN VALUE: an owner's page, driven as a person would.  The value comes to nobody
// but the node's keeper: no request has it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [playwright, executablePath, url, owner, token, value] = process.argv.slice(2)
const { chromium } = await import(pathToFileURL(join(playwright, 'index.mjs')))
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
const context = await browser.newContext({ ignoreHTTPSErrors: true })
const sent = [], faults = []
context.on('request', (request) => sent.push(request.url() + ' ' + (request.postDataBuffer()?.toString('latin1') ?? '')))
const page = await context.newPage()
page.on('pageerror', (error) => faults.push(error.message))
let failed = 0

async function test(name, run) {
  try {
    await run()
    console.log(`ok    ${name}`)
  } catch (error) {
    failed++
    console.log(`FAIL  ${name}: ${error.message.replaceAll('\n', ' ')} ${faults}`)
  }
}

async function submit(fields) {
  for (const [name, text] of Object.entries(fields))
    await page.fill(`[name=${name}]`, text)
  await page.evaluate(() => { document.querySelector('output').textContent = '' })
  await page.click('button')
  await page.waitForFunction(() => document.querySelector('output').textContent !== '')
  return page.textContent('output')
}

page.setDefaultTimeout(20000)
await test('Chromium: the page is there', async () => {
  await page.goto(url)
  await page.waitForFunction(() => document.querySelector('output').textContent === 'ready')
})
await test('Chromium: verifies the node, sets a secret', async () =>
  assert.equal(await submit({ owner, token, name: 'FROM_BROWSER', value }), `FROM_BROWSER is version 1; the function sees ${value.length} bytes`))
await test('Chromium: and again', async () => assert.match(await submit({ value }), /is version 2/))
await test('Chromium: no request has the value', () => {
  const forms = [value, Buffer.from(value).toString('hex'), Buffer.from(value).toString('base64').slice(0, 16)]
  assert.ok(sent.some((text) => text.includes('/secrets/FROM_BROWSER')))
  assert.deepEqual(sent.filter((text) => forms.some((form) => text.includes(form))), [])
})
await test('Chromium: another account', async () => assert.match(await submit({ owner: 'ab'.repeat(32) }), /^unverified: /))
await test('Chromium: nothing went wrong', () => assert.deepEqual(faults, []))
await browser.close()
process.exit(failed === 0 ? 0 : 1)
