import { CargoError } from '../errors.ts'
import type { Change, PublishChange, VersionDetails } from './change.ts'
import { type GrowingMap, growingMap } from './growing-map.ts'
import { type IndexEntry, renderLine } from './index-entry.ts'
import { namesCollide } from './name.ts'
import { isSealed, sealInParts } from './seal.ts'
import { type TopVersions, topOf, topWith } from './top-versions.ts'
import { versionKey } from './version.ts'

/** The version of the encoded form; a copy of any other version is not used. */
const RECORD_SCHEMA = 2
/** Of builds that did not seal: what they left is read as it is. */
const UNSEALED_SCHEMA = 1

/** Of versions and what is between them: a part takes a millisecond or so. */
const TEXTS_IN_A_PART = 1000

/** One published version. */
export interface VersionRecord {
  /** The index entry as it is served, `yanked` included. */
  readonly entry: IndexEntry
  /** `entry` rendered: one line of the index file, without the newline. */
  readonly line: string
  readonly details: VersionDetails
  readonly by: string
  readonly at: string
  /** The base URL that it was published through. */
  readonly via: string
}

/** The state of a crate: the pure fold of its changes. */
export interface CrateRecord {
  /** As the first publish spelled it. */
  readonly name: string
  /** The number of the last change in it; the first is 1. */
  readonly n: number
  /** The id of change `n`. */
  readonly lastId: string
  /** When change 1 and change `n` were accepted. */
  readonly created: string
  readonly updated: string
  readonly owners: readonly string[]
  /** In the order of publishing, keyed by the version without build metadata. */
  readonly versions: GrowingMap<string, VersionRecord>
  /** Those of the versions that stand for the crate; kept up to date, since to look for them is to look at all. */
  readonly top: TopVersions<VersionRecord> | undefined
  /** Keys of versions that were removed: never to be used again. */
  readonly removedVersions: ReadonlySet<string>
  /** The whole crate was removed; its name stays taken. */
  readonly removed: boolean
}

/**
 * The record after change number `n`.
 * @throws {CargoError} `internal` when the change does not fit the record: the log is damaged
 */
export function foldChange(record: CrateRecord | undefined, n: number, change: Change): CrateRecord {
  if (n !== (record?.n ?? 0) + 1) throw damaged(`change ${n} does not follow change ${record?.n ?? 0}`)
  const base = record ?? emptyRecord(change)
  return { ...base, ...effect(base, change), n, lastId: change.id, updated: change.at }
}

/** Finds a version however its build metadata is written. */
export function findVersion(record: CrateRecord, version: string): VersionRecord | undefined {
  return record.versions.get(versionKey(version))
}

function effect(record: CrateRecord, change: Change): Partial<CrateRecord> {
  switch (change.kind) {
    case 'publish':
      return {
        ...withVersion(record, publishedVersion(change)),
        ...(change.owners && record.owners.length === 0 && { owners: change.owners }),
      }
    case 'yank':
    case 'unyank':
      return withTop(withYanked(record, change.vers, change.kind === 'yank'))
    case 'owners':
      return { owners: change.owners }
    case 'remove':
      return withoutVersions(record, change.vers)
  }
}

function emptyRecord(change: Change): CrateRecord {
  if (change.kind !== 'publish') throw damaged(`the first change is \`${change.kind}\`, not a publish`)
  return {
    name: change.entry.name,
    n: 0,
    lastId: '',
    created: change.at,
    updated: change.at,
    owners: [],
    ...withTop(growingMap()),
    removedVersions: new Set(),
    removed: false,
  }
}

function publishedVersion({ entry, details, by, at, via }: PublishChange): VersionRecord {
  return { entry, line: renderLine(entry), details, by, at, via }
}

function withVersion({ versions, top }: CrateRecord, version: VersionRecord): Partial<CrateRecord> {
  return { versions: versions.with(versionKey(version.entry.vers), version), top: topWith(top, version) }
}

function withTop(versions: CrateRecord['versions']): Pick<CrateRecord, 'versions' | 'top'> {
  return { versions, top: topOf(versions.values()) }
}

function withYanked(record: CrateRecord, vers: string, yanked: boolean): CrateRecord['versions'] {
  const key = versionKey(vers)
  const version = record.versions.get(key)
  if (version === undefined) throw damaged(`a change yanks the unknown version \`${vers}\``)
  const entry = { ...version.entry, yanked }
  return record.versions.with(key, { ...version, entry, line: renderLine(entry) })
}

function withoutVersions(record: CrateRecord, vers: string | undefined): Partial<CrateRecord> {
  const gone = new Set(vers === undefined ? record.versions.keys() : [versionKey(vers)])
  return {
    ...withTop(growingMap([...record.versions].filter(([key]) => !gone.has(key)))),
    removedVersions: new Set([...record.removedVersions, ...gone]),
    removed: record.removed || vers === undefined,
  }
}

/** A copy of a record, for checkpoints and the shared cache. */
export function encodeRecord(record: CrateRecord): Buffer {
  const parts = encodeRecordInParts(record)
  for (;;) {
    const part = parts.next()
    if (part.done) return part.value
  }
}

/** The same, made so that others can have their turn in between. */
export function* encodeRecordInParts(record: CrateRecord): Generator<undefined, Buffer> {
  return yield* sealInParts(partsOf(record))
}

/** The JSON of a record but for its last brace. */
function* partsOf({ versions, top: _, removedVersions, ...rest }: CrateRecord): Generator<string> {
  yield `${JSON.stringify({ schema: RECORD_SCHEMA, ...rest }).slice(0, -1)},"versions":[`
  let texts: string[] = []
  let separator = ''
  for (const version of versions.values()) {
    texts.push(separator, JSON.stringify(version))
    separator = ','
    if (texts.length < TEXTS_IN_A_PART) continue
    yield texts.join('')
    texts = []
  }
  yield `${texts.join('')}],"removedVersions":${JSON.stringify([...removedVersions])}`
}

/** Reads a copy of the record of `name`; `undefined` when it is of another schema or crate, or no such copy at all. */
export function parseRecord(bytes: Uint8Array, name: string): CrateRecord | undefined {
  try {
    const { schema, seal, versions, removedVersions, ...rest } = JSON.parse(Buffer.from(bytes).toString())
    // A seal that was not looked at would let a bit that flipped in a line be served.
    const isWhole = schema === RECORD_SCHEMA ? isSealed(bytes) : schema === UNSEALED_SCHEMA && !seal
    if (!isWhole || !Number.isSafeInteger(rest.n) || typeof rest.name !== 'string') return undefined
    if (!namesCollide(rest.name, name)) return undefined
    const keyed = (versions as VersionRecord[]).map((one) => [versionKey(one.entry.vers), one] as const)
    return { ...rest, ...withTop(growingMap(keyed)), removedVersions: new Set(removedVersions) }
  } catch {
    // A checkpoint or cached copy is derived data: a damaged one is worth nothing and costs nothing.
    return undefined
  }
}

function damaged(what: string): CargoError {
  return new CargoError('internal', `damaged change log: ${what}`)
}
