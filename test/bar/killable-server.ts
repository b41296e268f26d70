import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TEMP_MARK } from '../../src/hosts/fs-folders.ts'
import { serverCommand } from '../support/server-command.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'server', 'main.js')
const TOKEN = 'token-of-ann'

/** A registry in a folder, whose server is killed and started again; each start has a port of its own. */
export interface KillableServer {
  readonly folder: string
  /** The folder of what is stored, unless the settings say otherwise. */
  readonly data: string
  /** The registry's URL, without a final slash, since the last start. */
  url(): string
  readonly token: string
  pid(): number
  start(): Promise<void>
  /** Lets it finish what runs behind its answers. */
  stop(): Promise<void>
  /** Kills it, and starts it again. */
  restart(): Promise<void>
  isRunning(): boolean
  /** As `kill -9` does it; nothing happens to one that has ended. */
  kill(): Promise<void>
  /** When the process that was started last has ended. */
  ended(): Promise<void>
  /** Names of unfinished files in the storage. */
  unfinished(): readonly string[]
  /** What the command `verify` says. */
  verify(): Promise<{ readonly isWell: boolean; readonly text: string }>
}

export interface KillableSpec {
  /** Threads that work on files; with one, what is done there is done in the same order each time. */
  readonly threads?: number
  /** Settings that take the place of the usual ones. */
  readonly settings?: object
  /** Further variables. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Makes the folder, and starts the built server; both are gone at the end. */
export async function startKillable(
  context: { after(done: () => Promise<void>): void },
  { threads = 4, settings = {}, environment = {} }: KillableSpec = {},
): Promise<KillableServer> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-killed-'))
  const data = join(folder, 'data')
  const config = join(folder, 'config.yaml')
  writeFileSync(config, JSON.stringify({ ...configOf(data), ...settings }))
  const env = {
    ...process.env,
    ...environment,
    ANN: TOKEN,
    TMPDIR: folder,
    UV_THREADPOOL_SIZE: String(threads),
    UV_USE_IO_URING: '0',
  }
  let child: ChildProcess | undefined
  let url = ''
  let ending: Promise<unknown> = Promise.resolve()
  const server: KillableServer = {
    ...{ folder, data },
    token: TOKEN,
    url: () => url,
    pid: () => child?.pid ?? 0,
    isRunning: () => child?.exitCode === null && child.signalCode === null,
    async start() {
      const log = openSync(join(folder, 'log'), 'a')
      const args = serverCommand(MAIN, '--config', config)
      const started = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', log] })
      closeSync(log)
      child = started
      ending = once(started, 'exit')
      url = await servedUrl(started, () => readFileSync(join(folder, 'log'), 'utf8'))
    },
    async kill() {
      child?.kill('SIGKILL')
      await ending
    },
    async stop() {
      child?.kill('SIGTERM')
      await ending
    },
    async restart() {
      await server.kill()
      await server.start()
    },
    ended: async () => void (await ending),
    unfinished: () =>
      readdirSync(data, { recursive: true, withFileTypes: true })
        .filter((it) => it.isFile() && it.name.startsWith(TEMP_MARK))
        .map((it) => it.name),
    async verify() {
      const args = serverCommand(MAIN, 'verify', '--config', config)
      return promisify(execFile)(process.execPath, args, { env }).then(
        ({ stdout }) => ({ isWell: true, text: stdout }),
        (error: { stdout: string; stderr: string }) => ({ isWell: false, text: error.stdout + error.stderr }),
      )
    },
  }
  context.after(async () => {
    await server.kill()
    await rm(folder, { recursive: true, force: true })
  })
  await server.start()
  return server
}

function configOf(data: string): object {
  const packages = { '**': { publish: ['ann'], unpublish: ['ann'] } }
  return {
    listen: '127.0.0.1:0',
    storage: { fs: { path: data } },
    auth: { tokens: [{ token_env: 'ANN', user: 'ann' }] },
    cargo: { packages, rate_limits: { publish: false, yank: false } },
  }
}

async function servedUrl(child: ChildProcess, log: () => string): Promise<string> {
  let printed = ''
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    printed += chunk
    const served = /serves (http\S+)\//.exec(printed)?.[1]
    if (served !== undefined) return served
  }
  throw new Error(`the server did not start: ${log()}`)
}
