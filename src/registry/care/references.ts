import { CargoError } from '../../errors.ts'
import { parseChange } from '../../protocol/change.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import { entriesOf, isGone, parseCopy } from '../../protocol/upstream-copy.ts'
import { versionKey } from '../../protocol/version.ts'
import { fewAtATime } from '../few-at-a-time.ts'
import { numberOf } from '../keys.ts'
import { type RegistryStorage, readBytes } from '../reliable-storage.ts'

/** Told of every checksum that something in the store names. */
export interface ReferenceVisitor {
  /** A version that was published here and is still there. */
  hosted(sha256: string): void
  /** A version that an uplink has. */
  proxied?(sha256: string, name: string, version: string): void
}

/**
 * Visits every reference to a blob that was stored before it began.
 * @throws {CargoError} `internal` for an object that cannot be read: what it names is not known, so that nothing may be
 * called unreferenced
 */
export async function visitReferences(storage: RegistryStorage, visitor: ReferenceVisitor): Promise<void> {
  await visitHosted(storage, visitor)
  if (visitor.proxied !== undefined) await visitProxied(storage, visitor.proxied)
}

/** Changes of one crate follow each other in the order of keys. */
async function visitHosted(storage: RegistryStorage, visitor: ReferenceVisitor): Promise<void> {
  let folder = ''
  const versions = new Map<string, string>()
  const settle = () => {
    for (const sha256 of versions.values()) visitor.hosted(sha256)
    versions.clear()
  }
  const changes = fewAtATime(storage.list('crates/'), ({ key }) => read(storage, key, parseChange))
  for await (const [{ key }, change] of changes) {
    const of = key.slice(0, key.lastIndexOf('/'))
    if (of !== folder) settle()
    folder = of
    if (change?.kind === 'publish') versions.set(versionKey(change.entry.vers), change.entry.cksum)
    else if (change?.kind === 'remove' && change.vers === undefined) versions.clear()
    else if (change?.kind === 'remove' && change.vers !== undefined) versions.delete(versionKey(change.vers))
  }
  settle()
}

async function visitProxied(
  storage: RegistryStorage,
  visit: NonNullable<ReferenceVisitor['proxied']>,
): Promise<void> {
  const copies = fewAtATime(storage.list('upstream/'), ({ key }) =>
    numberOf(key) === undefined
      ? Promise.resolve(undefined)
      : read(storage, key, (bytes) => entriesIn(key.split('/').at(-2) ?? '', bytes)),
  )
  for await (const [, entries = []] of copies)
    for (const { cksum, vers, name } of entries) visit(cksum, name, vers)
}

function entriesIn(name: string, bytes: Buffer): readonly IndexEntry[] {
  const copy = parseCopy(bytes)
  return isGone(copy) ? [] : entriesOf(name, copy.body)
}

/** One that is gone by now has been replaced by a newer one. */
async function read<T>(
  storage: RegistryStorage,
  key: string,
  parse: (bytes: Buffer) => T,
): Promise<T | undefined> {
  const object = await storage.get(key)
  if (object === undefined) return undefined
  const bytes = await readBytes(object)
  try {
    return parse(bytes)
  } catch (cause) {
    throw new CargoError('internal', `\`${key}\` cannot be read: run \`verify\` first`, { cause })
  }
}
