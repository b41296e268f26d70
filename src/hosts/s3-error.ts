import { CargoError } from '../errors.ts'

/** Answers of S3 servers that mean a full disk or a quota. */
const FULL: readonly string[] = ['XMinioStorageFull', 'QuotaExceeded', 'InsufficientCapacity']

/**
 * What a failure of S3 means to a client: `storage_full`, else `unavailable`. The bucket's own words are in the cause
 * only: they are nobody's business outside.
 */
export function s3Error(cause: unknown): CargoError {
  if (cause instanceof CargoError) return cause
  if (statusOf(cause) === 507 || FULL.some((name) => isNamed(cause, name))) {
    return new CargoError('storage_full', 'the storage is full', { cause })
  }
  return new CargoError('unavailable', 'the storage failed', { cause })
}

/** The HTTP status that S3 answered with; `undefined` when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const { $metadata: metadata } = error
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** Whether S3 answered with the error `name`, such as `NoSuchKey`. */
export function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}
