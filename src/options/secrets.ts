import type { z } from 'zod'
import type { uplink } from './uplinks.ts'
import type { webhook } from './webhooks.ts'

/** Options that may name environment variables instead of holding secrets. */
export interface WithSecrets {
  readonly uplinks?: Readonly<Record<string, z.input<typeof uplink>>> | undefined
  readonly webhooks?: readonly z.input<typeof webhook>[] | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** The same options with the tokens and secrets that the environment holds, and a line for each variable that is not set. */
export function readSecrets<T extends WithSecrets>(
  options: T,
  environment: Environment,
): { readonly options: T; readonly problems: readonly string[] } {
  const problems: string[] = []

  function read(key: string, variable: string | undefined): string | undefined {
    if (variable === undefined) return undefined
    const value = environment[variable]
    if (!value) problems.push(`\`${key}\`: the environment variable \`${variable}\` is not set`)
    return value
  }

  const uplinks = Object.entries(options.uplinks ?? {}).map(([name, of]) => {
    if (of.auth === undefined || of.auth.token !== undefined) return [name, of] as const
    const token = read(`uplinks.${name}.auth.token_env`, of.auth.token_env)
    return [name, token === undefined ? of : { ...of, auth: { ...of.auth, token } }] as const
  })
  const webhooks = options.webhooks?.map((hook, n) => {
    if (hook.secret !== undefined) return hook
    const secret = read(`webhooks.${n}.secret_env`, hook.secret_env)
    return secret === undefined ? hook : { ...hook, secret }
  })
  return {
    options: {
      ...options,
      ...(options.uplinks && { uplinks: Object.fromEntries(uplinks) }),
      ...(webhooks && { webhooks }),
    },
    problems,
  }
}
