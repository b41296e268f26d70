import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { OptionsInput } from '../../../src/options.ts'
import { validateName } from '../../../src/protocol/name.ts'
import { validateVersion } from '../../../src/protocol/version.ts'
import { bodyAt, versionsIn } from '../../http/upstream-app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { startUplink } from '../../support/uplink.ts'
import {
  type ClockedRegistry,
  clockedRegistry,
  DAY,
  downloadStatus,
  fakeClock,
  HOUR,
  NOBODY,
} from './clocked-registry.ts'

type Rule = NonNullable<OptionsInput['packages']>[string]

/** Three versions: an old one, one of 4 days, one of an hour without a time of its own. */
async function ruled(t: TestContext, rule: Rule, packages: OptionsInput['packages'] = {}) {
  const clock = fakeClock('2026-06-01T00:00:00Z')
  const uplink = await startUplink(t, {
    crates: [
      crateFile('foo', '1.0.0'),
      { crate: crateFile('foo', '1.1.0'), pubtime: '2026-05-28T00:00:00Z' },
      { crate: crateFile('foo', '1.2.0'), pubtime: null },
      { crate: crateFile('Bar_Baz', '0.1.0'), pubtime: '2026-05-31T00:00:00Z' },
    ],
  })
  const options = { packages: { ...packages, '**': { proxy: ['up'], ...rule } } }
  const spec = { clock, uplink, options, up: { maxage: '1y' } }
  return { clock, uplink, spec, ...clockedRegistry(t, spec) }
}

async function versions({ index }: Pick<ClockedRegistry, 'index'>, name = 'foo') {
  return versionsIn({ text: (await index(name)).text ?? '' })
}

function explain({ registry }: ClockedRegistry, name: string, version: string) {
  return registry.explain(NOBODY, validateName(name), validateVersion(version))
}

test('min_age serves young versions as yanked, and as they are when they come of age', async (t) => {
  const it = await ruled(t, { min_age: '7d' })
  assert.deepEqual(await versions(it), ['1.0.0', '1.1.0!', '1.2.0!'])
  const first = await it.index('foo')
  it.clock.advance(3 * DAY - 1)
  assert.equal((await it.index('foo')).etag, first.etag)
  it.clock.advance(1)
  const second = await it.index('foo')
  assert.deepEqual(await versions(it), ['1.0.0', '1.1.0', '1.2.0!'])
  it.clock.advance(4 * DAY)
  const third = await it.index('foo')
  assert.equal(third.text, bodyAt(it.uplink, 'foo'))
  assert.equal(new Set([first, second, third].map(({ etag }) => etag)).size, 3)
  // Nothing but `yanked` is another: the rest of each line is what the uplink has.
  assert.equal(first.text?.replaceAll('"yanked":true', '"yanked":false'), third.text)
})

test('a version without a time of its own is as old as our first sight of it, also after a restart', async (t) => {
  const it = await ruled(t, { min_age: '7d' })
  await it.index('foo')
  it.clock.advance(6 * DAY)
  await it.close()
  const later = clockedRegistry(t, { ...it.spec, storage: it.storage })
  assert.deepEqual(await versions(later), ['1.0.0', '1.1.0', '1.2.0!'])
  it.clock.advance(DAY)
  assert.deepEqual(await versions(later), ['1.0.0', '1.1.0', '1.2.0'])
})

test('a young version is downloaded as any yanked one', async (t) => {
  const it = await ruled(t, { min_age: '7d' })
  assert.deepEqual(await downloadStatus(it, 'foo', '1.2.0'), { status: 200 })
})

test('exceptions from min_age name crates in any spelling, and versions', async (t) => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['foo', ['1.0.0', '1.1.0', '1.2.0']],
    ['F*', ['1.0.0', '1.1.0', '1.2.0']],
    ['foo@1.1.0', ['1.0.0', '1.1.0', '1.2.0!']],
    ['foo@>=1.2', ['1.0.0', '1.1.0!', '1.2.0']],
    ['bar', ['1.0.0', '1.1.0!', '1.2.0!']],
  ]
  for (const [except, expected] of cases) {
    assert.deepEqual(await versions(await ruled(t, { min_age: '7d', min_age_except: [except] })), expected)
  }
  const other = await ruled(t, { min_age: '7d', min_age_except: ['bar-baz@0.1'] })
  assert.deepEqual(await versions(other, 'bar_baz'), ['0.1.0'])
})

