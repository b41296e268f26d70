import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PublishMetadata } from '../../src/protocol/metadata.ts'
import type { App } from '../support/app.ts'
import { type CrateFile, crateFile, publishBody } from '../support/crate-file.ts'
import { JOE, startTokenApp } from './token-app.ts'

// A publish names its crate three times: in the metadata, in the manifest and in the paths of the tarball. Whatever a
// token may do by one of them, nothing must be done by another.

interface Disguise {
  readonly crate: CrateFile
  /** What the metadata says in place of the crate's own. */
  readonly said?: Partial<PublishMetadata>
  readonly status: number
  readonly detail: RegExp
}

const manifest = (name: string, version: string) => ({
  package: { name, version, description: 'x', license: 'MIT' },
})

/** All of a name and version that are free; the token may publish `foo` only. */
const DISGUISES: Readonly<Record<string, Disguise>> = {
  'metadata foo, manifest bar': {
    crate: crateFile('foo', '2.0.0').manifest(manifest('bar', '2.0.0')),
    status: 400,
    detail: /agree on `name`: metadata has `foo`, `Cargo\.toml` has `bar`/,
  },
  'metadata foo, manifest and paths bar': {
    crate: crateFile('bar', '2.0.0'),
    said: { name: 'foo' },
    status: 400,
    detail: /invalid path found: `bar-2\.0\.0\/Cargo\.toml`/,
  },
  'metadata foo, manifest Foo': {
    crate: crateFile('foo', '2.0.0').manifest(manifest('Foo', '2.0.0')),
    status: 400,
    detail: /agree on `name`: metadata has `foo`, `Cargo\.toml` has `Foo`/,
  },
  'metadata Foo, manifest foo': {
    crate: crateFile('foo', '2.0.0'),
    said: { name: 'Foo' },
    status: 409,
    detail: /crate name `Foo` is taken: it differs from `foo` only in case/,
  },
  'Foo throughout': {
    crate: crateFile('Foo', '2.0.0'),
    status: 409,
    detail: /crate name `Foo` is taken: it differs from `foo` only in case/,
  },
  'metadata and manifest foo, paths bar-1.0.0': {
    crate: crateFile('bar', '1.0.0').manifest(manifest('foo', '2.0.0')),
    said: { name: 'foo', vers: '2.0.0' },
    status: 400,
    detail: /invalid path found: `bar-1\.0\.0\/Cargo\.toml`/,
  },
  'foo throughout, one path of bar-1.0.0': {
    crate: crateFile('foo', '2.0.0').add('bar-1.0.0/src/lib.rs'),
    status: 400,
    detail: /invalid path found: `bar-1\.0\.0\/src\/lib\.rs`/,
  },
  'metadata 2.0.0, manifest 2.0.1': {
    crate: crateFile('foo', '2.0.0').manifest(manifest('foo', '2.0.1')),
    status: 400,
    detail: /agree on `vers`: metadata has `2\.0\.0`, `Cargo\.toml` has `2\.0\.1`/,
  },
  'metadata 2.0.0, paths 2.0.1': {
    crate: crateFile('foo', '2.0.1'),
    said: { vers: '2.0.0' },
    status: 400,
    detail: /invalid path found: `foo-2\.0\.1\/Cargo\.toml`/,
  },
  'metadata bar, manifest and paths foo': {
    crate: crateFile('foo', '2.0.0'),
    said: { name: 'bar' },
    status: 403,
    detail: /may not publish crate `bar`/,
  },
  'bar throughout': {
    crate: crateFile('bar', '2.0.0'),
    status: 403,
    detail: /may not publish crate `bar`/,
  },
}

async function indexesOf({ request }: App): Promise<readonly string[]> {
  const answers = await Promise.all(['/3/f/foo', '/3/b/bar'].map((path) => request(path)))
  for (const { status } of answers) assert.equal(status, 200)
  return answers.map(({ text }) => text)
}

test('a token for one crate changes no other one, and this one only under its own name and number', async (t) => {
  const { app, token } = await startTokenApp(t)
  const { token: unlimited } = await token(JOE)
  const { token: scoped } = await token(JOE, { crate_scopes: ['foo'] })
  for (const name of ['foo', 'bar']) assert.equal((await app.publish(crateFile(name), unlimited)).status, 200)
  const state = async () => ({ indexes: await indexesOf(app), stored: await app.stored() })
  const before = await state()
  for (const [what, { crate, said, status, detail }] of Object.entries(DISGUISES)) {
    const body = publishBody(crate, said)
    const answer = await app.request('/api/v1/crates/new', { method: 'PUT', as: scoped, body })
    assert.equal(answer.status, status, `${what}: ${answer.text}`)
    assert.match(answer.text, detail, what)
    assert.deepEqual(await state(), before, what)
  }
  assert.equal((await app.publish(crateFile('foo', '2.0.0'), scoped)).status, 200)
})
