import { redisServer } from '../../hosts/redis-server.ts'
import type { Figure } from '../figures.ts'
import { diskFigures } from './disk.ts'
import { flipFigures } from './flips.ts'
import { replicaKillFigures } from './kills.ts'
import { type Context, PLACES, type Place } from './place.ts'
import { raceFigures } from './races.ts'
import { redisFaultFigures } from './redis-faults.ts'
import { rollingFigures } from './rolling.ts'
import { s3FaultFigures } from './s3-faults.ts'
import { storageWalkFigures } from './storage-walk.ts'
import { visibleFigures } from './visible.ts'

/** Measures with this count, where there is one, instead of the usual one. */
export type CountedPart = (context: Context, count?: number) => Promise<readonly Figure[]>

const onEach =
  (measure: (context: Context, place: Place, count?: number) => Promise<readonly Figure[]>): CountedPart =>
  async (context, count) => {
    const figures: Figure[] = []
    for (const make of PLACES) figures.push(...(await measure(context, await make(context), count)))
    return figures
  }

const PUBLISHES = ['publish of a new crate', 'publish of another version']
const CHANGES = ['yank', 'change of owners', 'removal of a version', 'removal of a crate']

/** Two replicas on a folder and on S3, and what can happen to them. */
export const REPLICA_PARTS: Readonly<Record<string, CountedPart>> = {
  'replicas-kills': onEach((context, place, kills = 30) =>
    replicaKillFigures(context, place, { kills, publishers: 8 }),
  ),
  'replicas-publish-walk': (context, points) => storageWalkFigures(context, { kinds: PUBLISHES, points }),
  'replicas-change-walk': (context, points) => storageWalkFigures(context, { kinds: CHANGES, points }),
  'replicas-races': onEach((context, place, rounds = 200) =>
    raceFigures(context, place, { rounds, writers: 64 }),
  ),
  'replicas-redis': onEach((context, place, windowMs = 5_000) =>
    redisFaultFigures(context, place, { windowMs }),
  ),
  'replicas-s3': (context, windowMs = 8_000) => s3FaultFigures(context, { windowMs }),
  'replicas-disk': (context) => diskFigures(context),
  'replicas-rolling': onEach((context, place, requests = 10_000) =>
    rollingFigures(context, place, { requests }),
  ),
  async 'replicas-visible'(context, publishes = 30) {
    const redis = await redisServer()
    context.after(() => redis.close())
    const figures: Figure[] = []
    for (const make of PLACES)
      for (const more of [{}, { redis: redis.url }])
        figures.push(...(await visibleFigures(context, await make(context), { publishes, ...more })))
    return figures
  },
  'replicas-flips': (context, flips = 100) => flipFigures(context, { flips }),
}
