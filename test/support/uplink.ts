import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { indexPath } from '../../src/protocol/name.ts'
import { type Certificate, makeCertificate } from './certificate.ts'
import { type AnswerSpec, conditional, INDEX, packed, rightAnswers } from './uplink-answers.ts'
import { type UplinkContent, type UplinkInput, uplinkContent } from './uplink-content.ts'
import {
  breakOff,
  HONEST,
  sendAnswer,
  sendFaulty,
  type UplinkAnswer,
  type UplinkRequest,
  type UplinkResponse,
} from './uplink-faults.ts'
import { listenUplink, type UplinkListener } from './uplink-listener.ts'
import { matches, type PathPattern, type UplinkOrders, uplinkScript } from './uplink-script.ts'

/** Before a path: the right answer to it, whatever fault there is. */
const RIGHT = '/right'
const DOWNLOADS = '{origin}/crates/{crate}/{version}/download'

export interface UplinkSpec {
  readonly crates?: Iterable<UplinkInput>
  /** TLS with HTTP/2 and HTTP/1.1, instead of HTTP/1.1 in the clear. */
  readonly h2?: boolean
  /** Time until every answer; a new connection takes one such time more, two over TLS. */
  readonly latencyMs?: number
  /** The `dl` of `config.json`; `{origin}` in it stands for this uplink's own. */
  readonly dl?: string
  /** Whether there is a web API, for searches and for what the index does not tell of a crate. */
  readonly api?: boolean
  /** The `Authorization` that everything needs. */
  readonly authRequired?: string
  /** Refuses who sends no User-Agent, as crates.io does. */
  readonly userAgentRequired?: boolean
  /** Which validators index files carry; default both. */
  readonly validators?: AnswerSpec['validators']
  /** Whether index files are packed for those who accept it; default no. */
  readonly gzip?: boolean
  /** What the random choices of faults come from. */
  readonly seed?: number
}

/** A request, as soon as it is read. */
export interface SeenRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** On the clock of `performance.now()`. */
  readonly at: number
  /** How the answer ended; absent: not yet. `cut`: the client left, or a fault cut it. */
  readonly ended?: 'whole' | 'cut'
}

