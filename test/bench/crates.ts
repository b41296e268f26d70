import { randomBytes } from 'node:crypto'
import { type CrateFile, crateFile } from '../support/crate-file.ts'

/** Bytes that gzip cannot make smaller, so that the `.crate` file has 60 KB. */
const CONTENT = randomBytes(60_000)
const VERSIONS = 18
const DEPENDENCIES = 8

/** The crate whose index file has about 30 KB and whose first version is a file of 60 KB. */
export const NAME = 'bench-crate'
export const FIRST_VERSION = '1.0.0'

/** All versions of the crate that is read. */
export function readCrates(): CrateFile[] {
  return Array.from({ length: VERSIONS }, (_, i) => {
    const crate = crateFile(NAME, `1.${i}.0`)
    for (let d = 0; d < DEPENDENCIES; d++)
      crate.dep(`dependency-${d}`, { version: `^1.${d}`, features: ['std'] })
    return i === 0 ? crate.add(`${NAME}-${FIRST_VERSION}/data.bin`, CONTENT) : crate
  })
}

/** A new crate of 60 KB. */
export function newCrate(number: number): CrateFile {
  const name = `bench-${number}`
  return crateFile(name).add(`${name}-1.0.0/data.bin`, CONTENT)
}
