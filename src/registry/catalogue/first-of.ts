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
  let isCandidate = (_item: number) => true
  // What came last is often what is wanted first: then most of the others are no candidates.
  for (let end = count; end > 0; end -= PART) {
    for (let item = end - 1; item >= Math.max(0, end - PART); item--) if (isCandidate(item)) best.push(item)
    if (best.length >= 2 * most + PART) {
      best = await sorted(best, compare, most, pause)
      isCandidate = earlierThan(best.at(-1) ?? 0, order)
    }
    await pause()
  }
  return (await sorted(best, compare, most, pause)).slice(from)
}

/** Most items of many are told from the last of the best by a number alone. */
function earlierThan(last: number, { first, second, compare }: Order): (item: number) => boolean {
  const [lastFirst, lastSecond] = [first(last), second(last)]
  return (item) => {
    const key = first(item)
    if (key !== lastFirst) return key < lastFirst
    const next = second(item)
    return next === lastSecond ? compare(item, last) < 0 : next < lastSecond
  }
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
