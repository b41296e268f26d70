import type { OptionsInput } from '../options.ts'
import { type Config, ConfigError } from './config.ts'
import type { Environment } from './environment.ts'
import { FIRST_USER } from './first-user.ts'

/**
 * The plugin's options: the settings' own, with the tokens that the environment holds.
 * @throws {ConfigError} for a variable that is not set
 */
export function pluginOptions({ auth, cargo }: Config, environment: Environment): OptionsInput {
  const uplinks = Object.entries(cargo.uplinks ?? {}).map(
    ([name, uplink]) => [name, withToken(name, uplink, environment)] as const,
  )
  return {
    // Without configured users there is only the first one, who had better be able to mend things.
    ...(auth === undefined && { admins: [FIRST_USER] }),
    ...cargo,
    uplinks: Object.fromEntries(uplinks),
  }
}

type UplinkInput = NonNullable<OptionsInput['uplinks']>[string]

function withToken(name: string, uplink: UplinkInput, environment: Environment): UplinkInput {
  const variable = uplink.auth?.token_env
  if (uplink.auth === undefined || variable === undefined || uplink.auth.token !== undefined) return uplink
  const token = environment[variable]
  if (token) return { ...uplink, auth: { ...uplink.auth, token } }
  throw new ConfigError([
    `\`cargo.uplinks.${name}.auth.token_env\`: the environment variable \`${variable}\` is not set`,
  ])
}
