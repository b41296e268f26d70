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
  /** Takes back, by `npm token revoke`, the user's one token without limits. */
  revokeToken(user: NpmUser): Promise<void>
}

export interface NpmSpec {
  readonly origin: string
  /** Where users have their homes. */
  readonly folder: string
  /** The npm of `npm token`. */
  readonly tokenNpm: string
}

/** npm for a registry. */
export function npmFor({ origin, folder, tokenNpm }: NpmSpec): Npm {
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
  const npm: Npm['npm'] = async ({ home }, ...args) => {
    const env = { ...process.env, ...environment(home) }
    const program = args[0] === 'token' ? tokenNpm : 'npm'
    return (await run(program, args, { cwd: home, env, timeout: COMMAND_MS })).stdout
  }
  return {
    npm,
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
      const said = await converse([tokenNpm, 'token', 'create', ...flags], {
        cwd: home,
        env: environment(home),
        answers: [['password:', password]],
      })
      const token = /Created .*token (\S+)/.exec(said)?.[1]
      if (token === undefined) throw new Error(`npm made no token:\n${said}`)
      return token
    },
    async revokeToken(user) {
      await npm(user, 'token', 'revoke', keyOf(await npm(user, 'token', 'list', '--json')))
    },
  }
}

/** The key in what `npm token list` printed, which is a list, or in one, as the version of npm has it. */
function keyOf(printed: string): string {
  const value = JSON.parse(printed)
  const tokens: readonly ListedToken[] = Array.isArray(value) ? value : value.objects
  const [found, another] = tokens.filter(
    ({ readonly = false, cidr }) => !readonly && (cidr ?? []).length === 0,
  )
  if (found === undefined || another !== undefined) throw new Error(`there is not one token in ${printed}`)
  return found.key
}

interface ListedToken {
  readonly key: string
  readonly readonly?: boolean
  readonly cidr?: readonly string[] | null
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

/** A token that was made by itself, and can be revoked by its key. */
export interface GeneratedToken {
  readonly token: string
  readonly key: string
}

/** Makes a token by the request of `npm token create`, whose newer versions send it in other words. */
export async function requestToken(
  origin: string,
  { name, token }: Pick<NpmUser, 'name' | 'token'>,
  { readonly = false, cidr = [] }: { readonly readonly?: boolean; readonly cidr?: readonly string[] } = {},
): Promise<GeneratedToken> {
  const response = await fetch(`${origin}/-/npm/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ password: passwordOf(name), readonly, cidr_whitelist: cidr }),
  })
  if (!response.ok) throw new Error(`${name} got no token: ${response.status} ${await response.text()}`)
  return (await response.json()) as GeneratedToken
}

/** Takes a token back by the request of `npm token revoke`. */
export async function requestRevocation(
  origin: string,
  { token }: Pick<NpmUser, 'token'>,
  { key }: GeneratedToken,
): Promise<void> {
  const response = await fetch(`${origin}/-/npm/v1/tokens/token/${key}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
  })
  if (!response.ok) throw new Error(`no revocation: ${response.status} ${await response.text()}`)
}

/** The password of a user of that name. */
export function passwordOf(name: string): string {
  return `secret-of-${name}`
}
