import type { Bucket } from './s3-bucket.ts'
import { s3Error } from './s3-error.ts'

/** Gives up the uploads in parts that were begun before that time and never completed; how many. */
export async function sweepUploads(bucket: Bucket, before: Date): Promise<number> {
  let count = 0
  const place = { Bucket: bucket.name, Prefix: bucket.prefix }
  let next: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {}
  try {
    while (next !== undefined) {
      const markers: object = next
      const page = await bucket.call((s3, within) =>
        s3.listMultipartUploads({ ...place, ...markers }, within),
      )
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || Initiated === undefined || Initiated >= before)
          continue
        await bucket.call((s3, within) =>
          s3.abortMultipartUpload({ Bucket: bucket.name, Key, UploadId }, within),
        )
        count += 1
      }
      next = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker ?? '', UploadIdMarker: page.NextUploadIdMarker ?? '' }
        : undefined
    }
    return count
  } catch (error) {
    throw s3Error(error)
  }
}
