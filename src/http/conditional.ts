/**
 * Whether the client has these very bytes: `If-None-Match` names the entity tag, weakly compared (a proxy that
 * compresses weakens it) or is `*`. RFC 9110 section 13.1.2. `If-Modified-Since` is not asked: its second is too
 * coarse for an index that may change twice in one.
 */
export function isFresh(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === '') return false
  return ifNoneMatch.split(',').some((tag) => {
    const plain = tag.trim().replace(/^W\//, '')
    return plain === '*' || plain === etag
  })
}
