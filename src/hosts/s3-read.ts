import { Readable } from 'node:stream'
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { CargoError } from '../errors.ts'
import type { ByteRange, ObjectInfo, StoredObject } from '../host.ts'
import { bodyOf } from './object-body.ts'
import { checkedBody } from './s3-body.ts'
import type { Bucket } from './s3-bucket.ts'
import { isNamed, s3Error, statusOf } from './s3-error.ts'
import type { Leave } from './s3-readers.ts'

/** The metadata that tells which write an object is from. */
export const WRITER = 'writer'

/** In bytes; what is not longer the registry takes as fast as it comes, whoever wants it. */
const LONG = 256 * 1024

interface FoundObject extends ObjectInfo {
  /** Empty: someone else's tool wrote it. */
  readonly writer: string
}

interface Answer extends FoundObject {
  /** How many bytes the body should have. */
  readonly length: number
  /** Whether the body is a part of the object, from where it was asked for. */
  readonly isPart: boolean
  readonly body: Readable
}

/** The object, or a part of it, as a stream. @throws {CargoError} `unavailable`, also while it streams */
export async function getObject(
  bucket: Bucket,
  key: string,
  range: ByteRange | undefined,
): Promise<StoredObject | undefined> {
  // HTTP has no empty ranges.
  if (range !== undefined && range.start >= range.end) return withoutBody(await findObject(bucket, key))
  const ask = () => requestObject(bucket, key, range)
  const opened = (answer: Awaited<ReturnType<typeof ask>>) => openAnswer(bucket, key, range, answer)
  const answer = await ask()
  if (typeof answer !== 'object' || answer.length <= LONG) return opened(answer)
  const leave = bucket.readers.enter()
  if (leave !== undefined) return untilClosed(leave, () => opened(answer))
  // Whoever waits for a place holds no connection.
  answer.body.destroy()
  return untilClosed(await bucket.readers.wait(), async () => opened(await ask()))
}

/** Calls `leave` when the body ends, or when there is none. */
async function untilClosed(
  leave: Leave,
  open: () => Promise<StoredObject | undefined>,
): Promise<StoredObject | undefined> {
  try {
    const object = await open()
    if (object === undefined) leave()
    else object.body.once('close', leave)
    return object
  } catch (error) {
    leave()
    throw error
  }
}

async function openAnswer(
  bucket: Bucket,
  key: string,
  range: ByteRange | undefined,
  answer: Answer | 'beyond' | undefined,
): Promise<StoredObject | undefined> {
  if (answer === undefined) return undefined
  if (answer === 'beyond') return withoutBody(await headObject(bucket, key))
  const { size, modified, body, length, isPart } = answer
  const wanted = range === undefined ? size : Math.min(range.end, size) - range.start
  if (length !== wanted || isPart !== (range !== undefined)) {
    body.destroy()
    throw new CargoError('unavailable', 'the storage gave another part of an object than was asked for')
  }
  return { size, modified, body: checkedBody(body, { bytes: length, timeout: bucket.timeout }) }
}

/**
 * What is known of an object, by its first byte: the answer to a HEAD does not tell an object that is absent from a
 * bucket that is gone.
 * @throws {CargoError} `unavailable`
 */
export async function findObject(bucket: Bucket, key: string): Promise<FoundObject | undefined> {
  const answer = await requestObject(bucket, key, { start: 0, end: 1 })
  if (answer === undefined) return undefined
  // Of an empty object there is no first byte.
  if (answer === 'beyond') return headObject(bucket, key)
  const { size, modified, writer, body, isPart } = answer
  // Its connection can be used again when all of it was read.
  if (isPart || size <= 1) body.on('error', () => {}).resume()
  else body.destroy()
  return { size, modified, writer }
}

async function requestObject(
  bucket: Bucket,
  key: string,
  range: ByteRange | undefined,
): Promise<Answer | 'beyond' | undefined> {
  const Range = range && `bytes=${range.start}-${range.end - 1}`
  try {
    const place = { Bucket: bucket.name, Key: bucket.prefix + key }
    return parseAnswer(await bucket.call((s3, options) => s3.getObject({ ...place, Range }, options)))
  } catch (error) {
    if (isNamed(error, 'NoSuchKey')) return undefined
    if (statusOf(error) === 416) return 'beyond'
    throw s3Error(error)
  }
}

/** For an object that was there a moment ago. */
async function headObject(bucket: Bucket, key: string): Promise<FoundObject | undefined> {
  try {
    const place = { Bucket: bucket.name, Key: bucket.prefix + key }
    const answer = await bucket.call((s3, options) => s3.headObject(place, options))
    const { ContentLength: size, LastModified: modified, Metadata } = answer
    if (size === undefined || modified === undefined) throw incomplete()
    return { size, modified, writer: Metadata?.[WRITER] ?? '' }
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw s3Error(error)
  }
}

function parseAnswer(answer: GetObjectCommandOutput): Answer {
  const { Body: body, ContentLength: length, ContentRange, LastModified: modified, Metadata } = answer
  if (!(body instanceof Readable)) throw incomplete()
  const total = ContentRange === undefined ? length : Number(/\/(\d+)$/.exec(ContentRange)?.[1])
  if (length === undefined || modified === undefined || total === undefined || Number.isNaN(total)) {
    body.destroy()
    throw incomplete()
  }
  const isPart = ContentRange !== undefined
  return { ...{ size: total, modified, length, isPart, body }, writer: Metadata?.[WRITER] ?? '' }
}

function withoutBody(found: ObjectInfo | undefined): StoredObject | undefined {
  return found && { size: found.size, modified: found.modified, body: bodyOf(new Uint8Array()) }
}

function incomplete(): CargoError {
  return new CargoError('unavailable', 'the storage answered without the size or the time of an object')
}
