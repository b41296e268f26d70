import type { CrateAbout, KnownDetails } from './crate-view.ts'
import {
  asRecord,
  type Fields,
  lineIn,
  linesIn,
  numberIn,
  parseRecord,
  proseIn,
  timeIn,
  urlIn,
} from './foreign-json.ts'
import { namesCollide } from './name.ts'

/** Characters; crates.io takes fewer of each. */
const MAX_DESCRIPTION = 4096
const MAX_LINE = 256
const MAX_WORDS = 20
const MAX_BINARIES = 100
/** More versions than any crate has. */
const MAX_VERSIONS = 20_000

/** What another registry's web API says of a crate: nothing that is relied on, every text checked and short. */
export interface UpstreamAbout {
  readonly name: string
  /** RFC 3339. */
  readonly created?: string
  readonly updated?: string
  readonly about: CrateAbout
  /** By number. */
  readonly versions: ReadonlyMap<string, UpstreamVersionAbout>
  /** Bytes of the answer, and about as many in memory. */
  readonly size: number
}

export interface UpstreamVersionAbout {
  /** Which file it speaks of, if it says so. */
  readonly checksum?: string
  readonly by?: string
  readonly details: KnownDetails
}

/** Reads an answer about the crate `name` in crates.io's shape; `undefined` when it is none, or about another crate. */
export function parseUpstreamAbout(name: string, bytes: Uint8Array): UpstreamAbout | undefined {
  const answer = parseRecord(bytes)
  const crate = asRecord(answer?.['crate'])
  const published = lineIn(crate['name'] ?? crate['id'], MAX_LINE)
  if (published === undefined || !namesCollide(published, name)) return undefined
  const about = {
    ...linksOf(crate),
    keywords: linesIn(crate['keywords'], MAX_WORDS, MAX_LINE),
    categories: linesIn(crate['categories'], MAX_WORDS, MAX_LINE),
  }
  const versions = Array.isArray(answer?.['versions']) ? answer['versions'].slice(0, MAX_VERSIONS) : []
  return {
    name: published,
    created: timeIn(crate['created_at']),
    updated: timeIn(crate['updated_at']),
    about,
    versions: new Map(versions.flatMap((version) => parseVersion(asRecord(version)))),
    size: bytes.length,
  }
}

function parseVersion(fields: Fields): [string, UpstreamVersionAbout][] {
  const number = lineIn(fields['num'], MAX_LINE)
  if (number === undefined) return []
  const by = lineIn(asRecord(fields['published_by'])['login'], MAX_LINE)
  const hasLib = fields['has_lib']
  const details: KnownDetails = {
    ...linksOf(fields),
    size: numberIn(fields['crate_size']),
    license: lineIn(fields['license'], MAX_LINE),
    edition: lineIn(fields['edition'], MAX_LINE),
    ...(typeof hasLib === 'boolean' && { has_lib: hasLib }),
    ...(Array.isArray(fields['bin_names']) && {
      bin_names: linesIn(fields['bin_names'], MAX_BINARIES, MAX_LINE),
    }),
  }
  return [[number, { checksum: lineIn(fields['checksum'], MAX_LINE), by, details }]]
}

function linksOf(fields: Fields): Omit<CrateAbout, 'keywords' | 'categories'> {
  return {
    description: proseIn(fields['description'], MAX_DESCRIPTION),
    homepage: urlIn(fields['homepage']),
    documentation: urlIn(fields['documentation']),
    repository: urlIn(fields['repository']),
  }
}
