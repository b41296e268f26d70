import { createHash } from 'node:crypto'

const MAX_ID = 2 ** 31 - 1

/**
 * A number for each text, the same every time: crates.io's API has 32-bit numbers where this registry has none. Of two
 * texts with the same number the later one gets the next.
 */
export function idsOf(texts: Iterable<string>): ReadonlyMap<string, number> {
  const ids = new Map<string, number>()
  const taken = new Set<number>()
  for (const text of texts) {
    let id = createHash('sha256').update(text).digest().readUInt32BE(0) % MAX_ID
    while (taken.has(id)) id = (id + 1) % MAX_ID
    taken.add(id)
    ids.set(text, id)
  }
  return ids
}
