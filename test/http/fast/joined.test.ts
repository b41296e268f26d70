import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../support/download.ts'
import type { Fault } from '../../support/uplink-faults.ts'
import { downloadPath, settled } from '../proxied.ts'
import { type Asked, BOB, CRATES, countsOf, SECRET, startCold, whileFetching } from './cold-side.ts'

const PAST = [
  { past: 'router', keeps: false, what: 'the router' },
  { past: 'koa', keeps: false, what: 'Koa' },
  { past: 'koa', keeps: true, what: "Koa and node:http's parser" },
] as const
const WAYS = PAST.flatMap((way) => [false, true].map((login) => ({ ...way, login })))

for (const { what, past, keeps, login } of WAYS) {
  const where = `past ${what}, where ${login ? 'reads need a login' : 'everybody may read'}`
  for (const [size, crate] of Object.entries(CRATES)) {
    test(`who begins or joins a fetch of a ${size} crate gets the ordinary answer ${where}`, async (t) => {
      const etag = `"${sha256(crate.bytes())}"`
      const crowd: Asked[] = [
        {},
        {},
        { headers: { authorization: BOB } },
        { headers: { 'accept-encoding': 'deflate, gzip' } },
        { method: 'HEAD' },
        { headers: { 'if-none-match': '*' } },
        { headers: { 'if-none-match': etag } },
        { headers: { 'if-none-match': '"another"' } },
        { headers: { 'if-modified-since': 'Fri, 31 Dec 2100 23:59:59 GMT' } },
        { headers: { range: 'bytes=5-9' } },
        { headers: { authorization: 'token-of-nobody' } },
        { headers: { authorization: '' } },
        { path: downloadPath('remote', '1.0.1') },
        { path: downloadPath('Remote', '1.0.0') },
      ]
      const [fast, ordinary] = [
        await startCold(t, { login, keeps, past, crate }),
        await startCold(t, { login, keeps, past: 'neither', crate }),
      ]
      const before = fast.side.counts().fast
      const [ours, theirs] = [await whileFetching(fast, crowd), await whileFetching(ordinary, crowd)]
      assert.deepEqual(ours, theirs)
      assert.equal(ours[1]?.body, crate.bytes().toString('latin1'))
      await settled(() => fast.side.counts().fast - before, login ? 5 : 6)
      assert.equal(ordinary.side.counts().fast, 0)
      assert.deepEqual(await countsOf(fast), await countsOf(ordinary))
    })
  }

  test(`who may not read a crate is told nothing of its fetch ${where}`, async (t) => {
    const path = downloadPath(SECRET, '1.0.0')
    const crowd = [{}, { headers: { authorization: BOB } }]
    const [fast, ordinary] = [
      await startCold(t, { login, keeps, past }),
      await startCold(t, { login, keeps, past: 'neither' }),
    ]
    const [ours, theirs] = [
      await whileFetching(fast, crowd, path),
      await whileFetching(ordinary, crowd, path),
    ]
    assert.deepEqual(ours, theirs)
    assert.deepEqual(
      ours.map(({ status }) => status),
      login ? [200, 200, 404] : [200, 200, 200],
    )
  })

  test(`who begins or joins a fetch that fails gets the ordinary answer ${where}`, async (t) => {
    const [fast, ordinary] = [
      await startCold(t, { login, keeps, past, crate: CRATES.large }),
      await startCold(t, { login, keeps, past: 'neither', crate: CRATES.large }),
    ]
    const faults: Fault[] = ['404', '503', 'empty200', 'hang-up', { mode: 'reset-at', byte: 0 }, '429']
    for (const fault of faults) {
      const before = fast.side.counts().fast
      const [ours, theirs] = await Promise.all(
        [fast, ordinary].map(async (cold) => {
          cold.uplink.fault(/^\/crates/, fault)
          const answers = await whileFetching(cold, [{}, {}, {}])
          cold.uplink.heal()
          return answers
        }),
      )
      assert.deepEqual(ours, theirs, JSON.stringify(fault))
      assert.ok(ours?.every(({ status, whole }) => whole && status === (Number(fault) || 503)))
      await settled(() => fast.side.counts().fast - before, 4)
    }
    assert.deepEqual(await countsOf(fast), await countsOf(ordinary))
  })
}
