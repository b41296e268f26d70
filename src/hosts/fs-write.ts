import { randomUUID } from 'node:crypto'
import { type FileHandle, link, open, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { CargoError, isSystemError } from '../errors.ts'
import type { PutOptions } from '../host.ts'
import { guarded } from './fs-error.ts'
import { type Folders, openFolder, TEMP_MARK, together } from './fs-folders.ts'

/** A file on its way to become the object at `path`. */
interface Draft {
  readonly folder: string
  readonly path: string
  readonly temp: string
  readonly handle: FileHandle
  readonly ifAbsent: boolean
  readonly after: Promise<unknown> | undefined
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
  { ifAbsent = false, durable = true, after }: PutOptions = {},
): Promise<boolean> {
  // It may fail before it is waited for, which without a listener ends the process.
  after?.catch(ignore)
  // A source may fail while nobody reads it yet, which without a listener ends the process; reading tells it later.
  if (body instanceof Readable) body.on('error', ignore)
  try {
    const draft = { ...(await guarded(createDraft(folders, path))), ifAbsent, after }
    try {
      return await (durable ? writeDurably(folders, draft, body) : write(draft, body))
    } catch (error) {
      await draft.handle.close().catch(ignore)
      await discard(draft)
      throw error
    }
  } finally {
    if (body instanceof Readable) body.destroy()
  }
}

async function createDraft(folders: Folders, path: string): Promise<Omit<Draft, 'ifAbsent' | 'after'>> {
  const folder = dirname(path)
  const temp = join(folder, TEMP_MARK + randomUUID())
  const create = async () => {
    await folders.prepare(folder)
    return { folder, path, temp, handle: await open(temp, 'wx') }
  }
  try {
    return await create()
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
    folders.forget(folder)
    return create()
  }
}

async function write(draft: Draft, body: Uint8Array | Readable): Promise<boolean> {
  await fill(draft, body)
  await guarded(draft.handle.close())
  await draft.after
  const placed = await place(draft)
  if (draft.ifAbsent) await discard(draft)
  return placed
}

/**
 * Each of the calls takes about as long as a sync: what need not come after another is done beside it. The bytes, and
 * the way to them, are on the disk before the object is there, and its name is at the answer.
 */
async function writeDurably(folders: Folders, draft: Draft, body: Uint8Array | Readable): Promise<boolean> {
  const { folder, handle, ifAbsent, after } = draft
  const names = openFolder(folder)
  names.catch(ignore)
  try {
    await together([fill(draft, body).then(() => guarded(handle.sync())), guarded(folders.settle(folder))])
    await after
    const placing = place(draft)
    await together([placing, guarded(handle.close())])
    await together([guarded(names.then((it) => it.sync())), ...(ifAbsent ? [discard(draft)] : [])])
    return placing
  } finally {
    // Nobody waits for that: what was synced stays.
    names.then((it) => it.close()).catch(ignore)
  }
}

async function fill({ handle }: Draft, body: Uint8Array | Readable): Promise<void> {
  if (!(body instanceof Readable)) return guarded(handle.writeFile(body))
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new CargoError('internal', 'a stream to store must yield bytes')
    await guarded(handle.writeFile(chunk))
  }
}

/** `link` is the atomic create-if-absent of file systems, also between machines. */
function place({ temp, path, ifAbsent }: Draft): Promise<boolean> {
  return guarded(ifAbsent ? linkIfAbsent(temp, path) : rename(temp, path).then(() => true))
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

/** Never fails: what cannot be removed now is swept when it is stale, and must not hide how the write ended. */
async function discard({ temp }: Draft): Promise<void> {
  await unlink(temp).catch(ignore)
}

function ignore(): void {}
