import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { CargoError, type HostAuth, type Principal } from 'verdaccio-cargo'
import { z } from 'zod'

/** `users.json`: people by name; a token is kept as its SHA-256 only. */
const usersFile = z.record(
  z.string(),
  z.strictObject({
    groups: z.array(z.string()).default([]),
    /** A guest reads, whatever the rules of the plugin say. */
    guest: z.boolean().default(false),
    tokens: z.record(
      z.string(),
      z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), readOnly: z.boolean().default(false) }),
    ),
  }),
)

/** Our own user object: it comes back in `Principal.native`. */
interface User {
  readonly name: string
  readonly isGuest: boolean
}

/** The people of a JSON file, which is read again when it changes. */
export function jsonAuth(file: string): HostAuth {
  let known: ReadonlyMap<string, Principal> = new Map()
  let readAt = 0

  /** A file that cannot be read throws, which is answered with 503: it must never make anybody anonymous. */
  async function principals(): Promise<ReadonlyMap<string, Principal>> {
    const { mtimeMs } = await stat(file)
    if (mtimeMs !== readAt) {
      known = parseUsers(await readFile(file, 'utf8'))
      readAt = mtimeMs
    }
    return known
  }

  return {
    async authenticate(authorization) {
      if (authorization === undefined) return undefined
      // Cargo sends a token as it is, other clients put a scheme before it.
      const token = authorization.replace(/^Bearer /i, '')
      const principal = (await principals()).get(sha256(token))
      if (principal === undefined) throw new CargoError('invalid_credential', 'the token is not known')
      return principal
    },

    /** Beside the rules of the plugin, which have to agree as well: a veto of the host's own. */
    async authorize(who, action) {
      const user = who?.native as User | undefined
      return action === 'read' || user?.isGuest === false
    },
  }
}

function parseUsers(text: string): ReadonlyMap<string, Principal> {
  const found = new Map<string, Principal>()
  for (const [name, { groups, guest, tokens }] of Object.entries(usersFile.parse(JSON.parse(text)))) {
    const native: User = { name, isGuest: guest }
    for (const [tokenId, { sha256: hash, readOnly }] of Object.entries(tokens))
      found.set(hash, {
        ...{ name, groups, tokenId, native },
        // The scope of the token can only take away what the user may.
        ...(readOnly && { may: (action) => action === 'read' }),
      })
  }
  return found
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
