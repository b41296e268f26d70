/** Items that are put in order at a time. */
const RUN = 1024

/**
 * The items from `from` to `to` in the order of `compare`, of `count` that are numbered from 0. Nothing is ordered that
 * cannot be among them, and `pause` lets others work in between.
 */
export async function firstOf(
  count: number,
  compare: (a: number, b: number) => number,
  [from, to]: readonly [from: number, to: number],
  pause: () => Promise<void>,
): Promise<readonly number[]> {
  if (from >= to) return []
  let best: number[] = []
  for (let start = 0; start < count; start += RUN) {
    const worst = best.length >= to ? best.at(-1) : undefined
    const run: number[] = []
    for (let item = start; item < Math.min(count, start + RUN); item++)
      if (worst === undefined || compare(item, worst) < 0) run.push(item)
    best = merged(best, run.sort(compare), compare, to)
    await pause()
  }
  return best.slice(from, to)
}

/** Two lists that are in order, as one, of which no more than `limit` items are wanted. */
function merged(
  a: number[],
  b: number[],
  compare: (a: number, b: number) => number,
  limit: number,
): number[] {
  if (b.length === 0) return a
  const all: number[] = []
  let [i, j] = [0, 0]
  while (all.length < limit) {
    const [left, right] = [a[i], b[j]]
    if (left !== undefined && (right === undefined || compare(left, right) <= 0)) {
      all.push(left)
      i++
    } else if (right !== undefined) {
      all.push(right)
      j++
    } else break
  }
  return all
}
