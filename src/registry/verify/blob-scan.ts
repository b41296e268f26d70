import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { blobKey } from '../keys.ts'
import { type Check, inParallel, readProblem, reportStray } from './check.ts'
import { quarantine } from './quarantine.ts'

const BLOB_KEY = /^blobs\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})$/
const DAY_MS = 24 * 60 * 60 * 1000
const WRONG_BYTES = 'its bytes do not have the checksum that they are stored under'
/** Marks of a blob. */
const REFERENCED = 1
const YOUNG = 2

/** A blob whose bytes do not have its checksum, or cannot be read. */
interface DamagedBlob {
  readonly problem: string
  readonly crates: string[]
  /** Whether a version that was published here needs it; else any uplink has it. */
  hosted: boolean
}

/** The blobs that nobody references. */
export interface Unreferenced {
  readonly old: number
  /** Younger than a day: a publish or a fetch may be under way. */
  readonly young: number
}

/** The blobs in the store, each of which was looked at. */
export interface ScannedBlobs {
  /** Takes note of a version that has this checksum; whether its blob was there. */
  reference(sha256: string, crate: string, isHosted: boolean): boolean
  unreferenced(): Unreferenced
  /** Reports the damaged ones, once all references are known. */
  settle(): Promise<void>
}

/** Hashes every blob in the store, a few at a time; nine bytes of memory are kept for each. */
export async function scanBlobs(check: Check): Promise<ScannedBlobs> {
  const known = createBlobSet()
  const damaged = new Map<string, DamagedBlob>()

  async function* blobs(): AsyncGenerator<string> {
    const youngSince = check.now().getTime() - DAY_MS
    for await (const { key, modified } of check.storage.list('blobs/')) {
      const sha256 = BLOB_KEY.exec(key)?.[1]
      if (sha256 === undefined || blobKey(sha256) !== key) {
        reportStray(check, key)
        continue
      }
      known.add(sha256, modified.getTime() > youngSince ? YOUNG : 0)
      yield sha256
    }
  }

  await inParallel(blobs(), check.signal, async (sha256) => {
    check.counts.blobs += 1
    // Looked at again before it is called damaged: it may have been written anew meanwhile.
    const problem = (await problemWith(check, sha256)) && (await problemWith(check, sha256))
    if (problem !== undefined) damaged.set(sha256, { problem, crates: [], hosted: false })
  })

  return {
    reference(sha256, crate, isHosted) {
      const found = damaged.get(sha256)
      if (found !== undefined) {
        found.crates.push(crate)
        found.hosted ||= isHosted
      }
      return known.mark(sha256)
    },
    unreferenced: known.unreferenced,
    async settle() {
      for (const [sha256, blob] of damaged) await settleBlob(check, sha256, blob)
    },
  }
}

/** One that is gone by now has none. */
async function problemWith(check: Check, sha256: string): Promise<string | undefined> {
  try {
    const object = await check.storage.get(blobKey(sha256))
    if (object === undefined || (await hashOf(object.body)) === sha256) {
      check.step(object?.size ?? 0)
      return undefined
    }
    return WRONG_BYTES
  } catch (error) {
    return readProblem(check, error)
  }
}

async function hashOf(body: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of body) hash.update(chunk)
  return hash.digest('hex')
}

async function settleBlob(check: Check, sha256: string, blob: DamagedBlob): Promise<void> {
  const { problem, crates, hosted } = blob
  const key = blobKey(sha256)
  // What cannot be read cannot be moved either.
  const canMove = problem === WRONG_BYTES
  const moved = check.repair && canMove ? await quarantine(check, key, sha256) : undefined
  if (moved === 'mended') return
  const repaired = moved !== undefined && !hosted
  const move =
    moved !== undefined ? `moved to \`${moved.key}\`` : canMove ? '`--repair` moves it away' : 'remove it'
  const remedy = hosted
    ? `${moved === undefined ? '' : `${move}; `}restore it from a backup: until then its downloads answer 503`
    : crates.length > 0
      ? `${move}: the next download fetches it again`
      : `${move}: nothing references it`
  check.report({ crates, key, problem, remedy, repaired })
}

/** Checksums by their first eight bytes, which a list of keys has in order. */
function createBlobSet() {
  let heads = new BigUint64Array(1024)
  let marks = new Uint8Array(1024)
  let size = 0

  function indexOf(head: bigint): number {
    let [low, high] = [0, size]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((heads[middle] ?? 0n) < head) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    /** In ascending order. */
    add(sha256: string, mark: number): void {
      if (size === heads.length) {
        const [before, marked] = [heads, marks]
        heads = new BigUint64Array(2 * size)
        marks = new Uint8Array(2 * size)
        heads.set(before)
        marks.set(marked)
      }
      heads[size] = headOf(sha256)
      marks[size] = mark
      size += 1
    },
    /** Whether it is there, marked as referenced from now on. */
    mark(sha256: string): boolean {
      const index = indexOf(headOf(sha256))
      if (index >= size || heads[index] !== headOf(sha256)) return false
      marks[index] = (marks[index] ?? 0) | REFERENCED
      return true
    },
    unreferenced(): Unreferenced {
      const count = { old: 0, young: 0 }
      for (const mark of marks.subarray(0, size)) {
        if ((mark & REFERENCED) === 0) count[mark === YOUNG ? 'young' : 'old'] += 1
      }
      return count
    },
  }
}

function headOf(sha256: string): bigint {
  return BigInt(`0x${sha256.slice(0, 16)}`)
}
