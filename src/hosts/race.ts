import { buffer } from 'node:stream/consumers'
import type { ObjectStore } from '../host.ts'

/** How hard a store is tried. */
export interface RaceSpec {
  /** Each round's key is this and a number; they are deleted again. */
  readonly prefix: string
  readonly writers: number
  readonly rounds: number
}

/**
 * Lets many writers create one new object at once, several times over. How many were told that it was they, in the first
 * round in which that was not exactly the one whose object is there; `undefined`: in none.
 */
export async function raceWriters(store: ObjectStore, spec: RaceSpec): Promise<number | undefined> {
  for (let round = 0; round < spec.rounds; round++) {
    const key = `${spec.prefix}${round}`
    try {
      const winners = await raceOnce(store, key, spec.writers)
      const object = await store.get(key)
      const holder = object && (await buffer(object.body)).toString()
      if (winners.length !== 1 || winners[0] !== holder) return winners.length
    } finally {
      await store.delete(key)
    }
  }
  return undefined
}

async function raceOnce(store: ObjectStore, key: string, writers: number): Promise<readonly string[]> {
  const names = Array.from({ length: writers }, (_, writer) => String(writer))
  const writes = names.map((name) => store.put(key, Buffer.from(name), { ifAbsent: true }))
  // All of them must have ended before the key is deleted, also when one failed.
  await Promise.allSettled(writes)
  const won = await Promise.all(writes)
  return names.filter((_, writer) => won[writer])
}
