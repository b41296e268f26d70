import type { HostAuth, ObjectStore } from '../host.ts'
import { createAuth } from '../hosts/auth.ts'
import { openHtpasswd } from '../hosts/htpasswd.ts'
import type { StaticToken } from '../hosts/static-tokens.ts'
import { type Config, ConfigError } from './config.ts'
import type { Environment } from './environment.ts'
import { reasonOf } from './reason.ts'

type AuthConfig = NonNullable<Config['auth']>

/**
 * The users of the settings and those whose tokens are in the store. `onProblem` is told when the password file changes
 * to something that cannot be used.
 * @throws {ConfigError} for a variable that is not set, or a password file that cannot be used
 */
export async function openUsers(
  auth: AuthConfig | undefined,
  environment: Environment,
  store: ObjectStore,
  onProblem: (error: unknown) => void = () => {},
): Promise<HostAuth> {
  const htpasswd = auth?.htpasswd === undefined ? undefined : await openPasswords(auth.htpasswd, onProblem)
  const staticTokens = (auth?.tokens ?? []).map((entry, i) => staticToken(entry, i, environment))
  try {
    return createAuth({ store, staticTokens, ...(htpasswd && { htpasswd }) })
  } catch (cause) {
    throw new ConfigError([`\`auth.tokens\`: ${reasonOf(cause)}`], { cause })
  }
}

function staticToken(entry: AuthConfig['tokens'][number], i: number, environment: Environment): StaticToken {
  const { token_env, ...rest } = entry
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  const grant = { ...known, user: entry.user }
  if (token_env === undefined) return grant
  const token = environment[token_env]
  if (token) return { ...grant, token }
  throw new ConfigError([
    `\`auth.tokens.${i}.token_env\`: the environment variable \`${token_env}\` is not set`,
  ])
}

async function openPasswords(file: string, onProblem: (error: unknown) => void) {
  try {
    return await openHtpasswd(file, { onProblem })
  } catch (cause) {
    throw new ConfigError([`\`auth.htpasswd\`: ${reasonOf(cause)}`], { cause })
  }
}
