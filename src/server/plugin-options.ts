import type { OptionsInput } from '../options.ts'
import { type Config, ConfigError } from './config.ts'
import type { Environment } from './environment.ts'
import { FIRST_USER } from './first-user.ts'

/**
 * The plugin's options: the settings' own, with the tokens and secrets that the environment holds.
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
    ...(cargo.webhooks && { webhooks: cargo.webhooks.map((hook, n) => withSecret(n, hook, environment)) }),
  }
}

type UplinkInput = NonNullable<OptionsInput['uplinks']>[string]

function withToken(name: string, uplink: UplinkInput, environment: Environment): UplinkInput {
  const variable = uplink.auth?.token_env
  if (uplink.auth === undefined || variable === undefined || uplink.auth.token !== undefined) return uplink
  const token = read(environment, variable, `uplinks.${name}.auth.token_env`)
  return { ...uplink, auth: { ...uplink.auth, token } }
}

type WebhookInput = NonNullable<OptionsInput['webhooks']>[number]

function withSecret(n: number, hook: WebhookInput, environment: Environment): WebhookInput {
  const variable = hook.secret_env
  if (variable === undefined || hook.secret !== undefined) return hook
  return { ...hook, secret: read(environment, variable, `webhooks.${n}.secret_env`) }
}

function read(environment: Environment, variable: string, key: string): string {
  const value = environment[variable]
  if (value) return value
  throw new ConfigError([`\`cargo.${key}\`: the environment variable \`${variable}\` is not set`])
}
