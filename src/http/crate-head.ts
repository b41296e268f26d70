import type { CrateFile } from '../registry/crate-file.ts'
import { httpDate } from './http-date.ts'

/** A crate file never changes; `no-transform` keeps compressing proxies and hosts away from its bytes. */
const IMMUTABLE = 'max-age=31536000, immutable, no-transform'

export const CRATE_TYPE = 'application/gzip'

/** The headers of a `.crate` file that 200, 206 and 304 have in common: names and values in turns. */
export function crateHead(
  { cksum, modified }: Pick<CrateFile, 'cksum' | 'modified'>,
  isPublic: boolean,
): readonly string[] {
  return [
    'Cache-Control',
    `${isPublic ? 'public' : 'private'}, ${IMMUTABLE}`,
    'Accept-Ranges',
    'bytes',
    'X-Content-Type-Options',
    'nosniff',
    'ETag',
    `"${cksum}"`,
    ...(modified === undefined ? [] : ['Last-Modified', httpDate(modified)]),
  ]
}
