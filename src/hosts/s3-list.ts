import type { _Object, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { CargoError } from '../errors.ts'
import type { ListedObject } from '../host.ts'
import { isKeySegment } from './object-key.ts'
import type { Bucket } from './s3-bucket.ts'
import { s3Error } from './s3-error.ts'

/**
 * The objects whose keys start with `prefix` and come after `after`, in the order of their bytes. What has no key of
 * ours (folders that other tools made) is no object.
 * @throws {CargoError} `unavailable` when a page is missing, cut or out of order: never a shorter list
 */
export async function* listObjects(
  bucket: Bucket,
  prefix: string,
  after: string,
): AsyncGenerator<ListedObject> {
  let last = after
  let token: string | undefined
  do {
    const page = await requestPage(bucket, prefix, last, token)
    for (const object of page.Contents ?? []) {
      const found = parseListed(object, bucket.prefix)
      if (found === undefined) continue
      if (found.key <= last) throw broken('does not list its objects in the order of their keys')
      last = found.key
      yield found
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined
    if (page.IsTruncated && token === undefined) throw broken('has no way to the next page of a list')
  } while (token !== undefined)
}

async function requestPage(
  bucket: Bucket,
  prefix: string,
  last: string,
  token: string | undefined,
): Promise<ListObjectsV2CommandOutput> {
  const request = {
    ...{ Bucket: bucket.name, Prefix: bucket.prefix + prefix },
    ...(token === undefined
      ? last !== '' && { StartAfter: bucket.prefix + last }
      : { ContinuationToken: token }),
  }
  try {
    const page = await bucket.call((s3, options) => s3.listObjectsV2(request, options))
    const { IsTruncated, KeyCount, Contents = [] } = page
    // A body that was cut may still be read as XML.
    if (IsTruncated === undefined || (KeyCount ?? Contents.length) !== Contents.length)
      throw broken('gave only a part of a list')
    return page
  } catch (error) {
    throw s3Error(error)
  }
}

function parseListed(object: _Object, prefix: string): ListedObject | undefined {
  const { Key, Size: size, LastModified: modified } = object
  if (Key === undefined || size === undefined || modified === undefined) throw broken('lists half an object')
  if (!Key.startsWith(prefix)) throw broken('lists what was not asked for')
  const key = Key.slice(prefix.length)
  return key.split('/').every(isKeySegment) ? { key, size, modified } : undefined
}

function broken(what: string): CargoError {
  return new CargoError('unavailable', `the storage ${what}`)
}
