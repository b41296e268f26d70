import { createHash } from 'node:crypto'
import { CargoError } from '../errors.ts'
import type { IndexEntry } from './index-entry.ts'
import { mapHeadsInParts } from './index-lines.ts'
import { isSealed, sealJson } from './seal.ts'
import { UpstreamEntry } from './upstream-entry.ts'

/** The version of the stored form: a sealed line of JSON, and the body behind it; a reader refuses a newer one. */
const COPY_SCHEMA = 3
/** The form before, in which the body was one of the line's strings. */
const LINE_SCHEMA = 2
/** The form before there were seals, in which only the body may have a checksum. */
const UNSEALED_SCHEMA = 1
const NEWLINE = 0x0a

/** An index file of another registry as it was when it last changed. */
export interface UpstreamCopy {
  /** Copies of one file are numbered as changes of a crate are; the first is 1. */
  readonly n: number
  /** The bytes as they came. */
  readonly body: Buffer
  /** The same packed by gzip, if it came so; it is not stored. */
  readonly packed?: Buffer
  readonly etag?: string
  readonly lastModified?: string
  /** When these bytes came, RFC 3339. */
  readonly fetchedAt: string
  /** When each version without a `pubtime` was first seen, RFC 3339. */
  readonly firstSeen: Readonly<Record<string, string>>
}

/** Why an index file is not taken over. */
export type IndexConflict = 'invalid' | 'older' | 'vanished' | 'checksum_changed'

/** An index file that must not replace the one before, or must not be served at all. */
export class IndexConflictError extends CargoError {
  readonly conflict: IndexConflict

  constructor(conflict: IndexConflict, detail: string, cause?: unknown) {
    super('unavailable', detail, { cause, retryAfter: 60 })
    this.name = 'IndexConflictError'
    this.conflict = conflict
  }
}

/** The entries of bodies in use; reading a large one takes a while, and they never change. */
const parsed = new WeakMap<Buffer, readonly IndexEntry[]>()

/** What came from an uplink. */
export interface FetchedIndex extends Pick<UpstreamCopy, 'body' | 'packed' | 'etag' | 'lastModified'> {}

/**
 * The copy that follows `before`, when the new body may be believed: every line of it is valid and of this crate, and
 * no version that was known is gone or has other bytes.
 * @throws {IndexConflictError} saying what is wrong
 */
export function nextCopy(
  name: string,
  before: UpstreamCopy | undefined,
  fetched: FetchedIndex,
  now: Date,
): UpstreamCopy {
  const entries = entriesOf(name, fetched.body)
  if (before !== undefined && !isGone(before)) mustFollow(name, before, fetched, entries)
  return copyAfter(name, before, fetched, now)
}

/**
 * The copy with the next number, whether or not the new body contradicts the one before: a human has decided.
 * @throws {IndexConflictError} when it is not valid by itself
 */
export function copyAfter(
  name: string,
  before: UpstreamCopy | undefined,
  fetched: FetchedIndex,
  now: Date,
): UpstreamCopy {
  const { body, packed, etag, lastModified } = fetched
  const at = now.toISOString()
  const known = new Map(Object.entries(before?.firstSeen ?? {}))
  const seen = entriesOf(name, body)
    .filter(({ pubtime }) => pubtime === undefined)
    .map(({ vers }) => [vers, known.get(vers) ?? at])
  return {
    n: (before?.n ?? 0) + 1,
    body,
    ...(packed !== undefined && { packed }),
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
    fetchedAt: at,
    firstSeen: Object.fromEntries(seen),
  }
}

/** The copy that says, from now on: there is no such crate. */
export function goneCopy(before: UpstreamCopy, now: Date): UpstreamCopy {
  return { n: before.n + 1, body: Buffer.alloc(0), fetchedAt: now.toISOString(), firstSeen: {} }
}

/** Whether a human has decided that the crate is gone; it may come back as another one. */
export function isGone({ body }: UpstreamCopy): boolean {
  return body.length === 0
}

/** The entries of a body that somebody has read, as long as that is kept. */
export function readEntries(body: Buffer): readonly IndexEntry[] | undefined {
  return parsed.get(body)
}

/**
 * The entries of an upstream index file, in its order, read once for each body; what cargo would pass over is refused.
 * @throws {IndexConflictError} naming the line and the field
 */
export function entriesOf(name: string, body: Buffer): readonly IndexEntry[] {
  const parts = entriesInParts(name, body)
  for (;;) {
    const part = parts.next()
    if (part.done) return part.value
  }
}

