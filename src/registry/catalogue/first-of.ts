/** Items that are put in order at a time. */
const RUN = 1024

/** How items are ordered: by a number, then by another one, then by what takes longer to compare. */
export interface Order {
  readonly first: ArrayLike<number>
  second(item: number): number
  /** Negative when `a` is before `b`; for items whose numbers are the same. */
  compare(a: number, b: number): number
}

/**
 * The items from `from` to `to` in an order, of `count` that are numbered from 0. Nothing is ordered that cannot be
 * among them, and `pause` lets others work in between.
 */
export async function firstOf(
  count: number,
  order: Order,
  [from, to]: readonly [from: number, to: number],
  pause: () => Promise<void>,
): Promise<readonly number[]> {
  if (from >= to) return []
  const { first, second } = order
  const compare = (a: number, b: number) =>
    (first[a] ?? 0) - (first[b] ?? 0) || second(a) - second(b) || order.compare(a, b)
  let best: number[] = []
  for (let start = 0; start < count; start += RUN) {
    const isBefore = best.length < to ? () => true : earlierThan(best.at(-1) ?? 0, order)
    const run: number[] = []
    for (let item = start; item < Math.min(count, start + RUN); item++) if (isBefore(item)) run.push(item)
    best = merged(best, run.sort(compare), compare, to)
    await pause()
  }
  return best.slice(from, to)
}

/** Most items of many are told from the last of the best by a number alone. */
function earlierThan(last: number, { first, second, compare }: Order): (item: number) => boolean {
  const [lastFirst, lastSecond] = [first[last] ?? 0, second(last)]
  return (item) => {
    const key = first[item] ?? 0
    if (key !== lastFirst) return key < lastFirst
    const next = second(item)
    return next === lastSecond ? compare(item, last) < 0 : next < lastSecond
  }
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
