import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TEMP_MARK } from '../../src/hosts/fs-folders.ts'
import type { OptionsInput } from '../../src/options.ts'
import { serverCommand } from '../support/server-command.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'server', 'main.ts')
const TURN_WATCH = join(import.meta.dirname, 'turn-watch.ts')
/** The token of a user who may publish. */
export const PUBLISH_TOKEN = 'token-of-the-bar'
const PATIENCE_MS = 20_000

/** What a process has open and has written; things that must come back to what they were. */
export interface Holdings {
  readonly descriptors: number
  readonly sockets: number
  /** Temporary files, with a name or without. */
  readonly temporary: number
}

/** The bundled server in a process of its own. */
export interface RegistryProcess {
  /** The registry's URL, without a final slash. */
  readonly url: string
  readonly folder: string
  isRunning(): boolean
  holdings(): Holdings
  /** Resident memory in bytes. */
  memory(): number
  /** Processor time of the longest turn of its event loop since a time (as `Date.now()`), in milliseconds. */
  longestTurn(since: number): number
  stop(): Promise<void>
}

/** Starts it from the sources, in a folder of its own or that of one that has stopped; both are gone at the end. `more` are settings. */
export async function startRegistryProcess(
  context: { after(done: () => Promise<void>): void },
  cargo: OptionsInput,
  before?: RegistryProcess,
  more: object = {},
): Promise<RegistryProcess> {
  const folder = before?.folder ?? (await mkdtemp(join(tmpdir(), 'cargo-bar-')))
  const temporary = join(folder, 'tmp')
  const data = join(folder, 'data')
  const logFile = join(folder, 'log')
  mkdirSync(temporary, { recursive: true })
  const config = join(folder, 'config.yaml')
  const auth = { tokens: [{ token_env: 'BAR_TOKEN', user: 'bar' }] }
  const settings = { listen: '127.0.0.1:0', storage: { fs: { path: data } }, auth, cargo, ...more }
  writeFileSync(config, JSON.stringify(settings))
  const log = openSync(logFile, 'a')
  const turns = join(folder, 'turns')
  const child = spawn(
    process.execPath,
    ['--import', TURN_WATCH, ...serverCommand(MAIN, '--config', config)],
    {
      stdio: ['ignore', 'pipe', log],
      env: { ...process.env, TMPDIR: temporary, BAR_TOKEN: PUBLISH_TOKEN, BAR_TURNS: turns },
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
    url,
    folder,
    isRunning,
    holdings: () => holdingsOf(pid, temporary, data),
    memory: () => residentOf(pid),
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
  const unnamed = targets.filter((it) => it.endsWith(' (deleted)')).length
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

function longestTurn(file: string, since: number): number {
  if (!existsSync(file)) return 0
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const turns = lines.map((line) => line.split(' ').map(Number))
  return Math.max(0, ...turns.map(([at = 0, ms = 0]) => (at >= since ? ms : 0)))
}
