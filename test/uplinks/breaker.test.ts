import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { type BreakerSpec, createBreaker } from '../../src/uplinks/breaker.ts'

/** A breaker on a clock that the test moves. */
function startBreaker(t: TestContext, spec: Partial<BreakerSpec> = {}) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let time = 0
  const changes: boolean[] = []
  const probes: { signal: AbortSignal; answer(back: boolean): void; fail(error: Error): void }[] = []
  const breaker = createBreaker({
    maxFails: 2,
    failTimeout: 1000,
    monotonic: () => time,
    onChange: (closed) => changes.push(closed),
    probe(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<boolean>()
      probes.push({ signal, answer: resolve, fail: reject })
      return promise
    },
    ...spec,
  })
  t.after(() => breaker.stop())
  return {
    breaker,
    changes,
    probes,
    report(...results: boolean[]) {
      for (const ok of results) breaker.report(ok, breaker.epoch)
    },
    pass(ms: number) {
      time += ms
      t.mock.timers.tick(ms)
    },
    /** Lets what was answered come through. */
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

test('createBreaker() opens when so many calls in a row failed in time', (t) => {
  const { breaker, changes, report, pass } = startBreaker(t, { maxFails: 3 })
  report(false, false)
  assert.deepEqual([breaker.closed, breaker.failures], [true, 2])
  report(true)
  assert.deepEqual([breaker.closed, breaker.failures], [true, 0])
  report(false)
  pass(999)
  report(false)
  pass(1)
  report(false)
  assert.deepEqual([breaker.closed, breaker.failures], [true, 2])
  pass(998)
  report(false)
  assert.deepEqual([breaker.closed, breaker.failures, changes], [false, 3, [false]])
})

test('createBreaker() never opens when `maxFails` is 0', (t) => {
  const { breaker, changes, report } = startBreaker(t, { maxFails: 0 })
  report(...Array(100).fill(false))
  assert.deepEqual([breaker.closed, breaker.failures, changes], [true, 0, []])
})

test('createBreaker() probes every 5 s when it is open, and closes when a probe succeeds', async (t) => {
  const { breaker, changes, probes, report, pass, settle } = startBreaker(t)
  assert.equal(breaker.probeAt, undefined)
  report(false, false)
  assert.equal(breaker.probeAt, 5000)
  pass(4999)
  assert.equal(probes.length, 0)
  pass(1)
  assert.deepEqual([probes.length, breaker.probeAt], [1, 10_000])
  probes[0]?.answer(false)
  await settle()
  assert.equal(breaker.closed, false)
  pass(5000)
  probes[1]?.fail(new Error('away'))
  await settle()
  assert.equal(breaker.closed, false)
  pass(5000)
  probes[2]?.answer(true)
  await settle()
  assert.deepEqual([breaker.closed, breaker.failures, breaker.probeAt], [true, 0, undefined])
  assert.deepEqual(changes, [false, true])
  pass(60_000)
  assert.equal(probes.length, 3)
})

test('createBreaker() goes on probing when a probe throws or hangs', async (t) => {
  let calls = 0
  const { breaker, pass, settle, report } = startBreaker(t, {
    probe() {
      calls++
      if (calls === 1) throw new Error('at once')
      return calls === 3 ? Promise.resolve(true) : new Promise(() => undefined)
    },
  })
  report(false, false)
  for (let i = 0; i < 3; i++) {
    assert.equal(breaker.closed, false)
    pass(5000)
    await settle()
  }
  assert.deepEqual([breaker.closed, calls], [true, 3])
})

test('createBreaker() ignores a result when its call began before the opening', async (t) => {
  const { breaker, probes, report, pass, settle } = startBreaker(t)
  const { epoch } = breaker
  report(false, false)
  breaker.report(true, epoch)
  assert.equal(breaker.closed, false)
  pass(5000)
  probes[0]?.answer(true)
  await settle()
  report(false)
  breaker.report(true, epoch)
  assert.equal(breaker.failures, 1)
  breaker.report(false, epoch)
  assert.equal(breaker.closed, true)
  report(false)
  assert.equal(breaker.closed, false)
})

test('createBreaker() ignores a probe when it answers for an earlier opening', async (t) => {
  const { breaker, changes, probes, report, pass, settle } = startBreaker(t)
  report(false, false)
  pass(10_000)
  assert.equal(probes[0]?.signal.aborted, false)
  probes[1]?.answer(true)
  await settle()
  assert.equal(probes[0]?.signal.aborted, true)
  report(false, false)
  probes[0]?.answer(true)
  await settle()
  assert.deepEqual([breaker.closed, changes], [false, [false, true, false]])
})

test('stop() ends probing for good when it is open', async (t) => {
  const { breaker, changes, probes, report, pass, settle } = startBreaker(t)
  report(false, false)
  pass(5000)
  breaker.stop()
  assert.equal(probes[0]?.signal.aborted, true)
  probes[0]?.answer(true)
  pass(60_000)
  await settle()
  assert.deepEqual([probes.length, changes], [1, [false]])
})

test('stop() keeps a closed breaker closed when calls fail later', (t) => {
  const { breaker, changes, report } = startBreaker(t)
  breaker.stop()
  report(false, false, false)
  assert.deepEqual([breaker.closed, changes], [true, []])
})

test('createBreaker() does not keep the process alive when it is open', () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const probe = () => Promise.resolve(true)
  const breaker = createBreaker({ maxFails: 1, failTimeout: 1000, monotonic: () => 0, probe })
  breaker.report(false, breaker.epoch)
  assert.deepEqual([breaker.closed, timers()], [false, before])
  breaker.stop()
})
