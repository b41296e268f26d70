import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { encodeChange, type PublishChange } from '../../src/protocol/change.ts'
import { type CrateRecord, encodeRecord, foldChange } from '../../src/protocol/record.ts'
import { type CatalogueEntry, summarize } from '../../src/registry/catalogue/entry.ts'
import { encodeSnapshot } from '../../src/registry/catalogue-list.ts'
import { blobKey, changeKey, checkpointKey, snapshotKey } from '../../src/registry/keys.ts'
import { crateFile } from '../support/crate-file.ts'
import { manyCrates } from './scale-crates.ts'

/** More changes than that are not written one by one: the others are in the catalogue only. */
export const MOST_LOGS = 100_000
/** Files written at a time. */
const PARALLEL = 64
const LIST = 64

/** Writes a registry of `count` crates into a folder, object by object, as servers would have left it. */
export async function writeStore(folder: string, count: number): Promise<void> {
  let writes: Promise<void>[] = []
  const entries: CatalogueEntry[] = []
  async function add(change: PublishChange): Promise<void> {
    entries.push(summarize(foldChange(undefined, 1, change)))
    if (entries.length > MOST_LOGS) return
    writes.push(write(folder, changeKey(change.entry.name, 1), encodeChange(change)))
    if (writes.length < PARALLEL) return
    await Promise.all(writes)
    writes = []
  }
  for (const change of manyCrates(count)) await add(change)
  await Promise.all(writes)
  const snapshot = join(folder, snapshotKey(1))
  await mkdir(dirname(snapshot), { recursive: true })
  await pipeline(encodeSnapshot(lists(entries)), createWriteStream(snapshot))
}

/** Writes a crate with so many versions, all of which are the same file. */
export async function writeVersions(folder: string, name: string, versions: number): Promise<void> {
  const bytes = crateFile(name, version(0)).bytes()
  const cksum = createHash('sha256').update(bytes).digest('hex')
  await write(folder, blobKey(cksum), bytes)
  let record: CrateRecord | undefined
  for (let n = 1; n <= versions; n++) {
    const change: PublishChange = {
      ...{ kind: 'publish', id: `${name}-${n}`, at: '2025-01-01T00:00:00Z', by: 'bench' },
      ...{ via: 'http://registry.example', owners: ['bench'] },
      entry: { ...{ name, vers: version(n - 1), deps: [], cksum, features: {}, yanked: false } },
      details: { size: bytes.length, keywords: [], categories: [], authors: [] },
    }
    await write(folder, changeKey(name, n), encodeChange(change))
    record = foldChange(record, n, change)
  }
  if (record !== undefined) await write(folder, checkpointKey(name), encodeRecord(record))
}

/** The number of a version, in their order. */
export function version(index: number): string {
  return `1.${index}.0`
}

function* lists(entries: readonly CatalogueEntry[]): Generator<readonly CatalogueEntry[]> {
  for (let from = 0; from < entries.length; from += LIST) yield entries.slice(from, from + LIST)
}

const made = new Set<string>()

async function write(folder: string, key: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, key)
  const parent = dirname(path)
  if (!made.has(parent)) await mkdir(parent, { recursive: true })
  made.add(parent)
  await writeFile(path, bytes)
}
