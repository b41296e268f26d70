import { fewAtATime } from '../../src/registry/few-at-a-time.ts'
import type { CrateFile } from '../support/crate-file.ts'
import { sha256 } from '../support/download.ts'
import {
  fetchCrate,
  type Outcome,
  type RegistryAddress,
  readIndex,
  send,
  sendCrate,
} from './registry-client.ts'

/** What clients did, what they were told, and whether the registry still knows. */
export interface History {
  /** `through`: another replica, here and below. */
  publish(crate: CrateFile, through?: RegistryAddress): Promise<Outcome>
  yank(name: string, version: string, through?: RegistryAddress): Promise<Outcome>
  /** Everything that contradicts what clients were told, of these crates or of all. */
  check(names?: Iterable<string>, through?: RegistryAddress): Promise<readonly string[]>
  /** How many publishes were answered with success. */
  acknowledged(): number
}

interface Attempt {
  readonly cksum: string
  isAcknowledged: boolean
  isYankAsked: boolean
  isYanked: boolean
}

/** The history of one registry, over any number of starts. */
export function createHistory(server: RegistryAddress): History {
  const crates = new Map<string, Map<string, Attempt>>()

  /** Whoever tries again sends the same bytes. */
  function attemptOf({ name, version, bytes }: CrateFile): Attempt {
    const versions = crates.get(name) ?? new Map<string, Attempt>()
    crates.set(name, versions)
    const cksum = sha256(bytes())
    const attempt = versions.get(version) ?? {
      cksum,
      isAcknowledged: false,
      isYankAsked: false,
      isYanked: false,
    }
    versions.set(version, attempt)
    return attempt
  }

  async function checkCrate(name: string, through: RegistryAddress): Promise<readonly string[]> {
    const attempts = crates.get(name) ?? new Map<string, Attempt>()
    const lines = await readIndex(through, name)
    if (typeof lines === 'string') return [`${name}: ${lines}`]
    const listed = new Map(lines.map((line) => [line.vers, line]))
    const problems = lines.length === listed.size ? [] : [`${name}: a version is there twice`]
    for (const version of listed.keys())
      if (!attempts.has(version)) problems.push(`${name}@${version}: nobody published it`)
    for (const [version, attempt] of attempts) {
      const { status, cksum } = await fetchCrate(through, name, version)
      for (const problem of problemsOf(attempt, listed.get(version), status, cksum))
        problems.push(`${name}@${version}: ${problem}`)
    }
    return problems
  }

  return {
    async publish(crate, through = server) {
      const attempt = attemptOf(crate)
      const status = await sendCrate(through, crate)
      if (status === 200) attempt.isAcknowledged = true
      return status
    },
    async yank(name, version, through = server) {
      const attempt = crates.get(name)?.get(version)
      if (attempt === undefined) throw new Error(`${name}@${version} was never published`)
      attempt.isYankAsked = true
      const status = await send(through, 'DELETE', `/api/v1/crates/${name}/${version}/yank`)
      if (status === 200) attempt.isYanked = true
      return status
    },
    async check(names = crates.keys(), through = server) {
      const problems: string[] = []
      for await (const [, found] of fewAtATime(names, (name) => checkCrate(name, through)))
        problems.push(...found)
      return problems
    },
    acknowledged: () =>
      [...crates.values()]
        .flatMap((versions) => [...versions.values()])
        .filter(({ isAcknowledged }) => isAcknowledged).length,
  }
}

function problemsOf(
  attempt: Attempt,
  line: { readonly cksum: string; readonly yanked: boolean } | undefined,
  status: number,
  cksum: string,
): readonly string[] {
  if (line === undefined) {
    if (attempt.isAcknowledged) return ['was acknowledged and is lost']
    return status === 404 ? [] : [`has no line, and its file is answered with ${status}`]
  }
  return [
    ...(line.cksum === attempt.cksum ? [] : ['has the checksum of other bytes']),
    ...(status === 200 && cksum === attempt.cksum ? [] : [`has a line, and no right file: ${status}`]),
    ...(attempt.isYanked && !line.yanked ? ['its yank was acknowledged and is lost'] : []),
    ...(line.yanked && !attempt.isYankAsked ? ['is yanked, and nobody asked for it'] : []),
  ]
}
