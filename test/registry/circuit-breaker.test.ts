import assert from 'node:assert/strict'
import test from 'node:test'
import { circuitBreaker } from '../../src/registry/circuit-breaker.ts'

test('circuitBreaker() opens after five failures in a row, and lets one call through each second', () => {
  let time = 0
  const breaker = circuitBreaker(() => time)
  for (const ok of [false, false, false, false, true, false, false, false, false]) {
    assert.equal(breaker.admits(), true)
    breaker.report(ok)
  }
  breaker.report(false)
  assert.equal(breaker.admits(), false)
  time = 999
  assert.equal(breaker.admits(), false)
  time = 1000
  assert.deepEqual([breaker.admits(), breaker.admits()], [true, false])
  breaker.report(false)
  time = 1999
  assert.equal(breaker.admits(), false)
  time = 2000
  assert.equal(breaker.admits(), true)
  breaker.report(true)
  assert.deepEqual([breaker.admits(), breaker.admits()], [true, true])
})
