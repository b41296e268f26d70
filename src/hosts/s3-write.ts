import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { CompletedPart } from '@aws-sdk/client-s3'
import { CargoError } from '../errors.ts'
import type { Bucket } from './s3-bucket.ts'
import { commit } from './s3-commit.ts'
import { s3Error } from './s3-error.ts'
import { type Part, partsOf } from './s3-parts.ts'
import { WRITER } from './s3-read.ts'

const IF_ABSENT = { IfNoneMatch: '*' } as const

interface Write {
  readonly key: string
  readonly writer: string
  readonly ifAbsent: boolean
}

/** An upload in parts; until it is completed nobody sees anything of it. */
interface Upload {
  readonly Bucket: string
  readonly Key: string
  readonly UploadId: string
}

/**
 * Writes an object whole or not at all. A stream that is longer than a part is uploaded in parts, one after the other,
 * so that one part is all that is held of it; up to 10 000 parts, 48 GiB, fit.
 * @throws {CargoError} `storage_full`, `unavailable`; a failure of the source is passed on as it is.
 */
export async function putObject(
  bucket: Bucket,
  key: string,
  body: Uint8Array | Readable,
  ifAbsent: boolean,
): Promise<boolean> {
  const write = { key, writer: randomUUID(), ifAbsent }
  if (body instanceof Uint8Array) return putWhole(bucket, write, body)
  const parts = partsOf(body)
  try {
    const first = await nextPart(parts)
    return first.isLast
      ? await putWhole(bucket, write, first.bytes)
      : await putInParts(bucket, write, first, parts)
  } finally {
    await parts.return()
  }
}

async function putWhole(bucket: Bucket, write: Write, bytes: Uint8Array): Promise<boolean> {
  const { key, writer, ifAbsent } = write
  const request = {
    ...{ Bucket: bucket.name, Key: bucket.prefix + key, Body: bytes, ContentLength: bytes.length },
    Metadata: { [WRITER]: writer },
    ...(ifAbsent && IF_ABSENT),
  }
  const send = () => bucket.call((s3, options) => s3.putObject(request, options))
  return commit(bucket, { ...write, send })
}

async function putInParts(
  bucket: Bucket,
  write: Write,
  first: Part,
  rest: AsyncGenerator<Part, void>,
): Promise<boolean> {
  const upload = await guarded(createUpload(bucket, write))
  let isPlaced = false
  try {
    const done: CompletedPart[] = []
    for (let part = first; ; part = await nextPart(rest)) {
      if (part.bytes.length > 0) done.push(await guarded(uploadPart(bucket, upload, part, done.length + 1)))
      if (part.isLast) break
    }
    const request = { ...upload, MultipartUpload: { Parts: done }, ...(write.ifAbsent && IF_ABSENT) }
    const send = () => bucket.call((s3, options) => s3.completeMultipartUpload(request, options))
    isPlaced = await commit(bucket, { ...write, send })
    return isPlaced
  } finally {
    if (!isPlaced) await abandon(bucket, upload)
  }
}

async function createUpload(bucket: Bucket, { key, writer }: Write): Promise<Upload> {
  const place = { Bucket: bucket.name, Key: bucket.prefix + key }
  const request = { ...place, Metadata: { [WRITER]: writer } }
  const { UploadId } = await bucket.call((s3, options) => s3.createMultipartUpload(request, options))
  if (UploadId === undefined) throw new CargoError('unavailable', 'the storage began an upload without an id')
  return { ...place, UploadId }
}

async function uploadPart(
  bucket: Bucket,
  upload: Upload,
  { bytes }: Part,
  PartNumber: number,
): Promise<CompletedPart> {
  const request = { ...upload, PartNumber, Body: bytes, ContentLength: bytes.length }
  const { ETag } = await bucket.call((s3, options) => s3.uploadPart(request, options))
  if (ETag === undefined) throw new CargoError('unavailable', 'the storage took a part without an ETag')
  return { PartNumber, ETag }
}

/** Never fails: what cannot be taken away now is the bucket's to clean up, and must not hide how the write ended. */
async function abandon(bucket: Bucket, upload: Upload): Promise<void> {
  await bucket.call((s3, options) => s3.abortMultipartUpload(upload, options)).catch(() => {})
}

async function nextPart(parts: AsyncGenerator<Part, void>): Promise<Part> {
  const { value } = await parts.next()
  if (value === undefined) throw new CargoError('internal', 'a stream to store has no last part')
  return value
}

async function guarded<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw s3Error(error)
  }
}
