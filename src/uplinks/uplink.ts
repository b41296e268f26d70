import { CargoError } from '../errors.ts'
import type { UplinkOptions } from '../options.ts'
import { type Download, downloadUrl, type IndexConfig, parseIndexConfig } from '../protocol/index-config.ts'
import { indexPath } from '../protocol/name.ts'
import type { FetchedIndex } from '../protocol/upstream-copy.ts'
import { type Body, type BodyLimits, openBody, readBody, tellsItsEnd } from './body.ts'
import { createConnections } from './connections.ts'
import { createEgressGuard } from './egress.ts'
import { type Answer, createExchange, discard } from './exchange.ts'
import { parseHome } from './home.ts'
import { createKnownConfig } from './known-config.ts'
import { createStanding, type StandingDeps, type UplinkState } from './standing.ts'
import { ABSENT, createStatusCheck } from './status-check.ts'
import { UplinkError } from './uplink-error.ts'
import { type ApiQuestion, createWebApi, type WebApi } from './web-api.ts'

const MiB = 1024 * 1024
const MAX_CONFIG = MiB
/** What only people read is no reason to keep anybody waiting. */
const API_TIMEOUT = 3_000
/** An index file, or the start of a crate, takes this many times as long as the uplink may be silent, and no longer. */
const TOTAL_TIMEOUTS = 3
/** Any answer but that the uplink cannot answer. */
const isAnswered = (status: number): boolean => status < 500 && status !== 429
const JSON_ONLY = { accept: 'application/json' }
const INDEX_HEADERS = { accept: 'text/plain', 'accept-encoding': 'gzip', 'cargo-protocol': 'version=1' }

/** What an index file was when we last saw it. */
export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

/** What an uplink says of an index file. */
export type IndexAnswer =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unchanged' }
  | ({ readonly kind: 'changed' } & FetchedIndex)

export interface CrateAnswer {
  /** Bytes, when the uplink said so. */
  readonly size?: number
  /** Fails with an {@link UplinkError} when it does not come whole; its checksum is not looked at. */
  readonly body: Body
}

/** A sparse registry as a client sees it. Every failure is an {@link UplinkError} that says what is wrong with it. */
export interface Uplink extends WebApi {
  readonly name: string
  readonly options: UplinkOptions
  /** The index file of a crate; `absent` only when the uplink itself said so. */
  index(name: string, validators?: Validators): Promise<IndexAnswer>
  /** @throws {CargoError} `not_found` when the uplink does not have the file */
  crate(download: Download): Promise<CrateAnswer>
  /** Its `config.json`, which is believed for minutes. */
  config(): Promise<IndexConfig>
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
  const configUrl = new URL('config.json', home.base)
  const mustBe = createStatusCheck(name, deps.now)
  const standing = createStanding({ ...deps, probe })
  const knownConfig = createKnownConfig(() => standing.asking('config', fetchConfig), monotonic)

