/** Items that are looked at, or put in order, before others get a turn. */
const PART = 256

/** How items are ordered: by a number, then by another one, then by what takes longer to compare. */
export interface Order {
  first(item: number): number
  second(item: number): number
  /** Negative when `a` is before `b`; for items whose numbers are the same. */
  compare(a: number, b: number): number
}

type Compare = (a: number, b: number) => number

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
  if (from >= Math.min(to, count)) return []
  const compare: Compare = (a, b) =>
    order.first(a) - order.first(b) || order.second(a) - order.second(b) || order.compare(a, b)
  const most = Math.min(to, count)
  let best: number[] = []
  /** The numbers of the last of the best: most items of many are told from it by them. */
  let [first, second] = [Number.POSITIVE_INFINITY, 0]
  const isBefore = (item: number) => {
    const number = order.second(item)
    return number === second ? order.compare(item, best[most - 1] ?? 0) < 0 : number < second
  }
  // What came last is often what is wanted first: then most of the others cannot be among them.
  for (let end = count; end > 0; end -= PART) {
    for (let item = end - 1; item >= Math.max(0, end - PART); item--) {
      const number = order.first(item)
      if (number < first || (number === first && isBefore(item))) best.push(item)
    }
    if (best.length >= 2 * most + PART) {
      best = await sorted(best, compare, most, pause)
      first = order.first(best[most - 1] ?? 0)
      second = order.second(best[most - 1] ?? 0)
    }
    await pause()
  }
  return (await sorted(best, compare, most, pause)).slice(from)
}

/** The first `most` items in order. */
async function sorted(
  items: readonly number[],
  compare: Compare,
  most: number,
  pause: () => Promise<void>,
): Promise<number[]> {
  let runs: number[][] = []
  for (let start = 0; start < items.length; start += PART) {
    runs.push(items.slice(start, start + PART).sort(compare))
    await pause()
  }
  while (runs.length > 1) {
    const longer: number[][] = []
    for (let i = 0; i < runs.length; i += 2)
      longer.push(await merged(runs[i] ?? [], runs[i + 1] ?? [], compare, most, pause))
    runs = longer
  }
  return (runs[0] ?? []).slice(0, most)
}

/** Two lists that are in order, as one, of which no more than `most` items are wanted. */
async function merged(
  a: number[],
  b: number[],
  compare: Compare,
  most: number,
  pause: () => Promise<void>,
): Promise<number[]> {
  if (b.length === 0) return a
  const all: number[] = []
  let [i, j] = [0, 0]
  while (all.length < most) {
    const [left, right] = [a[i], b[j]]
    if (left !== undefined && (right === undefined || compare(left, right) <= 0)) {
      all.push(left)
      i++
    } else if (right !== undefined) {
      all.push(right)
      j++
    } else break
    if (all.length % PART === 0) await pause()
  }
  return all
}
