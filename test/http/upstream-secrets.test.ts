import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { CargoError } from '../../src/errors.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { keysOf } from '../support/watched-store.ts'
import { uplinkOptions } from './upstream-app.ts'

const CLIENT = 'the-token-of-a-client'
const TOKEN = 'the-token-of-the-uplink'
const HEADER = 'the-header-of-the-uplink'
const PATHS = [
  '/config.json',
  '/3/f/foo',
  '/3/b/bar',
  '/api/v1/crates/foo/1.0.0/download',
  '/api/v1/crates/foo/9.9.9/download',
  '/api/v1/crates/foo/explain',
  '/api/v1/crates/bar/1.0.0/explain',
  '/api/v1/crates?q=foo',
  '/me',
]

test("a client's credential never reaches an uplink, and an uplink's never a client, log, metric or store", async (t) => {
  const uplink = await startUplink(t, { crates: [crateFile('foo')], api: true, authRequired: TOKEN })
  const elsewhere = await startUplink(t, { crates: [crateFile('foo')] })
  const heard: string[] = []
  const hear = (object: object, message: string) =>
    void heard.push(
      message,
      JSON.stringify(object, (_, value) => (value instanceof Error ? told(value) : value)),
    )
  const storage = memoryStorage()
  const app = await startApp(t, {
    options: {
      auth_required: true,
      admins: ['$all'],
      uplinks: {
        up: { ...uplinkOptions(uplink), auth: { type: 'token', token: TOKEN }, headers: { 'x-own': HEADER } },
      },
    },
    host: {
      storage,
      logger: { debug: hear, info: hear, warn: hear, error: hear },
      emit: (event) => void heard.push(JSON.stringify(event)),
      auth: {
        async authenticate(authorization) {
          if (authorization !== CLIENT) throw new CargoError('invalid_credential', 'the token is not known')
          return { name: 'ann', groups: [] }
        },
        authorize: async () => true,
      },
    },
  })
  const ask = async () => {
    for (const path of PATHS) {
      const { text, headers } = await app.request(path, {
        as: CLIENT,
        headers: { cookie: CLIENT, 'x-client': CLIENT, 'proxy-authorization': CLIENT },
      })
      heard.push(text, JSON.stringify([...headers]))
    }
  }
  await ask()
  assert.ok(uplink.requests.length > 3)
  for (const { headers } of uplink.requests)
    assert.deepEqual([headers.authorization, headers['x-own']], [TOKEN, HEADER])
  // Sent to another origin; then wrong in several ways.
  uplink.fault(/foo/, { mode: '307', location: `${elsewhere.url}3/f/foo` })
  await ask()
  for (const fault of ['401', '500', 'html200', 'hang-up', '404', '429'] as const) {
    uplink.heal()
    uplink.fault(/./, fault)
    await ask()
  }
  await uplink.stop()
  await ask()
  heard.push(await app.metrics.metrics())
  await app.close()
  for (const key of await keysOf(storage)) {
    const object = await storage.get(key)
    heard.push(key, object === undefined ? '' : (await buffer(object.body)).toString('latin1'))
  }
  const toUplinks = JSON.stringify([...uplink.requests, ...elsewhere.requests])
  assert.ok(!toUplinks.includes(CLIENT))
  assert.ok(!JSON.stringify(elsewhere.requests).includes(TOKEN))
  assert.ok(!JSON.stringify(elsewhere.requests).includes(HEADER))
  const all = heard.join('\n')
  assert.ok(all.length > 10_000)
  for (const secret of [CLIENT, TOKEN, HEADER]) assert.ok(!all.includes(secret), secret)
})

/** All that a logger may write of an error, causes included. */
function told(error: Error): object {
  const { name, message, stack, cause, ...fields } = error
  return { name, message, stack, cause, ...fields }
}
