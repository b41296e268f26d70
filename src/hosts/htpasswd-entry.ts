import { createHash, timingSafeEqual } from 'node:crypto'
import bcrypt from 'bcryptjs'
import { apr1 } from './apr1.ts'

/** A user of an htpasswd file. */
export interface HtpasswdEntry {
  readonly user: string
  /** Method and cost: entries of the same class take the same time. */
  readonly cost: string
  matches(password: string): Promise<boolean>
}

/** 2^17 rounds take seconds already; more would block the users of a typing mistake's neighbour too. */
const MAX_BCRYPT_COST = 17

/**
 * Reads an htpasswd file: `user:hash` lines, with bcrypt, apr1 or `{SHA}` hashes; fields after these are ignored.
 * @throws {Error} naming the line and the user, never the hash, for any other line.
 */
export function parseHtpasswd(text: string): ReadonlyMap<string, HtpasswdEntry> {
  const entries = new Map<string, HtpasswdEntry>()
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const [user, hash] = line.split(':')
    if (user === undefined || user === '' || hash === undefined) {
      throw new Error(`line ${i + 1}: must be a user name, a colon and a hash`)
    }
    if (entries.has(user)) throw new Error(`line ${i + 1}: user \`${user}\` is there twice`)
    const entry = parseHash(user, hash)
    if (entry === undefined) {
      throw new Error(
        `line ${i + 1}: hash of user \`${user}\` must be bcrypt (\`htpasswd -B\`), apr1 or {SHA}`,
      )
    }
    entries.set(user, entry)
  }
  return entries
}

function parseHash(user: string, hash: string): HtpasswdEntry | undefined {
  const rounds = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1]
  if (rounds !== undefined && Number(rounds) >= 4 && Number(rounds) <= MAX_BCRYPT_COST) {
    return { user, cost: `bcrypt ${rounds}`, matches: (password) => bcrypt.compare(password, hash) }
  }
  const [, salt, digest] = /^\$apr1\$([./0-9A-Za-z]{1,8})\$([./0-9A-Za-z]{22})$/.exec(hash) ?? []
  if (salt !== undefined && digest !== undefined) {
    return { user, cost: 'apr1', matches: async (password) => same(apr1(password, salt), digest) }
  }
  const sha = /^\{SHA\}([A-Za-z0-9+/]{27}=)$/.exec(hash)?.[1]
  if (sha === undefined) return undefined
  const sha1 = (password: string) => createHash('sha1').update(password).digest('base64')
  return { user, cost: 'sha', matches: async (password) => same(sha1(password), sha) }
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
