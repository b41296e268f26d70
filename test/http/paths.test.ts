import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

/** Sends a path as it is written: `fetch` would tidy it. */
function rawGet(app: App, path: string): Promise<{ status: number; body: string }> {
  const { port } = new URL(app.url)
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: `/cargo${path}` }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
      .on('error', reject)
      .end()
  })
}

const NOT_FOUND = [
  '/serde',
  '/1/serde',
  '/se/rd/',
  '/se/rd/serde/',
  '/se/de/serde',
  '/rd/se/serde',
  '/se//rd/serde',
  '//se/rd/serde',
  '/./se/rd/serde',
  '/se/./rd/serde',
  '/x/../se/rd/serde',
  '/se/rd/serde;x',
  '/se/rd/serde%00',
  '/se%2frd/serde',
  '/se%2Frd%2Fserde',
  '/index//se/rd/serde',
  '/index/index/se/rd/serde',
  '/Index/se/rd/serde',
  '/config.json/',
  '/Config.json',
  '/config%2ejson%00',
  '/api/v1/crates/',
  '/api/v1//crates',
  '/API/v1/crates',
  '/api/v1/crates/serde/1.0.0/download/',
  '/api/v1/crates/Serde/1.0.0/download',
  '/api/v1/crates/serde/1.0.1/download',
  '/api/v1/crates/serde/1.0.0+build/download',
  '/api/v1/crates/other/1.0.0/download',
  '/__proto__/constructor',
]

const BAD_REQUESTS: readonly (readonly [string, string])[] = [
  ['/api/v1/crates/serde/v1.0.0/download', 'invalid version `v1.0.0`: must be a semantic version, `1.2.3`'],
  [
    '/api/v1/crates/..%2f..%2fserde/1.0.0/download',
    'invalid crate name `../../serde`: must start with an ASCII letter',
  ],
  [
    '/api/v1/crates/serde;x/1.0.0/download',
    'invalid crate name `serde;x`: must contain only ASCII letters, digits, `-` and `_`',
  ],
]

const UNDECODABLE = ['/%', '/se/rd/%zz', '/api/v1/crates/%ff/1.0.0/download']

const SAME_FILE = ['/se/rd/serde', '/index/se/rd/serde', '/SE/RD/SERDE', '/se/rd/s%65rde', '/se/rd/serde?x']

async function appWithSerde(context: Parameters<typeof startApp>[0]): Promise<App> {
  const app = await startApp(context)
  assert.equal((await app.publish(crateFile('serde'))).status, 200)
  return app
}

test('every spelling but the right one is not found', async (t) => {
  const app = await appWithSerde(t)
  for (const path of NOT_FOUND) {
    const { status, body } = await rawGet(app, path)
    assert.equal(status, 404, `${path} ${body}`)
    assert.deepEqual(Object.keys(JSON.parse(body)), ['errors'], path)
  }
})

test('a name or version that is none is a bad request', async (t) => {
  const app = await appWithSerde(t)
  for (const [path, detail] of BAD_REQUESTS) {
    const { status, body } = await rawGet(app, path)
    assert.equal(status, 400, path)
    assert.deepEqual(JSON.parse(body), { errors: [{ detail }] })
  }
})

test('a path that cannot be decoded is no server error', async (t) => {
  const app = await appWithSerde(t)
  for (const path of UNDECODABLE) {
    const { status, body } = await rawGet(app, path)
    assert.ok(status === 400 || status === 404, `${path} ${status} ${body}`)
    assert.deepEqual(Object.keys(JSON.parse(body)), ['errors'], path)
  }
  assert.deepEqual(app.errors, [])
})

test('an index file answers to both roots, any case and escaped letters', async (t) => {
  const app = await appWithSerde(t)
  for (const path of SAME_FILE) {
    const { status, body } = await rawGet(app, path)
    assert.equal(status, 200, `${path} ${body}`)
    assert.equal(JSON.parse(body).name, 'serde')
  }
})

test('a path outside the mount is left to the host', async (t) => {
  const app = await startApp(t)
  const answer = await fetch(`${app.url}x/config.json`)
  assert.equal(await answer.text(), 'the host answers')
})
