import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionsError, type OptionsInput } from '../../src/options.ts'
import { cargo } from '../../src/plugin.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { detailOf, indexOf, uplinkOptions, versionsIn } from './upstream-app.ts'

const HOST = {
  auth: { authenticate: async () => undefined, authorize: async () => true },
  storage: {} as never,
}

test('a rule that cannot be read stops the start, and names its key', () => {
  const cases: readonly (readonly [NonNullable<OptionsInput['packages']>[string], string])[] = [
    [{ deny: ['foo@not-a-version'] }, 'packages.foo*.deny'],
    [{ deny: ['foo@>=1 && <2: why'] }, 'packages.foo*.deny'],
    [{ deny: ['foo@: why'] }, 'packages.foo*.deny'],
    [{ deny: [''] }, 'packages.foo*.deny'],
    [{ deny: ['foo bar'] }, 'packages.foo*.deny'],
    [{ min_age: '7d', min_age_except: ['foo@x.y'] }, 'packages.foo*.min_age_except'],
    [{ min_age_except: ['foo@x.y'] }, 'packages.foo*.min_age_except'],
    [{ min_age: 'soon' }, 'packages.foo*.min_age'],
  ]
  for (const [rule, key] of cases) {
    assert.throws(
      () => cargo(HOST, { packages: { 'foo*': rule } }),
      (error) => error instanceof OptionsError && error.message.includes(key),
      JSON.stringify(rule),
    )
  }
})

test('what is denied is in no index, download or search, and the answer says why', async (t) => {
  const uplink = await startUplink(t, {
    crates: ['1.0.0', '1.1.0'].map((vers) => crateFile('foo', vers)).concat(crateFile('foo-evil')),
    api: true,
  })
  const deny = ['foo@1.1: it steals keys', 'FOO_evil: malware']
  const app = await startApp(t, {
    options: {
      prefetch: 0,
      uplinks: { up: uplinkOptions(uplink) },
      packages: { '**': { proxy: ['up'], deny } },
    },
  })
  assert.deepEqual(versionsIn(await indexOf(app, 'foo')), ['1.0.0'])
  for (const [path, detail] of [
    ['/api/v1/crates/foo/1.1.0/download', '`foo@1.1.0` is not served: it steals keys'],
    ['/api/v1/crates/foo-evil/1.0.0/download', '`foo-evil@1.0.0` is not served: malware'],
    ['/fo/o-/foo-evil', 'crate `foo-evil` is not served: malware'],
  ] as const) {
    for (const method of ['GET', 'HEAD'])
      assert.equal((await app.request(path, { method })).status, 403, path)
    assert.equal(detailOf(await app.request(path, { as: 'bob' })), detail)
  }
  const denied = app.events.filter(({ kind, by }) => kind === 'denied' && by === 'bob')
  assert.deepEqual(
    denied.map(({ crate, version }) => [crate, version]),
    [
      ['foo', '1.1.0'],
      ['foo-evil', '1.0.0'],
      ['foo-evil', undefined],
    ],
  )
  for (const isAway of [false, true]) {
    if (isAway) await uplink.stop()
    const { body } = await app.request('/api/v1/crates?q=foo')
    const names = (body as { crates: { name: string }[] }).crates.map(({ name }) => name)
    // Of `foo` the newest version is what is denied.
    assert.deepEqual(names, [])
  }
  const [explained] = [await app.request('/api/v1/crates/foo-evil/1.0.0/explain')]
  assert.equal(explained.status, 200)
  assert.match(explained.text, /Version `1\.0\.0` is not served: malware\./)
})

test('rules on versions leave local crates alone', async (t) => {
  const uplink = await startUplink(t)
  const rule = { proxy: ['up'], publish: ['$authenticated'], min_age: '7d', deny: ['foo'] }
  const app = await startApp(t, {
    options: { uplinks: { up: uplinkOptions(uplink) }, packages: { '**': rule } },
  })
  assert.equal((await app.publish(crateFile('foo'))).status, 200)
  assert.deepEqual(versionsIn(await indexOf(app, 'foo')), ['1.0.0'])
  assert.equal((await app.request('/api/v1/crates/foo/1.0.0/download')).status, 200)
})
