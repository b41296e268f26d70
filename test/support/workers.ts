import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'server', 'main.ts')

/** The bundled server with several workers, as a process of its own with a process group of its own. */
export interface WorkerServer {
  /** The registry's URL, without a final slash. */
  readonly url: string
  readonly pid: number
  /** Everything said on stdout so far. */
  said(): string
  /** The lines of the log so far. */
  log(): readonly Readonly<Record<string, unknown>>[]
  /** The processes of the workers that run now. */
  workers(): readonly number[]
  /** How the primary ended. */
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>
}

/** Starts it at a free port; `settings` are variables of the environment. */
export async function startWithWorkers(
  context: { after(done: () => Promise<void>): void },
  folder: string,
  workers: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<WorkerServer> {
  const child = spawn(process.execPath, [MAIN, '--listen', '127.0.0.1:0', '--no-uplinks'], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, VERDACCIO_CARGO_WORKERS: String(workers), ...settings },
  })
  let [said, logged] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    logged += text
  })
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  context.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const pid = child.pid ?? 0
  while (!/serves \S+\n/.test(said)) {
    if (child.exitCode !== null) throw new Error(`it did not start: ${logged}`)
    await sleep(20)
  }
  return {
    url: /serves (\S+)\/\n/.exec(said)?.[1] ?? '',
    pid,
    said: () => said,
    log: () =>
      logged
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    workers: () => childrenOf(pid),
    ended,
  }
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}
