import type { IndexFile } from '../registry/index-file.ts'
import { cacheStatus } from './cache-status.ts'
import { httpDate } from './http-date.ts'

/** Index files may be kept, but must be asked for again each time: a publish shows at once. */
export const REVALIDATE = 'no-cache'

export const INDEX_TYPE = 'text/plain; charset=utf-8'

/** The headers of an index file that 200 and 304 have in common, but for `ETag` and `Vary`: names and values in turns. */
export function indexHead(file: IndexFile): readonly string[] {
  const head = ['Cache-Control', REVALIDATE, 'Last-Modified', httpDate(file.modified)]
  if (file.freshness !== undefined) head.push('Age', String(Math.floor(file.freshness.age / 1000)))
  const status = cacheStatus(file)
  if (status !== undefined) head.push('Cache-Status', status)
  return head
}

/** Calls `set` for each header of a head. */
export function eachHeader(head: readonly string[], set: (name: string, value: string) => void): void {
  for (let i = 0; i < head.length; i += 2) set(head[i] ?? '', head[i + 1] ?? '')
}
