import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { INDEX_FAULTS } from '../support/uplink-fault-cases.ts'
import type { Fault } from '../support/uplink-faults.ts'
import { alarmsOf, bodyAt, detailOf, indexOf, startProxy, uplinkOptions, versionsIn } from './upstream-app.ts'

const FOO = [crateFile('foo', '1.0.0'), crateFile('foo', '1.1.0'), crateFile('foo', '1.2.0')]
const GiB = 2 ** 30

/** Answers that are framed well and wrong; what is the matter, and whether one sees it without a copy. */
const WRONG: readonly (readonly [fault: Fault, conflict: string, plausible?: 'plausible'])[] = [
  ['clean-cut', 'invalid'],
  ['html200', 'invalid'],
  ['empty200', 'invalid'],
  ['json-error-200', 'invalid'],
  [{ mode: 'dup-line', line: 1 }, 'invalid'],
  ['foreign-lines', 'invalid'],
  [{ mode: 'foreign-lines', mixed: true }, 'invalid'],
  ['bom', 'invalid'],
  ['extra-bytes', 'invalid'],
  [{ mode: 'changed-cksum', line: 1 }, 'checksum_changed', 'plausible'],
  [{ mode: 'removed-line', line: 1 }, 'vanished', 'plausible'],
  ['old-index', 'older', 'plausible'],
]

for (const [fault, conflict, plausible] of WRONG) {
  const name = typeof fault === 'string' ? fault : Object.values(fault).join(' ')

  test(`${name}: the last good copy is served, and the alarm raised once`, async (t) => {
    const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
    const good = await index('foo')
    uplink.fault(uplink.indexPath('foo'), fault)
    for (let n = 0; n < 3; n++) {
      const { status, text, headers } = await index('foo')
      assert.deepEqual([status, text, headers.get('etag')], [200, good.text, good.headers.get('etag')])
      assert.match(headers.get('cache-status') ?? '', /^verdaccio-cargo; hit; ttl=-\d+; detail=stale$/)
    }
    // Each time it is another checksum.
    const times = conflict === 'checksum_changed' ? 3 : 1
    assert.deepEqual(await alarmsOf(app), Array(times).fill(conflict))
    assert.deepEqual(await app.stored('upstream/'), ['upstream/up/3/f/foo/00000001.json'])

    uplink.heal()
    uplink.publish(crateFile('foo', '2.0.0'))
    assert.equal((await index('foo')).text, bodyAt(uplink, 'foo'))
  })

  if (plausible !== undefined) continue
  test(`${name}: who has no copy gets 503, and nothing is stored`, async (t) => {
    const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
    uplink.fault(uplink.indexPath('foo'), fault)
    for (let n = 0; n < 2; n++) {
      const answer = await index('foo')
      assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '60'])
      assert.match(detailOf(answer), /index file of `foo`/)
    }
    assert.deepEqual([...new Set(await alarmsOf(app))], [conflict])
    assert.deepEqual(await app.stored(), [])
    uplink.heal()
    assert.equal((await index('foo')).text, bodyAt(uplink, 'foo'))
  })
}

test('no fault of an uplink makes a cold index file wrong, or absent without its word', async (t) => {
  for (const { fault, right, plausible } of INDEX_FAULTS) {
    const large = fault.mode === 'huge' || fault.mode === 'gz-bomb'
    const slow = fault.mode === 'silent' || (fault.mode === 'drip' && fault.bytesPerSecond === 10)
    const { app, uplink, index } = await startProxy(t, {
      uplink: { crates: FOO },
      up: { timeout: slow ? '100ms' : '10s' },
    })
    uplink.fault(uplink.indexPath('foo'), large ? { mode: fault.mode, bytes: GiB / 16 } : fault)
    const { status, text } = await index('foo')
    const name = JSON.stringify(fault)
    const isRight = status === 200 && text === bodyAt(uplink, 'foo')
    if (right === 'always') assert.ok(isRight, name)
    if (right === 'never' && plausible === undefined) {
      const wanted = ['404', '410', '451'].includes(fault.mode) ? 404 : fault.mode === '429' ? 429 : 503
      assert.equal(status, wanted, name)
      assert.deepEqual(await app.stored(), [], name)
    }
    // Cargo reads lines that end in CRLF, and they are what the uplink has.
    if (status === 200 && plausible === undefined)
      assert.equal(text.replaceAll('\r', ''), bodyAt(uplink, 'foo'), name)
    uplink.heal()
    if (status === 503) assert.equal((await index('foo')).text, bodyAt(uplink, 'foo'), name)
    await app.close()
    await uplink.close()
  }
})

