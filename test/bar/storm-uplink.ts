import { indexPath } from '../../src/protocol/name.ts'
import { type CrateFile, crateFile } from '../support/crate-file.ts'
import { pick, type Random, randomBytesFrom } from '../support/random.ts'
import type { startUplink, Uplink } from '../support/uplink.ts'
import { CRATE_FAULTS, type FaultCase, INDEX_FAULTS } from '../support/uplink-fault-cases.ts'
import type { FaultMode } from '../support/uplink-faults.ts'

export type Context = Parameters<typeof startUplink>[0]

/** How many of an uplink's answers are faulty. */
const FAULTY = 0.2
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0']
/** Most crates are small; a few are so large that they are cut in the middle and not before. */
const LARGE_EVERY = 20
const LARGE = 600 * 1024
/** A flood is one when it is larger than what the registry takes. */
export const MAX_BODY = 1024 * 1024
const FLOOD = 2 * MAX_BODY

/** Crates of a few versions each; `kept-` and `loose-` names come from different uplinks of the registry. */
export function stormCrates(random: Random, count: number): readonly CrateFile[] {
  return Array.from({ length: count }, (_, n) => `${n % 2 === 0 ? 'kept' : 'loose'}-${n}`).flatMap(
    (name, n) =>
      VERSIONS.map((version) => {
        const size = n % LARGE_EVERY === 0 && version === '1.0.0' ? LARGE : 2000
        return crateFile(name, version).add(`${name}-${version}/noise`, randomBytesFrom(random, size))
      }),
  )
}

/** Every mode of fault by how often it was used, and of the answers those that were not faulty. */
export interface FaultTally {
  readonly used: ReadonlyMap<string, number>
  readonly right: () => number
  readonly faulty: () => number
}

/** Spoils every fifth answer at random. What nobody can tell from a right answer comes only after a right one. */
export function spoil(uplink: Uplink, names: Iterable<string>, random: Random): FaultTally {
  const used = new Map<string, number>()
  let right = 0
  const choose = (cases: readonly FaultCase[]): FaultMode => {
    if (random() >= FAULTY) {
      right += 1
      return { mode: 'ok' }
    }
    const first = pick(random, cases).fault
    // One limit is a limit for all, and a second long: they are rare.
    const fault = bounded(first.mode === '429' ? pick(random, cases).fault : first)
    used.set(fault.mode, (used.get(fault.mode) ?? 0) + 1)
    return fault
  }
  const isFault = ({ fault }: FaultCase) => fault.mode !== 'ok'
  const crateFaults = CRATE_FAULTS.filter(isFault)
  const indexFaults = INDEX_FAULTS.filter(isFault)
  const coldFaults = indexFaults.filter(({ plausible }) => plausible !== true)
  uplink.fault(/^\/crates\//, () => choose(crateFaults))
  for (const name of names) {
    let known = false
    uplink.fault(`/index/${indexPath(name)}`, () => {
      const fault = choose(known ? indexFaults : coldFaults)
      known ||= fault.mode === 'ok'
      return fault
    })
  }
  return { used, right: () => right, faulty: () => [...used.values()].reduce((sum, n) => sum + n, 0) }
}

/** Less of the same fault, so that a hundred thousand requests end some day. */
export function bounded(fault: FaultMode): FaultMode {
  switch (fault.mode) {
    case 'huge':
    case 'gz-bomb':
      return { ...fault, bytes: FLOOD }
    case 'n-encodings':
      return { ...fault, count: 3 }
    case '429':
      return { ...fault, retryAfter: 1 }
    case 'delay':
      return { ...fault, ms: 50 }
    default:
      return fault
  }
}
