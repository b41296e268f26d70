import { CargoError } from '../../errors.ts'
import { canonicalName } from '../../protocol/name.ts'
import { type CatalogueEntry, isNews } from '../catalogue/entry.ts'
import { encodeList, encodeSnapshot, LINE, parseList, readSnapshot } from '../catalogue-list.ts'
import { additionKey, additionsPrefix, numberOf, snapshotKey, snapshotsPrefix } from '../keys.ts'
import { type RegistryStorage, readBytes } from '../reliable-storage.ts'
import { type Check, problemOf, readObject, reportStray } from './check.ts'

/** A number is lost to a server this often only when the store is broken. */
const MAX_ATTEMPTS = 1000

/** A catalogue as a new reader sees it. */
export interface StoredCatalogue {
  /** By canonical name. */
  readonly entries: Map<string, CatalogueEntry>
  /** The keys of the parts that are worth nothing, and why. */
  readonly damaged: ReadonlyMap<string, string>
  /** The number that it has reached. */
  readonly last: number
}

/** Reads the newest snapshot that is sound and what was added after it; everything older is looked at too. */
export async function readCatalogue(check: Check, root: string): Promise<StoredCatalogue> {
  const damaged = new Map<string, string>()
  let [entries, from, last]: [Map<string, CatalogueEntry>, number, number] = [new Map(), 0, 0]
  for await (const [key, n] of numbered(check, snapshotsPrefix(root))) {
    const snapshot = await readPart(check, key, damaged, entriesInSnapshot)
    if (snapshot !== undefined) [entries, from] = [snapshot, n]
    last = n
  }
  for await (const [key, n] of numbered(check, additionsPrefix(root))) {
    const list = await readPart(check, key, damaged, async (bytes) => parseList(bytes))
    if (n > from) merge(entries, list ?? [])
    last = Math.max(last, n)
  }
  return { entries, damaged, last }
}

/**
 * Tells servers that run what they miss by an addition, and those that start later everything by a snapshot. A damaged
 * addition becomes an empty one, since its number must not be given again.
 */
export async function rebuildCatalogue(
  storage: RegistryStorage,
  root: string,
  { entries, damaged, last }: StoredCatalogue,
  corrections: readonly { readonly name: string; readonly entry?: CatalogueEntry }[],
): Promise<void> {
  for (const { name, entry } of corrections) {
    if (entry === undefined) entries.delete(canonicalName(name))
    else entries.set(canonicalName(name), entry)
  }
  const news = encodeList(corrections.flatMap(({ entry }) => entry ?? []))
  let at = last + 1
  for (; !(await storage.put(additionKey(at, root), news, { ifAbsent: true })); at++) {
    if (at - last > MAX_ATTEMPTS) throw new CargoError('unavailable', 'the catalogue is written by too many')
    const object = await storage.get(additionKey(at, root))
    // What others added meanwhile belongs into the snapshot.
    if (object !== undefined) merge(entries, parseList(await readBytes(object)))
  }
  await storage.put(snapshotKey(at, root), encodeSnapshot(inLists(entries.values())))
  for (const key of damaged.keys()) {
    if (key.startsWith(snapshotsPrefix(root))) await storage.delete(key)
    else await storage.put(key, encodeList([]))
  }
}

function merge(entries: Map<string, CatalogueEntry>, list: readonly CatalogueEntry[]): void {
  for (const entry of list) {
    const key = canonicalName(entry.name)
    if (isNews(entry, entries.get(key))) entries.set(key, entry)
  }
}

async function* numbered(check: Check, prefix: string): AsyncGenerator<readonly [string, number]> {
  for await (const { key } of check.storage.list(prefix)) {
    const n = numberOf(key)
    if (n === undefined) reportStray(check, key)
    else yield [key, n]
  }
}

async function readPart<T>(
  check: Check,
  key: string,
  damaged: Map<string, string>,
  parse: (bytes: Buffer) => Promise<T>,
): Promise<T | undefined> {
  const found = await readObject(check, [], key)
  if (typeof found !== 'object') return undefined
  check.counts.catalogues += 1
  try {
    return await parse(found.bytes)
  } catch (error) {
    damaged.set(key, problemOf(error))
    return undefined
  }
}

async function entriesInSnapshot(bytes: Buffer): Promise<Map<string, CatalogueEntry>> {
  const entries = new Map<string, CatalogueEntry>()
  for await (const list of readSnapshot([bytes])) merge(entries, list)
  return entries
}

function* inLists(entries: Iterable<CatalogueEntry>): Generator<readonly CatalogueEntry[]> {
  let list: CatalogueEntry[] = []
  for (const entry of entries) {
    list.push(entry)
    if (list.length < LINE) continue
    yield list
    list = []
  }
  yield list
}
