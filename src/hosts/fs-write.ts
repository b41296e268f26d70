import { randomUUID } from 'node:crypto'
import { type FileHandle, link, open, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { CargoError, isSystemError } from '../errors.ts'
import type { PutOptions } from '../host.ts'
import { guarded } from './fs-error.ts'
import { type Folders, syncFolder, TEMP_MARK } from './fs-folders.ts'

interface TempFile {
  readonly path: string
  readonly handle: FileHandle
}

/**
 * Writes the object at `path` whole or not at all, durable at the answer. With `ifAbsent`, `false` says that it was
 * there already, and that it is durable: a log must not grow on top of an object that a power cut takes away.
 * @throws {CargoError} `storage_full`, `unavailable`; a failure of the source is passed on as it is.
 */
export async function writeObject(
  folders: Folders,
  path: string,
  body: Uint8Array | Readable,
  { ifAbsent = false, durable = true }: PutOptions = {},
): Promise<boolean> {
  // A source may fail while nobody reads it yet, which without a listener ends the process; reading tells it later.
  if (body instanceof Readable) body.on('error', ignore)
  try {
    const temp = await guarded(openTemp(folders, dirname(path), durable))
    try {
      await fill(temp.handle, body, durable)
      const placed = await guarded(ifAbsent ? place(temp.path, path) : replace(temp.path, path))
      if (durable) await guarded(syncFolder(dirname(path)))
      return placed
    } catch (error) {
      await discard(temp.path)
      throw error
    }
  } finally {
    if (body instanceof Readable) body.destroy()
  }
}

async function openTemp(folders: Folders, folder: string, durable: boolean): Promise<TempFile> {
  const path = join(folder, TEMP_MARK + randomUUID())
  await folders.prepare(folder, durable)
  try {
    return { path, handle: await open(path, 'wx') }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
    folders.forget(folder)
    await folders.prepare(folder, durable)
    return { path, handle: await open(path, 'wx') }
  }
}

async function fill(handle: FileHandle, body: Uint8Array | Readable, durable: boolean): Promise<void> {
  try {
    if (body instanceof Readable) {
      for await (const chunk of body) {
        if (!(chunk instanceof Uint8Array))
          throw new CargoError('internal', 'a stream to store must yield bytes')
        await guarded(handle.writeFile(chunk))
      }
    } else {
      await guarded(handle.writeFile(body))
    }
    if (durable) await guarded(handle.sync())
  } finally {
    await guarded(handle.close())
  }
}

/** `link` is the atomic create-if-absent of file systems, also between machines. */
async function place(temp: string, path: string): Promise<boolean> {
  const won = await linkIfAbsent(temp, path)
  await discard(temp)
  return won
}

async function linkIfAbsent(temp: string, path: string): Promise<boolean> {
  try {
    await link(temp, path)
    return true
  } catch (error) {
    if (!isSystemError(error, 'EEXIST') || (await isOtherThanFile(path))) throw error
    return false
  }
}

async function isOtherThanFile(path: string): Promise<boolean> {
  const found = await stat(path)
  return !found.isFile()
}

async function replace(temp: string, path: string): Promise<boolean> {
  await rename(temp, path)
  return true
}

/** Never fails: what cannot be removed now is swept when it is stale, and must not hide how the write ended. */
async function discard(temp: string): Promise<void> {
  await unlink(temp).catch(ignore)
}

function ignore(): void {}
