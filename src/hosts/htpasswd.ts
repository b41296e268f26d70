import { createHmac, randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { LRUCache } from 'lru-cache'
import { CargoError } from '../errors.ts'
import type { Principal } from '../host.ts'
import { type HtpasswdEntry, parseHtpasswd } from './htpasswd-entry.ts'

/** The file is looked at again after this many milliseconds, when someone logs in. */
const LOOK_EVERY = 1_000
/** A password that was right is right for this many milliseconds, unless the file changes: bcrypt is slow. */
const RIGHT_FOR = 30_000
/** Passwords that are checked at the same time; more are told to come again, so that guessing cannot pile up. */
const MAX_CHECKS = 32
/** Far beyond what bcrypt looks at (72 bytes). */
const MAX_PASSWORD_LENGTH = 1024

/** The users of an htpasswd file. */
export interface Htpasswd {
  /**
   * The user, when the password is right. An unknown user takes as long as a wrong password.
   * @throws {CargoError} `unavailable` when too many passwords are being checked.
   */
  verify(user: string, password: string): Promise<Principal | undefined>
  /** Whether there is such a user. */
  has(user: string): Promise<boolean>
}

export interface HtpasswdDeps {
  /** In milliseconds. */
  readonly now?: () => number
  /** Told, once for each change, why the file cannot be used any more; the users it had before stay. */
  readonly onProblem?: (error: unknown) => void
}

interface Users {
  readonly entries: ReadonlyMap<string, HtpasswdEntry>
  /** Checked in place of an unknown user: an entry of the commonest cost. */
  readonly decoy: HtpasswdEntry | undefined
  /** Changes when the file does. */
  readonly stamp: string
}

/**
 * Opens an htpasswd file and follows its changes; after one that cannot be used, the users it had before stay.
 * @throws {Error} naming the file, line and user for what it cannot use now.
 */
export async function openHtpasswd(
  file: string,
  { now = Date.now, onProblem = () => {} }: HtpasswdDeps = {},
): Promise<Htpasswd> {
  const currentUsers = await followFile(file, now, onProblem)
  // Random for each process: what is in memory is worth nothing elsewhere.
  const secret = randomBytes(32)
  const right = new LRUCache<string, number>({ max: 1_000 })
  const checks = new Map<string, Promise<boolean>>()

  async function check(users: Users, user: string, password: string): Promise<boolean> {
    const entry = users.entries.get(user)
    const matches = await (entry ?? users.decoy)?.matches(password)
    return entry !== undefined && matches === true
  }

  return {
    async verify(user, password) {
      if (password.length > MAX_PASSWORD_LENGTH) return undefined
      const users = await currentUsers()
      const key = createHmac('sha256', secret).update(`${users.stamp}\n${user}:${password}`).digest('base64')
      const principal: Principal = { name: user, groups: [] }
      if (now() < (right.get(key) ?? 0)) return principal
      if (checks.size >= MAX_CHECKS && !checks.has(key)) {
        throw new CargoError('unavailable', 'too many passwords are being checked at the moment')
      }
      const running = checks.get(key) ?? check(users, user, password).finally(() => checks.delete(key))
      checks.set(key, running)
      if (!(await running)) return undefined
      right.set(key, now() + RIGHT_FOR)
      return principal
    },
    has: async (user) => (await currentUsers()).entries.has(user),
  }
}

/**
 * The file's users, read again when its time or size changed; at most one look a second, shared by all callers. One
 * mistake in a line must not lock out everybody, so that what cannot be used leaves the users as they were.
 */
async function followFile(
  file: string,
  now: () => number,
  onProblem: (error: unknown) => void,
): Promise<() => Promise<Users>> {
  let users = Promise.resolve(await readUsers(file))
  let looked = now()
  let told: string | undefined

  async function look(known: Users): Promise<Users> {
    const stamp = await stampOf(file).catch(() => undefined)
    try {
      const read = await readUsers(file, known)
      told = undefined
      return read
    } catch (error) {
      const problem = `${stamp} ${error}`
      if (problem !== told) onProblem(error)
      told = problem
      return known
    }
  }

  return () => {
    if (now() - looked >= LOOK_EVERY) {
      looked = now()
      users = users.then(look)
    }
    return users
  }
}

async function stampOf(file: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(file)
  return `${mtimeMs} ${size} ${ino}`
}

async function readUsers(file: string, known?: Users): Promise<Users> {
  const stamp = await stampOf(file)
  if (known?.stamp === stamp) return known
  try {
    const entries = parseHtpasswd(await readFile(file, 'utf8'))
    return { entries, decoy: commonest([...entries.values()]), stamp }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`htpasswd file \`${file}\`: ${reason}`, { cause })
  }
}

function commonest(entries: readonly HtpasswdEntry[]): HtpasswdEntry | undefined {
  const counts = new Map<string, number>()
  for (const { cost } of entries) counts.set(cost, (counts.get(cost) ?? 0) + 1)
  const [cost] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? []
  return entries.find((entry) => entry.cost === cost)
}
