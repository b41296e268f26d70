import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { ObjectStore } from '../../src/host.ts'
import type { OptionsInput } from '../../src/options.ts'
import { type CrateFile, crateFile } from '../support/crate-file.ts'
import { sha256 } from '../support/download.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'
import type { Uplink } from '../support/uplink.ts'

type UplinkOptionsInput = NonNullable<OptionsInput['uplinks']>[string]

/** Everything from one uplink; quick to lose patience, and nothing is fetched ahead that would have to be told apart. */
export function proxyOptions(
  uplink: Uplink,
  more: Omit<OptionsInput, 'uplinks'> = {},
  of: Partial<UplinkOptionsInput> = {},
): OptionsInput {
  const ca = uplink.ca === undefined ? {} : { ca: uplink.ca }
  return { prefetch: 0, ...more, uplinks: { up: { url: uplink.index, max_fails: 0, ...ca, ...of } } }
}

/** A crate whose file is larger than `bytes`, which no compression changes. */
export function largeCrate(name: string, version: string, bytes: number, seed = 1): CrateFile {
  return crateFile(name, version).add(`${name}-${version}/noise`, randomBytesFrom(randomFrom(seed), bytes))
}

export function downloadPath(name: string, version: string): string {
  return `/api/v1/crates/${name}/${version}/download`
}

/** The checksums of the stored crate files that are not what they are stored under, and of those that are. */
export async function storedBlobs(storage: ObjectStore) {
  const sound: string[] = []
  const wrong: string[] = []
  for await (const { key } of storage.list('blobs/')) {
    const object = await storage.get(key)
    const name = key.slice(key.lastIndexOf('/') + 1)
    const sum = object && sha256(await buffer(object.body))
    ;(sum === name ? sound : wrong).push(name)
  }
  return { sound, wrong }
}

/** Waits, but not for long, until what is done behind the answers has led to `expected`. */
export async function settled<T>(look: () => T | Promise<T>, expected: T): Promise<void> {
  const end = performance.now() + 5_000
  while (performance.now() < end && !isDeepStrictEqual(await look(), expected)) await sleep(10)
  assert.deepEqual(await look(), expected)
}
