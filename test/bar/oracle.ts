import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bcrypt from 'bcryptjs'
import type { Logger } from 'pino'
import { indexPath } from '../../src/protocol/name.ts'
import { createServer, parseConfig } from '../../src/server/index.ts'
import { downloadPath } from '../http/proxied.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { atMost, type Figure, median } from './figures.ts'

type Context = { after(done: () => Promise<void>): void }

export interface OracleSpec {
  /** Pairs of requests for what is hidden and for what is not there, of each kind. */
  readonly pairs: number
  /** Pairs of wrong tokens. */
  readonly tokens: number
  /** Pairs of wrong passwords, which cost some milliseconds each. */
  readonly passwords: number
}

/** Per cent by which two medians may differ. */
const MAX_EXISTENCE = 5
const MAX_CREDENTIAL = 3
/** What else the machine does is not the code's fault: the best of so many rounds counts. */
const ROUNDS = 3
const WARM_UP = 200
/** So many hidden crates, so that most requests ask for a name that was not asked for just before. */
const CRATES = 50
/** A cost that is low enough for thousands of tries; it must be the same for a user that does not exist. */
const COST = 6
const OWNER = 'token-of-the-owner'
const STRANGER = 'token-of-a-stranger'

/** Whether the time that an answer takes tells what the answer does not. */
export async function oracleFigures(context: Context, spec: OracleSpec): Promise<readonly Figure[]> {
  const url = await startRegistry(context)
  const send = sender(context, url)
  for (let n = 0; n < CRATES; n++) {
    const body = publishBody(crateFile(`acme-hidden-${n}`))
    const { status } = await send({ method: 'PUT', path: '/api/v1/crates/new', authorization: OWNER, body })
    if (status !== 200) throw new Error(`acme-hidden-${n} was not published: ${status}`)
  }
  const figures: Figure[] = []
  const compare = async (
    title: string,
    limit: number,
    pairs: number,
    ask: (n: number) => readonly Sent[],
  ) => {
    let least = Number.POSITIVE_INFINITY
    for (let round = 0; round < ROUNDS && least > limit; round++)
      least = Math.min(least, await difference(send, pairs, ask))
    figures.push(atMost(`${title}, ${pairs} pairs: medians apart`, least, limit, '%'))
  }
  for (const [title, method, pathOf] of HIDDEN_PATHS) {
    await compare(`hidden or not there: ${title}`, MAX_EXISTENCE, spec.pairs, (n) =>
      ['hidden', 'absent'].map((what) => ({
        ...{ method, authorization: STRANGER },
        path: pathOf(`acme-${what}-${n % CRATES}`),
      })),
    )
  }
  await compare('token wrong in the first or in the last letter', MAX_CREDENTIAL, spec.tokens, () =>
    [`X${OWNER.slice(1)}`, `${OWNER.slice(0, -1)}X`].map((authorization) => attempt(authorization)),
  )
  await compare('user unknown or password wrong', MAX_CREDENTIAL, spec.passwords, (n) =>
    ['nobody', 'person'].map((user) =>
      attempt(`Basic ${Buffer.from(`${user}:wrong-${n}`).toString('base64')}`),
    ),
  )
  return figures
}

const HIDDEN_PATHS: readonly (readonly [string, string, (name: string) => string])[] = [
  ['index file', 'GET', (name) => `/${indexPath(name)}`],
  ['crate file', 'GET', (name) => downloadPath(name, '1.0.0')],
  ['owners', 'GET', (name) => `/api/v1/crates/${name}/owners`],
  ['yank', 'DELETE', (name) => `/api/v1/crates/${name}/1.0.0/yank`],
]

interface Sent {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly body?: Buffer
}

interface Timed {
  readonly status: number
  readonly ms: number
}

function attempt(authorization: string): Sent {
  return { method: 'GET', path: '/config.json', authorization }
}

/** How far the medians of two kinds of requests are apart, in per cent; they take turns, and turns at being first. */
async function difference(
  send: (sent: Sent) => Promise<Timed>,
  pairs: number,
  ask: (n: number) => readonly Sent[],
): Promise<number> {
  const times: [number[], number[]] = [[], []]
  const statuses = new Set<number>()
  for (let n = -WARM_UP; n < pairs; n++) {
    const asked = ask(Math.abs(n))
    for (const which of n % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const { status, ms } = await send(asked[which] ?? attempt(''))
      statuses.add(status)
      if (n >= 0) times[which].push(ms)
    }
  }
  if (statuses.size !== 1) throw new Error(`the answers differ: ${[...statuses].join(' and ')}`)
  const [a, b] = times.map(median) as [number, number]
  return (100 * Math.abs(a - b)) / Math.min(a, b)
}

/** Sends one request after the other over one connection. */
function sender(context: Context, url: string): (sent: Sent) => Promise<Timed> {
  const { hostname: host, port, pathname: mount } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  context.after(async () => agent.destroy())
  return ({ method, path, authorization, body }) =>
    new Promise((resolve, reject) => {
      const begun = performance.now()
      const headers = { authorization, ...(body && { 'content-length': body.length }) }
      request({ host, port, agent, method, path: mount + path, headers }, (response: IncomingMessage) => {
        response.resume().once('end', () => {
          resolve({ status: response.statusCode ?? 0, ms: performance.now() - begun })
        })
      })
        .on('error', reject)
        .end(body)
    })
}

async function startRegistry(context: Context): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-bar-'))
  const htpasswd = join(folder, 'htpasswd')
  await writeFile(htpasswd, `person:${bcrypt.hashSync('right', COST)}\n`)
  const people = { OWNER: 'owner', STRANGER: 'stranger' }
  const config = parseConfig({
    listen: '127.0.0.1:0',
    storage: { fs: { path: join(folder, 'data') } },
    auth: { htpasswd, tokens: Object.entries(people).map(([token_env, user]) => ({ token_env, user })) },
    cargo: {
      rate_limits: { login: false, publish: false, yank: false },
      packages: {
        'acme-*': { access: ['owner'], publish: ['owner'] },
        '**': { access: ['$authenticated'], publish: ['$authenticated'] },
      },
    },
  })
  const silent = () => {}
  const logger = { debug: silent, info: silent, warn: silent, error: silent } as unknown as Logger
  const server = await createServer(config, { environment: { OWNER, STRANGER }, logger })
  context.after(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  return server.url
}