test('min_age is that of the first rule that matches', async (t) => {
  const it = await ruled(t, { min_age: '7d' }, { 'f?o': { proxy: ['up'] } })
  assert.deepEqual(await versions(it), ['1.0.0', '1.1.0', '1.2.0'])
  assert.deepEqual(await versions(it, 'bar_baz'), ['0.1.0!'])
})

test('denied versions are gone from the index and not to be downloaded, kept or not, uplink or not', async (t) => {
  const it = await ruled(t, { deny: ['foo@1.1: it steals keys', 'bar-baz'] })
  const open = clockedRegistry(t, { ...it.spec, options: {}, storage: it.storage })
  for (const version of ['1.0.0', '1.1.0'])
    assert.equal((await downloadStatus(open, 'foo', version)).status, 200)
  const check = async (one: ClockedRegistry) => {
    assert.deepEqual(await versions(one), ['1.0.0', '1.2.0'])
    const message = '`foo@1.1.0` is not served: it steals keys'
    assert.deepEqual(await downloadStatus(one, 'foo', '1.1.0'), { status: 403, message })
    assert.equal((await downloadStatus(one, 'foo', '1.0.0')).status, 200)
  }
  await check(it)
  const kept = bodyAt(it.uplink, 'foo').split('\n')
  assert.equal((await it.index('foo')).text, [kept[0], kept[2], ''].join('\n'))
  await it.uplink.stop()
  it.clock.advance(1000 * DAY)
  await check(it)
  await check(clockedRegistry(t, { ...it.spec, storage: it.storage }))
})

test('of a crate that is denied whole, every answer is the reason', async (t) => {
  const it = await ruled(t, { deny: ['BAR-baz: ask the platform team'] })
  const index = await it.registry.index(NOBODY, validateName('bar_baz')).catch((error) => error)
  assert.deepEqual(
    [index.status, index.message],
    [403, 'crate `Bar_Baz` is not served: ask the platform team'],
  )
  const download = await downloadStatus(it, 'Bar_Baz', '0.1.0')
  assert.deepEqual(download, {
    status: 403,
    message: '`Bar_Baz@0.1.0` is not served: ask the platform team',
  })
  assert.equal((await it.index('none')).status, 404)
})

test('explain tells why a version is kept back, and until when', async (t) => {
  const it = await ruled(t, {
    min_age: '7d',
    min_age_except: ['bar-baz'],
    deny: ['foo@1.0.0: too old'],
  })
  const cases = [
    ['foo', '1.0.0', { served: false, yanked: false, reason: 'too old', stored: false }],
    [
      'foo',
      '1.1.0',
      {
        served: true,
        yanked: true,
        reason:
          'it was published 2026-05-28T00:00:00Z and is younger than `min_age` until 2026-06-04T00:00:00.000Z',
        until: '2026-06-04T00:00:00.000Z',
        stored: false,
      },
    ],
    [
      'foo',
      '1.2.0',
      {
        served: true,
        yanked: true,
        reason:
          'it was first seen 2026-06-01T00:00:00.000Z and is younger than `min_age` until 2026-06-08T00:00:00.000Z',
        until: '2026-06-08T00:00:00.000Z',
        stored: false,
      },
    ],
    ['bar-baz', '0.1.0', undefined],
    ['bar_baz', '0.1.0', { served: true, yanked: false, reason: 'no rule keeps it back', stored: false }],
  ] as const
  for (const [name, version, verdict] of cases) {
    const told = await explain(it, name, version).catch(() => undefined)
    assert.deepEqual(told?.verdict, verdict, `${name} ${version}`)
    if (told !== undefined && told.verdict !== undefined)
      assert.match(told.explanation, /Version `.*` is (not )?served/)
  }
  it.clock.advance(8 * DAY + HOUR)
  assert.equal((await explain(it, 'foo', '1.2.0')).verdict?.reason, 'no rule keeps it back')
})

test('a version whose owners yanked it is yanked, old or young', async (t) => {
  const it = await ruled(t, { min_age: '7d' })
  it.uplink.yank('foo', '1.0.0')
  it.uplink.yank('foo', '1.1.0')
  assert.deepEqual(await versions(it), ['1.0.0!', '1.1.0!', '1.2.0!'])
  assert.equal((await explain(it, 'foo', '1.0.0')).verdict?.reason, 'its owners yanked it')
})
