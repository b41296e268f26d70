import { setTimeout as sleep } from 'node:timers/promises'
import type { Bucket } from './s3-bucket.ts'
import { isNamed, s3Error, statusOf } from './s3-error.ts'
import { findObject } from './s3-read.ts'

const MAX_CONFLICTS = 6
const FIRST_PAUSE_MS = 20

/** The request that makes an object visible. */
export interface Commit {
  readonly key: string
  /** In the object's metadata: tells this write from every other one. */
  readonly writer: string
  readonly ifAbsent: boolean
  send(): Promise<unknown>
}

/**
 * Sends the request; `false` says that another writer's object was there already. An answer that leaves it open whether
 * the object was written (none, a 5xx, a 412 that may be for a second try) is settled by looking whose
 * object is there. What stays open is thrown: the object may still appear.
 * @throws {CargoError} `unavailable`, `storage_full`
 */
export async function commit(bucket: Bucket, { key, writer, ifAbsent, send }: Commit): Promise<boolean> {
  for (let conflicts = 1; ; conflicts++) {
    try {
      await send()
      return true
    } catch (error) {
      const failure = failureOf(error)
      if (failure === 'refused') throw s3Error(error)
      // Also after a 412: the SDK, or a proxy, may have sent the request twice.
      const found = await findObject(bucket, key)
      if (found?.writer === writer) return true
      if (found !== undefined && ifAbsent) return false
      if (failure === 'open' || conflicts === MAX_CONFLICTS) throw s3Error(error)
      await sleep(FIRST_PAUSE_MS * 2 ** conflicts * Math.random())
    }
  }
}

/** `conflict`: nothing was written, and it may be tried again; `open`: it may have been; `refused`: it was not. */
function failureOf(error: unknown): 'conflict' | 'open' | 'refused' {
  const status = statusOf(error)
  // 409: another request for the key is under way; 412: the key is taken, or was a moment ago.
  if (status === 409 || status === 412) return 'conflict'
  // An upload that is gone has been completed, or given up by someone.
  if (status === undefined || status >= 500 || isNamed(error, 'NoSuchUpload')) return 'open'
  // 200 with an error in its body, or with none that can be read.
  return status < 300 || status === 408 || status === 429 ? 'open' : 'refused'
}
