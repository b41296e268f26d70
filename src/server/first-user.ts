import type { ObjectStore } from '../host.ts'
import { createToken } from '../hosts/tokens.ts'

/** The user that a registry without configured users begins with. */
export const FIRST_USER = 'admin'

const TOKENS = 'tokens/'

/** Makes the first user's token when the store has no token yet; its text, which cannot be had again. */
export async function createFirstToken(store: ObjectStore): Promise<string | undefined> {
  for await (const _ of store.list(TOKENS)) return undefined
  const { token } = await createToken(store, { user: FIRST_USER, groups: [] })
  return token
}

/** What a person needs who starts a registry for the first time. `url` is the registry's, mount included. */
export function renderFirstSteps(url: string, token: string): string {
  return `
Cargo's settings, for ~/.cargo/config.toml or a project's .cargo/config.toml:

[registries.local]
index = "sparse+${url}/"
credential-provider = "cargo:token"

The token of the user \`${FIRST_USER}\`, shown only this once:

${token}

Give it to cargo with \`cargo login --registry local\`, then try \`cargo publish --registry local\`.
`
}
