import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ObjectStore } from '../host.ts'
import { validateKey, validatePrefix } from './object-key.ts'
import { raceWriters } from './race.ts'
import { type Bucket, openBucket } from './s3-bucket.ts'
import { isNamed, s3Error, statusOf } from './s3-error.ts'
import { listObjects } from './s3-list.ts'
import type { S3Options } from './s3-options.ts'
import { findObject, getObject } from './s3-read.ts'
import { openSigner } from './s3-sign.ts'
import { sweepUploads } from './s3-sweep.ts'
import { putObject } from './s3-write.ts'
import { singleWriter } from './single-writer.ts'

export type { S3Credentials, S3Options } from './s3-options.ts'

const WRITERS = 64
const ROUNDS = 20

/** A store in S3, without positional reads; with signed URLs if they are wanted. */
export type S3Storage = Required<Omit<ObjectStore, 'open' | 'signedUrl'>> & Pick<ObjectStore, 'signedUrl'>

/**
 * Objects in a bucket, shared by any number of processes. Needs the package `@aws-sdk/client-s3`. Of a stream that is
 * written 5 MiB are held at most; a call that gets no answer is given up within 15 seconds, by default.
 * @throws {Error} when a package is missing, or two writers can create one object
 * @throws {CargoError} `unavailable` when the self-test cannot be done
 */
export async function s3Storage(options: S3Options): Promise<S3Storage> {
  const bucket = await openBucket(options)
  try {
    const store = { ...bucketStore(bucket), ...(options.redirect && { signedUrl: await openSigner(bucket) }) }
    if (options.singleWriter) return singleWriter(store)
    if (options.selfTest === false) return store
    await mustHaveOneWinner(store)
    return { ...store, multiWriter: true }
  } catch (error) {
    bucket.close()
    throw error
  }
}

function bucketStore(bucket: Bucket): S3Storage {
  return {
    multiWriter: false,
    heedsAfter: false,
    get: async (key, range) => getObject(bucket, validateKey(key), range),
    async stat(key) {
      const found = await findObject(bucket, validateKey(key))
      return found && { size: found.size, modified: found.modified }
    },
    async put(key, body, options) {
      // A source may fail while nobody reads it yet, which without a listener ends the process; reading tells it later.
      if (body instanceof Readable) body.on('error', () => {})
      try {
        return await putObject(bucket, validateKey(key), body, options?.ifAbsent ?? false)
      } finally {
        if (body instanceof Readable) body.destroy()
      }
    },
    async delete(key) {
      const place = { Bucket: bucket.name, Key: bucket.prefix + validateKey(key) }
      try {
        await bucket.call((s3, within) => s3.deleteObject(place, within))
      } catch (error) {
        // Amazon's says nothing of an object that is absent; some others do.
        if (!isNamed(error, 'NoSuchKey')) throw s3Error(error)
      }
    },
    async *list(prefix, options) {
      yield* listObjects(bucket, validatePrefix(prefix), options?.after ?? '')
    },
    sweep: (before) => sweepUploads(bucket, before),
    close: async () => bucket.close(),
  }
}

/** Not every store that speaks S3 heeds `If-None-Match: *`, and publishes would be lost there. */
async function mustHaveOneWinner(store: S3Storage): Promise<void> {
  const prefix = `selftest/${randomUUID()}-`
  try {
    const winners = await raceWriters(store, { prefix, writers: WRITERS, rounds: ROUNDS })
    if (winners !== undefined) throw unfit(`of ${WRITERS} writers of one new object, ${winners} won`)
  } catch (error) {
    if (statusOf(error instanceof Error ? error.cause : undefined) !== 501) throw error
    throw unfit('it refuses conditional writes', error)
  }
}

function unfit(problem: string, cause?: unknown): Error {
  const remedy = 'use a store with conditional writes (`If-None-Match: *`), or one writing process only'
  return new Error(`publishes could be lost: ${problem}: ${remedy}`, { cause })
}
