import { createHash } from 'node:crypto'
import type { CrateRecord } from '../protocol/record.ts'

/** An index file, ready to be sent. */
export interface IndexFile {
  readonly body: Buffer
  /** The same packed by gzip, where that is here. */
  readonly packed?: Buffer
  /** Strong: of the bytes of `body`, quotes included. */
  readonly etag: string
  readonly modified: Date
  /** The last state seen: whoever knows a newer one is away. */
  readonly stale: boolean
  /** Set for files of an uplink. */
  readonly freshness?: Freshness
}

/** How current a copy is. */
export interface Freshness {
  /** Milliseconds since the uplink last confirmed it. */
  readonly age: number
  /** Milliseconds for which a confirmation counts. */
  readonly maxAge: number
  /** The uplink was asked for this answer. */
  readonly asked: boolean
  /** There was no copy before. */
  readonly cold: boolean
}

const rendered = new WeakMap<CrateRecord, IndexFile>()

/** The index file of a crate; rendered once per state of the crate. */
export function indexFile(record: CrateRecord, stale: boolean): IndexFile {
  let file = rendered.get(record)
  if (file === undefined) {
    const lines = [...record.versions.values()].map(({ line }) => `${line}\n`)
    const body = Buffer.from(lines.join(''))
    file = { body, etag: etagOf(body), modified: new Date(record.updated), stale: false }
    rendered.set(record, file)
  }
  return stale ? { ...file, stale } : file
}

/** A strong entity tag of exactly these bytes. */
export function etagOf(body: Buffer): string {
  return `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`
}