export interface Uplink extends UplinkOrders, Omit<UplinkContent, 'index' | 'revision'> {
  /** The URL of the index, with its final slash. */
  readonly url: string
  /** As cargo wants it. */
  readonly index: string
  /** Without a final slash; also the base of the web API. */
  readonly origin: string
  /** File with the certificate to trust. */
  readonly ca?: string
  readonly requests: readonly SeenRequest[]
  /** How many requests there were for what the pattern matches. */
  hits(pattern: PathPattern): number
  /** The path of a crate's file in the index, to count or spoil it. */
  indexPath(name: string): string
  /** The path of a `.crate` file. */
  cratePath(name: string, version: string): string
  /** Connections that are open. */
  connections(): number
  /** Refuses connections, and breaks those there are. */
  stop(): Promise<void>
  /** Listens again, on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Starts a sparse registry on loopback that can be told to misbehave; it is closed at the end of the test. */
export async function startUplink(
  context: { after(done: () => Promise<void>): void },
  spec: UplinkSpec = {},
): Promise<Uplink> {
  const folder = spec.h2 === true ? await mkdtemp(join(tmpdir(), 'cargo-test-')) : undefined
  const certificate = folder === undefined ? undefined : await makeCertificate(folder)
  const uplink = await serveUplink(spec, certificate)
  context.after(async () => {
    await uplink.close()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })
  return uplink
}

/** Starts the same without a test; port 0 is any free one. */
export async function serveUplink(spec: UplinkSpec, certificate?: Certificate, port = 0): Promise<Uplink> {
  const content = uplinkContent(spec.crates)
  const script = uplinkScript()
  const requests: SeenRequest[] = []
  const listen = (at: number) =>
    listenUplink(handle, { port: at, ...(certificate !== undefined && { certificate }) })
  let listener: UplinkListener | undefined = await listen(port)
  const bound = listener.port
  const origin = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${bound}`
  const answers = rightAnswers(content, answerSpec(spec, origin))

  function handle(request: UplinkRequest, response: UplinkResponse): void {
    const seen = record(request, response)
    requests.push(seen)
    reply(request, response, new URL(seen.path, origin)).catch(() => breakOff(response, 'reset'))
  }

  async function reply(request: UplinkRequest, response: UplinkResponse, asked: URL): Promise<void> {
    await sleepUntilDue(request)
    await script.released(asked.pathname)
    const refusal = refusalOf(spec, request)
    if (refusal !== undefined) return sendAnswer(response, refusal)
    const evenSo = asked.pathname.startsWith(`${RIGHT}/`)
    const url = evenSo ? new URL(asked.href.replace(origin + RIGHT, origin)) : asked
    const right = (evenSo ? undefined : script.override(url.pathname)) ?? answers.to(url)
    const mode = evenSo ? ({ mode: 'ok' } as const) : script.nextFault(url.pathname)
    const rightUrl = `${origin}${RIGHT}${url.pathname}${url.search}`
    const seed = (spec.seed ?? 1) + requests.length
    const honest = HONEST.has(mode.mode) ? encode(conditional(right, request.headers), request) : right
    return sendFaulty(response, honest, mode, { seed, url: url.href, rightUrl })
  }

  function encode(answer: UplinkAnswer, { headers }: UplinkRequest): UplinkAnswer {
    return spec.gzip === true ? packed(answer, headers) : answer
  }

  /** A round trip, and those that the connection took before if it is new. */
  async function sleepUntilDue(request: UplinkRequest): Promise<void> {
    const roundTrip = spec.latencyMs ?? 0
    if (roundTrip === 0) return
    const setUp = roundTrip * (certificate === undefined ? 1 : 2)
    const readyAt = (listener?.connectedAt(request) ?? 0) + setUp
    await sleep(Math.max(0, readyAt - performance.now()) + roundTrip)
  }

  async function stop(): Promise<void> {
    const stopped = listener
    listener = undefined
    await stopped?.close()
  }

  return {
    ...content,
    ...script,
    url: origin + INDEX,
    index: `sparse+${origin}${INDEX}`,
    origin,
    ...(certificate !== undefined && { ca: certificate.certFile }),
    requests,
    hits: (pattern) => requests.filter(({ path }) => matches(pattern, path.replace(/\?.*$/, ''))).length,
    indexPath: (name) => INDEX + indexPath(name),
    cratePath: (name, version) => answers.cratePath(name, version),
    connections: () => listener?.connections() ?? 0,
    stop,
    async start() {
      listener ??= await listen(bound)
    },
    close: stop,
  }
}

function answerSpec(spec: UplinkSpec, origin: string): AnswerSpec {
  return {
    config: {
      dl: (spec.dl ?? DOWNLOADS).replaceAll('{origin}', origin),
      ...(spec.api === true && { api: origin }),
      ...(spec.authRequired !== undefined && { 'auth-required': true }),
    },
    validators: spec.validators ?? ['etag', 'last-modified'],
  }
}

function record(request: UplinkRequest, response: UplinkResponse): SeenRequest {
  // A client that leaves is told by `close`.
  request.on('error', () => {})
  response.on('error', () => {})
  let ended: SeenRequest['ended']
  response.on('close', () => {
    ended = response.writableFinished ? 'whole' : 'cut'
  })
  const seen = {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    at: performance.now(),
    get ended() {
      return ended
    },
  }
  return seen as SeenRequest
}

function refusalOf(spec: UplinkSpec, { headers }: UplinkRequest): UplinkAnswer | undefined {
  const refuse = (status: number, more: Readonly<Record<string, string>>, text: string): UplinkAnswer => ({
    kind: 'other',
    status,
    headers: { 'content-type': 'text/plain', ...more },
    body: Buffer.from(text),
  })
  if (spec.authRequired !== undefined && headers.authorization !== spec.authRequired)
    return refuse(401, { 'www-authenticate': 'Cargo login_url="https://example.com/me"' }, 'log in first\n')
  if (spec.userAgentRequired === true && !headers['user-agent'])
    return refuse(403, {}, 'send a User-Agent with a way to reach you\n')
  return undefined
}
