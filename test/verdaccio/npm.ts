import { execFile } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { converse } from './terminal.ts'

const COMMAND_MS = 60_000
const run = promisify(execFile)

export interface NpmUser {
  readonly name: string
  readonly password: string
  /** The folder with the user's `.npmrc`. */
  readonly home: string
  /** What npm got for the password. */
  readonly token: string
}

/** The real npm, which knows one registry. */
export interface Npm {
  /** Runs npm as a user of its own. */
  npm(user: Pick<NpmUser, 'home'>, ...args: readonly string[]): Promise<string>
  /** Makes an npm user by `npm adduser`, at a terminal. */
  addUser(name: string): Promise<NpmUser>
  /** Makes a token by `npm token create`, at a terminal. */
  createToken(user: NpmUser, ...flags: readonly string[]): Promise<string>
}

/** npm for a registry; users have homes in `folder`. */
export function npmFor(origin: string, folder: string): Npm {
  const environment = (home: string) => ({
    npm_config_userconfig: join(home, '.npmrc'),
    npm_config_cache: join(home, 'cache'),
    npm_config_registry: `${origin}/`,
    npm_config_progress: 'false',
    npm_config_color: 'false',
    npm_config_update_notifier: 'false',
    // Whoever runs the tests may have silenced npm, for all npms below.
    npm_config_loglevel: 'notice',
    // Verdaccio would ask npm's own registry.
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  })
  return {
    async npm({ home }, ...args) {
      const env = { ...process.env, ...environment(home) }
      return (await run('npm', args, { cwd: home, env, timeout: COMMAND_MS })).stdout
    },
    async addUser(name) {
      const home = join(folder, `npm-${name}`)
      await mkdir(home, { recursive: true })
      const password = passwordOf(name)
      await converse(['npm', 'adduser', '--auth-type=legacy'], {
        cwd: home,
        env: environment(home),
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
    },
    async createToken({ home, password }, ...flags) {
      const said = await converse(['npm', 'token', 'create', ...flags], {
        cwd: home,
        env: environment(home),
        answers: [['password:', password]],
      })
      const token = /Created .*token (\S+)/.exec(said)?.[1]
      if (token === undefined) throw new Error(`npm made no token:\n${said}`)
      return token
    },
  }
}

/** Makes a user by the request that `npm adduser` sends; the token. */
export async function signUp(origin: string, name: string): Promise<string> {
  const response = await fetch(`${origin}/-/user/org.couchdb.user:${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password: passwordOf(name) }),
  })
  const { token, error } = (await response.json()) as { readonly token?: string; readonly error?: string }
  if (token === undefined) throw new Error(`${name} got no token: ${response.status} ${error}`)
  return token
}

/** Makes a token by the request of `npm token create`, whose newer versions send it in other words. */
export async function readOnlyToken(origin: string, name: string, token: string): Promise<string> {
  const response = await fetch(`${origin}/-/npm/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ password: passwordOf(name), readonly: true, cidr_whitelist: [] }),
  })
  const made = (await response.json()) as { readonly token: string; readonly readonly: boolean }
  if (made.readonly !== true) throw new Error(`the token of ${name} is not read-only`)
  return made.token
}

/** The password of a user of that name. */
export function passwordOf(name: string): string {
  return `secret-of-${name}`
}
