import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { downloadUrl, type IndexConfig, renderIndexConfig } from '../../src/protocol/index-config.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { crateAnswer } from './uplink-api.ts'
import type { UplinkContent, UplinkVersion } from './uplink-content.ts'
import type { UplinkAnswer } from './uplink-faults.ts'

/** The path of the index; its files are below. */
export const INDEX = '/index/'
const SEARCH = '/api/v1/crates'

export interface AnswerSpec {
  /** With an `api`, searches and questions about crates are answered. */
  readonly config: IndexConfig
  /** Which validators index files carry. */
  readonly validators: readonly ('etag' | 'last-modified')[]
}

export interface RightAnswers {
  /** The answer to a GET, unconditional; 404 for what there is none of. */
  to(url: URL): UplinkAnswer
  /** The path of a `.crate` file, with its query. */
  cratePath(name: string, version: string): string
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** The right answers of a registry with this content, which may change. */
export function rightAnswers(content: UplinkContent, spec: AnswerSpec): RightAnswers {
  let crates = new Map<string, UplinkVersion>()
  let revision = -1

  /** The versions by the paths of their files: the marks of `dl` may be anywhere in them. */
  function byPath(): ReadonlyMap<string, UplinkVersion> {
    if (revision !== content.revision()) {
      crates = new Map([...content.versions()].map((it) => [downloadPath(spec, it), it]))
      revision = content.revision()
    }
    return crates
  }

  return {
    to(url) {
      if (url.pathname === `${INDEX}config.json`)
        return answer('other', 200, { 'content-type': 'application/json' }, renderIndexConfig(spec.config))
      if (url.pathname === SEARCH && spec.config.api != null) return search(content, url.searchParams)
      const crate = spec.config.api == null ? undefined : crateAnswer(content, url)
      if (crate !== undefined)
        return answer(
          'other',
          200,
          { 'content-type': 'application/json' },
          Buffer.from(JSON.stringify(crate)),
        )
      const version = byPath().get(url.pathname + url.search)
      if (version?.bytes !== undefined)
        return answer('crate', 200, { 'content-type': 'application/gzip' }, version.bytes)
      return indexAnswer(content, spec, url.pathname) ?? notFound()
    },
    cratePath(name, version) {
      const found = [...byPath()].find(([, it]) => it.name === name && it.version === version)
      if (found === undefined) throw new Error(`the uplink has no ${name} ${version}`)
      return found[0]
    },
  }
}

/** 304 when the client has that very answer; of two validators the tag decides (RFC 9110, 13.2.2). */
export function conditional(right: UplinkAnswer, headers: Headers): UplinkAnswer {
  const { etag, 'last-modified': modified } = right.headers
  const tags = headers['if-none-match']
  const since = headers['if-modified-since']
  const same =
    tags !== undefined
      ? etag !== undefined && String(tags).split(/,\s*/).includes(etag)
      : modified !== undefined && since !== undefined && Date.parse(modified) <= Date.parse(String(since))
  return same && right.status === 200 ? { ...right, status: 304, body: Buffer.alloc(0) } : right
}

/** As a registry that only adds it to what it sends; ours packs harder, so that whose work a body is can be told. */
const PACKED = { level: 1 }

/** The answer packed, when the client takes that. */
export function packed(right: UplinkAnswer, headers: Headers): UplinkAnswer {
  const accepted = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''))
  if (!accepted || right.kind !== 'index' || right.status !== 200) return right
  if (right.headers['content-encoding'] !== undefined) return right
  const encoding = { 'content-encoding': 'gzip', vary: 'accept-encoding' }
  return { ...right, headers: { ...right.headers, ...encoding }, body: gzipSync(right.body, PACKED) }
}

function indexAnswer(content: UplinkContent, spec: AnswerSpec, path: string): UplinkAnswer | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const file = content.index(name)
  // Only in lower case, as cargo asks.
  if (file === undefined || path !== INDEX + indexPath(name)) return undefined
  const etag = `"${createHash('sha256').update(file.body).digest('hex')}"`
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'public, max-age=600',
    ...(spec.validators.includes('etag') && { etag }),
    ...(spec.validators.includes('last-modified') && { 'last-modified': file.modified.toUTCString() }),
  }
  return answer('index', 200, headers, file.body)
}

function downloadPath({ config }: AnswerSpec, { name, version, cksum }: UplinkVersion): string {
  const { pathname, search: query } = new URL(downloadUrl(config, { name, version, cksum }))
  return pathname + query
}

/** As crates.io answers `GET /api/v1/crates?q=`, with what others than cargo look at. */
function search(content: UplinkContent, query: URLSearchParams): UplinkAnswer {
  const text = (query.get('q') ?? '').toLowerCase()
  const perPage = Math.min(100, Number(query.get('per_page') ?? 10))
  const page = Number(query.get('page') ?? 1)
  const newest = new Map<string, string>()
  for (const { name, version } of content.versions()) {
    if (name.toLowerCase().includes(text)) newest.set(name, version)
  }
  const shown = [...newest].slice((page - 1) * perPage, page * perPage)
  const crates = shown.map(([name, version]) => ({
    id: name,
    name,
    description: `The crate ${name}`,
    max_version: version,
    max_stable_version: version,
    newest_version: version,
    downloads: 1,
    recent_downloads: 1,
    exact_match: name === text,
    created_at: '2020-01-02T03:04:05.000000+00:00',
    updated_at: '2020-01-02T03:04:05.000000+00:00',
    yanked: false,
  }))
  const next_page = page * perPage < newest.size ? `?q=${text}&per_page=${perPage}&page=${page + 1}` : null
  const body = JSON.stringify({ crates, meta: { total: newest.size, next_page, prev_page: null } })
  return answer('other', 200, { 'content-type': 'application/json; charset=utf-8' }, Buffer.from(body))
}

function notFound(): UplinkAnswer {
  return answer('other', 404, { 'content-type': 'text/plain' }, Buffer.from('not found\n'))
}

function answer(
  kind: UplinkAnswer['kind'],
  status: number,
  headers: UplinkAnswer['headers'],
  body: Buffer,
): UplinkAnswer {
  return { kind, status, headers, body }
}
