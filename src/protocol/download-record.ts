import { CargoError } from '../errors.ts'
import { isSealed, sealJson } from './seal.ts'

/** The version of the stored form. */
const SCHEMA = 1

/** Who downloaded what. */
export interface DownloadRecord {
  readonly crate: string
  readonly version: string
  /** The principal's name; absent for nobody. */
  readonly by?: string
  /** Which credential was used; never the credential. */
  readonly tokenId?: string
  /** When the file was sent, RFC 3339, UTC. */
  readonly at: string
  /** The client's address as the host knows it. */
  readonly address?: string
}

/** The stored form of records. */
export function encodeDownloadRecords(records: readonly DownloadRecord[]): Buffer {
  return sealJson({ schema: SCHEMA, records })
}

/**
 * Reads stored records.
 * @throws {CargoError} `internal` when the bytes are damaged, or of another schema
 */
export function parseDownloadRecords(bytes: Buffer): readonly DownloadRecord[] {
  if (!isSealed(bytes)) throw new CargoError('internal', 'is damaged: its bytes do not have their checksum')
  const { schema, records } = Object(JSON.parse(bytes.toString('utf8')))
  if (schema === SCHEMA && Array.isArray(records)) return records as DownloadRecord[]
  throw new CargoError('internal', `has schema \`${String(schema)}\`, this version reads ${SCHEMA}`)
}