test('a body that is cut anywhere is never served, and never kept', async (t) => {
  const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
  const whole = bodyAt(uplink, 'foo')
  const lineEnds = [...whole.matchAll(/\n/g)].map(({ index: at }) => at + 1)
  const offsets = Array.from({ length: 50 }, (_, n) => Math.floor((n * whole.length) / 50))
  const cut = async (at: number) => {
    uplink.fault(uplink.indexPath('foo'), { mode: 'clean-cut', at })
    const answer = await index('foo')
    uplink.heal()
    return answer
  }
  for (const at of offsets.filter((offset) => !lineEnds.includes(offset)))
    assert.equal((await cut(at)).status, 503, `cold, at ${at}`)
  assert.deepEqual(await app.stored(), [])
  await index('foo')
  for (const at of [...offsets, ...lineEnds]) assert.equal((await cut(at)).text, whole, `warm, at ${at}`)
})

test('a crate that is gone is served as it was, with an alarm', async (t) => {
  const storage = memoryStorage()
  const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO }, host: { storage } })
  const good = await index('foo')
  for (const fault of ['404', '410', '451'] as const) {
    uplink.fault(uplink.indexPath('foo'), fault)
    assert.deepEqual([(await index('foo')).text, (await index('foo')).status], [good.text, 200])
  }
  assert.deepEqual(await alarmsOf(app), ['crate_gone'])
  const [event] = app.events
  assert.equal(event?.crate, 'foo')
  assert.deepEqual(event?.detail, { uplink: 'up', conflict: 'crate_gone', found: 'crate `foo` is gone' })
  await app.close()

  const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink) } }
  const later = await startApp(t, { host: { storage }, options })
  assert.deepEqual([(await indexOf(later, 'foo')).text, await alarmsOf(later)], [good.text, ['crate_gone']])
  uplink.heal()
  assert.doesNotMatch((await indexOf(later, 'foo')).headers.get('cache-status') ?? '', /detail=stale/)
  uplink.fault(uplink.indexPath('foo'), '404')
  await indexOf(later, 'foo')
  assert.deepEqual(await alarmsOf(later), ['crate_gone', 'crate_gone'])
})

test('an alarm that was raised is not raised again because the uplink fails in another way between', async (t) => {
  const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
  await index('foo')
  uplink.fault(uplink.indexPath('foo'), (n) => (n % 2 === 0 ? 'html200' : 'empty200'))
  for (let n = 0; n < 2; n++) await index('foo')
  const alarms = (await alarmsOf(app)).length
  uplink.heal()
  uplink.fault(uplink.indexPath('foo'), 'empty200')
  for (let n = 0; n < 3; n++) await index('foo')
  assert.equal((await alarmsOf(app)).length, alarms)
})

test('what is pinned stays pinned after a restart', async (t) => {
  const storage = memoryStorage()
  const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO }, host: { storage } })
  const good = await index('foo')
  await app.close()
  uplink.edit('foo', '1.1.0', (line) => line.replace(/"cksum":".{64}"/, `"cksum":"${'0'.repeat(64)}"`))
  const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink) } }
  const later = await startApp(t, { host: { storage }, options })
  assert.equal((await indexOf(later, 'foo')).text, good.text)
  assert.deepEqual(await alarmsOf(later), ['checksum_changed'])
})

test('an older file after a newer one does not take a version back', async (t) => {
  for (const validators of [['etag', 'last-modified'], ['etag'], ['last-modified'], []] as const) {
    const { uplink, index } = await startProxy(t, { uplink: { crates: FOO, validators } })
    for (let n = 0; n < 4; n++) {
      uplink.heal()
      if (n % 2 === 1) uplink.fault(uplink.indexPath('foo'), 'old-index')
      assert.deepEqual(versionsIn(await index('foo')), ['1.0.0', '1.1.0', '1.2.0'], validators.join())
    }
  }
})

test('a yank is taken over, and so is its end', async (t) => {
  const { app, uplink, index } = await startProxy(t, { uplink: { crates: FOO } })
  await index('foo')
  uplink.yank('foo', '1.1.0')
  assert.deepEqual(versionsIn(await index('foo')), ['1.0.0', '1.1.0!', '1.2.0'])
  uplink.yank('foo', '1.1.0', false)
  assert.deepEqual(versionsIn(await index('foo')), ['1.0.0', '1.1.0', '1.2.0'])
  assert.deepEqual(await alarmsOf(app), [])
})

test('two uplinks do not share what is known of a name', async (t) => {
  const one = await startUplink(t, { crates: [crateFile('foo', '1.0.0')] })
  const other = await startUplink(t, { crates: [crateFile('foo', '2.0.0')] })
  const app = await startApp(t, {
    options: {
      prefetch: 0,
      uplinks: { one: uplinkOptions(one), other: uplinkOptions(other) },
      packages: { foo: { proxy: ['one'] }, '**': { proxy: ['other'] } },
    },
  })
  assert.deepEqual(versionsIn(await indexOf(app, 'foo')), ['1.0.0'])
  assert.equal(other.requests.length, 0)
})
