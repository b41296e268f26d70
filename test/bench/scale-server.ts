import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverCommand } from '../support/server-command.ts'
import { freePort } from './process.ts'
import { TOKEN } from './registry.ts'

const MAIN = join(import.meta.dirname, '../../dist/server/main.js')
const PATIENCE_MS = 30_000

/** In milliseconds. */
export interface Use {
  /** Processor time since the start. */
  readonly work: number
  /** The longest time that nothing else had a turn, since this was last asked. */
  readonly stall: number
}

/** The bundled server over a store that is there already. */
export interface ScaleServer {
  /** Mount included. */
  readonly url: string
  readonly pid: number
  /** Milliseconds from the start of the process to the first answers of `/ready` and `config.json`. */
  readonly started: number
  /** Resident memory, in MB: now, and the most there was. */
  memory(): Promise<{ readonly now: number; readonly most: number }>
  /** What the process did. */
  use(): Promise<Use>
  stop(): Promise<void>
}

/** Starts the built server. */
export async function startOver(folder: string, data: string): Promise<ScaleServer> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const config = join(folder, `config-${port}.json`)
  const settings = {
    listen: `127.0.0.1:${port}`,
    storage: { fs: { path: data } },
    auth: { tokens: [{ token_env: 'BENCH_TOKEN', user: 'bench' }] },
    cargo: { uplinks: {}, rate_limits: { publish: false } },
  }
  await writeFile(config, JSON.stringify(settings))
  const began = performance.now()
  const child = spawn(process.execPath, serverCommand(MAIN, 'serve', '--config', config), {
    stdio: 'ignore',
    env: { ...process.env, BENCH_TOKEN: TOKEN },
  })
  await Promise.all([`${origin}/ready`, `${origin}/cargo/config.json`].map(answers))
  const started = performance.now() - began
  return {
    url: `${origin}/cargo`,
    pid: child.pid ?? 0,
    started,
    async memory() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      const field = (name: string) =>
        Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1000
      return { now: field('VmRSS'), most: field('VmHWM') }
    },
    async use() {
      const text = await (await fetch(`${origin}/metrics`)).text()
      const metric = (name: string) => 1000 * Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
      // The monitor looks every ten milliseconds, and counts them.
      const stall = Math.max(0, metric('nodejs_eventloop_lag_max_seconds') - 10)
      return { work: metric('process_cpu_seconds_total'), stall }
    },
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function answers(url: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (performance.now() < end) {
    const response = await fetch(url).catch(() => undefined)
    await response?.arrayBuffer()
    if (response?.status === 200) return
    await sleep(5)
  }
  throw new Error(`${url} does not answer`)
}
