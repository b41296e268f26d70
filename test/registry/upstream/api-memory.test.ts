import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { validateName } from '../../../src/protocol/name.ts'
import { crateFile } from '../../support/crate-file.ts'
import { startUplink } from '../../support/uplink.ts'
import { clockedRegistry, fakeClock, HOUR, MINUTE, NOBODY, SECOND } from './clocked-registry.ts'

const FOO = '/api/v1/crates/foo'

/** A registry whose clock stands still, and what it says of the crate `foo` of its uplink. */
async function start(t: TestContext) {
  const clock = fakeClock()
  const uplink = await startUplink(t, { crates: [crateFile('foo'), crateFile('bar')], api: true })
  const { registry } = clockedRegistry(t, { clock, uplink, up: { maxage: '1y' } })
  const describe = async (name = 'foo') =>
    (await registry.crate(NOBODY, validateName(name))).about.description
  return { clock, uplink, describe }
}

const body = (description: string) => JSON.stringify({ crate: { name: 'foo', description } })

test('what the API said is asked again after five minutes', async (t) => {
  const { clock, uplink, describe } = await start(t)
  assert.equal(await describe(), 'The crate foo')
  uplink.set(FOO, { body: body('new') })
  clock.advance(5 * MINUTE - SECOND)
  assert.equal(await describe(), 'The crate foo')
  clock.advance(SECOND)
  assert.equal(await describe(), 'new')
  assert.equal(uplink.hits(FOO), 2)
})

test('what the API said stays while it fails, which it is asked about every half minute', async (t) => {
  const { clock, uplink, describe } = await start(t)
  assert.equal(await describe(), 'The crate foo')
  clock.advance(HOUR)
  uplink.fault(FOO, '500')
  for (let n = 0; n < 3; n++) assert.equal(await describe(), 'The crate foo')
  assert.equal(uplink.hits(FOO), 2)
  // Nor is it asked about others.
  assert.equal(await describe('bar'), undefined)
  clock.advance(30 * SECOND)
  assert.equal(await describe(), 'The crate foo')
  assert.equal(uplink.hits(FOO), 3)
  uplink.heal()
  uplink.set(FOO, { body: body('new') })
  clock.advance(30 * SECOND)
  assert.equal(await describe(), 'new')
  assert.equal(await describe('bar'), 'The crate bar')
})

test('an API that limits us is left alone for as long as it says, its index is not', async (t) => {
  const { clock, uplink, describe } = await start(t)
  uplink.fault(FOO, { mode: '429', retryAfter: 90 }, 1)
  assert.equal(await describe(), undefined)
  clock.advance(89 * SECOND)
  assert.equal(await describe('bar'), undefined)
  assert.equal(uplink.hits(uplink.indexPath('bar')), 1)
  clock.advance(SECOND)
  assert.equal(await describe(), 'The crate foo')
})

test('an answer about another crate is one: others are asked about', async (t) => {
  const { clock, uplink, describe } = await start(t)
  uplink.set(FOO, { body: JSON.stringify({ crate: { name: 'bar', description: 'of bar' } }) })
  assert.equal(await describe(), undefined)
  assert.equal(await describe(), undefined)
  assert.equal(uplink.hits(FOO), 1)
  assert.equal(await describe('bar'), 'The crate bar')
  uplink.set(FOO, undefined)
  clock.advance(5 * MINUTE)
  assert.equal(await describe(), 'The crate foo')
})

test('a crate that the API does not have is not asked for again at once', async (t) => {
  const { uplink, describe } = await start(t)
  uplink.fault(FOO, '404')
  for (let n = 0; n < 3; n++) assert.equal(await describe(), undefined)
  assert.equal(uplink.hits(FOO), 1)
})
