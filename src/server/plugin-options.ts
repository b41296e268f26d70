import { readSecrets } from '../options/secrets.ts'
import type { OptionsInput } from '../options.ts'
import { type Config, ConfigError } from './config.ts'
import type { Environment } from './environment.ts'
import { FIRST_USER } from './first-user.ts'

/**
 * The plugin's options: the settings' own, with the tokens and secrets that the environment holds.
 * @throws {ConfigError} for a variable that is not set
 */
export function pluginOptions({ auth, cargo }: Config, environment: Environment): OptionsInput {
  const { options, problems } = readSecrets(cargo, environment)
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => problem.replace('`', '`cargo.')))
  return {
    // Without configured users there is only the first one, who had better be able to mend things.
    ...(auth === undefined && { admins: [FIRST_USER] }),
    ...options,
    uplinks: options.uplinks ?? {},
  }
}
