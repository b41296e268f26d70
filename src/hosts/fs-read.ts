import { type FileHandle, open, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { CargoError, isSystemError } from '../errors.ts'
import type { ByteRange, ObjectInfo, OpenObject, StoredObject } from '../host.ts'
import { guarded, storageError } from './fs-error.ts'
import type { Root } from './fs-root.ts'

/** Bytes read at a time. */
const CHUNK_BYTES = 64 * 1024

interface OpenFile extends ObjectInfo {
  readonly handle: FileHandle
}

interface FileStats {
  readonly size: number
  readonly mtime: Date
  isFile(): boolean
}

/** The object at `path` for positional reads. @throws {CargoError} `unavailable` */
export async function openObject(root: Root, path: string): Promise<OpenObject | undefined> {
  const file = await openFile(root, path)
  if (file === undefined) return undefined
  const { handle, size, modified } = file
  return {
    size,
    modified,
    async read(buffer, position) {
      const { bytesRead } = await guarded(handle.read(buffer, 0, buffer.length, position))
      return bytesRead
    },
    close: () => guarded(handle.close()),
  }
}

/** The object at `path`, or a part of it, as a stream. @throws {CargoError} `unavailable`, also while it streams */
export async function getObject(
  root: Root,
  path: string,
  range: ByteRange | undefined,
): Promise<StoredObject | undefined> {
  const file = await openFile(root, path)
  if (file === undefined) return undefined
  const { handle, size, modified } = file
  const end = Math.min(range?.end ?? size, size)
  return { size, modified, body: stream(handle, range?.start ?? 0, end) }
}

/** @throws {CargoError} `unavailable` */
export async function statObject(root: Root, path: string): Promise<ObjectInfo | undefined> {
  const found = await absentIfMissing(root, stat(path))
  return found && objectInfo(found)
}

/**
 * The outcome of a file system call, `undefined` when there is no such file. A root that is gone (a volume taken away)
 * is a failure: nothing can be said about what is in it.
 * @throws {CargoError} `unavailable`
 */
export async function absentIfMissing<T>(root: Root, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw storageError(error)
    await root.mustBeThere()
    return undefined
  }
}

/**
 * The same for whoever looks at the root next, before anything is made of what is missing.
 * @throws {CargoError} `unavailable`
 */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw storageError(error)
    return undefined
  }
}

async function openFile(root: Root, path: string): Promise<OpenFile | undefined> {
  const handle = await absentIfMissing(root, open(path, 'r'))
  if (handle === undefined) return undefined
  try {
    return { handle, ...objectInfo(await handle.stat()) }
  } catch (error) {
    await handle.close()
    throw storageError(error)
  }
}

function objectInfo(stats: FileStats): ObjectInfo {
  if (!stats.isFile())
    throw new CargoError('unavailable', 'the storage has something else than a file where one should be')
  return { size: stats.size, modified: stats.mtime }
}

/** Not `createReadStream`, whose errors would be the system's, and which takes no empty range. */
function stream(handle: FileHandle, start: number, end: number): Readable {
  let position = start
  async function next(): Promise<Buffer | null> {
    const wanted = Math.min(CHUNK_BYTES, end - position)
    if (wanted <= 0) return null
    const { bytesRead, buffer } = await guarded(handle.read(Buffer.allocUnsafe(wanted), 0, wanted, position))
    if (bytesRead === 0) throw new CargoError('unavailable', 'an object of the storage ended early')
    position += bytesRead
    return buffer.subarray(0, bytesRead)
  }
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      next().then(
        (chunk) => this.push(chunk),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, callback) {
      handle.close().then(
        () => callback(error),
        (failure: Error) => callback(error ?? storageError(failure)),
      )
    },
  })
}
