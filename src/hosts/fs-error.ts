import { CargoError, isSystemError } from '../errors.ts'

/**
 * What a failure of the file system means to a client: `storage_full`, else `unavailable`. The path is in the cause
 * only: it is nobody's business outside.
 */
export function storageError(cause: unknown): CargoError {
  if (cause instanceof CargoError) return cause
  if (isSystemError(cause, 'ENOSPC') || isSystemError(cause, 'EDQUOT')) {
    return new CargoError('storage_full', 'the storage is full', { cause })
  }
  return new CargoError('unavailable', 'the storage failed', { cause })
}

/**
 * The outcome of a file system call.
 * @throws {CargoError} `storage_full`, `unavailable`
 */
export async function guarded<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw storageError(error)
  }
}
