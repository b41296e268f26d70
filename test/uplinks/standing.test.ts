import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CargoError } from '../../src/errors.ts'
import { createStanding, DEFAULT_RETRY_AFTER, type StandingDeps } from '../../src/uplinks/standing.ts'
import { type Fault, UplinkError } from '../../src/uplinks/uplink-error.ts'
import { eventually } from '../support/until.ts'

const AT = '2026-01-02T03:04:05.678Z'
const PROBE_EVERY = 20

/** A standing whose clock is turned by hand; its probe fails with `wrong`, as long as there is one. */
function start(more: Partial<StandingDeps> = {}) {
  const told: string[] = []
  const world: { clock: number; probes: number; wrong: Error | undefined } = {
    clock: 1_000,
    probes: 0,
    wrong: undefined,
  }
  const standing = createStanding({
    name: 'up',
    options: { max_fails: 2, fail_timeout: 60_000 },
    offline: false,
    now: () => new Date(AT),
    monotonic: () => world.clock,
    probeEvery: PROBE_EVERY,
    async probe() {
      world.probes++
      if (world.wrong !== undefined) throw world.wrong
    },
    onRequest: (kind, outcome) => void told.push(`${kind} ${outcome}`),
    onAvailable: (available) => void told.push(available ? 'back' : 'away'),
    ...more,
  })
  return Object.assign(world, {
    told,
    standing,
    fail: (error: unknown) =>
      assert.rejects(
        standing.asking('index', async () => {
          throw error
        }),
      ),
    succeed: () => standing.asking('index', async () => 'value'),
  })
}

const failure = (fault: Fault, retryAfter?: number) =>
  new UplinkError('up', fault, 'fails', retryAfter === undefined ? {} : { retryAfter })

test('asking() returns the value, or throws an UplinkError, and tells how it went', async () => {
  const { standing, told } = start()
  assert.equal(await standing.asking('search', async () => 7), 7)
  const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  const failing = standing.asking('crate', async () => {
    throw cause
  })
  await assert.rejects(failing, {
    name: 'UplinkError',
    fault: 'away',
    message: 'uplink `up` refuses connections',
    cause,
  })
  const own = new CargoError('not_found', 'no such file')
  await assert.rejects(
    standing.asking('crate', async () => {
      throw own
    }),
    own,
  )
  assert.deepEqual(told, ['search ok', 'crate away', 'crate not_found'])
})

test('asking() opens the breaker after failures in a row, and no others', async () => {
  const notFound = new CargoError('not_found', 'no such file')
  const cases: readonly (readonly [string, readonly unknown[], boolean])[] = [
    ['one', [failure('away')], true],
    ['two', [failure('away'), failure('cut')], false],
    ['a success between', [failure('away'), undefined, failure('away')], true],
    ['a missing file between', [failure('away'), notFound, failure('away')], true],
    ['a foreign answer between', [failure('away'), failure('foreign'), failure('away')], false],
    ['foreign answers', Array(5).fill(failure('foreign')), true],
    ['refused addresses', Array(5).fill(failure('refused')), true],
    ['files that are not there', Array(5).fill(notFound), true],
  ]
  for (const [name, events, asked] of cases) {
    const it = start()
    for (const event of events) await (event === undefined ? it.succeed() : it.fail(event))
    assert.equal(it.standing.state().asked, asked, name)
    it.standing.stop()
  }
})

test('asking() fails at once with the cause and the time of the next probe when the breaker is open', async () => {
  const it = start({ probeEvery: 5_000 })
  await it.fail(failure('away'))
  await it.fail(new UplinkError('up', 'away', 'answers 502'))
  it.clock += 1_500
  let ran = false
  const asked = it.standing.asking('index', async () => {
    ran = true
  })
  await assert.rejects(asked, {
    fault: 'away',
    code: 'unavailable',
    retryAfter: 4,
    message: 'uplink `up` is left alone for a while: it answers 502',
  })
  assert.equal(ran, false)
  assert.deepEqual(it.told, ['index away', 'index away', 'away'])
  it.clock += 60_000
  await assert.rejects(it.succeed(), { retryAfter: 1 })
  it.standing.stop()
})

