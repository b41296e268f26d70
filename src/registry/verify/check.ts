import { CargoError } from '../../errors.ts'
import { type RegistryStorage, readBytes } from '../reliable-storage.ts'

/** Nothing has this key; looking for it shows that the store answers. */
const PROBE = 'ready'
/** So many objects are looked at at a time. */
const PARALLEL = 8

/** Something that is not as it must be. */
export interface Finding {
  /** The crates that it concerns, with their version where it is about one. */
  readonly crates: readonly string[]
  readonly key: string
  readonly problem: string
  /** What was done about it, or what the operator has to do. */
  readonly remedy: string
  readonly repaired: boolean
}

/** What was looked at. */
export interface VerifyCounts {
  blobs: number
  crates: number
  changes: number
  checkpoints: number
  copies: number
  catalogues: number
  /** Objects of download counts. */
  downloads: number
  /** Batches of records of who downloaded what. */
  trail: number
  /** Crates that a restored catalogue did not have, as backups have none: it was written anew with them. */
  entered: number
  /** Changes and copies from before there were seals: damage that leaves them valid is not found. */
  unsealed: number
}

/** What all parts of a verification work with. */
export interface Check {
  readonly storage: RegistryStorage
  /** Whether derived data is written again, and damaged blobs are moved out of the way. */
  readonly repair: boolean
  /** The store was filled from a backup just now, which has nothing that is derived: that is missing by rights. */
  readonly isRestored?: boolean
  readonly counts: VerifyCounts
  /** Aborted: what runs is finished, and nothing new begins. */
  readonly signal: AbortSignal
  readonly now: () => Date
  report(finding: Finding): void
  /** One more thing was looked at, of so many bytes. */
  step(bytes: number): void
}

/** What is at a key: its bytes, nothing, or (told already) nothing that can be read. */
export type Found = { readonly bytes: Buffer } | 'absent' | 'unreadable'

/**
 * Reads a small object; that one cannot be read is a finding.
 * @throws {CargoError} `unavailable` when the store does not answer at all
 */
export async function readObject(check: Check, crates: readonly string[], key: string): Promise<Found> {
  try {
    const object = await check.storage.get(key)
    if (object === undefined) return 'absent'
    const bytes = await readBytes(object)
    check.step(bytes.length)
    return { bytes }
  } catch (error) {
    const problem = await readProblem(check, error)
    const remedy = 'look at the disk and the rights of the file; then restore it from a backup'
    check.report({ crates, key, problem, remedy, repaired: false })
    return 'unreadable'
  }
}

/**
 * Why an object cannot be read.
 * @throws {CargoError} `unavailable` when the store does not answer at all; whatever else `error` is
 */
export async function readProblem({ storage }: Check, error: unknown): Promise<string> {
  if (!(error instanceof CargoError) || error.code !== 'unavailable') throw error
  await storage.stat(PROBE)
  return `cannot be read: ${error.cause instanceof Error ? error.cause.message : error.message}`
}

/** Reports an object that nothing of the registry has the key of. */
export function reportStray(check: Check, key: string): void {
  check.report({
    ...{ crates: [], key, repaired: false },
    problem: 'is no object of the registry',
    remedy: 'move it elsewhere',
  })
}

/** What a reader of stored bytes has against them. */
export function problemOf(error: unknown): string {
  if (error instanceof CargoError) return error.message
  return `is damaged: ${error instanceof Error ? error.message : String(error)}`
}

/** Does `work` for each item, a few at a time; the first failure, or the signal, ends it. */
export async function inParallel<T>(
  items: AsyncGenerator<T>,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  async function worker(): Promise<void> {
    // Leaving the loop ends the generator, for all workers.
    for await (const item of items) {
      if (signal.aborted) return
      await work(item)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}
