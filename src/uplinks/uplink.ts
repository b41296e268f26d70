import type { Readable } from 'node:stream'
import { CargoError } from '../errors.ts'
import type { UplinkOptions } from '../options.ts'
import { parseSearchResponse, type SearchResponse } from '../protocol/api.ts'
import { type Download, downloadUrl, type IndexConfig, parseIndexConfig } from '../protocol/index-config.ts'
import { indexPath } from '../protocol/name.ts'
import { type BodyLimits, openBody, readBody } from './body.ts'
import { createConnections } from './connections.ts'
import { createEgressGuard } from './egress.ts'
import { type Answer, createExchange, discard } from './exchange.ts'
import { parseHome } from './home.ts'
import { parseRetryAfter } from './retry-after.ts'
import { createStanding, DEFAULT_RETRY_AFTER, type StandingDeps, type UplinkState } from './standing.ts'
import { UplinkError } from './uplink-error.ts'

const MiB = 1024 * 1024
/** For so long the uplink's `config.json` is believed. */
const CONFIG_MAXAGE = 5 * 60_000
const MAX_CONFIG = MiB
const MAX_SEARCH = 4 * MiB
/** Search is no reason to keep anybody waiting. */
const SEARCH_TIMEOUT = 3_000
/** An index file takes this many times as long as the uplink may be silent, and no longer. */
const TOTAL_TIMEOUTS = 3
const ABSENT = new Set([404, 410, 451])

/** What an index file was when we last saw it. */
export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

/** What an uplink says of an index file. */
export type IndexAnswer =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unchanged' }
  | ({ readonly kind: 'changed'; readonly body: Buffer } & Validators)

export interface CrateAnswer {
  /** Bytes, when the uplink said so. */
  readonly size?: number
  /** Fails with an {@link UplinkError} when it does not come whole; its checksum is not looked at. */
  readonly body: Readable
}

/** A sparse registry as a client sees it. Every failure is an {@link UplinkError} that says what is wrong with it. */
export interface Uplink {
  readonly name: string
  readonly options: UplinkOptions
  /** The index file of a crate; `absent` only when the uplink itself said so. */
  index(name: string, validators?: Validators): Promise<IndexAnswer>
  /** @throws {CargoError} `not_found` when the uplink does not have the file */
  crate(download: Download): Promise<CrateAnswer>
  /** What its web API finds; `undefined` when it has none. */
  search(query: {
    readonly q: string
    readonly perPage: number
    readonly page: number
  }): Promise<SearchResponse | undefined>
  state(): UplinkState
  close(): Promise<void>
}

export interface UplinkDeps extends Omit<StandingDeps, 'probe' | 'options'> {
  readonly options: UplinkOptions
  readonly limits: { readonly index: number; readonly proxied: number }
}

