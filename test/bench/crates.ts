import { type CrateFile, crateFile } from '../support/crate-file.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'

const VERSIONS = 18
const DEPENDENCIES = 8
export const SMALL = 60_000
export const LARGE = 10_000_000
/** Bytes that gzip cannot make smaller, so that a `.crate` file has this size. */
const content = randomBytesFrom(randomFrom(7), LARGE)

/** The version whose file has 60 KB. */
export const FIRST_VERSION = '1.0.0'

/** A crate whose index file has about 30 KB, all versions of it. */
export function readCrate(name: string): readonly CrateFile[] {
  return Array.from({ length: VERSIONS }, (_, i) => {
    const crate = crateFile(name, `1.${i}.0`)
    for (let d = 0; d < DEPENDENCIES; d++)
      crate.dep(`dependency-${d}`, { version: `^1.${d}`, features: ['std'] })
    return i === 0 ? filled(crate, SMALL) : crate
  })
}

/** A new crate whose file has so many bytes. */
export function newCrate(name: string, bytes = SMALL): CrateFile {
  return filled(crateFile(name), bytes)
}

/** A crate whose file has 10 MB, and 45 MB unpacked. */
export function unpackedCrate(name: string): CrateFile {
  const sparse = Buffer.alloc(45_000_000)
  // Every so often something that cannot be packed.
  for (let at = 0; at < 9_800; at++) content.copy(sparse, at * 4_590, at * 1_000, (at + 1) * 1_000)
  return crateFile(name).add(`${name}-1.0.0/src/table.rs`, sparse)
}

function filled(crate: CrateFile, bytes: number): CrateFile {
  return crate.add(`${crate.name}-${crate.version}/data.bin`, content.subarray(0, bytes))
}
