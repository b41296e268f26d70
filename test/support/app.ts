import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { Registry as PromRegistry } from 'prom-client'
import { CargoError } from '../../src/errors.ts'
import type { CargoEvent, Host, HostAuth, Logger, ObjectStore, Principal } from '../../src/host.ts'
import { answerContinue } from '../../src/hosts/koa.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import type { OptionsInput } from '../../src/options.ts'
import { cargo } from '../../src/plugin.ts'
import { type CrateFile, publishBody } from './crate-file.ts'
import { serverOf } from './front.ts'

/** The users of the test host: the name is the token. */
export const USERS: Readonly<Record<string, Omit<Principal, 'name'>>> = {
  ann: { groups: ['rust-team'] },
  bob: { groups: [] },
  root: { groups: ['admins'] },
  reader: { groups: [], may: (action) => action === 'read' },
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed JSON; `undefined` when it is none. */
  readonly body: unknown
}

export interface RequestSpec {
  readonly method?: string
  readonly as?: string
  readonly body?: Uint8Array | object
  readonly headers?: Readonly<Record<string, string>>
}

/** The plugin in a Koa app on a real socket. */
export interface App {
  readonly url: string
  readonly storage: ObjectStore
  readonly metrics: PromRegistry
  readonly events: CargoEvent[]
  /** What the plugin logged as errors. */
  readonly errors: { readonly err?: unknown; readonly message: string }[]
  readonly server: Server
  request(path: string, spec?: RequestSpec): Promise<Answer>
  publish(crate: CrateFile, as?: string): Promise<Answer>
  /** The keys of everything stored below `prefix`. */
  stored(prefix?: string): Promise<string[]>
  close(): Promise<void>
}

export interface AppSpec {
  readonly options?: OptionsInput
  readonly host?: Partial<Host>
}

/** Starts an app; pass the test's context to have it closed at the end. */
export async function startApp(
  context: { after(done: () => Promise<void>): void },
  { options, host = {} }: AppSpec = {},
): Promise<App> {
  const storage = host.storage ?? memoryStorage()
  const metrics = new PromRegistry()
  const events: CargoEvent[] = []
  const errors: App['errors'] = []
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (object, message) => void errors.push({ ...object, message }),
  }
  const plugin = cargo(
    { auth: testAuth, metrics, logger, emit: (event) => void events.push(event), ...host, storage },
    { fast_path: process.env['FAST_PATH'] !== 'off', ...options },
  )
  const koa = new Koa()
  koa.silent = true
  koa.on('error', (err) => errors.push({ err, message: 'koa' }))
  koa.use(plugin)
  koa.use((ctx) => {
    ctx.body = 'the host answers'
  })
  const { server, listener } = serverOf(koa, plugin)
  answerContinue<IncomingMessage, ServerResponse>(server, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${plugin.mount}`

  async function request(
    path: string,
    { method = 'GET', as, body, headers }: RequestSpec = {},
  ): Promise<Answer> {
    const isBytes = body instanceof Uint8Array
    const response = await fetch(new URL(url + path), {
      method,
      headers: {
        ...(as !== undefined && { authorization: as }),
        ...(body !== undefined && !isBytes && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : isBytes ? Buffer.from(body) : JSON.stringify(body),
      redirect: 'manual',
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parseJson(text) }
  }

  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await plugin.close()
  }
  context.after(close)

  return {
    url,
    storage,
    metrics,
    events,
    errors,
    server,
    request,
    publish: (crate, as = 'ann') =>
      request('/api/v1/crates/new', { method: 'PUT', as, body: publishBody(crate) }),
    async stored(prefix = '') {
      const keys: string[] = []
      for await (const { key } of storage.list(prefix)) keys.push(key)
      // The seal of the cache and the catalogue are derived or internal, and written behind the answer.
      return keys.filter((key) => !/^(secrets|catalogue)\//.test(key))
    },
    close,
  }
}

const testAuth: HostAuth = {
  async authenticate(authorization) {
    if (authorization === undefined) return undefined
    const user = USERS[authorization]
    if (user === undefined) throw new CargoError('invalid_credential', 'the token is not known')
    return { name: authorization, ...user }
  },
  authorize: async () => true,
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
