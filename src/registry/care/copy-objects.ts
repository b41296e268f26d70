import type { ListedObject, ObjectStore } from '../../host.ts'

/**
 * What a registry is, in the order in which a copy of a running one is whole: a blob is there before the change that
 * names it, so that changes are copied first; what is derived is made again, and secrets of caches and forms too.
 */
const KEPT = ['crates/', 'upstream/', 'tokens/', 'downloads/', 'audit/', 'webhooks/', 'blobs/'] as const
/** Objects below these never change: one that is there need not be written again. */
const IMMUTABLE = /^(crates|upstream|blobs)\//
/** In a mirror these go away with what they copy: a token that was revoked must not come back. */
const MIRRORED = ['tokens/', 'webhooks/'] as const
const PARALLEL = 8

export interface CopyReport {
  /** Objects that were written. */
  readonly written: number
  /** Bytes of them. */
  readonly bytes: number
  /** Objects that were there already. */
  readonly present: number
}

export interface CopySpec {
  readonly from: ObjectStore
  readonly to: ObjectStore
  /** Whether the other store becomes like this one; otherwise what it has already stays as it is. */
  readonly isMirror: boolean
  /** Aborted: what runs is finished, and nothing new begins. */
  readonly signal: AbortSignal
  /** One more object was looked at. */
  step(bytes: number): void
}

/**
 * Copies a registry from one store to another, of whatever kind; a second run only copies what is new. `undefined`
 * when it was stopped before the end.
 * @throws {Error} as the stores do; what was copied until then is whole
 */
export async function copyObjects(spec: CopySpec): Promise<CopyReport | undefined> {
  const report = { written: 0, bytes: 0, present: 0 }
  for (const prefix of KEPT) await copyFolder(spec, prefix, report)
  for (const prefix of spec.isMirror ? MIRRORED : []) await removeGone(spec, prefix)
  return spec.signal.aborted ? undefined : report
}

async function removeGone({ from, to, signal }: CopySpec, prefix: string): Promise<void> {
  for await (const { key } of to.list(prefix)) {
    if (signal.aborted) return
    if ((await from.stat(key)) === undefined) await to.delete(key)
  }
}

type Counts = { -readonly [Key in keyof CopyReport]: CopyReport[Key] }

async function copyFolder(spec: CopySpec, prefix: string, report: Counts): Promise<void> {
  const objects = spec.from.list(prefix)[Symbol.asyncIterator]()
  let hasFailed = false
  async function worker(): Promise<void> {
    while (!spec.signal.aborted && !hasFailed) {
      const { value, done } = await objects.next()
      if (done === true) return
      await copyObject(spec, value, report)
    }
  }
  const workers = Array.from({ length: PARALLEL }, async () => {
    try {
      await worker()
    } catch (error) {
      hasFailed = true
      throw error
    }
  })
  // Nothing goes on behind a failure.
  await Promise.allSettled(workers)
  await Promise.all(workers)
}

async function copyObject(
  { from, to, isMirror, step }: CopySpec,
  { key, size }: ListedObject,
  report: Counts,
): Promise<void> {
  const present = await to.stat(key)
  const isSame = IMMUTABLE.test(key) ? present?.size === size : present !== undefined && !isMirror
  // One that is gone by now has been replaced, or removed on purpose.
  const object = isSame ? undefined : await from.get(key)
  if (object === undefined) {
    report.present += Number(isSame)
    step(0)
    return
  }
  await to.put(key, object.body)
  report.written += 1
  report.bytes += object.size
  step(object.size)
}
