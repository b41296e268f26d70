import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheStatus } from '../../src/http/cache-status.ts'
import type { IndexFile } from '../../src/registry/index-file.ts'

const FRESH = { age: 0, maxAge: 120_000, asked: false, cold: false }

test('cacheStatus() says where an answer came from, and for how long it is fresh', () => {
  const cases: readonly (readonly [Pick<IndexFile, 'stale' | 'freshness'>, string | undefined])[] = [
    [{ stale: false }, undefined],
    [{ stale: true }, 'verdaccio-cargo; hit; detail=stale'],
    [{ stale: false, freshness: FRESH }, 'verdaccio-cargo; hit; ttl=120'],
    [{ stale: false, freshness: { ...FRESH, age: 1_500 } }, 'verdaccio-cargo; hit; ttl=119'],
    [
      { stale: false, freshness: { ...FRESH, asked: true, cold: true } },
      'verdaccio-cargo; fwd=miss; stored; ttl=120',
    ],
    [{ stale: false, freshness: { ...FRESH, asked: true } }, 'verdaccio-cargo; fwd=stale; ttl=120'],
    [{ stale: true, freshness: { ...FRESH, age: 300_000 } }, 'verdaccio-cargo; hit; ttl=-180; detail=stale'],
    [
      { stale: true, freshness: { ...FRESH, age: 300_000, asked: true } },
      'verdaccio-cargo; hit; ttl=-180; detail=stale',
    ],
    [
      { stale: true, freshness: { ...FRESH, age: 5, maxAge: 0 } },
      'verdaccio-cargo; hit; ttl=-1; detail=stale',
    ],
    [
      { stale: false, freshness: { ...FRESH, age: 5, maxAge: 0, asked: true } },
      'verdaccio-cargo; fwd=stale; ttl=0',
    ],
  ]
  for (const [file, expected] of cases) assert.equal(cacheStatus(file), expected)
})
