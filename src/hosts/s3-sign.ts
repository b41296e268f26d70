import type { ObjectStore } from '../host.ts'
import { validateKey } from './object-key.ts'
import { loadOptional } from './optional-package.ts'
import type { Bucket } from './s3-bucket.ts'
import { s3Error } from './s3-error.ts'

/**
 * Makes presigned URLs of objects in a bucket, of which the bucket hears nothing. Needs the package
 * `@aws-sdk/s3-request-presigner`.
 * @throws {Error} when it is missing
 */
export async function openSigner(bucket: Bucket): Promise<NonNullable<ObjectStore['signedUrl']>> {
  const { getSignedUrl } = await loadOptional(
    () => import('@aws-sdk/s3-request-presigner'),
    'redirecting downloads to S3',
    '@aws-sdk/s3-request-presigner',
  )
  const { GetObjectCommand } = await import('@aws-sdk/client-s3')

  return async (key, seconds, { type, filename }) => {
    const command = new GetObjectCommand({
      ...{ Bucket: bucket.name, Key: bucket.prefix + validateKey(key) },
      ResponseContentType: type,
      ResponseContentDisposition: `attachment; filename="${filename}"`,
    })
    try {
      return await bucket.call((s3) => getSignedUrl(s3, command, { expiresIn: seconds }))
    } catch (error) {
      // Only credentials have to come from somewhere.
      throw s3Error(error)
    }
  }
}