/** A client of the registry that `options` describe; nothing is sent before the first question. */
export function createUplink(deps: UplinkDeps): Uplink {
  const { name, options, limits, monotonic } = deps
  const home = parseHome(options)
  const guard = createEgressGuard(name, home.base)
  const connections = createConnections(options, guard)
  const exchange = createExchange({ uplink: name, home, guard, connections })
  const paceWindow = 1.5 * options.timeout
  let config: { readonly value: IndexConfig; readonly at: number } | undefined
  let fetchingConfig: Promise<IndexConfig> | undefined
  const standing = createStanding({ ...deps, probe: isBack })

  async function isBack(): Promise<boolean> {
    const answer = await exchange.ask(new URL('config.json', home.base), {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(options.timeout),
    })
    discard(answer)
    return answer.status < 500
  }

  /** The answer, if it has one of the wanted statuses; every other one is a failure of its own kind. */
  function mustBe(answer: Answer, wanted: (status: number) => boolean): Answer {
    const { status } = answer
    if (wanted(status)) return answer
    discard(answer)
    const retryAfter = parseRetryAfter(answer.header('retry-after'), deps.now().getTime())
    if (status === 429)
      throw new UplinkError(name, 'limited', 'has limited us', {
        retryAfter: retryAfter ?? DEFAULT_RETRY_AFTER,
      })
    const hint = retryAfter === undefined ? {} : { retryAfter }
    if (status >= 500) throw new UplinkError(name, 'away', `answers ${status}`, hint)
    const advice = status === 401 || status === 403 ? ': check its `auth` and `headers`' : ''
    throw new UplinkError(name, 'foreign', `answers ${status}${advice}`)
  }

  const bodyLimits = (maxBytes: number): BodyLimits => ({ maxBytes, paceWindow })
  const deadline = () => AbortSignal.timeout(TOTAL_TIMEOUTS * options.timeout)

  async function fetchConfig(): Promise<IndexConfig> {
    const answer = mustBe(
      await exchange.ask(new URL('config.json', home.base), {
        headers: { accept: 'application/json' },
        signal: deadline(),
      }),
      (status) => status === 200,
    )
    const body = await readBody(name, answer, bodyLimits(MAX_CONFIG))
    try {
      return parseIndexConfig(body)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new UplinkError(name, 'foreign', `has an ${reason.replace(/^invalid/, 'unusable')}`, { cause })
    }
  }

  /** The uplink's `config.json`; the last good one when there is no new one to be had. */
  async function getConfig(): Promise<IndexConfig> {
    if (config !== undefined && monotonic() - config.at < CONFIG_MAXAGE) return config.value
    fetchingConfig ??= standing.asking('config', fetchConfig).finally(() => {
      fetchingConfig = undefined
    })
    try {
      config = { value: await fetchingConfig, at: monotonic() }
    } catch (error) {
      if (config === undefined) throw error
    }
    return config.value
  }

  return {
    name,
    options,

    async index(crate, { etag, lastModified } = {}) {
      const conditional: Readonly<Record<string, string>> = etag
        ? { 'if-none-match': etag }
        : lastModified
          ? { 'if-modified-since': lastModified }
          : {}
      return standing.asking('index', async () => {
        const answer = mustBe(
          await exchange.ask(new URL(indexPath(crate), home.base), {
            headers: {
              accept: 'text/plain',
              'accept-encoding': 'gzip',
              'cargo-protocol': 'version=1',
              ...conditional,
            },
            signal: deadline(),
          }),
          (status) =>
            status === 200 || ABSENT.has(status) || (status === 304 && Object.keys(conditional).length > 0),
        )
        if (answer.status !== 200) {
          discard(answer)
          return { kind: answer.status === 304 ? 'unchanged' : 'absent' }
        }
        const body = await readBody(name, answer, bodyLimits(limits.index))
        const [newEtag, newModified] = [answer.header('etag'), answer.header('last-modified')]
        return {
          kind: 'changed',
          body,
          ...(newEtag !== undefined && { etag: newEtag }),
          ...(newModified !== undefined && { lastModified: newModified }),
        }
      })
    },

    async crate(download) {
      const url = new URL(downloadUrl(await getConfig(), download))
      const question = standing.begin('crate')
      try {
        const headers = { accept: '*/*', 'accept-encoding': 'identity' }
        const answer = mustBe(
          await exchange.ask(url, { headers }),
          (status) => status === 200 || ABSENT.has(status),
        )
        if (answer.status !== 200) {
          discard(answer)
          throw new CargoError(
            'not_found',
            `uplink \`${name}\` does not have the file of \`${download.name}@${download.version}\``,
          )
        }
        const body = openBody(name, answer, bodyLimits(limits.proxied))
        body.once('end', () => question.answered())
        body.once('error', (error) => question.failed(error))
        return { body, ...announcedSize(answer) }
      } catch (error) {
        throw question.failed(error)
      }
    },

    async search({ q, perPage, page }) {
      const { api } = await getConfig()
      if (api === undefined || api === null || api === '') return undefined
      const url = new URL(`${api.replace(/\/+$/, '')}/api/v1/crates`)
      url.search = String(new URLSearchParams({ q, per_page: String(perPage), page: String(page) }))
      return standing.asking('search', async () => {
        const signal = AbortSignal.timeout(Math.min(SEARCH_TIMEOUT, options.timeout))
        const headers = { accept: 'application/json', 'accept-encoding': 'gzip' }
        const answer = mustBe(await exchange.ask(url, { headers, signal }), (status) => status === 200)
        const found = parseSearchResponse(await readBody(name, answer, bodyLimits(MAX_SEARCH)))
        if (found === undefined)
          throw new UplinkError(name, 'foreign', 'answers a search with something else')
        return found
      })
    },

    state: standing.state,

    async close() {
      standing.stop()
      await connections.close()
    },
  }
}

/** What is decoded on the way has another size than what was announced. */
function announcedSize(answer: Answer): { readonly size?: number } {
  const length = answer.header('content-length')
  const isPlain = ['', 'identity'].includes(answer.header('content-encoding')?.trim().toLowerCase() ?? '')
  return isPlain && length !== undefined && /^\d{1,15}$/.test(length) ? { size: Number(length) } : {}
}
