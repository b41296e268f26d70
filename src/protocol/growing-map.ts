/** A map that never changes; one with an entry more is made of it without copying it. Entries stay in their order. */
export interface GrowingMap<K, V> extends ReadonlyMap<K, V> {
  /** The same with one entry more. Another value for a key takes the place of the one before; that copies the map. */
  with(key: K, value: V): GrowingMap<K, V>
}

/** What maps that grew out of one another have in common: each sees the entries that were there when it was made. */
interface Shared<K, V> {
  readonly entries: (readonly [K, V])[]
  readonly positions: Map<K, number>
}

/** A map of these entries; of several with the same key the last one's value counts. */
export function growingMap<K, V>(entries: Iterable<readonly [K, V]> = []): GrowingMap<K, V> {
  const list = [...new Map(entries)]
  return view({ entries: list, positions: new Map(list.map(([key], index) => [key, index])) }, list.length)
}

function view<K, V>(shared: Shared<K, V>, size: number): GrowingMap<K, V> {
  function find(key: K): readonly [K, V] | undefined {
    const position = shared.positions.get(key) ?? size
    return position < size ? shared.entries[position] : undefined
  }

  function* each<T>(of: (entry: readonly [K, V]) => T): MapIterator<T> {
    let left = size
    for (const entry of shared.entries) {
      if (left-- === 0) return
      yield of(entry)
    }
  }

  const entries = () => each(([key, value]): [K, V] => [key, value])
  const map: GrowingMap<K, V> = {
    size,
    has: (key) => find(key) !== undefined,
    get: (key) => find(key)?.[1],
    keys: () => each(([key]) => key),
    values: () => each(([, value]) => value),
    ...{ entries, [Symbol.iterator]: entries },
    forEach(call) {
      for (const [key, value] of entries()) call(value, key, map)
    },
    with(key, value) {
      // Another map may have grown out of this one already, and has the next place.
      if (map.has(key) || shared.entries.length !== size) return growingMap([...map, [key, value] as const])
      shared.positions.set(key, size)
      shared.entries.push([key, value])
      return view(shared, size + 1)
    },
  }
  return map
}
