import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Figure } from './figures.ts'
import { clientFigures } from './replicas/clients.ts'
import { diskFigures } from './replicas/disk.ts'
import { flipFigures } from './replicas/flips.ts'
import { replicaKillFigures } from './replicas/kills.ts'
import { bucketPlace, folderPlace, withRedis } from './replicas/place.ts'
import { raceFigures } from './replicas/races.ts'
import { redisFaultFigures } from './replicas/redis-faults.ts'
import { storageWalkFigures } from './replicas/storage-walk.ts'
import { visibleFigures } from './replicas/visible.ts'

// Short forms of what `npm run bar -- replicas` measures, with two replicas of the built server, a real Redis and a
// real S3 server. An S3 that fails now and then is in test/server.

const REDIS_HARMS = ['stopped', 'filled with garbage', 'rolled back to an old dump']

function mustBeMet(figures: readonly Figure[]): void {
  assert.deepEqual(
    figures.filter(({ met }) => !met),
    [],
    figures.map(({ name, value }) => `${name}: ${value}`).join('\n'),
  )
}

const CASES: Readonly<Record<string, (t: TestContext) => Promise<readonly Figure[]>>> = {
  'of 128 writers at two replicas one wins, in a folder': async (t) =>
    raceFigures(t, await folderPlace(t), { rounds: 2, writers: 64 }),
  'of 64 writers at two replicas one wins, on S3': async (t) =>
    raceFigures(t, await bucketPlace(t), { rounds: 2, writers: 32 }),
  'kill -9 of a replica on S3 loses nothing': async (t) =>
    replicaKillFigures(t, await bucketPlace(t), { kills: 2, publishers: 8 }),
  'kill -9 at a request to S3 leaves all or nothing': (t) =>
    storageWalkFigures(t, { kinds: ['publish of another version'], points: 1 }),
  'a publish is on the other replica within a second, without and with Redis': async (t) => {
    const [without, shared] = await Promise.all([
      visibleFigures(t, await folderPlace(t), { publishes: 3 }),
      visibleFigures(t, await withRedis(t, await bucketPlace(t)), { publishes: 3 }),
    ])
    return [...without, ...shared]
  },
  'a Redis that stops, lies or goes back in time changes no answer': async (t) =>
    redisFaultFigures(t, await folderPlace(t), { windowMs: 500, timed: false, harms: REDIS_HARMS }),
  'a disk that is full, read-only or unreadable, and too few descriptors': (t) => diskFigures(t, 'folder'),
  'clients that leave or never read leave nothing behind at two replicas': async (t) =>
    clientFigures(t, await withRedis(t, await bucketPlace(t)), { each: 24, connections: 0, deaf: 8 }),
  'bits that flip are found, and never served': async (t) =>
    flipFigures(t, await bucketPlace(t), { flips: 24 }),
}

for (const [name, measure] of Object.entries(CASES))
  test(name, { timeout: 170_000 }, async (t) => mustBeMet(await measure(t)))