  async function probe(signal: AbortSignal): Promise<void> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)])
    discard(mustBe(await exchange.ask(configUrl, { headers: JSON_ONLY, signal: within }), isAnswered))
  }

  const bodyLimits = (maxBytes: number): BodyLimits => ({
    maxBytes,
    paceWindow: 1.5 * options.timeout,
  })

  async function fetchConfig(): Promise<IndexConfig> {
    const signal = AbortSignal.timeout(options.timeout)
    const answer = mustBe(
      await exchange.ask(configUrl, { headers: JSON_ONLY, signal }),
      (status) => status === 200,
    )
    const { bytes } = await readBody(name, answer, bodyLimits(MAX_CONFIG))
    try {
      return parseIndexConfig(bytes)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new UplinkError(name, 'foreign', `has an ${reason.replace(/^invalid/, 'unusable')}`, { cause })
    }
  }

  /** A URL made of what the uplink's `config.json` says under `key`. */
  function urlOf(key: keyof IndexConfig, text: string): URL {
    const url = URL.parse(text)
    if (url !== null) return url
    throw new UplinkError(name, 'foreign', `has a \`${key}\` in its index config that makes no URL`)
  }

  async function askApi<T>({ kind, path, query, ...question }: ApiQuestion<T>): Promise<T | undefined> {
    const { api } = await knownConfig.get()
    if (api === undefined || api === null || api === '') return undefined
    const url = urlOf('api', `${api.replace(/\/+$/, '')}/api/v1/crates${path}`)
    url.search = String(new URLSearchParams(query))
    return standing.asking(kind, async () => {
      const signal = AbortSignal.timeout(Math.min(API_TIMEOUT, options.timeout))
      const headers = { ...JSON_ONLY, 'accept-encoding': 'gzip' }
      const answer = mustBe(
        await exchange.ask(url, { headers, signal }),
        (status) => status === 200 || (kind === 'about' && ABSENT.has(status)),
      )
      if (answer.status !== 200) {
        discard(answer)
        return undefined
      }
      const { bytes } = await readBody(name, answer, bodyLimits(question.maxAnswer))
      const found = question.parse(bytes)
      if (found !== undefined) return found
      const what = kind === 'search' ? 'a search' : 'a question about a crate'
      throw new UplinkError(name, 'foreign', `answers ${what} with something else`)
    })
  }

  return {
    name,
    options,

    index: (crate, validators = {}) =>
      standing.asking('index', async () => {
        const conditional = conditionOf(validators)
        const signal = AbortSignal.timeout(TOTAL_TIMEOUTS * options.timeout)
        const url = new URL(indexPath(crate), home.base)
        const ask = () => exchange.ask(url, { headers: { ...INDEX_HEADERS, ...conditional }, signal })
        const answer = mustBe(
          await ask(),
          (status) => status === 200 || ABSENT.has(status) || (status === 304 && conditional !== undefined),
        )
        if (answer.status !== 200) {
          discard(answer)
          return { kind: answer.status === 304 ? 'unchanged' : 'absent' }
        }
        const { bytes: body, packed } = await readBody(name, answer, bodyLimits(limits.index))
        if (!tellsItsEnd(answer)) {
          const again = mustBe(await ask(), (status) => status === 200)
          if (!body.equals((await readBody(name, again, bodyLimits(limits.index))).bytes))
            throw new UplinkError(
              name,
              'cut',
              'sends a body without its length, and another one when asked again',
            )
        }
        // Who reads index files is about to want crates, and where these are stands there.
        knownConfig.prepare()
        const [etag, lastModified] = [answer.header('etag'), answer.header('last-modified')]
        return {
          kind: 'changed',
          body,
          ...(packed !== undefined && { packed }),
          ...(etag !== undefined && { etag }),
          ...(lastModified !== undefined && { lastModified }),
        }
      }),

    async crate(download) {
      const url = urlOf('dl', downloadUrl(await knownConfig.get(), download))
      const question = standing.begin('crate')
      try {
        const answer = mustBe(
          await untilAnswered(TOTAL_TIMEOUTS * options.timeout, (signal) =>
            exchange.ask(url, { headers: { accept: '*/*', 'accept-encoding': 'identity' }, signal }),
          ),
          (status) => status === 200 || ABSENT.has(status),
        )
        if (answer.status !== 200) {
          discard(answer)
          throw new CargoError(
            'not_found',
            `uplink \`${name}\` does not have the file of \`${download.name}@${download.version}\``,
          )
        }
        // As cargo does: the file is gzip by itself, and there are servers that call that an encoding.
        const body = openBody(name, answer, bodyLimits(limits.proxied), (error) =>
          error === undefined ? question.answered() : question.failed(error),
        )
        return { body, ...announcedSize(answer) }
      } catch (error) {
        throw question.failed(error)
      }
    },

    config: knownConfig.get,

    ...createWebApi(askApi),

    state: standing.state,

    async close() {
      standing.stop()
      await connections.close()
    },
  }
}

/** The headers that ask whether a file changed; the tag is the better one. */
function conditionOf({ etag, lastModified }: Validators): Readonly<Record<string, string>> | undefined {
  if (etag) return { 'if-none-match': etag }
  return lastModified ? { 'if-modified-since': lastModified } : undefined
}

/** Gives up what has no answer after `ms`; the body may take longer. */
async function untilAnswered<T>(ms: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const waiting = new AbortController()
  const timer = setTimeout(() => waiting.abort(new DOMException('no answer', 'TimeoutError')), ms)
  try {
    return await ask(waiting.signal)
  } finally {
    clearTimeout(timer)
  }
}

/** The bytes of a body, if the answer tells them. */
function announcedSize(answer: Answer): { readonly size?: number } {
  const length = answer.header('content-length')
  return length !== undefined && /^\d{1,15}$/.test(length) ? { size: Number(length) } : {}
}
