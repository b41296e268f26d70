import type { Host, MetadataCache, ObjectStore } from 'verdaccio-cargo'

/** The host as one format sees it: same users, store, cache and metrics, keys of its own. */
export function shareHost(host: Host, format: string): Host {
  const { storage, cache } = host
  const prefix = `${format}/`
  return {
    ...host,
    storage: storeBelow(storage, prefix),
    ...(cache && { cache: cacheBelow(cache, `${format}:`) }),
  }
}

function storeBelow(store: ObjectStore, prefix: string): ObjectStore {
  return {
    multiWriter: store.multiWriter,
    get: (key, range) => store.get(prefix + key, range),
    ...(store.open && { open: (key: string) => openBelow(store, prefix + key) }),
    stat: (key) => store.stat(prefix + key),
    put: (key, body, options) => store.put(prefix + key, body, options),
    delete: (key) => store.delete(prefix + key),
    async *list(below, options) {
      const after = options?.after
      const listed = store.list(prefix + below, after === undefined ? {} : { after: prefix + after })
      for await (const object of listed) yield { ...object, key: object.key.slice(prefix.length) }
    },
  }
}

async function openBelow(store: ObjectStore, key: string) {
  return store.open?.(key)
}

function cacheBelow(cache: MetadataCache, prefix: string): MetadataCache {
  return {
    get: (key) => cache.get(prefix + key),
    set: (key, value, ttlMs) => cache.set(prefix + key, value, ttlMs),
    delete: (key) => cache.delete(prefix + key),
  }
}
