import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { OptionsInput } from '../../src/options.ts'
import { spellings } from '../../src/registry/upstream/shadow.ts'
import { type Answer, startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { detailOf, uplinkOptions } from './upstream-app.ts'

type Shadow = NonNullable<NonNullable<OptionsInput['packages']>[string]['shadow']>

async function publishing(t: TestContext, shadow?: Shadow, up: object = {}) {
  const uplink = await startUplink(t, { crates: [crateFile('foo_bar-baz'), crateFile('other')] })
  const rule = { publish: ['$authenticated'], proxy: ['up'], ...(shadow && { shadow }) }
  const app = await startApp(t, {
    options: { prefetch: 0, uplinks: { up: uplinkOptions(uplink, up) }, packages: { '**': rule } },
  })
  /** What there is beyond the uplink's own index files. */
  const stored = async () => (await app.stored()).filter((key) => !key.startsWith('upstream'))
  return { uplink, app, stored }
}

function warningsOf({ body }: Answer): readonly string[] {
  return (body as { warnings: { other: string[] } }).warnings.other
}

test('the first publish of a name that an uplink has is refused, in every spelling', async (t) => {
  for (const shadow of [undefined, 'refuse', 'strict'] as const) {
    const { app, stored } = await publishing(t, shadow)
    for (const name of ['foo_bar-baz', 'foo-bar-baz', 'foo_bar_baz', 'foo-bar_baz', 'Foo_Bar-BAZ', 'OTHER']) {
      const answer = await app.publish(crateFile(name))
      assert.equal(answer.status, 403, name)
      assert.match(detailOf(answer), /is taken: uplink `up` has a crate `(foo_bar-baz|other)`/)
    }
    assert.deepEqual(await stored(), [])
    assert.deepEqual(app.events, [])
  }
})

test('a name that no uplink has is published, and asked for no more', async (t) => {
  for (const shadow of ['refuse', 'strict'] as const) {
    const { uplink, app } = await publishing(t, shadow)
    const answer = await app.publish(crateFile('free-name'))
    assert.deepEqual([answer.status, warningsOf(answer)], [200, []])
    const asked = uplink.requests.length
    assert.equal(asked, 2)
    assert.equal((await app.publish(crateFile('free-name', '2.0.0'))).status, 200)
    assert.equal(uplink.requests.length, asked)
  }
})

test('a crate that was published before the uplink had it goes on', async (t) => {
  const { uplink, app } = await publishing(t)
  await app.publish(crateFile('mine'))
  uplink.publish(crateFile('mine', '9.0.0'))
  assert.equal((await app.publish(crateFile('mine', '2.0.0'))).status, 200)
})

test('with `shadow: allow` no uplink is asked', async (t) => {
  const { uplink, app } = await publishing(t, 'allow')
  assert.equal((await app.publish(crateFile('other'))).status, 200)
  assert.deepEqual(uplink.requests, [])
})

test('with the uplink away the publish is accepted with a warning, or refused when the rule is strict', async (t) => {
  for (const fault of ['503', 'hang-up', 'html200', '403', '429', 'silent'] as const) {
    const { uplink, app } = await publishing(t, undefined, { timeout: '200ms' })
    uplink.fault(/./, fault)
    const accepted = await app.publish(crateFile('other'))
    assert.equal(accepted.status, 200, fault)
    assert.equal(warningsOf(accepted).length, 1)
    assert.match(
      warningsOf(accepted)[0] ?? '',
      /^it could not be checked whether an uplink has a crate `other` too/,
    )

    const strict = await publishing(t, 'strict', { timeout: '200ms' })
    strict.uplink.fault(/./, fault)
    const refused = await strict.app.publish(crateFile('other'))
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '2'], fault)
    assert.match(detailOf(refused), /^it cannot be checked whether crate name `other` is taken: /)
    assert.deepEqual(await strict.stored(), [])
  }
})

test('a name of which a copy is kept is refused with the uplink away', async (t) => {
  const { uplink, app } = await publishing(t)
  await app.request('/ot/he/other')
  await uplink.stop()
  assert.equal((await app.publish(crateFile('other'))).status, 403)
})

test('of several uplinks, one that has the name is enough, also with the others away', async (t) => {
  const one = await startUplink(t)
  const other = await startUplink(t, { crates: [crateFile('foo')] })
  const uplinks = { one: uplinkOptions(one), other: uplinkOptions(other) }
  const packages = { '**': { publish: ['$authenticated'], proxy: ['one', 'other'] } }
  const app = await startApp(t, { options: { uplinks, packages } })
  assert.equal((await app.publish(crateFile('foo'))).status, 403)
  await one.stop()
  assert.equal((await app.publish(crateFile('foo'))).status, 403)
})

test('spellings() tells every way to write a name with few separators, and the usual ones of others', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['Foo', ['foo']],
    ['foo-bar', ['foo-bar', 'foo_bar']],
    ['a_b-c', ['a-b-c', 'a-b_c', 'a_b-c', 'a_b_c']],
    ['a-b-c-d-e-f_g', ['a-b-c-d-e-f_g', 'a-b-c-d-e-f-g', 'a_b_c_d_e_f_g']],
    ['foo--', ['foo--', 'foo-_', 'foo_-', 'foo__']],
  ]
  for (const [name, expected] of cases) assert.deepEqual(spellings(name), expected, name)
})
