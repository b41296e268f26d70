import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Logger } from 'pino'
import type { ObjectStore } from '../../src/host.ts'
import type { OptionsInput } from '../../src/options.ts'
import type { IndexEntry } from '../../src/protocol/index-entry.ts'
import { parseLines } from '../../src/protocol/index-lines.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { createServer, parseConfig } from '../../src/server/index.ts'
import type { Context } from './cargo.ts'
import { makeCertificate } from './certificate.ts'
import { type CrateFile, publishBody } from './crate-file.ts'

/** The users of the test server: `ann-token` is ann's token. */
const USERS = { ann: ['rust-team'], bob: [], root: ['admins'] } as const
/** A user whose token, `ci-token`, can only publish. */
const PUBLISHER = { token_env: 'ci', user: 'ci', groups: ['rust-team'], actions: ['publish'] }

/** How a test server is reached: http, https with HTTP/2, or http that takes the upgrade to HTTP/2. */
export type Transport = 'http' | 'https' | 'h2c'
export const TRANSPORTS: readonly Transport[] = ['http', 'https', 'h2c']

export interface ServerSpec {
  readonly transport?: Transport
  readonly options?: OptionsInput
  readonly redis?: string
  /** Further settings of the server. */
  readonly settings?: object
  /** Variables beside the users' tokens. */
  readonly environment?: Readonly<Record<string, string>>
}

/** A request that was answered, as the server's log has it. */
export interface LoggedRequest {
  readonly method: string
  /** Without the mount and the query. */
  readonly path: string
  readonly status: number
  /** Absent: the request had no credential. */
  readonly user?: string
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface SendSpec {
  readonly method?: string
  readonly token?: string
  readonly body?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** The bundled server, on a free port of this machine and a folder of its own. */
export interface TestServer {
  /** The registry's URL, without a final slash. */
  readonly url: string
  /** What clients write into their configuration. */
  readonly index: string
  /** The file with the certificate to trust. */
  readonly ca?: string
  readonly storage: ObjectStore
  /** Everything the server logged, as JSON. */
  readonly log: readonly string[]
  /** The requests answered since the last call. */
  takeRequests(): LoggedRequest[]
  send(path: string, spec?: SendSpec): Promise<Reply>
  /** The crate's lines in the index; none when it has no file. */
  entries(name: string): Promise<IndexEntry[]>
  /** Publishes without cargo, which takes longer. */
  seed(...crates: readonly CrateFile[]): Promise<void>
}

/** Starts the bundled server; it is stopped at the end of the test. */
export async function startServer(context: Context, spec: ServerSpec = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-test-'))
  const certificate = spec.transport === 'https' ? await makeCertificate(folder) : undefined
  const requests: LoggedRequest[] = []
  const log: string[] = []
  const config = parseConfig({
    listen: '127.0.0.1:0',
    storage: { fs: { path: `${folder}/data` } },
    h2c: spec.transport === 'h2c',
    ...(certificate && { tls: { cert: certificate.certFile, key: certificate.keyFile } }),
    auth: {
      tokens: [
        ...Object.entries(USERS).map(([user, groups]) => ({ token_env: user, user, groups: [...groups] })),
        PUBLISHER,
      ],
    },
    cargo: spec.options ?? {},
    ...(spec.redis !== undefined && { redis: spec.redis }),
    ...spec.settings,
  })
  const tokens = [...Object.keys(USERS), PUBLISHER.user].map((user) => [user, `${user}-token`] as const)
  const environment = { ...spec.environment, ...Object.fromEntries(tokens) }
  const logger = recorder((fields, message) => {
    log.push(JSON.stringify({ ...fields, message }))
    if (message === 'request') requests.push(fields as unknown as LoggedRequest)
  })
  const server = await createServer(config, { environment, logger })
  context.after(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const { pathname: mount } = new URL(server.url)
  const send = sender(server.url, certificate?.cert)

  return {
    url: server.url,
    index: `sparse+${server.url}/`,
    ...(certificate && { ca: certificate.certFile }),
    storage: server.storage,
    log,
    takeRequests: () =>
      requests.splice(0).map(({ method, path, status, user }) => ({
        method,
        path: path.slice(mount.length),
        status,
        ...(user !== undefined && { user }),
      })),
    send,
    async entries(name) {
      const { status, text } = await send(`/${indexPath(name)}`, { token: 'ann-token' })
      return status === 200 ? parseLines(text) : []
    },
    async seed(...crates) {
      for (const crate of crates) {
        const body = publishBody(crate)
        const { status, text } = await send('/api/v1/crates/new', { method: 'PUT', token: 'ann-token', body })
        if (status !== 200) throw new Error(`${crate.name} was not published: ${status} ${text}`)
      }
      requests.length = 0
    },
  }
}

function sender(url: string, ca: Buffer | undefined): TestServer['send'] {
  const request = ca === undefined ? httpRequest : httpsRequest
  return async (path, { method = 'GET', token, body, headers } = {}) => {
    const options = {
      method,
      ca,
      agent: false,
      headers: {
        // As of clients that go on: what ends its connection is read by node:http only.
        connection: 'keep-alive',
        ...(token !== undefined && { authorization: token }),
        ...(body !== undefined && { 'content-length': body.length }),
        ...headers,
      },
    }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url + path, options, resolve)
        .on('error', reject)
        .end(body)
    })
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: (await buffer(response)).toString(),
    }
  }
}

/** A logger that hands everything on. */
function recorder(record: (fields: object, message: string) => void): Logger {
  const level = (fields: object, message: string) => record(fields, message)
  return { debug: level, info: level, warn: level, error: level } as unknown as Logger
}
