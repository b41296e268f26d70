import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import bcrypt from 'bcryptjs'
import type { OptionsInput } from '../../../src/options.ts'
import { type RedisServer, redisServer } from '../../hosts/redis-server.ts'
import { crateFile } from '../../support/crate-file.ts'
import { serverCommand } from '../../support/server-command.ts'
import { startUplink, type Uplink } from '../../support/uplink.ts'
import { type Canary, canary } from './canaries.ts'

const MAIN = join(import.meta.dirname, '../../../src/server/main.ts')

type Context = { after(done: () => Promise<void>): void }

/** Every secret that the registry is told by its operator. */
export const SECRETS = {
  token: canary('a token of the settings'),
  password: canary('a password'),
  uplink: canary('the token for an uplink'),
  uplinkHeader: canary('a header for an uplink'),
  webhookHeader: canary('a header for a webhook'),
  webhook: { title: 'the key of a webhook', text: randomBytes(32).toString('base64') },
  redis: canary('the password of Redis'),
} as const satisfies Readonly<Record<string, Canary>>

/** The bundled server as a process of its own, with everything that takes secrets. */
export interface WatchedRegistry {
  readonly url: string
  readonly pid: number
  readonly folder: string
  readonly options: OptionsInput
  readonly redis: RedisServer
  readonly uplink: Uplink
  /** Where the uplink leads to now and then. */
  readonly elsewhere: Uplink
  /** What the webhook was sent. */
  readonly hooked: readonly string[]
  /** What clients of Redis asked, since the start. */
  monitored(): string
  readonly log: string
  /** Runs a command of the server's. */
  command(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }>
  stop(): Promise<void>
}

export async function startWatched(context: Context): Promise<WatchedRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-secrets-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'tmp'))
  const redis = await startRedis(context)
  const monitored = await monitor(context, redis)
  const crates = [crateFile('proxied'), crateFile('spoilt')]
  const uplink = await startUplink(context, { crates, api: true, authRequired: SECRETS.uplink.text })
  const elsewhere = await startUplink(context, { crates })
  const hook = await startHook(context)
  const options = optionsFor(uplink, hook.url)
  const config = await writeSettings(folder, redis, options)
  const env = {
    ...{ PATH: process.env['PATH'], TMPDIR: join(folder, 'tmp') },
    ...{ ANN: SECRETS.token.text, UPLINK: SECRETS.uplink.text, HOOK: SECRETS.webhook.text },
  }
  const log = join(folder, 'log')
  const child = spawn(process.execPath, serverCommand(MAIN, '--config', config), {
    cwd: folder,
    env,
    stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')],
  })
  const ended = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGTERM')
    await ended
  }
  context.after(stop)
  const url = await servedUrl(log, () => child.exitCode === null)
  return {
    ...{ url, folder, options, redis, uplink, elsewhere, hooked: hook.seen, monitored, log, stop },
    pid: child.pid ?? 0,
    command: (...args) =>
      promisify(execFile)(process.execPath, [MAIN, ...args, '--config', config], { cwd: folder, env }),
  }
}

/** The files that the server is told its secrets in; the name of the first. */
async function writeSettings(folder: string, redis: RedisServer, options: OptionsInput): Promise<string> {
  const passwords = join(folder, 'htpasswd')
  await writeFile(passwords, `person:${bcrypt.hashSync(SECRETS.password.text, 4)}\n`)
  const config = join(folder, 'config.yaml')
  const settings = {
    listen: '127.0.0.1:0',
    storage: { fs: { path: join(folder, 'data') } },
    redis: redis.url.replace('redis://', `redis://:${SECRETS.redis.text}@`),
    auth: { htpasswd: passwords, tokens: [{ token_env: 'ANN', user: 'ann' }] },
    cargo: options,
  }
  await writeFile(config, JSON.stringify(settings))
  return config
}

function optionsFor(uplink: Uplink, hook: string): OptionsInput {
  return {
    auth_required: true,
    admins: ['ann'],
    rate_limits: { login: false },
    packages: { 'own-*': { publish: ['ann', 'person'] }, '**': { proxy: 'up' } },
    uplinks: {
      up: {
        url: uplink.url,
        auth: { token_env: 'UPLINK' },
        headers: { 'x-own': SECRETS.uplinkHeader.text },
        ...{ maxage: 0, max_fails: 0, timeout: '500ms' },
      },
    },
    webhooks: [{ url: hook, secret_env: 'HOOK', headers: { 'x-own': SECRETS.webhookHeader.text } }],
  }
}

async function startRedis(context: Context): Promise<RedisServer> {
  const redis = await redisServer()
  context.after(() => redis.close())
  await redis.command('CONFIG', 'SET', 'requirepass', SECRETS.redis.text)
  return redis
}

/** Arguments and surroundings of `redis-cli`. */
export function redisCli(redis: RedisServer, ...args: readonly string[]) {
  const env = { PATH: process.env['PATH'], REDISCLI_AUTH: SECRETS.redis.text }
  return { args: ['-p', new URL(redis.url).port, ...args], options: { env, encoding: 'latin1' } as const }
}

async function monitor(context: Context, redis: RedisServer): Promise<() => string> {
  const { args, options } = redisCli(redis, 'MONITOR')
  const child = spawn('redis-cli', args, { env: options.env, stdio: ['ignore', 'pipe', 'ignore'] })
  context.after(async () => void child.kill())
  let text = ''
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  while (!text.includes('OK')) await once(child.stdout, 'data')
  return () => text
}

/** Takes every event but the second, which is kept and tried again later. */
async function startHook(context: Context): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = []
  const server = createServer(async (request: IncomingMessage, response) => {
    const body = await buffer(request)
    seen.push(`${request.url} ${JSON.stringify(request.headers)} ${body.toString('latin1')}`)
    response.writeHead(seen.length === 2 ? 500 : 200).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, seen }
}

async function servedUrl(log: string, isRunning: () => boolean): Promise<string> {
  for (;;) {
    const served = /serves (http\S+)\//.exec(readFileSync(log, 'utf8'))?.[1]
    if (served !== undefined) return served
    if (!isRunning()) throw new Error(readFileSync(log, 'utf8'))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