/** The same in parts, as {@link mapHeadsInParts}. */
export function* entriesInParts(name: string, body: Buffer): Generator<undefined, readonly IndexEntry[]> {
  const known = parsed.get(body)
  if (known !== undefined) return known
  try {
    const options = { name, oldGrammar: true, requireFinalNewline: true }
    const entries = yield* mapHeadsInParts(body, options, (head, at) => new UpstreamEntry(head, body, at))
    if (entries.length === 0) throw new CargoError('invalid_body', 'it has no lines')
    parsed.set(body, entries)
    return entries
  } catch (error) {
    if (!(error instanceof CargoError)) throw error
    throw new IndexConflictError('invalid', `index file of \`${name}\`: ${error.message}`, error)
  }
}

function mustFollow(
  name: string,
  before: UpstreamCopy,
  { lastModified }: FetchedIndex,
  entries: readonly IndexEntry[],
): void {
  const [was, is] = [Date.parse(before.lastModified ?? ''), Date.parse(lastModified ?? '')]
  if (is < was) {
    throw new IndexConflictError(
      'older',
      `index file of \`${name}\` is of \`${lastModified}\`, older than the one of \`${before.lastModified}\``,
    )
  }
  const now = new Map(entries.map((entry) => [entry.vers, entry]))
  for (const { vers, cksum } of entriesOf(name, before.body)) {
    const entry = now.get(vers)
    if (entry === undefined)
      throw new IndexConflictError('vanished', `version \`${name}@${vers}\` is gone from its index file`)
    if (entry.cksum !== cksum) {
      throw new IndexConflictError(
        'checksum_changed',
        `version \`${name}@${vers}\` had the checksum \`${cksum}\` and now has \`${entry.cksum}\``,
      )
    }
  }
}

/** The stored form of a copy. */
export function encodeCopy({ body, packed: _, ...rest }: UpstreamCopy): Buffer {
  return Buffer.concat([sealJson({ schema: COPY_SCHEMA, ...rest, sha256: sha256(body) }), body])
}

/**
 * Reads a stored copy.
 * @throws {CargoError} `internal` when the bytes are no copy, or one of a newer schema: that must not look like none
 */
export function parseCopy(bytes: Uint8Array): UpstreamCopy {
  const [line, behind] = splitCopy(bytes)
  const { schema, seal: _, sha256: digest, body: text, ...rest } = parseObject(line)
  if (schema !== COPY_SCHEMA && schema !== LINE_SCHEMA && schema !== UNSEALED_SCHEMA) {
    throw new CargoError(
      'internal',
      `stored index copy has schema \`${String(schema)}\`, wanted ${COPY_SCHEMA}`,
    )
  }
  if (schema !== UNSEALED_SCHEMA && !isSealed(line)) {
    throw new CargoError('internal', 'stored index copy is damaged: its bytes do not have their checksum')
  }
  const damaged = Object.entries(STORED).find(([key, isValid]) => !isValid(rest[key]))?.[0]
  if (damaged !== undefined) throw damage(damaged)
  if (schema !== COPY_SCHEMA && (typeof text !== 'string' || behind.length > 0)) throw damage('body')
  const body =
    schema === COPY_SCHEMA
      ? Buffer.from(behind.buffer, behind.byteOffset, behind.length)
      : Buffer.from(String(text))
  // A bit that flipped in a checksum leaves a valid line.
  const isWhole = digest === sha256(body) || (digest === undefined && schema !== COPY_SCHEMA)
  if (!isWhole) throw damage('body')
  return { ...rest, body } as unknown as UpstreamCopy
}

/** Whether a copy that can be read is stored in a form that tells every bit that flips. */
export function isSealedCopy(bytes: Uint8Array): boolean {
  return isSealed(splitCopy(bytes)[0])
}

/** The line of JSON, and what is behind it. */
function splitCopy(bytes: Uint8Array): readonly [line: Uint8Array, behind: Uint8Array] {
  const end = bytes.indexOf(NEWLINE) + 1
  return end === 0 ? [bytes, bytes.subarray(bytes.length)] : [bytes.subarray(0, end), bytes.subarray(end)]
}

function damage(field: string): CargoError {
  return new CargoError('internal', `stored index copy is damaged: its \`${field}\``)
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}

/** What the fields of a stored copy must be. */
const STORED: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => Number.isSafeInteger(value) && Number(value) > 0,
  etag: (value) => value === undefined || isString(value),
  lastModified: (value) => value === undefined || isString(value),
  fetchedAt: isTime,
  firstSeen: (value) => isObject(value) && Object.values(value).every(isTime),
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new CargoError('internal', 'stored index copy is not JSON', { cause })
  }
  if (isObject(value)) return value
  throw new CargoError('internal', 'stored index copy is not a JSON object')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isTime(value: unknown): boolean {
  return isString(value) && !Number.isNaN(Date.parse(value))
}
