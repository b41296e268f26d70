import { CHANGE_TITLES } from '../changes-under-fire.ts'
import type { Figure } from '../figures.ts'
import { clientFigures } from './clients.ts'
import { diskFigures } from './disk.ts'
import { flipFigures } from './flips.ts'
import { replicaKillFigures } from './kills.ts'
import { type Context, PLACES, type Place, withRedis } from './place.ts'
import { raceFigures } from './races.ts'
import { redisFaultFigures } from './redis-faults.ts'
import { rollingFigures } from './rolling.ts'
import { s3FaultFigures } from './s3-faults.ts'
import { storageWalkFigures } from './storage-walk.ts'
import { visibleFigures } from './visible.ts'

/** Measures with this count, where there is one, instead of the usual one. */
export type CountedPart = (context: Context, count?: number) => Promise<readonly Figure[]>

type Measure = (context: Context, place: Place, count?: number) => Promise<readonly Figure[]>

/** As many pairs of replicas as keep two processors busy. */
const PAIRS = 2

/** Two replicas on a folder and on S3, mostly with a Redis, and what can happen to them. */
export const REPLICA_PARTS: Readonly<Record<string, CountedPart>> = {
  ...onEach('kills', async (context, place, kills = 600) =>
    replicaKillFigures(context, await withRedis(context, place), { kills, publishers: 8, pairs: PAIRS }),
  ),
  'replicas-walk': (context, points) => storageWalkFigures(context, { kinds: CHANGE_TITLES, points }),
  ...onEach('races', async (context, place, rounds = 200) =>
    raceFigures(context, await withRedis(context, place), { rounds, writers: 64 }),
  ),
  ...onEach('redis', (context, place, windowMs = 5_000) => redisFaultFigures(context, place, { windowMs })),
  'replicas-faults': (context, windowMs = 8_000) => s3FaultFigures(context, { windowMs }),
  'replicas-disk-folder': (context) => diskFigures(context, 'folder'),
  'replicas-disk-s3': (context) => diskFigures(context, 's3'),
  ...onEach('rolling', async (context, place, requests = 10_000) =>
    rollingFigures(context, await withRedis(context, place), { requests }),
  ),
  ...onEach('visible', async (context, place, publishes = 30) => [
    ...(await visibleFigures(context, place, { publishes })),
    ...(await visibleFigures(context, await withRedis(context, place), { publishes })),
  ]),
  ...onEach('clients', async (context, place, each = 2_000) =>
    clientFigures(context, await withRedis(context, place), { each, connections: each, deaf: each / 20 }),
  ),
  ...onEach('flips', (context, place, flips = 100) => flipFigures(context, place, { flips })),
}

function onEach(name: string, measure: Measure): Readonly<Record<string, CountedPart>> {
  const parts = Object.entries(PLACES).map(([at, make]): [string, CountedPart] => [
    `replicas-${name}-${at}`,
    async (context, count) => measure(context, await make(context), count),
  ])
  return Object.fromEntries(parts)
}
