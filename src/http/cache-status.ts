import type { IndexFile } from '../registry/index-file.ts'

/**
 * The `Cache-Status` of an index file (RFC 9211); `undefined` for one that is ours and current. `ttl` is in seconds,
 * negative for a copy that is served although it is no longer fresh.
 */
export function cacheStatus({
  stale,
  freshness,
}: Pick<IndexFile, 'stale' | 'freshness'>): string | undefined {
  if (freshness === undefined) return stale ? 'verdaccio-cargo; hit; detail=stale' : undefined
  const ttl = Math.ceil((freshness.maxAge - freshness.age) / 1000)
  if (stale) return `verdaccio-cargo; hit; ttl=${Math.min(ttl, -1)}; detail=stale`
  if (!freshness.asked) return `verdaccio-cargo; hit; ttl=${ttl}`
  return freshness.cold
    ? `verdaccio-cargo; fwd=miss; stored; ttl=${ttl}`
    : `verdaccio-cargo; fwd=stale; ttl=${ttl}`
}
