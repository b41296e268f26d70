import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePublishBody } from '../../src/protocol/publish-body.ts'
import { type App, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

const HEAD =
  '[package]\nname = "foo"\nversion = "1.0.0"\nedition = "2021"\ndescription = "x"\nlicense = "MIT"\n'

/** `Cargo.toml`s that reach for the prototype of all objects. */
const MANIFESTS = [
  `${HEAD}[__proto__]\npolluted = 1`,
  `${HEAD}[__proto__.__proto__]\npolluted = 1`,
  `${HEAD}[constructor.prototype]\npolluted = 1`,
  `${HEAD}[package.__proto__]\npolluted = 1`,
  `${HEAD}[package.metadata.__proto__]\npolluted = 1`,
  `${HEAD}[package.metadata.constructor.prototype]\npolluted = 1`,
  `${HEAD}[a.b]\ny.__proto__.__proto__.polluted = 1`,
  `${HEAD}a.b.y.__proto__.__proto__.polluted = 1`,
  `__proto__.polluted = 1\n${HEAD}`,
  `"__proto__" = { polluted = 1 }\n${HEAD}`,
  `"\\u005f_proto__" = { polluted = 1 }\n${HEAD}`,
  `${HEAD}[[__proto__]]\npolluted = 1`,
  `${HEAD}[dependencies.__proto__]\nversion = "1"\npolluted = 1`,
  `${HEAD}[dependencies]\n__proto__ = "1"`,
  `${HEAD}[dependencies.constructor]\nversion = "1"`,
  `${HEAD}[features]\n__proto__ = ["polluted"]`,
  `${HEAD}[features]\nconstructor = []\nprototype = []`,
  `${HEAD}[target.__proto__.dependencies]\npolluted = "1"`,
  `${HEAD}[badges.__proto__]\npolluted = 1`,
  `${HEAD}[toString]\npolluted = 1`,
]

/** The same in metadata, put before the closing brace. */
const METADATA = [
  '"__proto__":{"polluted":1}',
  '"constructor":{"prototype":{"polluted":1}}',
  '"features":{"__proto__":["polluted"]}',
  '"badges":{"__proto__":{"polluted":1}}',
  '"deps":[{"__proto__":{"polluted":1}}]',
  '"\\u005f\\u005fproto__":{"polluted":1}',
]

/** JSON that is sent to other routes. */
const BODIES: readonly (readonly [string, string, string])[] = [
  ['PUT', '/api/v1/crates/bar/owners', '{"users":["bob"],"__proto__":{"polluted":1}}'],
  ['PUT', '/api/v1/crates/bar/owners', '{"__proto__":{"users":["bob"]}}'],
  ['PUT', '/api/v1/crates/bar/owners', '{"constructor":{"prototype":{"polluted":1}},"users":["__proto__"]}'],
  ['PUT', '/api/v1/me/tokens', '{"api_token":{"name":"x","__proto__":{"polluted":1}}}'],
]

async function mustBeSound(app: App, what: string): Promise<void> {
  assert.equal(Reflect.get({}, 'polluted'), undefined, what)
  assert.equal(Reflect.get([], 'polluted'), undefined, what)
  assert.equal(Object.getPrototypeOf({}), Object.prototype, what)
  assert.equal((await app.publish(crateFile('other'), 'reader')).status, 403, what)
  assert.equal((await app.request('/api/v1/crates/bar/1.0.0/yank', { method: 'DELETE' })).status, 401, what)
  assert.equal((await app.request('/3/b/bar')).status, 200, what)
}

test('no manifest or JSON changes the prototype of objects', async (t) => {
  const app = await startApp(t)
  assert.equal((await app.publish(crateFile('bar'))).status, 200)
  const put = (body: Uint8Array) => app.request('/api/v1/crates/new', { method: 'PUT', as: 'ann', body })
  for (const [n, toml] of MANIFESTS.entries()) {
    const name = `foo-${n}`
    const { status } = await app.publish(crateFile(name).manifest(toml.replace('"foo"', `"${name}"`)))
    assert.ok(status === 200 || status === 400, `${status} ${toml}`)
    await mustBeSound(app, toml)
  }
  const crate = crateFile('foo')
  for (const fields of METADATA) {
    const json = Buffer.from(`${JSON.stringify(crate.metadata()).slice(0, -1)},${fields}}`)
    const sound = Buffer.from(encodePublishBody(crate.metadata(), crate.bytes()))
    const lengths = Buffer.alloc(4)
    lengths.writeUInt32LE(json.length)
    const { status } = await put(Buffer.concat([lengths, json, sound.subarray(4 + sound.readUInt32LE(0))]))
    assert.ok([200, 400, 409].includes(status), `${status} ${fields}`)
    await mustBeSound(app, fields)
  }
  for (const [method, path, text] of BODIES) {
    const headers = { 'content-type': 'application/json' }
    const { status } = await app.request(path, { method, as: 'ann', body: Buffer.from(text), headers })
    assert.ok(status < 500, `${status} ${text}`)
    await mustBeSound(app, text)
  }
  assert.deepEqual(app.errors, [])
})

test('names of the prototype are names like others', async (t) => {
  const app = await startApp(t)
  for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'prototype']) {
    const { status, text } = await app.request(`/api/v1/crates/${name}/owners`, { as: 'ann' })
    assert.equal(status, 404, text)
    assert.equal((await app.publish(crateFile(name))).status, 200, name)
    assert.equal((await app.request(`/api/v1/crates/${name}/1.0.0/download`)).status, 200, name)
  }
  assert.equal((await app.publish(crateFile('__proto__'))).status, 400)
  assert.deepEqual(app.errors, [])
})
