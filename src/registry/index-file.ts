import { createHash } from 'node:crypto'
import type { CrateRecord } from '../protocol/record.ts'

/** An index file, ready to be sent. */
export interface IndexFile {
  readonly body: Buffer
  /** Strong: of the bytes of `body`, quotes included. */
  readonly etag: string
  readonly modified: Date
  /** The store is away, and this is the last state seen. */
  readonly stale: boolean
}

const rendered = new WeakMap<CrateRecord, Omit<IndexFile, 'stale'>>()

/** The index file of a crate; rendered once per state of the crate. */
export function indexFile(record: CrateRecord, stale: boolean): IndexFile {
  let file = rendered.get(record)
  if (file === undefined) {
    file = render(record)
    rendered.set(record, file)
  }
  return { ...file, stale }
}

function render(record: CrateRecord): Omit<IndexFile, 'stale'> {
  const lines = [...record.versions.values()].map(({ line }) => `${line}\n`)
  const body = Buffer.from(lines.join(''))
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`
  return { body, etag, modified: new Date(record.updated) }
}
