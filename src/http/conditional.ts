import { parseHttpDate } from './http-date.ts'

/**
 * Whether the client has these very bytes: `If-None-Match` names the entity tag, weakly compared (a proxy that
 * compresses weakens it) or is `*`. RFC 9110 section 13.1.2.
 */
export function isFresh(ifNoneMatch: string, etag: string): boolean {
  return freshTag(ifNoneMatch, [etag]) !== undefined
}

/**
 * Whether there is nothing newer than `If-Modified-Since`, which only counts without `If-None-Match`. RFC 9110 section
 * 13.1.3. For files that never change: its second is too coarse for an index that may change twice in one.
 */
export function isUnmodified(ifModifiedSince: string, modified: Date | undefined): boolean {
  const since = parseHttpDate(ifModifiedSince)
  return (
    since !== undefined && modified !== undefined && Math.floor(modified.getTime() / 1000) <= since / 1000
  )
}

/** The one of the tags of a file's forms that the client has; any of them is as good as the others. */
export function freshTag(ifNoneMatch: string, etags: readonly string[]): string | undefined {
  if (ifNoneMatch === '') return undefined
  // What nearly every client sends.
  const whole = etags.find((etag) => etag === ifNoneMatch)
  if (whole !== undefined) return whole
  for (const tag of ifNoneMatch.split(',')) {
    const plain = tag.trim().replace(/^W\//, '')
    const found = plain === '*' ? etags[0] : etags.find((etag) => etag === plain)
    if (found !== undefined) return found
  }
  return undefined
}

/** The tag of the compressed form of what has the tag. */
export function gzipTag(etag: string): string {
  return `${etag.slice(0, -1)}-gzip"`
}

/** Whether `Accept-Encoding` takes gzip. RFC 9110 section 12.5.3. */
export function acceptsGzip(acceptEncoding: string): boolean {
  const weight = weightOf(acceptEncoding, 'gzip') ?? weightOf(acceptEncoding, 'x-gzip')
  return (weight ?? weightOf(acceptEncoding, '*') ?? 0) > 0
}

function weightOf(acceptEncoding: string, coding: string): number | undefined {
  for (const part of acceptEncoding.split(',')) {
    const [name = '', ...parameters] = part.split(';')
    if (name.trim().toLowerCase() !== coding) continue
    const q = parameters
      .map((text) => /^\s*q=([\d.]+)\s*$/i.exec(text)?.[1])
      .find((text) => text !== undefined)
    return q === undefined ? 1 : Number(q)
  }
  return undefined
}
