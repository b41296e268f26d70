/** So many objects are fetched at a time. */
const PARALLEL = 16

/** Fetches what keys stand for a few at a time, and hands it out in their order. */
export async function* readAhead<K, T>(
  keys: AsyncIterable<K>,
  fetch: (key: K) => Promise<T>,
): AsyncGenerator<readonly [K, T]> {
  let some: K[] = []
  for await (const key of keys) {
    some.push(key)
    if (some.length < PARALLEL) continue
    yield* await fetchAll(some, fetch)
    some = []
  }
  yield* await fetchAll(some, fetch)
}

function fetchAll<K, T>(keys: readonly K[], fetch: (key: K) => Promise<T>): Promise<(readonly [K, T])[]> {
  return Promise.all(keys.map(async (key) => [key, await fetch(key)] as const))
}
