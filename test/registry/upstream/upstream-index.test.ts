import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { bodyAt, versionsIn } from '../../http/upstream-app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { until } from '../../support/until.ts'
import { startUplink, type Uplink } from '../../support/uplink.ts'
import {
  type ClockedSpec,
  clockedRegistry,
  DAY,
  fakeClock,
  HOUR,
  MINUTE,
  SECOND,
} from './clocked-registry.ts'

const FOO = [crateFile('foo', '1.0.0')]

async function clocked(t: TestContext, spec: Partial<Omit<ClockedSpec, 'clock' | 'uplink'>> = {}) {
  const clock = fakeClock()
  const uplink = await startUplink(t, { crates: FOO })
  const hits = (name = 'foo') => uplink.hits(uplink.indexPath(name))
  return { clock, uplink, hits, ...clockedRegistry(t, { clock, uplink, ...spec }) }
}

function publishNext(uplink: Uplink): string {
  uplink.publish(crateFile('foo', '2.0.0'))
  return bodyAt(uplink, 'foo')
}

describe('the index files of an uplink', { concurrency: true }, () => {
  test('read() asks nobody for a copy that is fresh', async (t) => {
    const { clock, uplink, hits, index } = await clocked(t)
    assert.deepEqual([(await index('foo')).asked, (await index('foo')).asked], [true, false])
    publishNext(uplink)
    clock.advance(2 * MINUTE)
    const { text, stale, age, asked } = await index('foo')
    assert.deepEqual([versionsIn({ text: text ?? '' }), stale, age, asked], [['1.0.0'], false, 120, false])
    assert.equal(hits(), 1)
  })

  test('read() serves a copy of up to ten minutes more at once, and renews it once behind', async (t) => {
    const { clock, uplink, hits, index } = await clocked(t)
    await index('foo')
    const newer = publishNext(uplink)
    clock.advance(12 * MINUTE)
    const release = uplink.hold(uplink.indexPath('foo'))
    const answers = await Promise.all(Array.from({ length: 20 }, () => index('foo')))
    for (const { text, stale, age, asked } of answers)
      assert.deepEqual([text === newer, stale, age, asked], [false, true, 720, false])
    release()
    await until(async () => (await index('foo')).text, newer)
    assert.equal(hits(), 2)
    const { stale, age } = await index('foo')
    assert.deepEqual([stale, age], [false, 0])
  })

  test('read() waits for the uplink when the copy is older, but no longer than three seconds', async (t) => {
    const { clock, uplink, hits, index } = await clocked(t)
    const old = await index('foo')
    const newer = publishNext(uplink)
    clock.advance(13 * MINUTE)
    const { text, stale, age, asked } = await index('foo')
    assert.deepEqual([text, stale, age, asked], [newer, false, 0, true])

    clock.advance(HOUR)
    const release = uplink.hold(uplink.indexPath('foo'))
    const startedAt = performance.now()
    const answers = await Promise.all([index('foo'), index('foo')])
    const took = performance.now() - startedAt
    assert.ok(took > 2_900 && took < 6_000, `took ${took} ms`)
    for (const answer of answers) {
      assert.deepEqual([answer.text, answer.stale, answer.age, answer.asked], [newer, true, 3600, true])
      assert.notEqual(answer.text, old.text)
    }
    release()
    await until(async () => (await index('foo')).stale, false)
    assert.equal(hits(), 3)
  })

  test('read() serves a copy of any age while the uplink is away, also after a restart', async (t) => {
    const { clock, uplink, index, storage, close } = await clocked(t)
    const { text } = await index('foo')
    await uplink.stop()
    for (const ms of [MINUTE, 11 * MINUTE, HOUR, 30 * DAY]) {
      clock.advance(ms)
      const answer = await index('foo')
      assert.deepEqual([answer.status, answer.text], [200, text])
    }
    await close()
    clock.advance(300 * DAY)
    const later = clockedRegistry(t, { clock, uplink, storage })
    const answer = await later.index('foo')
    assert.deepEqual([answer.status, answer.text, answer.stale], [200, text, true])
    assert.ok((answer.age ?? 0) * SECOND > 330 * DAY)
    assert.equal((await later.index('bar')).status, 503)
  })

  test('read() counts a copy of a store whose clock went back as new, never as older than time', async (t) => {
    const { clock, uplink, index, storage } = await clocked(t)
    await index('foo')
    clock.advance(-DAY)
    const answer = await clockedRegistry(t, { clock, uplink, storage }).index('foo')
    assert.deepEqual([answer.status, answer.age], [200, 0])
  })

  test('read() leaves an uplink that failed alone for five seconds a file, then it is as before', async (t) => {
    const { clock, uplink, hits, index } = await clocked(t)
    await index('foo')
    clock.advance(HOUR)
    uplink.fault(uplink.indexPath('foo'), '500')
    for (let n = 0; n < 3; n++) assert.equal((await index('foo')).stale, true)
    assert.equal(hits(), 2)
    uplink.heal()
    clock.advance(5 * SECOND)
    assert.deepEqual([(await index('foo')).stale, hits()], [false, 3])
  })

  test('read() renews within a second after the breaker closed', async (t) => {
    const { clock, uplink, index } = await clocked(t, { up: { max_fails: 1 } })
    await index('foo')
    clock.advance(HOUR)
    uplink.fault(uplink.indexPath('foo'), '500')
    assert.equal((await index('foo')).stale, true)
    assert.equal((await index('bar')).status, 503)
    uplink.heal()
    const probed = async () => {
      clock.advance(200)
      return (await index('bar')).status
    }
    await until(probed, 404, 8_000)
    clock.advance(SECOND)
    assert.equal((await index('foo')).stale, false)
  })

  test('read() believes for 30 seconds that there is no such crate, not longer', async (t) => {
    const { clock, uplink, hits, index } = await clocked(t)
    for (let n = 0; n < 5; n++) assert.equal((await index('bar')).status, 404)
    assert.equal(hits('bar'), 1)
    uplink.publish(crateFile('bar'))
    clock.advance(30 * SECOND)
    assert.equal((await index('bar')).status, 200)
  })

  test('read() never takes a failure for a crate that does not exist', async (t) => {
    const { uplink, index } = await clocked(t)
    const faults = ['500', '403', '400', 'html200', '204', '304', '206', 'hang-up'] as const
    for (const [n, fault] of faults.entries()) {
      uplink.publish(crateFile(`crate-${n}`))
      uplink.fault(uplink.indexPath(`crate-${n}`), fault, 2)
      assert.equal((await index(`crate-${n}`)).status, 503, fault)
      uplink.heal()
      assert.equal((await index(`crate-${n}`)).status, 200, fault)
    }
  })

  test('read() looks again soon after a body that it did not believe', async (t) => {
    const { clock, uplink, hits, index, events } = await clocked(t)
    await index('foo')
    uplink.fault(uplink.indexPath('foo'), 'html200')
    clock.advance(HOUR)
    for (let n = 0; n < 5; n++) assert.deepEqual([(await index('foo')).stale, hits()], [true, 2])
    clock.advance(30 * SECOND)
    const { age, stale } = await index('foo')
    assert.deepEqual([age, stale, hits(), events.length], [3630, true, 3, 1])
    uplink.heal()
    clock.advance(30 * SECOND)
    assert.deepEqual([(await index('foo')).stale, hits()], [false, 4])
  })

  test('close() does not wait for an uplink that is silent', async (t) => {
    const { clock, uplink, index, close } = await clocked(t)
    await index('foo')
    clock.advance(5 * MINUTE)
    const release = uplink.hold(uplink.indexPath('foo'))
    assert.equal((await index('foo')).stale, true)
    const startedAt = performance.now()
    await close()
    const took = performance.now() - startedAt
    release()
    assert.ok(took < 5_000, `took ${took} ms`)
  })
})
