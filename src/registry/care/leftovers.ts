import type { ObjectStore } from '../../host.ts'

/** No write takes so long, whatever the grace is: what is younger may be under way. */
const UNFINISHED_MS = 60 * 60_000
/** Keys that a start tries the store out with. */
const SELF_TEST = 'selftest/'

export interface LeftoversSpec {
  /** What was written later stays. */
  readonly since: Date
  readonly now: Date
  readonly dryRun: boolean
}

/** Removes what ended processes left behind; how many objects and unfinished writes. */
export async function removeLeftovers(
  storage: ObjectStore,
  { since, now, dryRun }: LeftoversSpec,
): Promise<number> {
  const before = new Date(Math.min(since.getTime(), now.getTime() - UNFINISHED_MS))
  let count = 0
  for await (const { key, modified } of storage.list(SELF_TEST)) {
    if (modified > before) continue
    count += 1
    if (!dryRun) await storage.delete(key)
  }
  if (!dryRun) count += (await storage.sweep?.(before)) ?? 0
  return count
}