test('the breaker closes when a probe shows that the uplink answers', async () => {
  for (const wrong of [undefined, failure('foreign'), failure('refused')]) {
    const it = start()
    it.wrong = failure('away')
    await it.fail(failure('away'))
    await it.fail(failure('away'))
    assert.ok(await eventually(() => it.probes >= 2))
    assert.equal(it.standing.state().asked, false)
    it.wrong = wrong
    assert.ok(await eventually(() => it.standing.state().asked))
    assert.equal(await it.succeed(), 'value')
    assert.ok(it.told.includes('back'))
    const { probes } = it
    await sleep(3 * PROBE_EVERY)
    assert.equal(it.probes, probes)
  }
})

test('asking() sends nothing for as long as the uplink limits us', async () => {
  for (const [given, seconds] of [
    [7, 7],
    [undefined, DEFAULT_RETRY_AFTER],
  ] as const) {
    const it = start()
    await it.fail(failure('limited', given))
    for (const [later, left] of [
      [0, seconds],
      [100, seconds],
      [901, seconds - 1],
    ] as const) {
      it.clock += later
      await assert.rejects(it.succeed(), {
        fault: 'limited',
        code: 'too_many_requests',
        retryAfter: left,
        message: 'uplink `up` has limited us',
      })
      assert.equal(it.standing.state().asked, false)
    }
    it.clock += 1000 * seconds
    assert.equal(await it.succeed(), 'value')
    assert.deepEqual(it.told, ['index limited', 'index ok'])
  }
})

test('asking() obeys the longest of the limits', async () => {
  const it = start()
  const questions = [7, 3].map((retryAfter) => ({ retryAfter, question: it.standing.begin('index') }))
  for (const { retryAfter, question } of questions) question.failed(failure('limited', retryAfter))
  await assert.rejects(it.succeed(), { retryAfter: 7 })
})

test('no probe goes out while the uplink limits us, and one that is limited counts', async () => {
  const it = start()
  const limited = it.standing.begin('index')
  it.wrong = failure('away')
  await it.fail(failure('away'))
  await it.fail(failure('away'))
  limited.failed(failure('limited', 7))
  const { probes } = it
  await sleep(3 * PROBE_EVERY)
  assert.equal(it.probes, probes)
  it.clock += 7_000
  it.wrong = failure('limited', 9)
  assert.ok(await eventually(() => it.probes === probes + 1))
  await assert.rejects(it.succeed(), { fault: 'limited', retryAfter: 9 })
  await sleep(3 * PROBE_EVERY)
  assert.equal(it.probes, probes + 1)
  it.clock += 9_000
  it.wrong = undefined
  assert.ok(await eventually(() => it.standing.state().asked))
})

test('asking() sends nothing when `offline` is set', async () => {
  const it = start({ offline: true })
  await assert.rejects(it.succeed(), { fault: 'away', message: 'uplink `up` is not asked: `offline` is set' })
  assert.deepEqual(it.standing.state(), { answered: false, asked: false })
  assert.deepEqual(it.told, [])
})

test('state() tells the last error, also that of a probe, and when it was', async () => {
  const it = start()
  assert.deepEqual(it.standing.state(), { answered: false, asked: true })
  await it.fail(failure('foreign'))
  const lastError = { message: 'uplink `up` fails', at: AT }
  assert.deepEqual(it.standing.state(), { answered: false, asked: true, lastError })
  await it.succeed()
  assert.deepEqual(it.standing.state(), { answered: true, asked: true, lastError })
  it.wrong = new UplinkError('up', 'away', 'answers 500')
  await it.fail(failure('away'))
  await it.fail(failure('away'))
  assert.ok(await eventually(() => it.standing.state().lastError?.message === 'uplink `up` answers 500'))
  it.standing.stop()
})

test('stop() ends the probes', async () => {
  const it = start()
  it.wrong = failure('away')
  await it.fail(failure('away'))
  await it.fail(failure('away'))
  it.standing.stop()
  const { probes } = it
  await sleep(3 * PROBE_EVERY)
  assert.equal(it.probes, probes)
})
