import { execFile, spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { type Context, temporaryFolder } from '../support/cargo.ts'
import { converse } from './terminal.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const START_MS = 60_000
const run = promisify(execFile)

/** The versions of Verdaccio that are tried. */
export const VERSIONS = ['6.5.0', '6.10.4', '9.0.0-next-9.31'] as const
export type VerdaccioVersion = (typeof VERSIONS)[number]

/** Verdaccio and the plugin, installed as a user would. */
export interface Installation {
  readonly folder: string
  readonly version: VerdaccioVersion
}

export interface VerdaccioSpec {
  /** Keys of `config.yaml`, beside or instead of those that are usual. */
  readonly config?: object
  /** The plugin's block. */
  readonly cargo?: object
  readonly env?: Readonly<Record<string, string>>
  /** Where it keeps everything; default: a folder that is removed at the end. */
  readonly folder?: string
}

/** A real Verdaccio, as a process of its own. */
export interface Verdaccio {
  /** Without a final slash. */
  readonly origin: string
  /** The registry's index, as cargo wants it. */
  readonly index: string
  readonly folder: string
  /** Everything it printed. */
  log(): string
  /** Runs npm as a user of its own. */
  npm(user: NpmUser, ...args: readonly string[]): Promise<string>
  /** Makes an npm user by `npm adduser`, at a terminal. */
  addUser(name: string): Promise<NpmUser>
  /** Makes a token by `npm token create`, at a terminal. */
  createToken(user: NpmUser, ...flags: readonly string[]): Promise<string>
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again after it was killed, on the same port and folder. */
  start(): Promise<void>
}

export interface NpmUser {
  readonly name: string
  readonly password: string
  /** The folder with the user's `.npmrc`. */
  readonly home: string
  /** What npm got for the password. */
  readonly token: string
}

/** Installs a Verdaccio and the package as `npm pack` makes it into one folder. */
export async function install(context: Context, version: VerdaccioVersion): Promise<Installation> {
  const folder = await temporaryFolder(context)
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  })
  const [{ filename }] = JSON.parse(packed.stdout) as [{ readonly filename: string }]
  // Verdaccio asks for a dist-tag of node-fetch that not every registry has.
  const overrides = { 'node-fetch': '2.7.0' }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }))
  const args = ['install', '--no-audit', '--no-fund', `verdaccio@${version}`, join(folder, filename)]
  await run('npm', args, { cwd: folder })
  return { folder, version }
}

/** Starts a Verdaccio; it is killed at the end of the test. */
export async function startVerdaccio(
  context: Context,
  { folder: installed, version }: Installation,
  spec: VerdaccioSpec = {},
): Promise<Verdaccio> {
  const folder = spec.folder ?? (await temporaryFolder(context))
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const file = join(folder, 'config.yaml')
  await writeFile(file, stringify(configOf(spec)))
  const main = join(installed, 'node_modules', 'verdaccio', 'bin', 'verdaccio')
  let child: ReturnType<typeof spawn> | undefined
  let printed = ''

  async function start(): Promise<void> {
    const args = [main, '--config', file, '--listen', `127.0.0.1:${port}`]
    const env = { ...process.env, ...spec.env }
    const started = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    child = started
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text
      })
    const deadline = performance.now() + START_MS
    while (!(await answers(`${origin}/-/ping`))) {
      if (started.exitCode !== null) throw new Error(`verdaccio ${version} ended:\n${printed}`)
      if (performance.now() > deadline) throw new Error(`verdaccio ${version} does not answer:\n${printed}`)
      await sleep(50)
    }
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = child
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await ended
  }

  const npmEnv = (home: string) => ({
    npm_config_userconfig: join(home, '.npmrc'),
    npm_config_cache: join(home, 'cache'),
    npm_config_registry: `${origin}/`,
    npm_config_progress: 'false',
    npm_config_color: 'false',
    npm_config_update_notifier: 'false',
  })

  async function addUser(name: string): Promise<NpmUser> {
    const home = join(folder, `npm-${name}`)
    await mkdir(home, { recursive: true })
    const password = `secret-of-${name}`
    await converse(['npm', 'adduser', '--auth-type=legacy'], {
      cwd: home,
      env: npmEnv(home),
      answers: [
        ['Username:', name],
        ['Password:', password],
        ['Email', `${name}@example.org`],
      ],
    })
    const text = await readFile(join(home, '.npmrc'), 'utf8')
    const token = /_authToken="?([^"\n]+)/.exec(text)?.[1]
    if (token === undefined) throw new Error(`npm got no token:\n${text}`)
    return { name, password, home, token }
  }

  await start()
  context.after(() => kill())
  return {
    origin,
    index: `sparse+${origin}/-/cargo/`,
    folder,
    log: () => printed,
    start,
    kill,
    addUser,
    async npm({ home }, ...args) {
      const env = { ...process.env, ...npmEnv(home) }
      return (await run('npm', args, { cwd: home, env, timeout: START_MS })).stdout
    },
    async createToken({ home, password }, ...flags) {
      const said = await converse(['npm', 'token', 'create', ...flags], {
        cwd: home,
        env: npmEnv(home),
        answers: [['password:', password]],
      })
      const token = /Created .*token (\S+)/.exec(said)?.[1]
      if (token === undefined) throw new Error(`npm made no token:\n${said}`)
      return token
    },
  }
}

function configOf({ config, cargo = {} }: VerdaccioSpec): object {
  return {
    storage: './storage',
    auth: { htpasswd: { file: './htpasswd' } },
    packages: {
      'cargo/*': { access: '$all', publish: '$authenticated' },
      '**': { access: '$all', publish: '$authenticated' },
    },
    middlewares: { audit: { enabled: true }, cargo: { enabled: true, ...cargo } },
    log: { type: 'stdout', format: 'json', level: 'http' },
    ...config,
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('there is no free port')
  return address.port
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}
