/** So many are worked on at a time: a store that answers after milliseconds is kept busy. */
const PARALLEL = 16

/** Works on a few items at a time, and hands out what came of each in their order; the first failure ends it. */
export async function* fewAtATime<K, T>(
  items: AsyncIterable<K> | Iterable<K>,
  work: (item: K) => Promise<T>,
): AsyncGenerator<readonly [K, T]> {
  let some: K[] = []
  for await (const item of items) {
    some.push(item)
    if (some.length < PARALLEL) continue
    yield* await workOnAll(some, work)
    some = []
  }
  yield* await workOnAll(some, work)
}

async function workOnAll<K, T>(
  items: readonly K[],
  work: (item: K) => Promise<T>,
): Promise<(readonly [K, T])[]> {
  const all = items.map(async (item) => [item, await work(item)] as const)
  // When one fails, nothing of the others goes on behind the failure.
  await Promise.allSettled(all)
  return Promise.all(all)
}
