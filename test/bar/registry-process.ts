import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TEMP_MARK } from '../../src/hosts/fs-folders.ts'
import type { OptionsInput } from '../../src/options.ts'
import { serverCommand } from '../support/server-command.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'server', 'main.ts')
const WATCHES = ['turn-watch.ts', 'heap-watch.ts'].map((file) => join(import.meta.dirname, file))
/** The tokens of two users who may publish. */
export const PUBLISH_TOKEN = 'token-of-the-bar'
export const OTHER_TOKEN = 'token-of-another-user'
const PATIENCE_MS = 20_000

/** Holds what no request has to give back, see `registry/catalogue/details.ts`. */
const CATALOGUE = /\/catalogue \(deleted\)$/

/** What a process has open and has written; things that must come back to what they were. */
export interface Holdings {
  readonly descriptors: number
  readonly sockets: number
  /** Temporary files, with a name or without, but for that of the catalogue. */
  readonly temporary: number
}

/** The bundled server in a process of its own. */
export interface RegistryProcess {
  /** The registry's URL, without a final slash. */
  readonly url: string
  readonly folder: string
  readonly pid: number
  isRunning(): boolean
  holdings(): Holdings
  /** Resident memory in bytes. */
  memory(): number
  /** Bytes that are left of it when garbage is collected. */
  held(): Promise<number>
  /** Processor time since its start, all threads together, in milliseconds. */
  work(): number
  /** Processor time of the longest turn of its event loop since a time (as `Date.now()`), in milliseconds. */
  longestTurn(since: number): number
  stop(): Promise<void>
}

export interface RegistryProcessSpec {
  /** One that has stopped, whose folder is taken over. */
  readonly before?: RegistryProcess
  /** Settings of the server, beside those of the plugin. */
  readonly server?: Readonly<Record<string, unknown>>
  /** Variables that they name. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts it from the sources, in a folder that is gone at the end. */
export async function startRegistryProcess(
  context: { after(done: () => Promise<void>): void },
  cargo: OptionsInput,
  { before, server = {}, environment = {} }: RegistryProcessSpec = {},
): Promise<RegistryProcess> {
  const folder = before?.folder ?? (await mkdtemp(join(tmpdir(), 'cargo-bar-')))
  const temporary = join(folder, 'tmp')
  const data = join(folder, 'data')
  const logFile = join(folder, 'log')
  mkdirSync(temporary, { recursive: true })
  const config = join(folder, 'config.yaml')
  const tokens = [
    { token_env: 'BAR_TOKEN', user: 'bar' },
    { token_env: 'BAR_OTHER_TOKEN', user: 'other' },
  ]
  const settings = {
    listen: '127.0.0.1:0',
    storage: { fs: { path: data } },
    auth: { tokens },
    cargo,
    ...server,
  }
  writeFileSync(config, JSON.stringify(settings))
  const log = openSync(logFile, 'a')
  const [turns, heap] = [join(folder, 'turns'), join(folder, 'heap')]
  const child = spawn(
    process.execPath,
    [...WATCHES.flatMap((watch) => ['--import', watch]), ...serverCommand(MAIN, '--config', config)],
    {
      stdio: ['ignore', 'pipe', log],
      env: {
        ...process.env,
        ...environment,
        ...{
          TMPDIR: temporary,
          BAR_TOKEN: PUBLISH_TOKEN,
          BAR_OTHER_TOKEN: OTHER_TOKEN,
          BAR_TURNS: turns,
          BAR_HEAP: heap,
        },
      },
    },
  )
  closeSync(log)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const isRunning = () => child.exitCode === null && child.signalCode === null
  async function stop(): Promise<void> {
    if (!isRunning()) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    await exited
    clearTimeout(timer)
  }
  context.after(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })
  const url = await new Promise<string>((resolve, reject) => {
    let printed = ''
    const failed = () => reject(new Error(readFileSync(logFile, 'utf8')))
    child.once('exit', failed)
    child.stdout?.on('data', (chunk) => {
      printed += chunk
      const served = /serves (http\S+)\//.exec(printed)?.[1]
      if (served === undefined) return
      child.off('exit', failed)
      resolve(served)
    })
  })
  const pid = child.pid ?? 0
  return {
    ...{ url, folder, pid },
    isRunning,
    holdings: () => holdingsOf(pid, temporary, data),
    memory: () => residentOf(pid),
    held: () => heldBy(pid, heap),
    work: () => workOf(pid),
    longestTurn: (since) => longestTurn(turns, since),
    stop,
  }
}

function holdingsOf(pid: number, temporary: string, data: string): Holdings {
  const targets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return [] // Closed in between.
    }
  })
  const unnamed = targets.filter((it) => it.endsWith(' (deleted)') && !CATALOGUE.test(it)).length
  const named = readdirSync(temporary).length + halfWritten(data)
  return {
    descriptors: targets.length,
    sockets: targets.filter((it) => it.startsWith('socket:')).length,
    temporary: unnamed + named,
  }
}

/** What a store has not finished writing. */
function halfWritten(data: string): number {
  // The folder comes with the first thing that is stored.
  if (!existsSync(data)) return 0
  const files = readdirSync(data, { recursive: true, withFileTypes: true })
  return files.filter((it) => it.isFile() && it.name.startsWith(TEMP_MARK)).length
}

function residentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1])
}

/** As `heap-watch.ts` finds it. */
async function heldBy(pid: number, file: string): Promise<number> {
  rmSync(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  for (const end = Date.now() + PATIENCE_MS; !existsSync(file); await sleep(20))
    if (Date.now() > end) throw new Error('the server does not tell what it holds')
  return Number(readFileSync(file, 'utf8'))
}

/** Linux counts it in hundredths of a second. */
function workOf(pid: number): number {
  // Behind the name of the program, which may have spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

function longestTurn(file: string, since: number): number {
  if (!existsSync(file)) return 0
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const turns = lines.map((line) => line.split(' ').map(Number))
  return Math.max(0, ...turns.map(([at = 0, ms = 0]) => (at >= since ? ms : 0)))
}
