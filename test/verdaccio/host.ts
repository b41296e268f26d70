import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { type Context, temporaryFolder } from '../support/cargo.ts'
import { freePort } from '../support/free-port.ts'
import type { Installation } from './install.ts'
import { type Npm, npmFor } from './npm.ts'

const EXAMPLE = join(import.meta.dirname, '../../examples/verdaccio/config.yaml')
const START_MS = 60_000

export interface VerdaccioSpec {
  /** Keys of `config.yaml`, beside or instead of those that are usual. */
  readonly config?: object
  /** The plugin's block; default: an empty one. */
  readonly cargo?: unknown
  /** Blocks of other middleware. */
  readonly middlewares?: object
  readonly env?: Readonly<Record<string, string>>
}

/** A real Verdaccio, as a process of its own. */
export interface Verdaccio extends Npm {
  /** Without a final slash. */
  readonly origin: string
  /** The registry's URL, without a final slash. */
  readonly url: string
  /** The registry's index, as cargo wants it. */
  readonly index: string
  /** Where it keeps everything. */
  readonly folder: string
  pid(): number
  /** Everything it printed. */
  log(): string
  /** Its end, by whatever signal; at once if it is not running. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again after it was killed, on the same port and folder; in how many milliseconds it answered. */
  start(): Promise<number>
}

/**
 * Starts a Verdaccio; it is killed at the end of the test.
 * @throws {Error} with everything that it printed, when it ends instead
 */
export async function startVerdaccio(
  context: Context,
  { folder: installed, version, tokenNpm }: Installation,
  spec: VerdaccioSpec = {},
): Promise<Verdaccio> {
  const folder = await temporaryFolder(context)
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const file = join(folder, 'config.yaml')
  await writeFile(file, stringify(await configOf(spec)))
  const main = join(installed, 'node_modules', 'verdaccio', 'bin', 'verdaccio')
  let child: ChildProcess | undefined
  let printed = ''

  async function start(): Promise<number> {
    const begun = performance.now()
    const args = [main, '--config', file, '--listen', `127.0.0.1:${port}`]
    const env = { ...process.env, ...spec.env }
    const started = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    child = started
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text
      })
    while (!(await answers(`${origin}/-/ping`))) {
      if (started.exitCode !== null) throw new Error(`verdaccio ${version} ended:\n${printed}`)
      if (performance.now() - begun > START_MS) throw new Error(`verdaccio does not answer:\n${printed}`)
      await sleep(20)
    }
    return performance.now() - begun
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = child
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await ended
  }

  context.after(() => kill())
  await start()
  const url = `${origin}${mountOf(spec.cargo)}`
  return {
    ...npmFor({ origin, folder, tokenNpm }),
    ...{ origin, url, index: `sparse+${url}/`, folder, start, kill },
    log: () => printed,
    pid: () => child?.pid ?? 0,
  }
}

function mountOf(cargo: unknown): string {
  const { mount = '/-/cargo' } = (cargo ?? {}) as { readonly mount?: string }
  return mount
}

/** The example's configuration, but for what the test is about. */
async function configOf({ config, cargo = null, middlewares }: VerdaccioSpec): Promise<object> {
  const { log: _, ...example } = parse(await readFile(EXAMPLE, 'utf8'))
  // Most requests have a password checked; that it takes its time is no matter here.
  const htpasswd = { ...example.auth.htpasswd, algorithm: 'bcrypt', rounds: 4 }
  return {
    ...example,
    auth: { htpasswd },
    middlewares: { ...example.middlewares, cargo, ...middlewares },
    log: { type: 'stdout', format: 'json', level: 'http' },
    ...config,
  }
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}
